//! The fds of a process, by whichever of its tasks has them.
//!
//! That is the first thread, until it ends while others go on: then these have the fds. One of them that
//! runs another program, `execve(2)`, takes the place of the first, and its own number is nobody's. To
//! who asks the wrong one, all fds look closed.

use super::duplicate::Donor;
use super::io::numbers_in;
use super::process::OpenError;
use super::root::ProcRoot;
use super::usage::number;
use crate::model::{FdNum, Pid};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::io::Errno;
use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;

/// The fds of a process. It costs a look for who has them only where they seem to be gone.
#[derive(Debug)]
pub struct FdTable {
    root: ProcRoot,
    pid: Pid,
    whole: Donor,
    /// The task that has them.
    task: Pid,
    /// The same, unless it is the first.
    heir: Option<Donor>,
}

impl FdTable {
    /// Those of the process `pid`.
    pub fn open(root: &ProcRoot, pid: Pid) -> Result<Self, Errno> {
        Ok(Self { root: root.clone(), pid, whole: Donor::process(pid)?, task: pid, heir: None })
    }

    /// The task that had them when they were asked for last.
    pub fn task(&self) -> Pid {
        self.task
    }

    /// By whom they are duplicated.
    pub fn donor(&self) -> &Donor {
        self.heir.as_ref().unwrap_or(&self.whole)
    }

    /// An fd that is readable once the process has ended.
    pub fn pidfd(&self) -> BorrowedFd<'_> {
        self.whole.pidfd()
    }

    /// The path of a file that the task has in /proc.
    pub fn path(&self, rest: &str) -> PathBuf {
        self.path_of(self.task, rest)
    }

    fn path_of(&self, task: Pid, rest: &str) -> PathBuf {
        self.root.join(if task == self.pid {
            format!("{task}/{rest}")
        } else {
            format!("{}/task/{task}/{rest}", self.pid)
        })
    }

    /// A duplicate of an fd. `EBADF` if it is closed for sure, `ESRCH` if nobody has the fds, for now or
    /// for good.
    pub fn duplicate(&mut self, fd: FdNum) -> Result<OwnedFd, Errno> {
        match self.donor().duplicate(fd) {
            // Before Linux 6.8, a task that has ended answers as if all were closed.
            Err(Errno::BADF | Errno::SRCH) => {
                self.inherit()?;
                self.donor().duplicate(fd)
            }
            other => other,
        }
    }

    /// Reads what fdinfo has of an fd.
    pub fn info(&mut self, fd: FdNum) -> io::Result<Vec<u8>> {
        let name = format!("fdinfo/{fd}");
        std::fs::read(self.path(&name)).or_else(|e| match self.inherit() {
            Ok(()) => std::fs::read(self.path(&name)),
            Err(_) => Err(e),
        })
    }

    /// The numbers of the fds. Of those that are `known`, none is missing that is open.
    pub fn numbers(&mut self, known: &BTreeSet<FdNum>) -> Result<BTreeSet<FdNum>, OpenError> {
        match self.list() {
            Ok(numbers) if !numbers.is_empty() && known.is_subset(&numbers) => Ok(numbers),
            seen => {
                // Who has ended has none, and its directory may be closed to us.
                match (self.inherit(), seen) {
                    (Ok(()), _) => self.list(),
                    (Err(Errno::SRCH), Err(e)) => Err(e),
                    (Err(e), _) => Err(e),
                }
                .map_err(OpenError::from)
            }
        }
    }

    fn list(&self) -> Result<BTreeSet<FdNum>, Errno> {
        let numbers = numbers_in(self.path("fd"));
        let numbers = numbers.map_err(|e| Errno::from_io_error(&e).unwrap_or(Errno::IO))?;
        Ok(numbers.map(FdNum).collect())
    }

    /// Finds out who has the fds now. Whatever was seen of them before is to be asked for again.
    ///
    /// # Errors
    ///
    /// `ESRCH` if nobody has them: the process ends, or somebody takes them over just now. `EINVAL` where
    /// a thread has them that this kernel, before Linux 6.9, does not let one ask.
    pub fn inherit(&mut self) -> Result<(), Errno> {
        if has_ended(&self.whole) {
            return Err(Errno::SRCH);
        }
        // The number of one that has ended may be another thread's by now.
        if !self.heir.as_ref().is_some_and(has_ended) && self.has_fds(self.task) {
            return Ok(());
        }
        let mut failed = Errno::SRCH;
        // One of the others may become the first while they are gone through.
        let first = std::iter::once(self.pid);
        for task in first.clone().chain(self.threads()).chain(first) {
            let heir = if task == self.pid { Ok(None) } else { Donor::thread(task).map(Some) };
            // That it is one of the process is asked once it is open: its number is not another's then.
            match (heir, self.has_fds(task) && !has_ended(&self.whole)) {
                (Ok(heir), true) => {
                    (self.task, self.heir) = (task, heir);
                    return Ok(());
                }
                (Err(Errno::INVAL), true) => failed = Errno::INVAL,
                _ => {}
            }
        }
        Err(failed)
    }

    /// The threads, without the first.
    fn threads(&self) -> Vec<Pid> {
        let tids = numbers_in(self.path_of(self.pid, "task")).into_iter().flatten().map(Pid);
        tids.filter(|&tid| tid != self.pid).collect()
    }

    /// Whether a task has fds, or may open some: one that ends gives them up before it counts as ended.
    fn has_fds(&self, task: Pid) -> bool {
        let status = std::fs::read(self.path_of(task, "status"));
        // How many there is room for: none where there is no table.
        status.is_ok_and(|status| number(&status, b"FDSize:").is_some_and(|room| room > 0))
    }
}

/// Whether a process, or a thread, has ended.
fn has_ended(donor: &Donor) -> bool {
    let mut fds = [PollFd::from_borrowed_fd(donor.pidfd(), PollFlags::IN)];
    poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok_and(|ready| ready > 0)
}
