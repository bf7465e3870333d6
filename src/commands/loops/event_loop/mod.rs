//! One loop, and looking at it.

mod members;
mod poller;
mod turns;

use super::event::Who;
use super::set::{Set, Watched, What};
use crate::commands::pace::Pace;
use crate::model::{FdNum, Pid, Registration, Thread, Wait};
use crate::proc::{Donor, OpenError, ProcessDir, System, ThreadReader, is_ready};
use crate::watch::turning::{Change, Judge, Limits, Member};
use rustix::io::Errno;
use std::rc::Rc;
use std::time::{Duration, Instant};
use turns::Turns;
pub(super) use turns::listens;

/// How many threads of one loop are looked at.
const HANDS: usize = 16;

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

/// A loop.
pub(super) struct EventLoop {
    pub(super) who: Rc<Who>,
    pub(super) way: Way,
    /// Other numbers of its epoll fd: duplicates.
    pub(super) also: Vec<FdNum>,
    pub(super) set: Set,
    /// How often that is read: the kernel locks it meanwhile.
    reading: Pace,
    pub(super) judge: Judge,
    /// The threads that were seen to wait in it, the latest last; else the only one that may.
    pub(super) hands: Vec<Pid>,
    /// Whether they were seen to.
    pub(super) seen: bool,
    /// Whether they were, or there is no other thread.
    pub(super) certain: bool,
    /// Whether no thread is there that may serve it: all wait for something else.
    pub(super) abandoned: bool,
    /// Whether what is known of it rests on a guess of who serves it, or there was nobody who may.
    pub(super) unproven: bool,
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
    /// A stall that is over, if it was one.
    held_back: Option<Change>,
    /// Those that it has let wait for long, and watches no more: the longest first.
    pub(super) late: Vec<Late>,
}

/// An fd that was let wait.
#[derive(Clone)]
pub(super) struct Late {
    pub(super) registration: Registration,
    pub(super) kind: String,
    pub(super) what: Option<Rc<What>>,
    pub(super) longest: Duration,
    pub(super) waits: u64,
}

impl Late {
    pub(super) fn of(watched: &Watched, member: &Member) -> Self {
        Self {
            registration: watched.registration,
            kind: watched.kind().to_owned(),
            what: watched.what.clone(),
            longest: member.longest(),
            waits: member.waits(),
        }
    }

    /// Whether it is the same fd, registered again.
    pub(super) fn is(&self, other: &Self) -> bool {
        let key = |late: &Self| (late.registration.fd, late.registration.device, late.registration.inode);
        key(self) == key(other)
    }

    /// Takes in the waits of the same fd, before or after.
    pub(super) fn add(&mut self, other: &Self) {
        self.longest = self.longest.max(other.longest);
        self.waits += other.waits;
        if self.what.is_none() {
            self.what.clone_from(&other.what);
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
    /// Whether some of that cannot be told apart but by asking which are stale.
    pub(super) alike: bool,
    /// Whether something is not registered any more.
    pub(super) gone: bool,
}

impl EventLoop {
    pub(super) fn new(who: Who, way: Way, limits: Limits, at: Instant) -> Self {
        Self {
            who: Rc::new(who),
            way,
            also: Vec::new(),
            set: Set::default(),
            reading: Pace::default(),
            judge: Judge::new(limits, at),
            hands: Vec::new(),
            seen: false,
            certain: false,
            abandoned: false,
            unproven: false,
            untouchable: Vec::new(),
            failed: None,
            open: true,
            lost: false,
            told_stale: false,
            held_back: None,
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
            (Way::Epoll(fd), Some(Wait::Epoll { epoll, .. })) => epoll == fd || self.also.contains(epoll),
            (Way::Poll(turns), Some(Wait::Poll { fds, .. })) => {
                self.is_of(thread.tid) && fds.as_ref().map_or(true, |fds| turns.is_its(fds))
            }
            (Way::Uring, Some(Wait::Uring { .. })) => self.is_of(thread.tid),
            _ => false,
        }
    }

    /// Whether it is this thread that tells it.
    fn is_of(&self, tid: Pid) -> bool {
        self.who.tid == Some(tid)
    }

    /// Whether this thread makes it by what it gives to poll or select, now or at other times.
    pub(super) fn is_polled_by(&self, tid: Pid) -> bool {
        matches!(self.way, Way::Poll(_)) && self.is_of(tid)
    }

    /// A thread was seen to wait in it.
    pub(super) fn add_hand(&mut self, tid: Pid) {
        (self.abandoned, self.unproven) = (false, false);
        self.certain = true;
        if !std::mem::replace(&mut self.seen, true) {
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
                self.judge.excuse(at);
            }
            self.look_at_hands(means, at);
        }
        looked.changes = self.judge.judge(at);
        let stalls = looked.changes.iter().any(|change| matches!(change, Change::Stalled(_)));
        self.unproven |= stalls && !self.certain && !self.hands.is_empty();
        let is_over = |change: &Change| matches!(change, Change::Recovered { .. });
        if self.was_not_seen_to_turn() || self.unproven {
            // What it was is told when its thread comes back.
            self.held_back =
                looked.changes.iter().rfind(|change| is_over(change)).cloned().or(self.held_back.take());
            let tells = !self.was_not_seen_to_turn();
            looked.changes.retain(|change| tells && !is_over(change));
        } else if let Some(over) = self.held_back.take() {
            looked.changes.insert(0, over);
        }
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
        let waits = threads.iter().any(|thread| self.is_waited_in_by(thread));
        let is_elsewhere = |thread: &Thread| waits_in_epoll(thread) && !self.is_its_only_one(thread.tid);
        if !waits && threads.iter().any(is_elsewhere) {
            self.judge.excuse(at);
        } else {
            self.judge.crew(&threads, calls, waits, at);
        }
    }

    /// Whether it is this thread alone that was seen to wait in it. One that waits in another epoll fd
    /// serves another loop now, which is no stall where others may serve this one; but if it has no
    /// other thread, it is held up by that: by a loop in one of its handlers, as for a child's end.
    fn is_its_only_one(&self, tid: Pid) -> bool {
        // A list of fds that is not given any more, of a thread that has gone over to epoll, is no loop.
        self.epoll().is_some() && self.seen && self.hands[..] == [tid]
    }

    /// Looks once at all that it watches, whether it is ready or not.
    pub(super) fn look_once(&mut self, means: &Means<'_>) {
        if matches!(self.way, Way::Poll(_)) {
            self.look_at_poller(means, Instant::now(), &mut Looked::default());
        }
        let tokens: Vec<usize> =
            self.set.iter().filter(|(_, w)| !w.is_stale()).map(|(token, _)| token).collect();
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
        !matches!(self.way, Way::Uring) && self.failed.is_none() && self.can_be_asked()
    }

    /// Whether it, or some of what it watches, can be asked whether something waits for it.
    fn can_be_asked(&self) -> bool {
        self.untouchable.is_empty() || self.set.iter().any(|(_, watched)| watched.tells())
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
                let (how, why) = match self.can_be_asked() {
                    true => ("judged by its other fds alone", ""),
                    false => ("not judged", ", and no other fd that it watches tells whether it waits"),
                };
                Some(format!(
                    "it is {how}, as polling the epoll fd could take news of {}{more} away from the process{why}",
                    shown.join(", ")
                ))
            }
            _ => None,
        }
    }

    /// Whether it is one that gives its fds each time, and was not seen to do so again and again.
    pub(super) fn was_not_seen_to_turn(&self) -> bool {
        matches!(&self.way, Way::Poll(turns) if !turns.is_loop())
    }

    /// Whether it was seen to do so, but was not judged for some time before.
    pub(super) fn was_judged_late(&self) -> bool {
        matches!(&self.way, Way::Poll(turns) if turns.is_loop() && turns.unjudged)
    }

    /// Whether something waits for it, at the last look.
    pub(super) fn is_ready(&self) -> Option<bool> {
        let ready = self.judge.ready_since().is_some();
        match self.way {
            Way::Uring => None,
            _ if self.failed.is_some() => None,
            // What waits of that which may be asked is enough; what does not is not.
            _ if !self.untouchable.is_empty() => ready.then_some(true),
            _ => Some(ready),
        }
    }
}

/// Whether a thread waits for an epoll fd.
pub(super) fn waits_in_epoll(thread: &Thread) -> bool {
    let call = thread.doing.call().filter(|_| !thread.state.is_stopped());
    call.is_some_and(|call| matches!(call.wait, Wait::Epoll { .. }))
}
