//! A process, its loops and its threads.

use super::event::Who;
use super::event_loop::{EventLoop, Looked, Means, Way, waits_in_epoll};
use super::set::What;
use crate::commands::threads::{Telling, in_words};
use crate::kind::Shape;
use crate::model::{
    Assoc, Device, Doing, Fd, FdNum, FdRanges, Inode, Pid, Registration, Thread, Value, Wait,
};
use crate::proc::{
    Donor, OpenError, Plan, ProcessDir, Scanner, Sort, System, ThreadReader, count_fds, quiet_devices,
};
use crate::watch::turning::Limits;
use rustix::io::Errno;
use std::cell::Cell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Looking for new loops, and at all threads, takes at most this part of the time.
const SHARE: u32 = 50;
/// How often either is done at most.
const FIND: Duration = Duration::from_millis(200);
const SURVEY: Duration = Duration::from_millis(500);
/// How often the other ends of what threads wait for are looked for.
const PEERS: Duration = Duration::from_secs(1);
/// How often threads are looked at to guess which serves a loop.
const GUESS: Duration = Duration::from_millis(50);

/// How many threads are looked at to find those that serve loops; and how many of them at a time while
/// loops are judged.
const THREADS: usize = 4096;
const SOME: usize = 256;
/// How many loops that poll are judged.
const POLLERS: usize = 64;
/// How many fds are told apart by a name at a time.
const NAMES: usize = 4096;

/// How deep epoll fds watch one another at most: `EP_MAX_NESTS` of fs/eventpoll.c.
const NESTS: usize = 5;

/// A process.
pub(super) struct Process {
    pub(super) dir: ProcessDir,
    /// The process, to know when it ends.
    whole: Donor,
    donor: Donor,
    /// The task whose fds are looked at: a thread, where the first has ended.
    task: Pid,
    /// Which epoll fds are meant; `None` for all.
    only: Option<FdRanges>,
    pub(super) loops: Vec<EventLoop>,
    /// The fds that were there when they were listed last.
    known: BTreeSet<FdNum>,
    count: Option<u64>,
    listed: Option<(Instant, Duration)>,
    surveyed: Option<(Instant, Duration)>,
    guessed: Option<(Instant, Duration)>,
    /// When the other ends of what a thread waits for were looked for.
    sought: Cell<Option<(Instant, Duration)>>,
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

/// Who has the fds of a process whose first thread has ended, while others go on.
fn heir(dir: &ProcessDir) -> Option<Pid> {
    let is_gone = dir.state() == Some(b'Z');
    is_gone.then(|| dir.threads().into_iter().find(|&tid| tid != dir.pid())).flatten()
}

/// What is read to say what fds are.
fn plan() -> Plan {
    Plan { access: true, name: true, values: true, ..Plan::default() }
}

impl Process {
    pub(super) fn open(system: &System, pid: Pid, only: Option<FdRanges>) -> Result<Self, OpenError> {
        let dir = ProcessDir::open(system.root(), pid, system)?;
        let whole = Donor::process(pid)?;
        let (task, donor) = match heir(&dir) {
            Some(task) => (task, Donor::thread(task)?),
            None => (pid, Donor::process(pid)?),
        };
        Ok(Self {
            dir,
            whole,
            donor,
            task,
            only,
            loops: Vec::new(),
            known: BTreeSet::new(),
            count: None,
            listed: None,
            surveyed: None,
            guessed: None,
            sought: Cell::new(None),
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
        self.whole.pidfd()
    }

    /// Finds its loops, and gives the index of the first that is new.
    pub(super) fn find(&mut self, system: &System, limits: Limits) -> Result<usize, OpenError> {
        let before = self.loops.len();
        let begin = Instant::now();
        let numbers: BTreeSet<FdNum> = self.numbers(system)?.collect();
        let fresh: Vec<FdNum> = numbers.difference(&self.known).copied().collect();
        for fd in fresh {
            if self.only.as_ref().is_none_or(|only| only.contains(fd)) && self.is_epoll(system, fd) {
                self.add(Way::Epoll(fd), Some(fd), None, "epoll", limits);
            }
        }
        self.known = numbers;
        self.listed = Some((begin, begin.elapsed()));
        for index in before..self.loops.len() {
            let means = Means { system, dir: &self.dir, donor: &self.donor, task: self.task };
            match self.loops[index].read(&means) {
                Ok(_) => {
                    self.mark_stale(system, index);
                    self.identify(system, index, None);
                }
                // It was closed meanwhile.
                Err(OpenError::Gone) => self.loops[index].open = false,
                Err(e) => return Err(e),
            }
        }
        self.settle(system);
        Ok(before)
    }

    /// Whether the kernel refuses to have its fds duplicated: one is enough to know.
    pub(super) fn may_not_be_asked(&self) -> bool {
        let one = self.known.first().map(|&fd| self.donor.duplicate(fd));
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

    fn path(&self, system: &System, rest: &str) -> std::path::PathBuf {
        system.root().join(format!("{}/task/{}/{rest}", self.pid(), self.task))
    }

    /// The numbers of its fds.
    fn numbers(&self, system: &System) -> Result<impl Iterator<Item = FdNum> + use<>, OpenError> {
        let entries = std::fs::read_dir(self.path(system, "fd"));
        let entries = entries.map_err(|e| Errno::from_io_error(&e).unwrap_or(Errno::IO))?;
        Ok(entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok().map(FdNum)))
    }

    fn link(&self, system: &System, fd: FdNum) -> Option<Vec<u8>> {
        let link = std::fs::read_link(self.path(system, &format!("fd/{fd}"))).ok()?;
        Some(link.into_os_string().into_encoded_bytes())
    }

    fn is_epoll(&self, system: &System, fd: FdNum) -> bool {
        self.link(system, fd).is_some_and(|link| Shape::of(&link) == Shape::Anon(b"eventpoll"))
    }

    /// Looks for loops that are new, if it is time to: gives the index of the first.
    pub(super) fn find_new(&mut self, system: &System, limits: Limits, at: Instant) -> Option<usize> {
        let count = count_fds(&self.dir).ok().flatten();
        let changed = std::mem::replace(&mut self.count, count) != count;
        let pause = if changed { FIND } else { FIND * 5 };
        let due = self.listed.is_none_or(|(listed, took)| at >= listed + pause.max(took * SHARE));
        if !due {
            return None;
        }
        let before = self.loops.len();
        match self.find(system, limits) {
            Ok(first) if first < self.loops.len() => Some(first),
            _ => (before < self.loops.len()).then_some(before),
        }
    }

    /// Looks at its threads, if it is time to, to know which serve which loop: gives the index of the
    /// first loop that was found so.
    pub(super) fn survey(&mut self, system: &System, limits: Limits, at: Instant) -> Option<usize> {
        // One that nobody was seen to wait in may be waited in now.
        let sought = self.loops.iter().any(|l| l.open && !l.certain && l.judge.ready_since().is_none());
        let pause = if sought { SURVEY / 5 } else { SURVEY };
        let due = self.surveyed.is_none_or(|(surveyed, took)| at >= surveyed + pause.max(took * SHARE));
        if !due {
            return None;
        }
        let before = self.loops.len();
        let threads = self.read_some_threads(system);
        for thread in &threads {
            self.place(thread, limits);
        }
        let found = before < self.loops.len();
        if found {
            self.settle(system);
        }
        found.then_some(before)
    }

    /// Its threads, as many as are looked at.
    pub(super) fn read_threads(&mut self, system: &System) -> Vec<Thread> {
        let tids = self.dir.threads();
        self.threads = (tids.len(), tids.len().min(THREADS));
        self.read_these(system, &tids[..self.threads.1])
    }

    /// Some of its threads, and the others another time.
    fn read_some_threads(&mut self, system: &System) -> Vec<Thread> {
        let begin = Instant::now();
        let mut tids = self.dir.threads();
        self.threads = (tids.len(), tids.len().min(THREADS));
        if tids.len() > SOME && self.surveyed.is_some() {
            let at = tids.iter().position(|&tid| tid > self.next).unwrap_or(0);
            tids.rotate_left(at);
            tids.truncate(SOME);
            self.next = tids.last().copied().unwrap_or(Pid(0));
        }
        tids.truncate(THREADS);
        let threads = self.read_these(system, &tids);
        self.surveyed = Some((begin, begin.elapsed()));
        threads
    }

    fn read_these(&self, system: &System, tids: &[Pid]) -> Vec<Thread> {
        let Ok(mut reader) = ThreadReader::new(system, &self.dir) else { return Vec::new() };
        tids.iter().filter_map(|&tid| reader.read(tid).ok()).collect()
    }

    /// Notes which loop a thread waits in. One that gives its fds each time makes a loop of its own.
    fn place(&mut self, thread: &Thread, limits: Limits) {
        if let Some(waited_in) = self.loops.iter_mut().find(|l| l.open && l.is_in(thread)) {
            waited_in.add_hand(thread.tid);
            return;
        }
        if self.only.is_some() {
            return;
        }
        let Some(call) = thread.doing.call() else { return };
        let pollers = || self.loops.iter().filter(|l| l.open && l.epoll().is_none()).count();
        let (way, selector) = match &call.wait {
            // Who waits for one fd waits for that, and not for whatever comes: but for a listener.
            Wait::Poll { fds: Ok(fds), .. } if !fds.is_empty() && pollers() < POLLERS => {
                let select = matches!(call.name, Some("select" | "pselect6"));
                (Way::Poll(Box::default()), if select { "select" } else { "poll" })
            }
            Wait::Uring { .. } if pollers() < POLLERS => (Way::Uring, "io_uring"),
            _ => return,
        };
        if let (Way::Poll(_), Wait::Poll { fds: Ok(fds), .. }) = (&way, &call.wait)
            && let [one] = fds[..]
            && !self.listens(one.fd)
        {
            return;
        }
        self.add(way, None, Some(thread.tid), selector, limits).add_hand(thread.tid);
    }

    /// Whether an fd is a socket that listens.
    fn listens(&self, fd: FdNum) -> bool {
        let duplicate = self.donor.duplicate(fd);
        duplicate.is_ok_and(|socket| rustix::net::sockopt::socket_acceptconn(&socket).unwrap_or(false))
    }

    /// Finds out which registrations of a loop are stale.
    fn mark_stale(&mut self, system: &System, index: usize) {
        let Some(epoll) = self.loops[index].epoll() else { return };
        let watched = self.loops[index].set.iter().map(|(_, watched)| watched.registration);
        let mut registrations: Vec<Registration> = watched.collect();
        registrations.sort_by_key(|registration| registration.fd);
        if self.dir.mark_stale(system, self.task, epoll, &mut registrations).is_ok() {
            self.loops[index].set.mark_stale(&registrations);
        }
    }

    /// Finds out what of what a loop watches is; all, or what is new.
    pub(super) fn identify(&mut self, system: &System, index: usize, new: Option<&[usize]>) {
        let tokens: Vec<usize> = match new {
            Some(new) => new.to_vec(),
            None => self.loops[index].set.iter().map(|(token, _)| token).collect(),
        };
        // A few are named at once; of many that come and go, only what is no socket and no pipe has to
        // be known.
        let all = new.is_none() && tokens.len() <= NAMES;
        let mut wanted: Vec<(usize, FdNum)> = Vec::new();
        for token in tokens {
            let Some(watched) = self.loops[index].set.get(token).filter(|w| !w.stale) else { continue };
            let fd = watched.registration.fd;
            let plain = || {
                let link = self.link(system, fd);
                link.is_some_and(|l| l.starts_with(b"socket:") || l.starts_with(b"pipe:"))
            };
            if all || !plain() {
                wanted.push((token, fd));
            }
        }
        let whats = self.whats(system, &wanted.iter().map(|(_, fd)| *fd).collect::<Vec<_>>());
        for (token, fd) in wanted {
            let Some(watched) = self.loops[index].set.get_mut(token) else { continue };
            if let Some(found) = whats.get(&fd) {
                watched.sort = Sort::of_kind(&found.what.kind);
                watched.what = Some(Rc::clone(&found.what));
                watched.shared = found.listener.is_some_and(|inode| self.shared.contains(&inode));
            }
        }
    }

    /// What fds are, for the cost of reading them now.
    pub(super) fn whats(&self, system: &System, fds: &[FdNum]) -> HashMap<FdNum, Found> {
        let mut whats = HashMap::new();
        if fds.is_empty() {
            return whats;
        }
        // What these know of sockets is from when they first were asked.
        let system = System::new(system.root().clone(), false);
        let Ok(dir) = ProcessDir::open(system.root(), self.pid(), &system) else { return whats };
        let plan = plan();
        let _ = Scanner::new(&system, &plan).some(&dir, self.task, fds, &mut |row: &Fd| {
            if let Assoc::Fd(fd) = row.assoc {
                whats.insert(fd, Found::of(row));
            }
        });
        whats
    }

    /// What a thread does, in words, or did. The other ends of what it waits for are looked for in all
    /// processes: not too often.
    pub(super) fn in_words(&self, system: &System, thread: &Thread, is_now: bool) -> Vec<u8> {
        let at = Instant::now();
        let peers =
            is_now && self.sought.get().is_none_or(|(sought, took)| at >= sought + PEERS.max(took * SHARE));
        let system = System::new(system.root().clone(), false);
        let words = match ProcessDir::open(system.root(), self.pid(), &system) {
            Ok(dir) => in_words(&system, &dir, thread, Telling { is_now, peers }),
            Err(_) => in_words(&system, &self.dir, thread, Telling { is_now, peers: false }),
        };
        if peers {
            self.sought.set(Some((at, at.elapsed())));
        }
        words
    }

    /// Has names for some of what a loop watches.
    pub(super) fn name(&mut self, system: &System, index: usize, tokens: &[usize]) {
        let set = &self.loops[index].set;
        let unnamed = |&token: &usize| {
            let watched = set.get(token).filter(|watched| watched.what.is_none() && !watched.stale)?;
            Some((token, watched.registration.fd))
        };
        let wanted: Vec<(usize, FdNum)> = tokens.iter().filter_map(unnamed).collect();
        let whats = self.whats(system, &wanted.iter().map(|(_, fd)| *fd).collect::<Vec<_>>());
        for (token, fd) in wanted {
            if let (Some(watched), Some(found)) = (self.loops[index].set.get_mut(token), whats.get(&fd)) {
                watched.what = Some(Rc::clone(&found.what));
            }
        }
    }

    /// Works out which epoll fds may be polled, and which listeners several loops have.
    pub(super) fn settle(&mut self, system: &System) {
        for index in 0..self.loops.len() {
            if self.loops[index].untouchable.is_empty()
                && let Some(epoll) = self.loops[index].epoll()
            {
                self.loops[index].untouchable = self.untouchable_in(system, epoll, NESTS);
            }
            if matches!(self.loops[index].way, Way::Poll(_)) {
                self.identify(system, index, None);
            }
        }
        let mut listeners: HashMap<Inode, usize> = HashMap::new();
        let inode = |registration: &Registration| registration.inode;
        for watched in self.loops.iter().flat_map(|l| l.set.iter()).map(|(_, watched)| watched) {
            if let Some(inode) = inode(&watched.registration)
                && watched.what.as_ref().is_some_and(|what| what.listens)
            {
                *listeners.entry(inode).or_default() += 1;
            }
        }
        self.shared.extend(listeners.into_iter().filter(|(_, loops)| *loops > 1).map(|(inode, _)| inode));
        self.mark_shared();
    }

    /// Listeners of these inodes are served by others, too.
    pub(super) fn share(&mut self, inodes: impl IntoIterator<Item = Inode>) {
        self.shared.extend(inodes);
        self.mark_shared();
    }

    fn mark_shared(&mut self) {
        for watched in self.loops.iter_mut().flat_map(|l| l.set.iter_mut()).map(|(_, watched)| watched) {
            watched.shared |= watched.registration.inode.is_some_and(|inode| self.shared.contains(&inode))
                && watched.what.as_ref().is_some_and(|what| what.listens);
        }
    }

    /// The inodes of the listeners that its loops watch.
    pub(super) fn listeners(&self) -> impl Iterator<Item = Inode> {
        let watched = self.loops.iter().flat_map(|l| l.set.iter()).map(|(_, watched)| watched);
        let listens = watched.filter(|w| w.what.as_ref().is_some_and(|what| what.listens));
        listens.filter_map(|w| w.registration.inode)
    }

    /// What an epoll fd watches that must not be polled.
    fn untouchable_in(&self, system: &System, epoll: FdNum, nests: usize) -> Vec<(FdNum, String)> {
        let Ok(registrations) = self.dir.registrations(self.task, epoll) else { return Vec::new() };
        // Sockets are looked at as such: those of a kind that must not be polled are rare.
        let known = self.loops.iter().find(|l| l.epoll() == Some(epoll));
        let mut found = Vec::new();
        let mut unknown = Vec::new();
        for registration in &registrations {
            let fd = registration.fd;
            let on_quiet = registration.device.is_some_and(|device| self.quiet.contains(&device));
            let of_loop = known.and_then(|l| l.set.find(registration));
            let stale = of_loop.map_or(registration.stale == Some(true), |watched| watched.stale);
            match of_loop.and_then(|watched| watched.what.as_ref()) {
                _ if stale && on_quiet => {}
                // Whoever has it open still may have anything open there.
                _ if stale => found.push((fd, "closed".to_owned())),
                Some(what) if what.kind == "epoll" => {
                    found.extend(self.nested(system, fd, nests));
                }
                Some(what) if Sort::of_kind(&what.kind) == Some(Sort::Untouchable) => {
                    found.push((fd, what.kind.clone()));
                }
                Some(_) => {}
                None if on_quiet => {}
                None => unknown.push(fd),
            }
        }
        for (fd, Found { what, .. }) in self.whats(system, &unknown) {
            match Sort::of_kind(&what.kind) {
                _ if what.kind == "epoll" => found.extend(self.nested(system, fd, nests)),
                Some(Sort::Untouchable) => found.push((fd, what.kind.clone())),
                _ => {}
            }
        }
        found.sort();
        found
    }

    /// The same of an epoll fd that another one watches.
    fn nested(&self, system: &System, fd: FdNum, nests: usize) -> Option<(FdNum, String)> {
        let has = nests == 0 || !self.untouchable_in(system, fd, nests - 1).is_empty();
        has.then(|| (fd, "epoll".to_owned()))
    }

    /// Looks at one of its loops.
    pub(super) fn look(&mut self, system: &System, index: usize, at: Instant) -> Looked {
        let means = Means { system, dir: &self.dir, donor: &self.donor, task: self.task };
        let looked = self.loops[index].look(&means, at);
        let found = &mut self.loops[index];
        if (std::mem::take(&mut found.lost) || !found.open) && self.inherit() {
            self.loops[index].open = true;
        }
        if !looked.new.is_empty() {
            self.identify(system, index, Some(&looked.new));
            self.check_new(system, index, &looked.new);
        }
        looked
    }

    /// Has the fds looked at by another thread, if the one by which they were has ended. Whether there is
    /// one.
    fn inherit(&mut self) -> bool {
        // Its directory says whether it is the first one that has ended; else the others are asked.
        let gone = self.task != self.pid() && !self.dir.threads().contains(&self.task);
        let heir = if self.task == self.pid() || gone { heir(&self.dir) } else { None };
        let Some((task, donor)) = heir.and_then(|task| Some((task, Donor::thread(task).ok()?))) else {
            return false;
        };
        (self.task, self.donor) = (task, donor);
        true
    }

    /// Looks once at all that a loop watches.
    pub(super) fn look_once(&mut self, system: &System, index: usize) {
        let means = Means { system, dir: &self.dir, donor: &self.donor, task: self.task };
        self.loops[index].look_once(&means);
    }

    /// Whether something new must not be polled.
    fn check_new(&mut self, system: &System, index: usize, new: &[usize]) {
        let set = &self.loops[index].set;
        let strange = new.iter().filter_map(|&token| set.get(token)).any(|watched| {
            watched.what.as_ref().is_some_and(|what| what.kind == "epoll")
                || watched.sort == Some(Sort::Untouchable)
        });
        if strange && let Some(epoll) = self.loops[index].epoll() {
            self.loops[index].untouchable = self.untouchable_in(system, epoll, NESTS);
        }
    }

    /// Has the only thread that may serve a loop looked at, where none was seen to wait in it.
    pub(super) fn guess_hands(&mut self, system: &System, index: usize, at: Instant) {
        let due = self.guessed.is_none_or(|(guessed, took)| at >= guessed + GUESS.max(took * SHARE));
        if !self.loops[index].hands.is_empty() || !due {
            return;
        }
        let begin = Instant::now();
        let threads = self.read_threads(system);
        self.guessed = Some((begin, begin.elapsed()));
        // The only thread there is may wait for a lock, say.
        let alone = threads.len() == 1 && self.threads.0 == 1;
        let serves_another = |thread: &Thread| {
            let others = self.loops.iter().enumerate().filter(|(i, _)| *i != index);
            others.map(|(_, l)| l).any(|l| l.hands.contains(&thread.tid))
        };
        let may = |thread: &&Thread| match &thread.doing {
            _ if waits_in_epoll(thread) => false,
            _ if alone => true,
            Doing::Call(call) if matches!(call.wait, Wait::Futex { .. } | Wait::Uring { .. }) => false,
            Doing::Worker(_) | Doing::Ended => false,
            _ => !serves_another(thread),
        };
        let may: Vec<Pid> = threads.iter().filter(may).map(|thread| thread.tid).collect();
        let found = &mut self.loops[index];
        found.abandoned = may.is_empty();
        if let [only] = may[..] {
            found.hands = vec![only];
            found.certain = alone;
        }
    }
}

/// What an fd is.
pub(super) struct Found {
    pub(super) what: Rc<What>,
    /// Its inode, of a socket that listens.
    listener: Option<Inode>,
}

impl Found {
    fn of(row: &Fd) -> Self {
        let listens =
            row.values.iter().any(|(key, value)| *key == "state" && *value == Value::Word("listen"));
        let what = What { kind: row.kind.to_string(), name: row.name.clone(), listens };
        let inode = match Shape::of(&row.link) {
            Shape::Numbered(_, inode) => Some(inode),
            _ => row.inode,
        };
        Self { what: Rc::new(what), listener: inode.filter(|_| listens) }
    }
}
