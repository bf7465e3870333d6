//! What a loop watches: reading it, and looking at it bit by bit.

use super::super::set::{Changed, Felt, Watched};
use super::{EventLoop, Late, Looked, Means, Way};
use crate::model::{Readiness, Waiting};
use crate::proc::{Donor, OpenError};
use crate::watch::turning::Sighting;
use rustix::io::Errno;
use std::collections::HashSet;
use std::time::{Duration, Instant};

/// How many fds are looked at in one look at most, and how many if it matters that it is all of them.
const FEW: usize = 256;
const MANY: usize = 2048;

/// How soon what is registered is read again.
const REREAD: Duration = Duration::from_millis(50);

/// How many are remembered that it has let wait and watches no more.
const LATE: usize = 16;

impl EventLoop {
    /// Reads what is registered, if it is time to. Whether it could be.
    pub(super) fn refresh(&mut self, means: &Means<'_>, at: Instant, looked: &mut Looked) -> bool {
        // Nothing is called a stall by what was registered before it.
        let half = self.judge.limits().stall / 2;
        let presses = self.judge.wants(at).all && self.reading.begun().is_none_or(|read| at >= read + half);
        if !presses && !self.reading.is_due(at, REREAD) {
            return true;
        }
        match self.read(means) {
            Ok(changed) => {
                (looked.new, looked.alike) = (changed.new, changed.alike);
                looked.gone = !changed.gone.is_empty();
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

    /// Reads what is registered, and gives what has changed.
    pub(in crate::commands::loops) fn read(&mut self, means: &Means<'_>) -> Result<Changed, OpenError> {
        let Way::Epoll(epoll) = self.way else { return Ok(Changed::default()) };
        let begin = Instant::now();
        let registrations = means.dir.registrations(means.task, epoll)?;
        self.reading.done(begin);
        let at = Instant::now();
        let changed = self.set.update(registrations);
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
        Ok(changed)
    }

    /// It watches this no more.
    pub(super) fn retire(&mut self, token: usize, watched: &Watched, at: Instant) {
        if let Some(member) = self.judge.gone(token, at).filter(|member| member.waits() > 0) {
            let late = Late::of(watched, &member);
            match self.late.iter_mut().find(|known| known.is(&late)) {
                Some(known) => known.add(&late),
                None => self.late.push(late),
            }
            self.late.sort_by_key(|late| std::cmp::Reverse(late.longest));
            self.late.truncate(LATE);
        }
    }

    /// Looks at some of what it watches, or all. `ready` is whether something waits for the loop; if
    /// that is not known, it shows in what it watches.
    pub(super) fn look_at_members(&mut self, donor: &Donor, at: Instant, ready: bool) {
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
            } else if self.can_be_asked() {
                self.judge.clear(at);
                return;
            } else {
                self.judge.unknown(at);
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
    pub(super) fn sighting(&mut self, token: usize, donor: &Donor) -> Option<Sighting> {
        match self.set.feel(token, donor) {
            Felt::Pulse(pulse) => {
                let watched = self.set.get(token)?;
                Some(Sighting {
                    readiness: pulse.readiness,
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
}
