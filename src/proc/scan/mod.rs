//! The scan of a process's fds: the hot path.

mod end;
mod fd;
mod file;
mod identity;
mod network;
mod stat;
mod torn;

use super::borrow::Lender;
use super::filter::PathFilter;
use super::io::{NumberName, go_to, number_of, open_dir, readlink_at};
use super::iterator::{Known, SharedTable, Wanted};
use super::lookup::ProcLookup;
use super::part::{Part, parts};
use super::plan::Plan;
use super::process::{OpenError, ProcessDir};
use super::root::ProcRoot;
use super::sweep::ROOM;
use super::system::System;
use super::usage::fds_of;
use crate::kind::{self, FileStat};
use crate::model::{Fd, FdNum, FdRanges, Pid, Tally};
use crate::sys;
use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::RawDir;
use rustix::io::Errno;
use std::mem::MaybeUninit;
use std::sync::Arc;

pub(super) use stat::file_stat;

/// A piece of work: the fds of one process, or a range of them.
#[derive(Clone, Debug)]
pub struct Slice {
    /// The process.
    pub pid: Pid,
    /// The fds that the user named, `None` for all.
    pub fds: Option<FdRanges>,
    /// First fd number of the range. What is held without an fd goes with the range from 0.
    pub first: i32,
    /// Last fd number.
    pub last: i32,
    /// The fds that count, for fdscope itself: not the ones that it opened to look.
    pub only: Option<Arc<Vec<i32>>>,
    /// Where it is but a part: what all parts may have in common.
    pub shared: Option<SharedTable>,
}

/// A process with more fds than two of these is worth splitting over the cores. What is ready is
/// held until it is its turn, so that a part is not large.
const PART: i32 = 650;

impl Slice {
    /// All of a process.
    pub fn whole(pid: Pid, fds: Option<FdRanges>) -> Self {
        Self { pid, fds, first: 0, last: i32::MAX, only: None, shared: None }
    }

    /// Adds more of its fds, `None` for all.
    pub fn add(&mut self, fds: Option<&FdRanges>) {
        self.fds = match (self.fds.take(), fds) {
            (Some(own), Some(more)) => Some(own.union(more)),
            _ => None,
        };
    }

    /// Parts of it where the process has many fds: those that have to be looked at. What is not an fd comes
    /// with the first.
    pub fn split(self, plan: &Plan, root: &ProcRoot) -> Vec<Self> {
        if self.only.is_some() {
            return vec![self];
        }
        let part =
            |part: Part| Self { first: part.first, last: part.last, shared: part.shared, ..self.clone() };
        let is_wanted = |slice: &Self| {
            let (first, last) = slice.bounds(plan);
            slice.first == 0 || first <= last
        };
        parts(root, self.pid, 0, PART, 2 * PART as u64).map(part).filter(is_wanted).collect()
    }

    /// The lowest and the highest number that is wanted.
    fn bounds(&self, plan: &Plan) -> (i32, i32) {
        let wanted = [&self.fds, &plan.filter.fds].into_iter().flatten().filter_map(FdRanges::bounds);
        wanted.fold((self.first, self.last), |(first, last), (from, to)| (first.max(from), last.min(to)))
    }

    /// Whether fds are wanted whatever their numbers are.
    fn takes_all(&self, plan: &Plan) -> bool {
        self.fds.is_none() && plan.filter.fds.is_none() && self.only.is_none()
    }

    fn takes(&self, plan: &Plan, fd: FdNum) -> bool {
        self.fds.as_ref().is_none_or(|f| f.contains(fd))
            && plan.filter.fds.as_ref().is_none_or(|f| f.contains(fd))
            && self.only.as_ref().is_none_or(|o| o.contains(&fd.0))
    }
}

/// How many bytes of `getdents64` the entries of a range take, if no number is missing: what it gives
/// beyond the range is lost, and costs as much.
fn room(first: i32, last: i32) -> usize {
    // A header of 19 bytes, the name and a NUL, in words of 8 bytes; `.` and `..` are there too.
    let longest = (19 + NumberName::new(last).as_c_str().count_bytes() + 1).next_multiple_of(8);
    let entries = usize::try_from(last.saturating_sub(first)).unwrap_or(0).saturating_add(4);
    entries.saturating_mul(longest)
}

/// What is known of an fd that was come upon.
#[derive(Clone, Copy, Default)]
enum Told<'k> {
    /// Its number.
    #[default]
    Number,
    /// Its link too, which the scanner has.
    Link,
    /// All that is needed.
    All(Known<'k>),
}

impl<'k> Told<'k> {
    fn known(self) -> Option<Known<'k>> {
        match self {
            Self::All(known) => Some(known),
            _ => None,
        }
    }
}

/// One worker's scanner: its buffers are used again for every fd.
pub struct Scanner<'s> {
    system: &'s System,
    plan: &'s Plan,
    link: Vec<u8>,
    info: Vec<u8>,
    entries: Vec<MaybeUninit<u8>>,
    /// Which fds a table may be asked for at once.
    wanted: Wanted,
}

/// Where rows go: the row that is used again, what is counted, and who takes it.
struct Output<'o> {
    row: Fd,
    tally: Tally,
    each: &'o mut dyn FnMut(&Fd),
}

impl Output<'_> {
    fn emit(&mut self) {
        (self.each)(&self.row);
    }
}

/// An fd table: that of a process, or of one of its threads.
struct Place<'a> {
    lookup: ProcLookup<'a>,
    lender: Lender,
}

impl<'s> Scanner<'s> {
    /// A scanner for one thread.
    pub fn new(system: &'s System, plan: &'s Plan) -> Self {
        Self {
            system,
            plan,
            link: Vec::with_capacity(4096),
            info: Vec::with_capacity(4096),
            entries: vec![MaybeUninit::uninit(); 32 * 1024],
            wanted: if plan.wants_sockets_alone() { Wanted::Sockets } else { Wanted::All },
        }
    }

    /// Calls `each` for every row of a slice. An error means that nothing could be read; what
    /// goes wrong with single fds is counted, and shown as rows.
    pub fn scan(
        &mut self,
        dir: &ProcessDir,
        slice: &Slice,
        each: &mut dyn FnMut(&Fd),
    ) -> Result<Tally, OpenError> {
        let mut out = Output { row: Fd::new(Arc::clone(&dir.process)), tally: Tally::default(), each };
        let beyond_fds = slice.first == 0 && slice.fds.is_none() && self.plan.filter.fds.is_none();
        if beyond_fds && self.plan.assoc {
            self.unnumbered(dir, &mut out);
        }
        let listed = self.table(dir, dir.pid(), dir.dir(), slice, &mut out);
        let may_be_others = match listed {
            Ok(entries) => entries == 0,
            // What a main thread had that has ended belongs to root, and what others have to their user.
            Err(OpenError::Denied) => fds_of(dir.dir()) == Ok(0),
            Err(_) => false,
        };
        let survivor = if may_be_others && slice.first == 0 && dir.state() == Some(b'Z') {
            self.without_leader(dir, slice, &mut out)?
        } else {
            None
        };
        if survivor.is_none() {
            listed?;
        }
        let leader = survivor.unwrap_or(dir.pid());
        if beyond_fds && self.plan.mappings {
            self.mappings(dir, &mut out);
        }
        if slice.first == 0 && self.plan.threads {
            self.threads(dir, leader, slice, &mut out);
        }
        Ok(out.tally)
    }

    /// Calls `each` for the rows of a few fds of the table that a task has, by their numbers: the table
    /// is not listed for that. What is not open is counted as vanished.
    pub fn some(
        &mut self,
        dir: &ProcessDir,
        task: Pid,
        fds: &[FdNum],
        each: &mut dyn FnMut(&Fd),
    ) -> Result<Tally, OpenError> {
        let own = (task != dir.pid()).then(|| dir.task(task)).transpose()?;
        let parent = own.as_ref().map_or(dir.dir(), |own| own.as_fd());
        let table = open_dir(parent, c"fd")?;
        let mut out = Output { row: Fd::new(Arc::clone(&dir.process)), tally: Tally::default(), each };
        out.row.task = task;
        let place = Place {
            lookup: ProcLookup::new(self.system, dir, task, parent, table.as_fd()),
            lender: Lender::new(self.system, dir.pid(), task),
        };
        fds.iter().for_each(|&fd| self.fd(&place, fd, Told::Number, &mut out));
        Ok(out.tally)
    }

    /// The fd table of a task, whose directory is `parent`. Gives the number of its entries.
    fn table(
        &mut self,
        dir: &ProcessDir,
        task: Pid,
        parent: BorrowedFd<'_>,
        slice: &Slice,
        out: &mut Output<'_>,
    ) -> Result<usize, OpenError> {
        let fds = open_dir(parent, c"fd")?;
        out.row.task = task;
        let place = Place {
            lookup: ProcLookup::new(self.system, dir, task, parent, fds.as_fd()),
            lender: Lender::new(self.system, dir.pid(), task),
        };
        let (first, last) = slice.bounds(self.plan);
        // Threads have tables of their own.
        let shared = slice.shared.as_ref().filter(|_| task == dir.pid());
        // Of a few that were named, not all the others are read.
        if (first, last) == (slice.first, slice.last)
            && let Some(table) = self.system.iterator.table(task, parent, fds.as_fd(), self.wanted, shared)
        {
            for (fd, known) in table.between(first, last) {
                self.entry(&place, slice, fd, known.map_or(Told::Number, Told::All), out);
            }
            // There are some, if none that is wanted.
            return Ok(1);
        }
        // Another tree is in whatever order its filesystem has.
        let (first, last) = if self.system.root().is_native() { (first, last) } else { (0, i32::MAX) };
        let follow = self.system.root().is_native() && slice.takes_all(self.plan);
        let mut buffer = std::mem::take(&mut self.entries);
        let room = if follow { ROOM } else { buffer.len().min(room(first, last)) };
        let mut names = RawDir::new(&fds, &mut buffer[..room]);
        let mut entries = 0;
        let mut next = first;
        let result = 'table: loop {
            // Numbers mostly follow each other. While they do, links are read without asking which there
            // are: the kernel would look each up twice.
            while follow
                && next <= last
                && readlink_at(&fds, NumberName::new(next).as_c_str(), &mut self.link).is_ok()
            {
                entries += 1;
                self.entry(&place, slice, FdNum(next), Told::Link, out);
                next += 1;
            }
            if next > last {
                break Ok(entries);
            }
            if next > 0
                && let Err(e) = go_to(&fds, next)
            {
                break Err(e.into());
            }
            loop {
                let entry = match names.next() {
                    None => break 'table Ok(entries),
                    // The process ended while its directory was read.
                    Some(Err(Errno::NOENT | Errno::SRCH)) => {
                        out.tally.vanished += 1;
                        break 'table Ok(entries);
                    }
                    Some(Err(e)) => break 'table Err(e.into()),
                    Some(Ok(entry)) => entry,
                };
                if let Some(fd) = number_of(entry.file_name()).map(FdNum) {
                    if fd.0 > last {
                        break 'table Ok(entries);
                    }
                    entries += 1;
                    self.entry(&place, slice, fd, Told::Number, out);
                    if fd.0 == last {
                        break 'table Ok(entries);
                    }
                    next = fd.0 + 1;
                }
                if follow && names.is_buffer_empty() {
                    break;
                }
            }
        };
        self.entries = buffer;
        result
    }

    /// An fd of the table, and what is known of it.
    fn entry(&mut self, place: &Place<'_>, slice: &Slice, fd: FdNum, told: Told<'_>, out: &mut Output<'_>) {
        match self.plan.identity {
            _ if !slice.takes(self.plan, fd) => {}
            true => self.identity(place, fd, told, out),
            false => self.fd(place, fd, told, out),
        }
    }

    /// A process whose main thread has ended while others go on: they have the fds. Gives the one
    /// that was taken for the whole.
    fn without_leader(
        &mut self,
        dir: &ProcessDir,
        slice: &Slice,
        out: &mut Output<'_>,
    ) -> Result<Option<Pid>, OpenError> {
        for tid in dir.threads().into_iter().filter(|&t| t != dir.pid()) {
            let Ok(task) = dir.task(tid) else { continue };
            if self.table(dir, tid, task.as_fd(), slice, out)? > 0 {
                return Ok(Some(tid));
            }
        }
        Ok(None)
    }

    /// Threads whose fd table is not the leader's.
    fn threads(&mut self, dir: &ProcessDir, leader: Pid, slice: &Slice, out: &mut Output<'_>) {
        if !self.system.root().is_native() {
            return;
        }
        for tid in dir.threads().into_iter().filter(|&t| t != leader && t != dir.pid()) {
            let result = match sys::same_fd_table(leader, tid) {
                Ok(true) => continue,
                Ok(false) => dir.task(tid).map_err(OpenError::from).and_then(|task| {
                    out.row.tid = Some(tid);
                    self.table(dir, tid, task.as_fd(), slice, out)
                }),
                Err(e) if e.raw_os_error() == Some(libc::ESRCH) => Err(OpenError::Gone),
                Err(_) => Err(OpenError::Denied),
            };
            out.row.tid = None;
            match result {
                Ok(_) => {}
                Err(OpenError::Gone) => out.tally.vanished += 1,
                Err(_) => out.tally.denied += 1,
            }
        }
    }

    /// Turns the row into an error, or counts it as gone. What `stat` may tell of it is asked only where
    /// that decides something.
    fn failed(
        &self,
        call: &'static str,
        errno: Errno,
        dir: &ProcessDir,
        stat: impl FnOnce() -> Option<FileStat>,
        out: &mut Output<'_>,
    ) {
        match errno {
            Errno::NOENT | Errno::SRCH => {
                out.tally.vanished += 1;
                return;
            }
            Errno::ACCESS | Errno::PERM => out.tally.denied += 1,
            Errno::TIMEDOUT => out.tally.timed_out += 1,
            Errno::NAMETOOLONG if !self.plan.filter.takes_errors() => {
                return self.unnamed(errno, stat(), dir, out);
            }
            _ => {}
        }
        let filter = &self.plan.filter;
        // What a search for a path may have been about, by its name.
        let is_sought = || {
            let link = &out.row.link[..];
            let is_it = |path: &PathFilter| path.matches(link, false, None, || dir.mounts(self.system));
            !link.is_empty() && filter.path.as_ref().is_some_and(is_it)
        };
        if filter.takes_errors() || is_sought() {
            kind::failed(&mut out.row, call, errno.raw_os_error());
            out.emit();
        }
    }

    /// A search meets a file whose path is longer than the kernel tells. It is found by what else is known
    /// of it; where its path would decide, it is counted as not read.
    fn unnamed(&self, errno: Errno, stat: Option<FileStat>, dir: &ProcessDir, out: &mut Output<'_>) {
        let filter = &self.plan.filter;
        // It is a file, and only files have paths.
        let kinds = ["error", "regular", "directory", "file"];
        let is_kind = filter.kinds.is_empty() || filter.kinds.iter().any(|k| kinds.contains(&&**k));
        if !filter.ports.is_empty() || !is_kind {
            return;
        }
        let is_deleted = !filter.deleted || stat.is_none_or(|s| s.links.is_none_or(|n| n == 0));
        let is_there = match (&filter.path, &stat) {
            (None, _) => Some(true),
            (Some(path), Some(stat)) if path.is_same(stat) => Some(true),
            (Some(path), stat) if path.may_have(stat.as_ref(), dir.mounts(self.system)) => None,
            _ => Some(false),
        };
        match is_there {
            Some(is_there) if !(is_there && is_deleted) => {}
            Some(_) => {
                let row = &mut out.row;
                kind::failed(row, "readlink", errno.raw_os_error());
                row.device = stat.map(|s| s.device);
                row.inode = stat.map(|s| s.inode);
                out.emit();
            }
            None if is_deleted => out.tally.too_long += 1,
            None => {}
        }
    }
}
