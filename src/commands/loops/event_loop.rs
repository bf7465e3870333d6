//! One loop, and looking at it.

use super::event::Who;
use super::set::{Felt, Set, Watched, What};
use crate::model::{Doing, FdNum, Pid, Polled, Readiness, Registration, Thread, Wait, Waiting};
use crate::proc::{Donor, OpenError, ProcessDir, System, ThreadReader, is_ready};
use crate::watch::turning::{Change, Judge, Limits, Member, Sighting};
use rustix::io::Errno;
use std::collections::HashSet;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// How many fds are looked at in one look at most, and how many if it matters that it is all of them.
const FEW: usize = 256;
const MANY: usize = 2048;

/// How soon what is registered is read again.
const REREAD: Duration = Duration::from_millis(50);

/// How many are remembered that it has let wait and watches no more.
const LATE: usize = 16;

/// How many threads of one loop are looked at.
const HANDS: usize = 16;

/// How often a thread must have come back to the same call before that is taken for a loop.
const TURNS: u32 = 2;

/// What a loop waits with.
#[derive(Debug)]
pub(super) enum Way {
    /// An epoll fd.
    Epoll(FdNum),
    /// A list of fds that its thread gives to `poll(2)` or `select(2)` each time.
    Poll(Box<Turns>),
    /// Completions.
    Uring,
}

/// How a thread has waited.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// How often it was seen to come back.
    turns: u32,
    /// What it was seen with last, while it waited.
    last: Option<Thread>,
    /// What it gave.
    fds: Vec<Polled>,
}

/// A loop.
pub(super) struct EventLoop {
    pub(super) who: Rc<Who>,
    pub(super) way: Way,
    pub(super) set: Set,
    pub(super) judge: Judge,
    /// The threads that were seen to wait in it, the latest last; else the only one that may.
    pub(super) hands: Vec<Pid>,
    pub(super) certain: bool,
    /// Whether no thread is there that may serve it: all wait for something else.
    pub(super) abandoned: bool,
    /// What it watches that must not be polled, with its kind: then the epoll fd isn't either.
    pub(super) untouchable: Vec<(FdNum, String)>,
    /// Why it cannot be looked at any more.
    pub(super) failed: Option<Errno>,
    pub(super) open: bool,
    /// Whether nobody was there whose fds could be looked at: its process ends, which is told when it has,
    /// or a thread of it.
    pub(super) lost: bool,
    /// Whether it was said that it turns without anything that could be seen.
    pub(super) told_stale: bool,
    /// Those that it has let wait for long, and watches no more: the longest first.
    pub(super) late: Vec<Late>,
}

/// An fd that was let wait.
#[derive(Clone)]
pub(super) struct Late {
    pub(super) fd: FdNum,
    pub(super) what: Option<Rc<What>>,
    pub(super) longest: Duration,
    pub(super) waits: u64,
}

impl Late {
    pub(super) fn of(watched: &Watched, member: &Member) -> Self {
        Self {
            fd: watched.registration.fd,
            what: watched.what.clone(),
            longest: member.longest(),
            waits: member.waits(),
        }
    }
}

/// What it takes to look at loops of a process.
pub(super) struct Means<'m> {
    pub(super) system: &'m System,
    pub(super) dir: &'m ProcessDir,
    pub(super) donor: &'m Donor,
    /// The task whose fds are looked at.
    pub(super) task: Pid,
}

/// What came of a look.
#[derive(Default)]
pub(super) struct Looked {
    pub(super) changes: Vec<Change>,
    /// What is registered since: it is to be found out what it is.
    pub(super) new: Vec<usize>,
}

impl EventLoop {
    pub(super) fn new(who: Who, way: Way, limits: Limits, at: Instant) -> Self {
        Self {
            who: Rc::new(who),
            way,
            set: Set::default(),
            judge: Judge::new(limits, at),
            hands: Vec::new(),
            certain: false,
            abandoned: false,
            untouchable: Vec::new(),
            failed: None,
            open: true,
            lost: false,
            told_stale: false,
            late: Vec::new(),
        }
    }

    /// The epoll fd.
    pub(super) fn epoll(&self) -> Option<FdNum> {
        self.who.epoll
    }

    /// Whether a thread waits in this loop. One that is stopped does nothing, wherever it was when it
    /// was.
    pub(super) fn is_waited_in_by(&self, thread: &Thread) -> bool {
        if thread.state.is_stopped() {
            return false;
        }
        self.is_in(thread)
    }

    /// Whether a thread is in the call that waits for this loop.
    pub(super) fn is_in(&self, thread: &Thread) -> bool {
        match (&self.way, thread.doing.call().map(|call| &call.wait)) {
            (Way::Epoll(fd), Some(Wait::Epoll { epoll, .. })) => epoll == fd,
            (Way::Poll(_), Some(Wait::Poll { .. })) | (Way::Uring, Some(Wait::Uring { .. })) => {
                self.who.tid == Some(thread.tid)
            }
            _ => false,
        }
    }

    /// A thread was seen to wait in it.
    pub(super) fn add_hand(&mut self, tid: Pid) {
        self.abandoned = false;
        if !std::mem::replace(&mut self.certain, true) {
            self.hands.clear();
        }
        if self.hands.last() != Some(&tid) {
            self.hands.retain(|&other| other != tid);
            self.hands.push(tid);
            if self.hands.len() > HANDS {
                self.hands.remove(0);
            }
        }
    }

    /// Looks at it.
    pub(super) fn look(&mut self, means: &Means<'_>, at: Instant) -> Looked {
        let mut looked = Looked::default();
        match &self.way {
            Way::Epoll(epoll) if self.untouchable.is_empty() => match is_ready(means.donor, *epoll) {
                Ok(false) => {
                    self.judge.clear(at);
                    // Who may have served it was one of several, another time.
                    if !self.certain {
                        self.hands.clear();
                    }
                }
                Ok(true) => {
                    self.judge.ready(at);
                    self.refresh(means, at, &mut looked);
                    self.look_at_members(means.donor, at, true);
                }
                Err(e) => return self.fail(e),
            },
            Way::Epoll(_) => {
                if !self.refresh(means, at, &mut looked) {
                    return looked;
                }
                self.look_at_members(means.donor, at, false);
            }
            Way::Poll(_) => {
                if !self.look_at_poller(means, at, &mut looked) {
                    return looked;
                }
            }
            Way::Uring => return looked,
        }
        if self.judge.wants(at).crew {
            if self.abandoned {
                self.judge.serve(at);
            }
            self.look_at_hands(means, at);
        }
        looked.changes = self.judge.judge(at);
        looked
    }

    /// It cannot be looked at.
    fn fail(&mut self, errno: Errno) -> Looked {
        match errno {
            Errno::BADF | Errno::STALE => self.open = false,
            Errno::SRCH => self.lost = true,
            other => self.failed = Some(other),
        }
        Looked::default()
    }

    /// Reads what is registered, if it is time to. Whether it could be.
    fn refresh(&mut self, means: &Means<'_>, at: Instant, looked: &mut Looked) -> bool {
        // Nothing is called a stall by what was registered before it.
        let half = self.judge.limits().stall / 2;
        let presses = self.judge.wants(at).all && self.set.read_at().is_none_or(|read| at >= read + half);
        if !presses && !self.set.may_be_read(at, REREAD) {
            return true;
        }
        match self.read(means) {
            Ok(new) => {
                looked.new = new;
                true
            }
            // It is closed, or its process ends: asking the fd itself tells which.
            Err(OpenError::Gone) => {
                let Some(epoll) = self.epoll() else { return false };
                if let Err(e) = means.donor.duplicate(epoll) {
                    drop(self.fail(e));
                }
                false
            }
            Err(OpenError::Denied) => {
                self.failed = Some(Errno::ACCESS);
                false
            }
            Err(OpenError::Failed(errno)) => {
                self.failed = Some(errno);
                false
            }
        }
    }

    /// Reads what is registered, and gives what is new.
    pub(super) fn read(&mut self, means: &Means<'_>) -> Result<Vec<usize>, OpenError> {
        let Way::Epoll(epoll) = self.way else { return Ok(Vec::new()) };
        let begin = Instant::now();
        let registrations = means.dir.registrations(means.task, epoll)?;
        let at = Instant::now();
        let changed = self.set.update(registrations, at, at - begin);
        for (token, watched) in &changed.gone {
            self.retire(*token, watched, at);
        }
        // Who changes what is asked, or takes in what came to a listener of its own, goes on.
        let accepts = || {
            self.set.iter().any(|(_, watched)| {
                let listens = matches!(watched.marks.waiting, Some(Waiting::Connections(_)));
                listens && !watched.shared && watched.readiness.is_some_and(|r| r.contains(Readiness::IN))
            })
        };
        if !changed.other.is_empty() || !changed.new.is_empty() && accepts() {
            self.judge.serve(at);
        }
        Ok(changed.new)
    }

    /// It watches this no more.
    fn retire(&mut self, token: usize, watched: &Watched, at: Instant) {
        if let Some(member) = self.judge.gone(token, at).filter(|member| member.waits() > 0) {
            self.late.push(Late::of(watched, &member));
            self.late.sort_by_key(|late| std::cmp::Reverse(late.longest));
            self.late.truncate(LATE);
        }
    }

    /// Looks at some of what it watches, or all. `ready` is whether something waits for the loop; if
    /// that is not known, it shows in what it watches.
    fn look_at_members(&mut self, donor: &Donor, at: Instant, ready: bool) {
        let most = if self.judge.wants(at).all { MANY } else { FEW };
        let all = self.set.lookable() <= most;
        let mut seen: Vec<(usize, Option<Sighting>)> = Vec::new();
        let mut first = HashSet::new();
        if !all {
            // What waits is what tells most.
            let waiting: HashSet<usize> =
                self.judge.waiting().map(|(token, _)| token).take(most / 2).collect();
            seen.extend(waiting.iter().map(|&token| (token, self.sighting(token, donor))));
            first = waiting;
        } else {
            self.set.begin();
        }
        let mut whole = self.set.lookable() == 0;
        for _ in seen.len()..most.min(seen.len() + self.set.lookable()) {
            let Some((token, is_last)) = self.set.step() else { break };
            if !first.contains(&token) {
                seen.push((token, self.sighting(token, donor)));
            }
            whole |= is_last;
            if is_last {
                break;
            }
        }
        if !ready {
            let waits = |(_, sighting): &(usize, Option<Sighting>)| {
                sighting.is_some_and(|s| !s.edge && !s.readiness.is_empty())
            };
            if seen.iter().any(waits) || !all && self.judge.waiting().next().is_some() {
                self.judge.ready(at);
            } else {
                self.judge.clear(at);
                return;
            }
        }
        for (token, sighting) in seen {
            match sighting {
                Some(sighting) => self.judge.see(token, sighting, at),
                // It stays registered, perhaps: what was seen of it is kept.
                None => self.judge.leave(token, at),
            }
        }
        if whole {
            self.judge.whole();
        }
    }

    /// One of what it watches; nothing if it is gone, or cannot be looked at.
    fn sighting(&mut self, token: usize, donor: &Donor) -> Option<Sighting> {
        match self.set.feel(token, donor) {
            Felt::Pulse(pulse) => {
                let watched = self.set.get(token)?;
                Some(Sighting {
                    readiness: pulse.readiness & watched.registration.reports(),
                    edge: watched.registration.is_edge(),
                    shared: watched.shared,
                    marks: pulse.marks,
                })
            }
            Felt::Gone | Felt::Untouchable => None,
            Felt::Failed(errno) => {
                self.failed = Some(errno);
                None
            }
        }
    }

    /// Looks at the thread of a loop that gives its fds each time. Whether it is still there.
    fn look_at_poller(&mut self, means: &Means<'_>, at: Instant, looked: &mut Looked) -> bool {
        let Some(tid) = self.who.tid else { return false };
        let read = ThreadReader::new(means.system, means.dir).and_then(|mut reader| reader.read(tid));
        let Ok(thread) = read else {
            self.open = false;
            return false;
        };
        let Way::Poll(turns) = &mut self.way else { return false };
        let call = match &thread.doing {
            Doing::Call(call) => Some(call),
            _ => None,
        };
        let fds = match call.map(|call| &call.wait) {
            Some(Wait::Poll { fds: Ok(fds), .. }) if !thread.state.is_stopped() => fds,
            _ => {
                turns.last = None;
                if turns.turns < TURNS {
                    // Whether it is a loop at all is to be seen yet.
                    self.judge.clear(at);
                } else {
                    self.look_at_members(means.donor, at, false);
                }
                return true;
            }
        };
        let went_on = turns.last.as_ref().is_none_or(|last| last.cpu.total() != thread.cpu.total());
        turns.turns = turns.turns.saturating_add(u32::from(went_on));
        if turns.fds != *fds || self.set.len() == 0 {
            turns.fds.clone_from(fds);
            let is_select = call.is_some_and(|call| matches!(call.name, Some("select" | "pselect6")));
            let registrations = fds.iter().map(|polled| registration(*polled, is_select)).collect();
            let changed = self.set.update(registrations, at, Duration::ZERO);
            turns.last = Some(thread);
            for (token, watched) in &changed.gone {
                self.retire(*token, watched, at);
            }
            looked.new = changed.new;
        } else {
            turns.last = Some(thread);
        }
        self.judge.clear(at);
        true
    }

    /// Looks at the threads that serve it.
    fn look_at_hands(&mut self, means: &Means<'_>, at: Instant) {
        let Ok(mut reader) = ThreadReader::new(means.system, means.dir) else { return };
        let mut threads = Vec::with_capacity(self.hands.len());
        let mut calls = Some(0);
        self.hands.retain(|&tid| match reader.read(tid) {
            Ok(thread) => {
                calls = calls.and_then(|sum| Some(sum + means.dir.transfers(tid)?));
                threads.push(thread);
                true
            }
            Err(OpenError::Gone) => false,
            Err(_) => true,
        });
        if threads.is_empty() {
            return;
        }
        // One that waits in another epoll fd is not stuck either: that is not the loop it serves now.
        let waits = threads.iter().any(|thread| self.is_waited_in_by(thread) || waits_in_epoll(thread));
        self.judge.crew(&threads, calls, waits, at);
    }

    /// Looks once at all that it watches, whether it is ready or not.
    pub(super) fn look_once(&mut self, means: &Means<'_>) {
        if matches!(self.way, Way::Poll(_)) {
            self.look_at_poller(means, Instant::now(), &mut Looked::default());
        }
        let tokens: Vec<usize> = self.set.iter().filter(|(_, w)| !w.stale).map(|(token, _)| token).collect();
        let mut waits = false;
        for token in tokens {
            let sighting = self.sighting(token, means.donor);
            waits |= sighting.is_some_and(|s| !s.edge && !s.readiness.is_empty());
        }
        let at = Instant::now();
        let ready = match &self.way {
            Way::Epoll(epoll) if self.untouchable.is_empty() => is_ready(means.donor, *epoll),
            // Its thread waits, or it would not be known.
            Way::Poll(_) => Ok(false),
            _ => Ok(waits),
        };
        match ready {
            Ok(true) => self.judge.ready(at),
            Ok(false) => self.judge.clear(at),
            Err(e) => drop(self.fail(e)),
        }
    }

    /// Whether it can be judged at all.
    pub(super) fn can_be_judged(&self) -> bool {
        !matches!(self.way, Way::Uring) && self.failed.is_none()
    }

    /// Why it cannot be judged, or not all of it.
    pub(super) fn note(&self) -> Option<String> {
        if let Some(errno) = self.failed {
            return Some(format!(
                "it cannot be looked at: {}",
                crate::model::errno_words(errno.raw_os_error())
            ));
        }
        match &self.way {
            Way::Uring => Some("what it waits for cannot be seen from outside: it is not judged".to_owned()),
            Way::Epoll(_) if !self.untouchable.is_empty() => {
                let shown: Vec<String> =
                    self.untouchable.iter().take(4).map(|(fd, kind)| format!("{fd} ({kind})")).collect();
                let more = self.untouchable.len().saturating_sub(shown.len());
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                Some(format!(
                    "it is judged by its other fds alone, as polling the epoll fd could take news of {}{more} away \
                     from the process",
                    shown.join(", ")
                ))
            }
            _ => None,
        }
    }

    /// Whether it is one that gives its fds each time, and was not seen to do so again and again.
    pub(super) fn was_not_seen_to_turn(&self) -> bool {
        matches!(&self.way, Way::Poll(turns) if turns.turns < TURNS)
    }

    /// Whether something waits for it, at the last look.
    pub(super) fn is_ready(&self) -> Option<bool> {
        match self.way {
            Way::Uring => None,
            _ if self.failed.is_some() => None,
            _ => Some(self.judge.ready_since().is_some()),
        }
    }
}

/// Whether a thread waits for an epoll fd.
pub(super) fn waits_in_epoll(thread: &Thread) -> bool {
    let call = thread.doing.call().filter(|_| !thread.state.is_stopped());
    call.is_some_and(|call| matches!(call.wait, Wait::Epoll { .. }))
}

/// What is asked of an fd with `poll(2)` or `select(2)`, as if it were registered.
fn registration(polled: Polled, is_select: bool) -> Registration {
    let unasked = if is_select { Readiness::EMPTY } else { Readiness::ERR | Readiness::HUP };
    let events = u64::from((polled.events | unasked).bits());
    Registration { events, ..Registration::new(polled.fd) }
}
