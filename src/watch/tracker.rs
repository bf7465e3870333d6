//! One fd under one selector.

use super::change::Change;
use super::durations::Durations;
use crate::model::Readiness;
use std::time::{Duration, Instant};

/// What is in force on one fd, and since when.
#[derive(Clone, Debug, Default)]
pub struct Tracker {
    now: Readiness,
    /// Since when each condition has been in force, by [`Readiness::EACH`].
    since: [Option<Instant>; Readiness::EACH.len()],
    /// Since when any has.
    ready_since: Option<Instant>,
    durations: Durations,
    changes: u64,
}

impl Tracker {
    /// What is in force now, all of it: up to two changes, that which has gone first.
    pub fn level(&mut self, readiness: Readiness, at: Instant) -> [Option<Change>; 2] {
        let (gained, lost) = (readiness - self.now, self.now - readiness);
        let mut ready_for = Duration::ZERO;
        for (condition, since) in Readiness::EACH.into_iter().zip(&mut self.since) {
            if gained.intersects(condition) {
                *since = Some(at);
            } else if lost.intersects(condition)
                && let Some(since) = since.take()
            {
                ready_for = ready_for.max(at.saturating_duration_since(since));
            }
        }
        self.now = readiness;
        match (readiness.is_empty(), self.ready_since) {
            (false, None) => self.ready_since = Some(at),
            (true, Some(since)) => {
                self.durations.add(at.saturating_duration_since(since));
                self.ready_since = None;
            }
            _ => {}
        }
        let cleared = (!lost.is_empty()).then_some(Change::Clear { gone: lost, ready_for });
        let came = Change::of(gained);
        self.changes += u64::from(cleared.is_some()) + u64::from(came.is_some());
        [cleared, came]
    }

    /// Something has come, by a selector that says no more than that.
    pub fn edge(&mut self, readiness: Readiness) -> Option<Change> {
        self.now = readiness;
        let change = Change::of(readiness);
        self.changes += u64::from(change.is_some());
        change
    }

    /// Nothing can be in force any more. What was counts until now.
    pub fn end(&mut self, at: Instant) {
        if let Some(since) = self.ready_since.take() {
            self.durations.add(at.saturating_duration_since(since));
        }
        self.since = [None; Readiness::EACH.len()];
        self.now = Readiness::default();
    }

    /// What is in force, as it was seen last.
    pub fn readiness(&self) -> Readiness {
        self.now
    }

    /// For how long anything has been in force each time.
    pub fn durations(&self) -> &Durations {
        &self.durations
    }

    /// How many changes there were.
    pub fn changes(&self) -> u64 {
        self.changes
    }
}

#[cfg(test)]
mod tests {
    use super::{Change, Readiness, Tracker};
    use std::time::{Duration, Instant};

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn it_comes_and_goes() {
        let mut tracker = Tracker::default();
        let start = Instant::now();
        assert_eq!(tracker.level(Readiness::IN, start), [None, Some(Change::Ready)]);
        assert_eq!(tracker.level(Readiness::IN, start + MS), [None, None]);
        let gone = Change::Clear { gone: Readiness::IN, ready_for: 3 * MS };
        assert_eq!(tracker.level(Readiness::default(), start + 3 * MS), [Some(gone), None]);
        assert_eq!(tracker.durations().total(), 3 * MS);
        assert_eq!(tracker.changes(), 2);
    }

    #[test]
    fn one_condition_goes_while_another_stays() {
        let mut tracker = Tracker::default();
        let start = Instant::now();
        tracker.level(Readiness::OUT, start);
        assert_eq!(tracker.level(Readiness::OUT | Readiness::IN, start + MS), [None, Some(Change::Ready)]);
        let gone = Change::Clear { gone: Readiness::IN, ready_for: MS };
        assert_eq!(tracker.level(Readiness::OUT, start + 2 * MS), [Some(gone), None]);
        // It was ready all the time.
        assert_eq!(tracker.durations().number(), 0);
        tracker.end(start + 5 * MS);
        assert_eq!(tracker.durations().total(), 5 * MS);
    }

    #[test]
    fn the_worst_names_the_change() {
        let start = Instant::now();
        let came = |readiness| Tracker::default().level(readiness, start)[1];
        assert_eq!(came(Readiness::IN | Readiness::HUP), Some(Change::Hup));
        assert_eq!(came(Readiness::OUT | Readiness::ERR | Readiness::HUP), Some(Change::Error));
        assert_eq!(came(Readiness::NVAL), Some(Change::Error));
        assert_eq!(came(Readiness::IN | Readiness::RDHUP), Some(Change::Ready));
    }

    #[test]
    fn one_for_another() {
        let mut tracker = Tracker::default();
        let start = Instant::now();
        tracker.level(Readiness::OUT, start);
        let [cleared, came] = tracker.level(Readiness::IN, start + MS);
        assert_eq!(cleared, Some(Change::Clear { gone: Readiness::OUT, ready_for: MS }));
        assert_eq!(came, Some(Change::Ready));
    }

    #[test]
    fn edges_are_all_told() {
        let mut tracker = Tracker::default();
        assert_eq!(tracker.edge(Readiness::IN), Some(Change::Ready));
        assert_eq!(tracker.edge(Readiness::IN), Some(Change::Ready));
        assert_eq!(tracker.edge(Readiness::default()), None);
        assert_eq!(tracker.changes(), 2);
    }
}
