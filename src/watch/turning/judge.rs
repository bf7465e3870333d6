//! One loop.

use super::change::{Change, Stall};
use super::crew::Crew;
use super::member::{Look, Member, Shows, Sighting};
use super::members::Members;
use super::tally::Totals;
use crate::model::{Thread, Worth};
use std::time::{Duration, Instant};

/// What is a stall.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long nothing may be served.
    pub stall: Duration,
    /// How far apart looks are.
    pub interval: Duration,
}

/// For how long something must be left unserved by a loop that turns before it counts as spinning:
/// with nothing in it to be read, and with something.
const SPIN: Duration = Duration::from_secs(1);
const SPIN_ON_DATA: Duration = Duration::from_secs(5);
/// How often others must have been served meanwhile.
const TURNS: u64 = 5;
/// How often all that a loop watches must have been looked at in vain.
const WHOLE: u32 = 2;
/// How often an fd must have been seen at the same marks where these may repeat themselves.
const SIGHTINGS: u32 = 5;

/// After how many times the limit it does not press any more to know whether a loop stalls, if that
/// could not be told so far.
const LONG: u32 = 20;

/// What the next look should be at, beside the loop itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    /// All that it watches, soon.
    pub all: bool,
    /// The threads.
    pub crew: bool,
}

/// Follows one loop.
#[derive(Clone, Debug)]
pub struct Judge {
    limits: Limits,
    /// Whether it was known at the last look what the loop is like.
    known: bool,
    /// Since when something has waited for the loop; nothing if it is clear.
    ready: Option<Instant>,
    /// When it was last seen to serve something, or to be clear.
    served_at: Instant,
    /// The same, before the look that is being taken in.
    served_before: Instant,
    /// How often it was.
    served: u64,
    /// The look that `served` was counted for last.
    counted: Option<Instant>,
    /// How often all was looked at since.
    whole: u32,
    members: Members,
    /// The threads, since it was served last.
    crew: Crew,
    stall: Option<Stall>,
    /// The threads in the stall that is over.
    stalled_crew: Option<Crew>,
    last: Instant,
    totals: Totals,
}

impl Judge {
    /// A loop of which nothing is known yet.
    pub fn new(limits: Limits, at: Instant) -> Self {
        Self {
            limits,
            known: false,
            ready: None,
            served_at: at,
            served_before: at,
            served: 0,
            counted: None,
            whole: 0,
            members: Members::default(),
            crew: Crew::default(),
            stall: None,
            stalled_crew: None,
            last: at,
            totals: Totals::default(),
        }
    }

    /// What counts as a stall.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// It cannot be told whether anything waits for the loop.
    pub fn unknown(&mut self, at: Instant) {
        if self.known {
            self.clear(at);
            self.known = false;
        }
    }

    /// Nothing waits for the loop: all that did was served.
    pub fn clear(&mut self, at: Instant) {
        self.pass(at);
        self.known = true;
        self.end_all(at);
        self.serve(at);
        self.ready = None;
    }

    /// Something waits for the loop.
    pub fn ready(&mut self, at: Instant) {
        self.pass(at);
        self.known = true;
        self.ready.get_or_insert(at);
    }

    /// One of the fds that it watches, while it is ready.
    pub fn see(&mut self, token: usize, sighting: Sighting, at: Instant) {
        let look = self.look(at);
        let (shows, waited) = self.members.see(token, sighting, &look);
        if let Some(waited) = waited {
            self.totals.waits.add(waited);
        }
        if shows == Shows::ServedHere {
            self.serve(at);
        }
    }

    /// The look at this moment.
    fn look(&self, at: Instant) -> Look {
        Look {
            at,
            ready_since: self.ready.unwrap_or(at),
            served_at: self.served_before,
            served: self.served,
            slack: self.limits.interval * 2,
        }
    }

    /// It watches this no more: it was closed, or taken out. Gives what was known of it.
    pub fn gone(&mut self, token: usize, at: Instant) -> Option<Member> {
        self.leave(token, at);
        self.members.remove(token)
    }

    /// This can be looked at no more: it was closed.
    pub fn leave(&mut self, token: usize, at: Instant) {
        if self.end_wait(token, at) {
            self.serve(at);
        }
    }

    /// Something else shows that it goes on.
    pub fn serve(&mut self, at: Instant) {
        if self.counted != Some(at) {
            self.served += 1;
            self.counted = Some(at);
        }
        self.excuse(at);
    }

    /// Nobody was seen that should serve it now, which is no sign that it goes on either.
    pub fn excuse(&mut self, at: Instant) {
        self.served_at = at;
        self.whole = 0;
        let crew = std::mem::take(&mut self.crew);
        if self.stall.is_some() {
            self.stalled_crew.get_or_insert(crew);
        }
    }

    /// All that it watches has been looked at since this was said last.
    pub fn whole(&mut self) {
        self.whole = self.whole.saturating_add(1);
    }

    /// The threads that serve it. `waits_here` is whether one of them waits for the loop's own fds.
    pub fn crew(&mut self, threads: &[Thread], calls: Option<u64>, waits_here: bool, at: Instant) {
        if waits_here {
            self.serve(at);
        } else {
            self.crew.see(threads, calls, at);
        }
    }

    /// What to look at next.
    pub fn wants(&self, at: Instant) -> Wants {
        if self.ready.is_none() {
            return Wants::default();
        }
        let unserved = at.saturating_duration_since(self.served_at.max(self.ready.unwrap_or(at)));
        Wants {
            all: self.stall.is_none()
                && (self.limits.stall / 2..self.limits.stall * LONG).contains(&unserved),
            crew: unserved >= self.limits.stall / 4,
        }
    }

    /// What has changed by what was said since.
    pub fn judge(&mut self, at: Instant) -> Vec<Change> {
        let mut changes = Vec::new();
        let since = self.unserved_since();
        match (self.stall, since) {
            (None, Some(since)) if at.saturating_duration_since(since) >= self.limits.stall => {
                if let Some(still) = self.proof() {
                    let stall = Stall { since, still };
                    self.stall = Some(stall);
                    self.stalled_crew = None;
                    self.move_to_stalled(at.saturating_duration_since(since));
                    changes.push(Change::Stalled(stall));
                }
            }
            (Some(stall), since) if since.is_none_or(|since| since > stall.since) => {
                self.stall = None;
                let lasted = at.saturating_duration_since(stall.since);
                self.totals.stalls.add(lasted);
                changes.push(Change::Recovered { lasted });
            }
            _ => {}
        }
        if self.stall.is_none() && self.ready.is_some() {
            changes.extend(self.spinning(at));
        }
        changes
    }

    /// Since when nothing was served, though something waits: since the loop served anything last,
    /// and since the one that waits longest waits. Nothing if nothing waits.
    fn unserved_since(&self) -> Option<Instant> {
        let ready = self.ready?;
        // Else it is ready for something that cannot be looked at.
        let begin = self.members.waiting_since().unwrap_or(ready);
        Some(begin.max(self.served_at).max(ready))
    }

    /// Whether it is proven that it does not go on, and if so, whether its threads stand still.
    fn proof(&self) -> Option<bool> {
        let still = self.crew.still_for() >= self.limits.stall / 2;
        if still && self.whole > 0 {
            return Some(true);
        }
        if self.whole < WHOLE {
            return None;
        }
        let callless = self.crew.callless_for().is_some_and(|time| time >= self.limits.stall / 2);
        let waiting = || self.waiting().map(|(_, member)| member).filter(|m| !m.is_at_its_end());
        let proves = |member: &Member| match member.worth() {
            Worth::Exactly => true,
            Worth::Roughly => member.sightings >= SIGHTINGS,
            Worth::ByCalls => callless && member.sightings >= SIGHTINGS,
            Worth::Nothing => false,
        };
        waiting().any(proves).then_some(false)
    }

    /// What it leaves unserved while it turns.
    fn spinning(&mut self, at: Instant) -> Option<Change> {
        let served = self.served;
        let spin = SPIN.max(self.limits.stall * 2);
        // Nobody is kept waiting by what is at its end, and threads that run all the time have what to
        // do. That is a loop that spins, as far as one can see.
        let runs = self.crew.watched_for() >= spin / 2 && self.crew.runs(0.5);
        let ends = runs && self.waiting().all(|(_, member)| member.is_at_its_end());
        let found = self.members.waiting().find_map(|(token, member)| {
            let since = member.since().filter(|_| !member.told && !member.is_edge())?;
            let waited = at.saturating_duration_since(since);
            let turns = served.saturating_sub(member.served_before) >= TURNS;
            let long = if member.is_at_its_end() { spin } else { spin.max(SPIN_ON_DATA) };
            (waited >= long && (turns || ends)).then_some((token, since, turns))
        });
        let (token, since, turns) = found?;
        self.members.tell(token);
        self.totals.spins += 1;
        Some(Change::Spinning { token, since, turns })
    }

    /// For how long it has been ready for nothing that can be seen, though all was looked at.
    pub fn unexplained(&self, at: Instant) -> Duration {
        match self.ready {
            Some(ready) if self.whole >= WHOLE && self.waiting().next().is_none() => {
                at.saturating_duration_since(ready.max(self.served_at))
            }
            _ => Duration::ZERO,
        }
    }

    /// Those that wait.
    pub fn waiting(&self) -> impl Iterator<Item = (usize, &Member)> {
        self.members.waiting()
    }

    /// All that was looked at so far.
    pub fn members(&self) -> impl Iterator<Item = (usize, &Member)> {
        self.members.all()
    }

    /// One that was looked at.
    pub fn member(&self, token: usize) -> Option<&Member> {
        self.members.get(token)
    }

    /// What its threads did since it was served last.
    pub fn threads(&self) -> &Crew {
        &self.crew
    }

    /// What they did in the stall that is over.
    pub fn stalled_threads(&self) -> &Crew {
        self.stalled_crew.as_ref().unwrap_or(&self.crew)
    }

    /// The stall that it is in.
    pub fn stalled(&self) -> Option<Stall> {
        self.stall
    }

    /// When it was seen to serve anything last.
    pub fn served_at(&self) -> Instant {
        self.served_at
    }

    /// Since when something has waited for it, if something does.
    pub fn ready_since(&self) -> Option<Instant> {
        self.ready
    }

    /// How it went. What still waits counts until now.
    pub fn totals(&mut self, at: Instant) -> &Totals {
        self.pass(at);
        self.end_all(at);
        if let Some(stall) = self.stall.take() {
            self.totals.stalls.add(at.saturating_duration_since(stall.since));
        }
        &self.totals
    }

    /// Ends the waits of all.
    fn end_all(&mut self, at: Instant) {
        let look = self.look(at);
        for waited in self.members.end_all(&look) {
            self.totals.waits.add(waited);
        }
    }

    /// Ends the wait of one, if it waits.
    fn end_wait(&mut self, token: usize, at: Instant) -> bool {
        let look = self.look(at);
        let waited = self.members.end(token, &look);
        if let Some(waited) = waited {
            self.totals.waits.add(waited);
        }
        waited.is_some()
    }

    /// Time goes by, with the loop as it was.
    fn pass(&mut self, at: Instant) {
        let time = at.saturating_duration_since(self.last);
        self.last = at;
        self.served_before = self.served_at;
        let shares = &mut self.totals.shares;
        match (self.ready, self.stall) {
            _ if !self.known => {}
            (None, _) => shares.idle += time,
            (Some(_), None) => shares.busy += time,
            (Some(_), Some(_)) => shares.stalled += time,
        }
    }

    /// What counted as busy so far was a stall.
    fn move_to_stalled(&mut self, time: Duration) {
        let shares = &mut self.totals.shares;
        let time = time.min(shares.busy);
        shares.busy -= time;
        shares.stalled += time;
    }
}

#[cfg(test)]
mod tests;
