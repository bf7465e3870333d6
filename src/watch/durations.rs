//! Many durations, of which a few facts are wanted.

use std::time::Duration;

/// The most that are kept.
const KEPT: usize = 4096;

/// Durations: their number, sum and maximum exactly, and their median from a regular sample.
#[derive(Clone, Debug, Default)]
pub struct Durations {
    number: u64,
    total: Duration,
    longest: Duration,
    sample: Vec<Duration>,
    /// Each so-many-th is kept, less one.
    skip: u64,
}

impl Durations {
    /// One more.
    pub fn add(&mut self, duration: Duration) {
        if self.number.is_multiple_of(self.skip + 1) {
            self.sample.push(duration);
        }
        self.number += 1;
        self.total += duration;
        self.longest = self.longest.max(duration);
        if self.sample.len() == KEPT {
            let mut nth = 0;
            self.sample.retain(|_| {
                nth += 1;
                nth % 2 == 1
            });
            self.skip = self.skip * 2 + 1;
        }
    }

    /// How many.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Their sum.
    pub fn total(&self) -> Duration {
        self.total
    }

    /// The longest.
    pub fn longest(&self) -> Option<Duration> {
        (self.number > 0).then_some(self.longest)
    }

    /// The one that half of them are no longer than.
    pub fn median(&self) -> Option<Duration> {
        let mut sorted = self.sample.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len().saturating_sub(1) / 2).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, Durations, KEPT};

    fn of(millis: impl IntoIterator<Item = u64>) -> Durations {
        let mut durations = Durations::default();
        millis.into_iter().for_each(|ms| durations.add(Duration::from_millis(ms)));
        durations
    }

    #[test]
    fn a_few() {
        let none = of([]);
        assert_eq!((none.number(), none.longest(), none.median()), (0, None, None));
        let three = of([30, 10, 20]);
        assert_eq!(three.total(), Duration::from_millis(60));
        assert_eq!(three.longest(), Some(Duration::from_millis(30)));
        assert_eq!(three.median(), Some(Duration::from_millis(20)));
    }

    #[test]
    fn many_take_no_more_room() {
        let many = of(0..100_000);
        assert!(many.sample.len() <= KEPT);
        assert_eq!(many.number(), 100_000);
        let median = many.median().unwrap().as_millis();
        assert!((49_000..51_000).contains(&median), "{median}");
    }
}
