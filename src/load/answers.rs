//! What came of a load: how many answers, and how long they took.

use hdrhistogram::Histogram;
use std::time::Duration;

/// How long answers took, to a thousandth of it.
#[derive(Clone, Debug)]
pub struct Latencies(Histogram<u32>);

impl Default for Latencies {
    /// Three digits of any time.
    fn default() -> Self {
        // Fails for more than five digits.
        let mut histogram = Histogram::new(3).unwrap_or_else(|_| unreachable!("three digits"));
        histogram.auto(true);
        Self(histogram)
    }
}

impl Latencies {
    pub(super) fn record(&mut self, time: Duration) {
        // Fails only where this histogram may not grow.
        let _ = self.0.record(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Takes in those of other answers.
    pub fn add(&mut self, other: &Self) {
        // Fails only where this histogram may not grow.
        let _ = self.0.add(&other.0);
    }

    /// How many answers there were.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The time within which this share of the answers came; nothing if there were none.
    pub fn percentile(&self, share: f64) -> Option<Duration> {
        (!self.0.is_empty()).then(|| Duration::from_nanos(self.0.value_at_quantile(share)))
    }

    /// The longest; nothing if there were none.
    pub fn longest(&self) -> Option<Duration> {
        (!self.0.is_empty()).then(|| Duration::from_nanos(self.0.max()))
    }
}

/// What came of a load.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// How long the answers took, but for those of heavy connections.
    pub usual: Latencies,
    /// How many there were of heavy connections.
    pub heavy: u64,
    /// How many of the usual ones came in time: the last questions are still answered after it.
    pub in_time: u64,
    /// How many of the heavy ones did.
    pub heavy_in_time: u64,
    /// For how long questions were asked.
    pub time: Duration,
    /// How much of that the busiest of the client's threads ran: at 1, it could not have asked more.
    pub busy: f64,
}

impl Answers {
    /// How many answers came, and were right.
    pub fn count(&self) -> u64 {
        self.usual.count() + self.heavy
    }

    /// Usual answers a second.
    pub fn rate(&self) -> f64 {
        self.in_time as f64 / self.time.as_secs_f64()
    }

    /// Heavy answers a second.
    pub fn heavy_rate(&self) -> f64 {
        self.heavy_in_time as f64 / self.time.as_secs_f64()
    }

    /// Takes in what came of a part of the same load.
    pub(super) fn join(&mut self, other: &Self) {
        self.usual.add(&other.usual);
        self.heavy += other.heavy;
        self.in_time += other.in_time;
        self.heavy_in_time += other.heavy_in_time;
        self.time = self.time.max(other.time);
        self.busy = self.busy.max(other.busy);
    }
}

#[cfg(test)]
mod tests {
    use super::Latencies;
    use std::time::Duration;

    #[test]
    fn percentiles() {
        let mut latencies = Latencies::default();
        assert_eq!((latencies.percentile(0.5), latencies.longest()), (None, None));
        (1..=100).for_each(|n| latencies.record(Duration::from_millis(n)));
        let near = |time: Option<Duration>, ms: f64| {
            let off = (time.unwrap().as_secs_f64() * 1e3 / ms - 1.0).abs();
            assert!(off < 0.001, "{time:?} for {ms} ms");
        };
        near(latencies.percentile(0.5), 50.0);
        near(latencies.percentile(0.99), 99.0);
        near(latencies.longest(), 100.0);
        assert_eq!(latencies.count(), 100);
    }
}
