//! From targets to the fds that are watched.

use super::connect;
use super::event::Who;
use super::numbers::Numbers;
use super::processes::{self, Process, reading};
use super::subject::Subject;
use super::target::{Access, Remote, Target, What};
use crate::context::Context;
use crate::error::Error;
use crate::model::{Assoc, Fd, FdNum, FdRanges, Interest, Pid};
use crate::proc::{OpenError, ProcessDir, Scanner, Slice, System, resolve};
use crate::sys::{self, Registered};
use rustix::fd::{AsRawFd as _, OwnedFd};
use rustix::io::Errno;
use std::collections::HashSet;
use std::os::unix::ffi::OsStrExt as _;

/// What is watched.
pub(super) struct Stage {
    pub(super) subjects: Vec<Subject>,
    pub(super) processes: Vec<Process>,
    /// Under which they are registered.
    pub(super) numbers: Numbers,
    /// Whether some target is not there, which was told.
    pub(super) failed: bool,
}

/// What the user asked for, in the place of what would be usual.
#[derive(Clone, Copy)]
pub(super) struct Wishes {
    pub(super) events: Option<Interest>,
    pub(super) lookouts: usize,
    /// Whether a connection that cannot be begun is tried again.
    pub(super) retries: bool,
}

impl Stage {
    /// Opens and finds all targets. What is not there is told, and the rest goes on.
    pub(super) fn set(
        targets: &[Target],
        wishes: Wishes,
        context: &Context,
        system: &System,
    ) -> Result<Self, Error> {
        let mut stage =
            Self { subjects: Vec::new(), processes: Vec::new(), numbers: Numbers::all(), failed: false };
        let mut taken: Vec<FdNum> = Vec::new();
        for target in targets {
            let placed = match &target.what {
                What::Own(fd) if taken.contains(fd) => Err(format!("fd {fd} is named twice")),
                What::Own(fd) => {
                    taken.push(*fd);
                    stage.inherited(target, *fd, wishes, system)
                }
                What::Path { path, how } => connect::open(path, *how).map(|fd| {
                    let usual = if *how == Access::Write { Interest::OUT } else { reading() };
                    stage.own(target, fd, usual, wishes, system);
                }),
                What::Connect(remote) => match connect::connect(remote, 0) {
                    Ok(begun) => {
                        stage.connection(target, remote, begun.fd, wishes).next_address = begun.next;
                        Ok(())
                    }
                    // Something in its place, until there is whom to connect to.
                    Err(failure) if failure.is_refusal() => connect::unconnected().map(|fd| {
                        stage.connection(target, remote, fd, wishes).refuse();
                    }),
                    Err(failure) if wishes.retries => connect::unconnected().map(|fd| {
                        context.note(&format!("{}; trying again", failure.reason));
                        stage.connection(target, remote, fd, wishes).open = false;
                    }),
                    Err(failure) => Err(failure.reason),
                },
                What::Process { target: process, all } => {
                    let fds = process.fds.as_ref();
                    match resolve(&context.root, process) {
                        Err(e) => Err(format!("{}: {}", e.target, e.reason)),
                        Ok(pids) => {
                            for pid in pids {
                                if let Err(reason) = stage.process(target, pid, fds, *all, wishes, system) {
                                    context.complain(&reason);
                                    stage.failed = true;
                                }
                            }
                            Ok(())
                        }
                    }
                }
            };
            if let Err(reason) = placed {
                context.complain(&reason);
                stage.failed = true;
            }
        }
        Ok(stage)
    }

    fn inherited(
        &mut self,
        target: &Target,
        fd: FdNum,
        wishes: Wishes,
        system: &System,
    ) -> Result<(), String> {
        let owned = sys::take_inherited(fd).map_err(|e| match Errno::from_io_error(&e) {
            Some(Errno::BADF) => {
                format!("fd {fd} is not open here; a shell opens it with a redirection such as {fd}<FILE")
            }
            _ => format!("fd {fd} cannot be taken over: {e}"),
        })?;
        let flags = rustix::fs::fcntl_getfl(&owned).unwrap_or(rustix::fs::OFlags::empty());
        let write = flags & rustix::fs::OFlags::ACCMODE == rustix::fs::OFlags::WRONLY;
        let usual = if write { Interest::OUT } else { reading() };
        self.own(target, owned, usual, wishes, system);
        Ok(())
    }

    /// A connection of our own, on its way.
    fn connection(&mut self, target: &Target, remote: &Remote, fd: OwnedFd, wishes: Wishes) -> &mut Subject {
        let number = FdNum(fd.as_raw_fd());
        let target = target.text.as_bytes().to_vec();
        let kind = remote.kind().to_owned();
        let who = Who { target, pid: None, command: None, fd: Some(number), kind, name: remote.name() };
        let mut subject = Subject::own(who, fd, reading() | Interest::OUT, wishes);
        subject.remote = Some(remote.clone());
        subject.made = true;
        let place = self.subjects.len();
        self.subjects.push(subject);
        &mut self.subjects[place]
    }

    /// An fd of our own.
    fn own(&mut self, target: &Target, fd: OwnedFd, usual: Interest, wishes: Wishes, system: &System) {
        let shown = match &target.what {
            What::Own(number) => *number,
            _ => FdNum(fd.as_raw_fd()),
        };
        let (kind, name) = describe(FdNum(fd.as_raw_fd()), system);
        let target = target.text.as_bytes().to_vec();
        let who = Who { target, pid: None, command: None, fd: Some(shown), kind, name };
        self.subjects.push(Subject::own(who, fd, usual, wishes));
    }

    /// Whether an fd of a process is closed, and if so, whether its number is another's now. `epoll`
    /// is the one that has it registered. An error is that nobody can be asked just now.
    pub(super) fn closed(&mut self, token: usize, epoll: Option<FdNum>) -> Result<Option<bool>, Errno> {
        let subject = &self.subjects[token];
        let process = subject.process().filter(|_| subject.open);
        let (Some(process), Some(fd), Some(epoll)) = (process, subject.who.fd, epoll) else {
            return Ok(None);
        };
        let table = &mut self.processes[process].table;
        let Some(number) = subject.number else {
            // Without a number of its own it cannot be told from another.
            return match table.duplicate(fd) {
                Err(Errno::BADF) => Ok(Some(false)),
                Err(Errno::SRCH) => Err(Errno::SRCH),
                _ => Ok(None),
            };
        };
        let mut asked = sys::registered(table.task(), fd, epoll, number);
        let seems_gone = match &asked {
            Ok(Registered::Closed) => true,
            Err(e) => e.raw_os_error() == Some(libc::ESRCH),
            Ok(_) => false,
        };
        // All that a task had looks closed once it has ended, but others may have it.
        if seems_gone {
            table.inherit()?;
            asked = sys::registered(table.task(), fd, epoll, number);
        }
        Ok(match asked {
            Ok(Registered::Closed) => Some(false),
            Ok(Registered::Other) => Some(true),
            // Without leave to ask it counts as what it was.
            Ok(Registered::Same) | Err(_) => None,
        })
    }

    /// Fds of a process.
    fn process(
        &mut self,
        target: &Target,
        pid: Pid,
        fds: Option<&FdRanges>,
        follow: bool,
        wishes: Wishes,
        system: &System,
    ) -> Result<(), String> {
        if let Some(why) = system.root().strangeness() {
            return Err(format!("{pid}: its fds cannot be watched: {why}"));
        }
        let denied = format!(
            "the fds of process {pid} may not be watched: that takes the right to trace it (the same user and \
             Yama's leave, or CAP_SYS_PTRACE)"
        );
        let process = Process::open(system.root(), pid, target.text.as_bytes(), follow);
        let mut process = process.map_err(|e| match e {
            Errno::SRCH => format!("no process has pid {pid}"),
            e => format!("process {pid} cannot be watched: {e}"),
        })?;
        let found = process.list(fds, system.root()).map_err(|e| match e {
            OpenError::Gone => format!("process {pid} has ended"),
            OpenError::Denied => denied.clone(),
            OpenError::Failed(Errno::INVAL) => format!(
                "the fds of process {pid} cannot be watched: its main thread has ended, and those of other \
                 threads can be since Linux 6.9"
            ),
            OpenError::Failed(e) => format!("the fds of process {pid} cannot be read: {e}"),
        })?;
        if found.is_empty() && !follow {
            return Err(format!("{}: the process has no such fd", target.text.display()));
        }
        // One is enough to know whether it may be done.
        if let Some(fd) = found.first().and_then(|f| f.who.fd)
            && process.table.donor().duplicate(fd).is_err_and(|e| matches!(e, Errno::PERM | Errno::ACCESS))
        {
            return Err(denied);
        }
        // Named twice, by number and by name perhaps, is watched once.
        let named: HashSet<_> = self.subjects.iter().map(|s| (s.who.pid, s.who.fd)).collect();
        let index = self.processes.len();
        self.processes.push(process);
        for one in found.into_iter().filter(|one| !named.contains(&(one.who.pid, one.who.fd))) {
            self.subjects.push(Subject::foreign(one.who, index, one.want, wishes));
        }
        Ok(())
    }
}

/// Kind and name of an fd of our own, as `list` has them.
fn describe(fd: FdNum, system: &System) -> (String, Vec<u8>) {
    let mut described = (String::new(), Vec::new());
    if let Some(own) = system.root().own()
        && let Ok(dir) = ProcessDir::open(system.root(), own, system)
    {
        let slice = Slice::whole(own, Some([fd].into_iter().collect()));
        let _ = Scanner::new(system, &processes::plan()).scan(&dir, &slice, &mut |row: &Fd| {
            if row.assoc == Assoc::Fd(fd) {
                described = (row.kind.to_string(), processes::lasting(&row.name));
            }
        });
    }
    described
}
