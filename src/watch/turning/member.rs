//! One fd that a loop watches.

use crate::model::{Marks, Readiness, Waiting, Worth};
use std::time::{Duration, Instant};

/// An fd at one look.
#[derive(Clone, Copy, Debug)]
pub struct Sighting {
    /// What is in force of that which its loop is told of.
    pub readiness: Readiness,
    /// Whether the loop is told only of what comes.
    pub edge: bool,
    /// Whether others may serve it, too: a listener that several processes have.
    pub shared: bool,
    /// Its counters.
    pub marks: Marks,
}

/// A look at a loop.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    pub(super) at: Instant,
    /// Since when the loop has been ready.
    pub(super) ready_since: Instant,
    /// When it was seen to serve anything, before this look.
    pub(super) served_at: Instant,
    /// How often it was.
    pub(super) served: u64,
    /// How far apart looks may be.
    pub(super) slack: Duration,
}

/// What a look at an fd has shown of its loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shows {
    /// Nothing.
    Nothing,
    /// Somebody has served it, perhaps not this loop.
    Served,
    /// This loop has.
    ServedHere,
}

/// An fd, and how long it waits.
#[derive(Clone, Debug)]
pub struct Member {
    readiness: Readiness,
    marks: Marks,
    shared: bool,
    edge: bool,
    /// Since when it waits.
    since: Option<Instant>,
    /// How often it was seen to wait since then, at the same marks.
    pub(super) sightings: u32,
    /// How often the loop had served anything when the wait began.
    pub(super) served_before: u64,
    /// Whether it was told that the loop turns without serving it.
    pub(super) told: bool,
    /// How often it has waited, and the longest of that.
    waits: u64,
    longest: Duration,
}

impl Member {
    pub(super) fn new() -> Self {
        Self {
            readiness: Readiness::EMPTY,
            marks: Marks::default(),
            shared: false,
            edge: false,
            since: None,
            sightings: 0,
            served_before: 0,
            told: false,
            waits: 0,
            longest: Duration::ZERO,
        }
    }

    /// Takes a sighting in: what it shows, and the wait that is over, if one is.
    pub(super) fn see(&mut self, sighting: Sighting, look: &Look) -> (Shows, Option<Duration>) {
        let Look { at, ready_since, slack, served, .. } = *look;
        let Sighting { readiness, edge, shared, marks } = sighting;
        let moved = marks.were_served_since(&self.marks);
        let grown = amount(&marks) > amount(&self.marks);
        let waits = match edge {
            false => !readiness.is_empty(),
            true => edge_waits(&marks, readiness, grown, at.saturating_duration_since(ready_since) + slack),
        };
        let waited = self.since.is_some();
        // An edge-triggered fd does not stop waiting because it is not news any more.
        let waits = waits || edge && waited && !moved && !readiness.is_empty();
        let over = (waited && (moved || !waits)).then(|| self.end(look)).flatten();
        (self.readiness, self.marks, self.shared, self.edge) = (readiness, marks, shared, edge);
        if waits {
            if self.since.is_none() {
                self.since = Some(at);
                self.served_before = served;
            }
            self.sightings += 1;
        }
        let shows = match moved || over.is_some() {
            false => Shows::Nothing,
            true if shared => Shows::Served,
            true => Shows::ServedHere,
        };
        (shows, over)
    }

    /// It waits no more. Gives for how long it has, for sure.
    pub(super) fn end(&mut self, look: &Look) -> Option<Duration> {
        let waited = look.at.saturating_duration_since(self.since_for_sure(look.served_at)?);
        self.since = None;
        (self.sightings, self.told) = (0, false);
        self.readiness = Readiness::EMPTY;
        self.waits += 1;
        self.longest = self.longest.max(waited);
        Some(waited)
    }

    /// Since when it waits, as far as it was seen.
    pub fn since(&self) -> Option<Instant> {
        self.since
    }

    /// Since when it waits for sure, if its loop has served anything last at `served_at`. What can be
    /// served and look as it did before may have been served then, and wait anew.
    pub fn since_for_sure(&self, served_at: Instant) -> Option<Instant> {
        let since = self.since?;
        Some(if self.worth() == Worth::Exactly { since } else { since.max(served_at) })
    }

    /// What is in force of that which its loop is told of.
    pub fn readiness(&self) -> Readiness {
        self.readiness
    }

    /// Its counters at the last look.
    pub fn marks(&self) -> &Marks {
        &self.marks
    }

    /// How often it has waited until now.
    pub fn waits(&self) -> u64 {
        self.waits
    }

    /// The longest of its waits that are over.
    pub fn longest(&self) -> Duration {
        self.longest
    }

    /// Whether the loop is told only of what comes.
    pub(super) fn is_edge(&self) -> bool {
        self.edge
    }

    /// What it means that it waits and its marks do not move.
    pub(super) fn worth(&self) -> Worth {
        self.marks.worth
    }

    /// Whether nobody is kept waiting: it is at its end, or failed, and nothing is left to be read.
    pub fn is_at_its_end(&self) -> bool {
        let readable = self.readiness.contains(Readiness::IN) && !self.marks.is_empty();
        !readable && !self.readiness.intersects(Readiness::OUT | Readiness::PRI)
    }
}

fn amount(marks: &Marks) -> u64 {
    marks.waiting.map_or(0, Waiting::amount)
}

/// Whether something that an edge-triggered fd has is news since the loop was last seen to take
/// what there is. What a loop left in it on purpose is not.
fn edge_waits(marks: &Marks, readiness: Readiness, grown: bool, since: Duration) -> bool {
    if !readiness.contains(Readiness::IN) {
        return false;
    }
    match (marks.waiting, marks.quiet_for) {
        // It is to be accepted from until there is none left.
        (Some(Waiting::Connections(n)), _) => n > 0,
        (_, Some(quiet_for)) => quiet_for <= since && !marks.is_empty(),
        _ => grown,
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, Instant, Look, Marks, Member, Readiness, Shows, Sighting, Waiting, Worth};

    const MS: Duration = Duration::from_millis(1);

    fn bytes(taken: u64, unread: u64) -> Marks {
        let worth = Worth::Exactly;
        Marks { taken: Some(taken), waiting: Some(Waiting::Bytes(unread)), worth, ..Marks::default() }
    }

    /// A look so many ms after the beginning, at a loop that has been ready since then.
    fn look(start: Instant, ms: u32) -> Look {
        Look { at: start + ms * MS, ready_since: start, served_at: start, served: 0, slack: 10 * MS }
    }

    fn sighting(readiness: Readiness, marks: Marks) -> Sighting {
        Sighting { readiness, edge: false, shared: false, marks }
    }

    #[test]
    fn a_wait_is_over_when_something_is_taken_though_more_is_there() {
        let (mut member, start) = (Member::new(), Instant::now());
        let mut see = |ms: u32, marks| member.see(sighting(Readiness::IN, marks), &look(start, ms));
        assert_eq!(see(0, bytes(0, 5)), (Shows::Nothing, None));
        assert_eq!(see(10, bytes(0, 9)), (Shows::Nothing, None));
        assert_eq!(see(20, bytes(9, 3)), (Shows::ServedHere, Some(20 * MS)));
        assert_eq!(see(30, bytes(9, 3)), (Shows::Nothing, None));
        assert_eq!(member.since(), Some(start + 20 * MS));
    }

    #[test]
    fn what_stops_being_ready_was_served() {
        let (mut member, start) = (Member::new(), Instant::now());
        member.see(sighting(Readiness::IN, Marks::default()), &look(start, 0));
        let shared = Sighting { shared: true, ..sighting(Readiness::EMPTY, Marks::default()) };
        assert_eq!(member.see(shared, &look(start, 1)), (Shows::Served, Some(MS)));
        assert_eq!((member.waits(), member.longest()), (1, MS));
    }

    /// Of what may look the same again, a wait counts from when its loop served anything last.
    #[test]
    fn a_wait_is_never_said_to_be_longer_than_it_was() {
        let start = Instant::now();
        for (worth, expected) in [(Worth::Exactly, 500), (Worth::Roughly, 20), (Worth::Nothing, 20)] {
            let mut member = Member::new();
            let marks = Marks { waiting: Some(Waiting::Bytes(5)), worth, ..Marks::default() };
            member.see(sighting(Readiness::IN, marks), &look(start, 0));
            let last = Look { served_at: start + 480 * MS, ..look(start, 500) };
            let served = Marks { waiting: Some(Waiting::Bytes(4)), ..marks };
            let (_, waited) = member.see(sighting(Readiness::IN, served), &last);
            assert_eq!(waited, Some(expected * MS), "{worth:?}");
        }
    }

    #[test]
    fn what_an_edge_triggered_loop_left_behind_does_not_wait() {
        let start = Instant::now();
        let see = |member: &mut Member, ms: u32, marks: Marks| {
            let edge = Sighting { edge: true, ..sighting(Readiness::IN | Readiness::OUT, marks) };
            member.see(edge, &look(start, ms));
            member.since().is_some()
        };
        let quiet = |ms: u32, marks| Marks { quiet_for: Some(ms * MS), ..marks };
        let mut left = Member::new();
        assert!(!see(&mut left, 50, quiet(5000, bytes(7, 3))));
        let mut news = Member::new();
        assert!(see(&mut news, 50, quiet(20, bytes(7, 3))));
        // It goes on waiting.
        assert!(see(&mut news, 900, quiet(870, bytes(7, 3))));
        assert!(!see(&mut news, 910, quiet(5000, bytes(10, 0))));
        // The end of a stream alone is nothing that can be told from an old one.
        assert!(!see(&mut Member::new(), 50, quiet(20, bytes(7, 0))));
        let queue = Marks { waiting: Some(Waiting::Connections(1)), ..Marks::default() };
        assert!(see(&mut Member::new(), 50, queue));
    }

    #[test]
    fn who_is_at_his_end_waits_for_nobody() {
        let start = Instant::now();
        let at_end = |readiness, marks| {
            let mut member = Member::new();
            member.see(sighting(readiness, marks), &look(start, 0));
            member.is_at_its_end()
        };
        assert!(at_end(Readiness::HUP, Marks::default()));
        assert!(at_end(Readiness::IN | Readiness::RDHUP, bytes(7, 0)));
        assert!(!at_end(Readiness::IN | Readiness::HUP, bytes(7, 4)));
        assert!(!at_end(Readiness::IN, Marks::default()));
        assert!(!at_end(Readiness::OUT | Readiness::HUP, bytes(7, 0)));
    }
}
