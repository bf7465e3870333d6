//! A process, its loops and its threads.

mod names;
mod polling;
mod threads;

use super::event::Who;
use super::event_loop::{EventLoop, Looked, Means, Way};
use crate::commands::pace::Pace;
use crate::kind::Shape;
use crate::model::{Device, FdNum, FdRanges, Inode, Pid, Registration};
use crate::proc::{
    Candidate, FdTable, Kernel, Member, OpenError, ProcessDir, Shared, System, count_fds, quiet_devices,
};
use crate::watch::turning::Limits;
use rustix::io::Errno;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// How often new loops are looked for at most.
const FIND: Duration = Duration::from_millis(200);

/// A process.
pub(super) struct Process {
    pub(super) dir: ProcessDir,
    table: FdTable,
    /// Which epoll fds are meant; `None` for all.
    only: Option<FdRanges>,
    pub(super) loops: Vec<EventLoop>,
    /// The fds that were there when they were listed last.
    known: BTreeSet<FdNum>,
    /// How many fds it had when they were counted last, and when that was.
    count: Option<u64>,
    counted: Option<Instant>,
    /// How often its fds are listed, and its threads looked at, all and to guess which serve a loop.
    listing: Pace,
    surveys: Pace,
    guesses: Pace,
    /// The thread from which on threads are looked at next.
    next: Pid,
    /// How many threads it has, and how many of them were looked at.
    pub(super) threads: (usize, usize),
    pub(super) ended: bool,
    /// Listeners that other processes have, too, by inode.
    shared: BTreeSet<Inode>,
    /// The devices of sockets and pipes, which may be polled whatever they are.
    quiet: Vec<Device>,
}

impl Process {
    pub(super) fn open(system: &System, pid: Pid, only: Option<FdRanges>) -> Result<Self, OpenError> {
        let dir = ProcessDir::open(system.root(), pid, system)?;
        let table = FdTable::open(system.root(), pid)?;
        Ok(Self {
            dir,
            table,
            only,
            loops: Vec::new(),
            known: BTreeSet::new(),
            count: None,
            counted: None,
            listing: Pace::default(),
            surveys: Pace::default(),
            guesses: Pace::default(),
            next: Pid(0),
            threads: (0, 0),
            ended: false,
            shared: BTreeSet::new(),
            quiet: quiet_devices().map(Vec::from).unwrap_or_default(),
        })
    }

    pub(super) fn pid(&self) -> Pid {
        self.dir.pid()
    }

    /// An fd that is readable once it has ended.
    pub(super) fn pidfd(&self) -> rustix::fd::BorrowedFd<'_> {
        self.table.pidfd()
    }

    /// Finds its loops: those that are new come last.
    pub(super) fn find(&mut self, system: &System, limits: Limits) -> Result<(), OpenError> {
        let before = self.loops.len();
        let begin = Instant::now();
        let numbers = self.table.numbers(&self.known)?;
        let fresh = numbers.difference(&self.known).copied();
        let fresh: Vec<FdNum> = fresh.filter(|&fd| self.is_epoll(fd)).collect();
        self.add_epolls(fresh, &numbers, limits);
        self.known = numbers;
        self.listing.done(begin);
        for index in before..self.loops.len() {
            let (donor, task) = (self.table.donor(), self.table.task());
            let means = Means { system, dir: &self.dir, donor, task };
            match self.loops[index].read(&means) {
                Ok(_) => self.mark_stale(system, index),
                // It was closed meanwhile.
                Err(OpenError::Gone) => self.loops[index].open = false,
                Err(e) => return Err(e),
            }
        }
        self.identify(system, before..self.loops.len());
        self.settle(system, before);
        Ok(())
    }

    /// Makes loops of epoll fds that are new, one of those that are duplicates of each other. All its fds
    /// are `numbers`.
    fn add_epolls(&mut self, mut fresh: Vec<FdNum>, numbers: &BTreeSet<FdNum>, limits: Limits) {
        for known in &mut self.loops {
            known.also.retain(|fd| numbers.contains(fd));
        }
        let is_meant = |only: &Option<FdRanges>, fd| only.as_ref().is_none_or(|only| only.contains(fd));
        fresh.sort_by_key(|&fd| (!is_meant(&self.only, fd), fd));
        let open = self.loops.iter().filter(|l| l.open).filter_map(EventLoop::epoll);
        let member = |fd| Member { pid: self.pid(), task: self.table.task(), fd };
        // All are alike; those that are one, only the kernel knows.
        let all = open.chain(fresh.iter().copied());
        let all = all.map(|fd| Candidate { likeness: 0, member: member(fd) }).collect();
        let same = if fresh.is_empty() { Shared::default() } else { Shared::among(all, &Kernel) };
        for fd in fresh {
            let group = same.groups.iter().find(|group| group.contains(&Member { fd, ..group[0] }));
            let is_it = |l: &&mut EventLoop| {
                let epoll = l.epoll().filter(|_| l.open);
                group.zip(epoll).is_some_and(|(group, fd)| group.contains(&Member { fd, ..group[0] }))
            };
            match self.loops.iter_mut().find(is_it) {
                Some(known) => known.also.push(fd),
                None if is_meant(&self.only, fd) => {
                    self.add(Way::Epoll(fd), Some(fd), None, "epoll", limits);
                }
                None => {}
            }
        }
    }

    /// Whether the kernel refuses to have its fds duplicated: one is enough to know.
    pub(super) fn may_not_be_asked(&self) -> bool {
        let one = self.known.first().map(|&fd| self.table.donor().duplicate(fd));
        one.is_some_and(|asked| asked.is_err_and(|e| matches!(e, Errno::PERM | Errno::ACCESS)))
    }

    fn add(
        &mut self,
        way: Way,
        epoll: Option<FdNum>,
        tid: Option<Pid>,
        selector: &'static str,
        limits: Limits,
    ) -> &mut EventLoop {
        let who = Who {
            pid: self.pid(),
            command: self.dir.process.command.clone(),
            selector: Some(selector),
            epoll,
            tid,
        };
        self.loops.push(EventLoop::new(who, way, limits, Instant::now()));
        let last = self.loops.len() - 1;
        &mut self.loops[last]
    }

    fn link(&self, fd: FdNum) -> Option<Vec<u8>> {
        let link = std::fs::read_link(self.table.path(&format!("fd/{fd}"))).ok()?;
        Some(link.into_os_string().into_encoded_bytes())
    }

    fn is_epoll(&self, fd: FdNum) -> bool {
        self.link(fd).is_some_and(|link| Shape::of(&link) == Shape::Anon(b"eventpoll"))
    }

    /// Looks for loops that are new, if it is time to: gives the index of the first.
    pub(super) fn find_new(&mut self, system: &System, limits: Limits, at: Instant) -> Option<usize> {
        if !self.listing.is_due(at, FIND) || self.counted.is_some_and(|counted| at < counted + FIND) {
            return None;
        }
        let all = self.listing.is_due(at, FIND * 5);
        self.counted = Some(at);
        let count = count_fds(&self.dir).ok().flatten();
        let changed = std::mem::replace(&mut self.count, count) != count;
        if !changed && !all {
            return None;
        }
        let before = self.loops.len();
        // Of one that fails, what it has found counts.
        let _ = self.find(system, limits);
        (before < self.loops.len()).then_some(before)
    }

    /// Finds out which registrations of a loop are stale.
    fn mark_stale(&mut self, system: &System, index: usize) {
        let Some(epoll) = self.loops[index].epoll() else { return };
        let watched = self.loops[index].set.iter().map(|(_, watched)| watched.registration);
        let mut registrations: Vec<Registration> = watched.collect();
        registrations.sort_by_key(|registration| registration.fd);
        if self.dir.mark_stale(system, self.table.task(), epoll, &mut registrations).is_ok() {
            self.loops[index].set.mark_stale(&registrations);
        }
    }

    /// Looks at one of its loops.
    pub(super) fn look(&mut self, system: &System, index: usize, at: Instant) -> Looked {
        let (donor, task) = (self.table.donor(), self.table.task());
        let means = Means { system, dir: &self.dir, donor, task };
        let looked = self.loops[index].look(&means, at);
        let found = &mut self.loops[index];
        if std::mem::take(&mut found.lost) || !found.open {
            // It is open still, perhaps, if others have the fds now, or none that could be asked.
            let heirs = self.table.inherit();
            self.loops[index].open |= heirs.is_err() || self.table.task() != task;
        }
        let found = &mut self.loops[index];
        if !found.open {
            // What it was a duplicate of is open still, perhaps: that is found anew.
            let numbers = std::mem::take(&mut found.also);
            for fd in numbers.into_iter().chain(found.epoll()) {
                self.known.remove(&fd);
            }
        }
        if !looked.new.is_empty() || looked.gone {
            self.identify_new(system, index, &looked.new);
            self.check_new(system, index, &looked.new, looked.gone);
        }
        looked
    }

    /// Looks once at all that a loop watches.
    pub(super) fn look_once(&mut self, system: &System, index: usize) {
        let (donor, task) = (self.table.donor(), self.table.task());
        let means = Means { system, dir: &self.dir, donor, task };
        self.loops[index].look_once(&means);
    }
}
