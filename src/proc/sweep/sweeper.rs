//! Looks at the fds of a part.

use super::FdTables;
use super::met::Met;
use super::piece::Piece;
use crate::model::{FdNum, Pid, Process};
use crate::proc::io::{NumberName, go_to, number_of, open_dir, readlink_at};
use crate::proc::iterator::{Known, Wanted};
use crate::proc::mounts::Mounts;
use crate::proc::part::Part;
use crate::proc::process::ProcessDir;
use crate::proc::system::System;
use crate::proc::usage::fds_of;
use crate::sys;
use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags, RawDir};
use rustix::io::Errno;
use std::cell::OnceCell;
use std::mem::MaybeUninit;
use std::sync::Arc;

/// Room for the names that are listed at once: few, for those behind them may need no listing.
pub(in crate::proc) const ROOM: usize = 2 << 10;

/// How much of a part is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::proc) enum Amount {
    /// All of it.
    All,
    /// No more than it takes to find something.
    First,
}

/// One thread's buffers.
pub(in crate::proc) struct Sweeper<'s> {
    system: &'s System,
    amount: Amount,
    tables: FdTables,
    /// Which fds a table may be asked for at once.
    at_once: Option<Wanted>,
    link: Vec<u8>,
    names: Vec<MaybeUninit<u8>>,
}

impl<'s> Sweeper<'s> {
    pub(in crate::proc) fn new(system: &'s System, amount: Amount) -> Self {
        let names = vec![MaybeUninit::uninit(); ROOM];
        Self {
            system,
            amount,
            tables: FdTables::Processes,
            at_once: None,
            link: Vec::with_capacity(4096),
            names,
        }
    }

    /// One that may have the fds of a table all at once.
    pub(in crate::proc) fn at_once(system: &'s System, wanted: Wanted) -> Self {
        Self { at_once: Some(wanted), ..Self::new(system, Amount::All) }
    }

    /// The same, which looks at these tables.
    pub(super) fn of(self, tables: FdTables) -> Self {
        Self { tables, ..self }
    }

    pub(in crate::proc) fn part<K>(&mut self, part: &Part, key: &impl Fn(&Met<'_>) -> Option<K>) -> Piece<K> {
        let mut piece = Piece::new();
        if let Err(errno) = self.process(part, key, &mut piece) {
            match errno {
                Errno::NOENT | Errno::SRCH => piece.tally.vanished += 1,
                _ if self.holds_nothing(part.pid) => {}
                errno => piece.fails(errno).processes += 1,
            }
        }
        piece
    }

    /// Whether a process that may not be read has no fds anyway: what belonged to a zombie's user
    /// belongs to root now.
    fn holds_nothing(&self, pid: Pid) -> bool {
        let dir = ProcessDir::open(self.system.root(), pid, self.system);
        dir.is_ok_and(|dir| dir.has_ended() || dir.is_kernel_thread())
    }

    fn process<K>(
        &mut self,
        part: &Part,
        key: &impl Fn(&Met<'_>) -> Option<K>,
        piece: &mut Piece<K>,
    ) -> Result<(), Errno> {
        let path = self.system.root().join(part.pid.to_string());
        let dir = rustix::fs::open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        let listed = self.table(part, &dir, self.at_once, key, piece);
        let is_empty = match listed {
            // Of another part it may be that the numbers have a gap.
            Ok(0) => part.first == 0 || fds_of(&dir)? == 0,
            // What a main thread had that has ended belongs to root, and what others have to their user.
            Err(Errno::ACCESS) => fds_of(&dir)? == 0,
            _ => false,
        };
        let is_first = part.first == 0 && self.system.root().is_native();
        let is_for_threads = self.tables == FdTables::Threads && is_first;
        if !is_empty && (listed.is_err() || !is_for_threads) {
            return listed.map(drop);
        }
        let mut others = other_threads(&dir, part.pid);
        let mut leader = part.pid;
        if is_empty {
            // A process whose main thread has ended while others go on: they have the fds.
            for nth in 0..others.len() {
                if self.table(part, &others[nth].1, None, key, piece)? > 0 {
                    (leader, _) = others.swap_remove(nth);
                    break;
                }
            }
            if leader == part.pid {
                listed?;
            }
        }
        if is_for_threads {
            self.threads(part.pid, leader, &others, key, piece);
        }
        Ok(())
    }

    /// The fd tables of threads that are not the leader's.
    fn threads<K>(
        &mut self,
        pid: Pid,
        leader: Pid,
        others: &[(Pid, OwnedFd)],
        key: &impl Fn(&Met<'_>) -> Option<K>,
        piece: &mut Piece<K>,
    ) {
        let all = Part { pid, first: 0, last: i32::MAX, shared: None };
        let mut failure = None;
        for (tid, task) in others {
            let looked = match sys::same_fd_table(leader, *tid) {
                Ok(true) => continue,
                Ok(false) => self.table(&all, task, None, key, piece).map(drop),
                Err(e) => Err(Errno::from_io_error(&e).unwrap_or(Errno::IO)),
            };
            match looked {
                Ok(()) => {}
                Err(Errno::NOENT | Errno::SRCH) => piece.tally.vanished += 1,
                Err(errno) => failure = Some(errno),
            }
        }
        if let Some(errno) = failure {
            piece.fails(errno).processes += 1;
        }
    }

    /// The fd table of a task. Gives the number of its entries.
    ///
    /// Numbers mostly follow each other. While they do, links are read without asking which there are:
    /// the kernel would look each up twice. Only behind a gap are the next ones listed.
    fn table<K>(
        &mut self,
        part: &Part,
        task: &OwnedFd,
        at_once: Option<Wanted>,
        key: &impl Fn(&Met<'_>) -> Option<K>,
        piece: &mut Piece<K>,
    ) -> Result<usize, Errno> {
        let Self { system, amount, at_once: wanted, link, names, .. } = self;
        let fds = open_dir(task, c"fd")?;
        let mut table = Table {
            system,
            pid: part.pid,
            fds: fds.as_fd(),
            task: task.as_fd(),
            wanted: *wanted,
            process: None,
            mounts: OnceCell::new(),
        };
        let at_once = at_once.and_then(|wanted| {
            system.iterator.table(part.pid, task.as_fd(), fds.as_fd(), wanted, part.shared.as_ref())
        });
        if let Some(all) = at_once {
            for (fd, known) in all.between(part.first, part.last) {
                match known {
                    Some(known) => drop(table.meet(fd, known.link, Some(known), key, piece)),
                    None => drop(table.read(fd, link, key, piece)),
                }
            }
            // There are some, if none that is wanted.
            return Ok(1);
        }
        let follow = system.root().is_native();
        let mut entries = 0;
        let mut next = part.first;
        loop {
            while follow
                && next <= part.last
                && readlink_at(&fds, NumberName::new(next).as_c_str(), link).is_ok()
            {
                entries += 1;
                if table.meet(FdNum(next), link, None, key, piece) && *amount == Amount::First {
                    return Ok(entries);
                }
                next += 1;
            }
            if next > part.last {
                // There may be.
                piece.has_more = true;
                return Ok(entries);
            }
            if next > 0 {
                go_to(&fds, next)?;
            }
            let before = next;
            let mut names = RawDir::new(&fds, names);
            while let Some(entry) = names.next() {
                let entry = entry?;
                if let Some(fd) = number_of(entry.file_name()).map(FdNum) {
                    if fd.0 > part.last {
                        piece.has_more = true;
                        return Ok(entries);
                    }
                    entries += 1;
                    next = fd.0.saturating_add(1);
                    if table.read(fd, link, key, piece) && *amount == Amount::First {
                        return Ok(entries);
                    }
                }
                if follow && names.is_buffer_empty() {
                    break;
                }
            }
            if !follow || next == before {
                return Ok(entries);
            }
        }
    }
}

/// An fd table that is looked at.
struct Table<'t> {
    system: &'t System,
    pid: Pid,
    fds: BorrowedFd<'t>,
    task: BorrowedFd<'t>,
    /// What is looked for; sockets, where nothing is said.
    wanted: Option<Wanted>,
    process: Option<Arc<Process>>,
    mounts: OnceCell<Arc<Mounts>>,
}

impl Table<'_> {
    /// Reads the link of an fd, looks at it, and says whether it matters.
    fn read<K>(
        &mut self,
        fd: FdNum,
        link: &mut Vec<u8>,
        key: &impl Fn(&Met<'_>) -> Option<K>,
        piece: &mut Piece<K>,
    ) -> bool {
        match readlink_at(self.fds, NumberName::new(fd.0).as_c_str(), link) {
            Ok(()) => return self.meet(fd, link, None, key, piece),
            Err(Errno::NOENT | Errno::SRCH) => piece.tally.vanished += 1,
            // A file whose path is longer than the kernel tells: nothing but a file has a path, and where
            // sockets alone are wanted it is none.
            Err(Errno::NAMETOOLONG) if self.wanted != Some(Wanted::All) => {}
            Err(errno) => piece.fails(errno).fds += 1,
        }
        false
    }

    /// Looks at an fd, and says whether it matters.
    fn meet<K>(
        &mut self,
        fd: FdNum,
        link: &[u8],
        known: Option<Known<'_>>,
        key: &impl Fn(&Met<'_>) -> Option<K>,
        piece: &mut Piece<K>,
    ) -> bool {
        let Self { system, pid, fds, task, process, mounts, .. } = self;
        let met = Met { link, fd, pid: *pid, known, fds: *fds, task: *task, mounts, system };
        let Some(key) = key(&met) else { return false };
        piece.push(system, *pid, fd, key, process);
        true
    }
}

/// The directories of the threads of a process but the first, if there are any.
fn other_threads(dir: &OwnedFd, pid: Pid) -> Vec<(Pid, OwnedFd)> {
    // `.`, `..` and a link for each thread: that there is but one, as in all threads of the kernel,
    // is seen without reading it.
    let alone = rustix::fs::statat(dir, c"task", rustix::fs::AtFlags::empty()).is_ok_and(|s| s.st_nlink <= 3);
    if alone {
        return Vec::new();
    }
    let Ok(tasks) = open_dir(dir, c"task") else { return Vec::new() };
    let Ok(entries) = rustix::fs::Dir::read_from(&tasks) else { return Vec::new() };
    let thread = |entry: Result<rustix::fs::DirEntry, Errno>| {
        let tid = number_of(entry.ok()?.file_name())?;
        if tid == pid.0 {
            return None;
        }
        Some((Pid(tid), open_dir(&tasks, NumberName::new(tid).as_c_str()).ok()?))
    };
    entries.filter_map(thread).collect()
}
