//! What is worth telling of an accept queue, from what is read of it now and then. No system
//! calls: readings and time come from outside.

use crate::model::AcceptQueue;
use std::time::{Duration, Instant};

/// The gauge of one accept queue.
#[derive(Debug)]
pub struct Gauge {
    queue: AcceptQueue,
    /// What was told last, if anything was.
    told: Option<(AcceptQueue, u32)>,
    peak: u32,
    /// The drops at the start, and those that were told.
    drops: Option<(u64, u64)>,
    /// Since when the queue has been full.
    full_since: Option<Instant>,
    full: Duration,
}

impl Gauge {
    /// A gauge of a queue that is as it says at the start. What is `told` need not be told again.
    pub fn new(queue: AcceptQueue, told: bool, now: Instant) -> Self {
        let mut gauge = Self {
            queue,
            told: None,
            peak: queue.waiting,
            drops: queue.drops.map(|drops| (drops, drops)),
            full_since: None,
            full: Duration::ZERO,
        };
        gauge.read(queue, now);
        if told {
            gauge.has_changed();
        }
        gauge
    }

    /// A reading.
    pub fn read(&mut self, queue: AcceptQueue, now: Instant) {
        self.queue = queue;
        self.peak = self.peak.max(queue.waiting);
        match (queue.is_full(), self.full_since) {
            (true, None) => self.full_since = Some(now),
            (false, Some(since)) => {
                self.full += now.saturating_duration_since(since);
                self.full_since = None;
            }
            _ => {}
        }
    }

    /// Whether the queue is not as it was told last, or was fuller since; it counts as told then.
    pub fn has_changed(&mut self) -> bool {
        // Every connection waits for a moment: one at a time is no news.
        let now = Some((AcceptQueue { drops: None, ..self.queue }, self.peak.max(1)));
        std::mem::replace(&mut self.told, now) != now
    }

    /// Whether anything was told yet, which later is a change of.
    pub fn was_told(&self) -> bool {
        self.told.is_some()
    }

    /// Whether the backlog is another than was told last.
    pub fn is_resized(&self) -> bool {
        self.told.is_some_and(|(told, _)| told.max != self.queue.max)
    }

    /// Whether connections were refused a place since that was told last; it counts as told then.
    pub fn has_dropped(&mut self) -> bool {
        let (Some(now), Some((_, told))) = (self.queue.drops, &mut self.drops) else { return false };
        std::mem::replace(told, now) != now
    }

    /// The latest reading.
    pub fn queue(&self) -> AcceptQueue {
        self.queue
    }

    /// The most that were seen to wait.
    pub fn peak(&self) -> u32 {
        self.peak
    }

    /// Drops since the start, where the kernel counts them.
    pub fn drops(&self) -> Option<u64> {
        let (start, _) = self.drops?;
        self.queue.drops.map(|now| now.saturating_sub(start))
    }

    /// How long the queue was full, as far as it was seen.
    pub fn full(&self, now: Instant) -> Duration {
        self.full + self.full_since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
    }
}

#[cfg(test)]
mod tests {
    use super::Gauge;
    use crate::model::AcceptQueue;
    use std::time::{Duration, Instant};

    fn queue(waiting: u32, drops: u64) -> AcceptQueue {
        AcceptQueue { waiting, max: Some(1), drops: Some(drops) }
    }

    #[test]
    fn changes_are_told_once() {
        let now = Instant::now();
        let mut gauge = Gauge::new(queue(0, 0), true, now);
        assert!(gauge.was_told() && !gauge.has_changed());
        gauge.read(queue(1, 0), now);
        assert!(gauge.has_changed());
        assert!(!gauge.has_changed());
        gauge.read(AcceptQueue { max: Some(9), ..queue(1, 0) }, now);
        assert!(gauge.is_resized());
        assert!(gauge.has_changed());
        assert!(!gauge.is_resized());
        let mut untold = Gauge::new(queue(0, 0), false, now);
        assert!(untold.has_changed());
    }

    #[test]
    fn a_peak_between_two_looks_is_told() {
        let now = Instant::now();
        let mut gauge = Gauge::new(queue(0, 0), true, now);
        gauge.read(queue(2, 0), now);
        gauge.read(queue(0, 0), now);
        assert!(gauge.has_changed());
        assert_eq!((gauge.peak(), gauge.queue().waiting), (2, 0));
    }

    #[test]
    fn drops_count_from_the_start() {
        let now = Instant::now();
        let mut gauge = Gauge::new(queue(0, 5), true, now);
        assert!(!gauge.has_dropped());
        gauge.read(queue(2, 8), now);
        assert!(gauge.has_dropped());
        assert!(!gauge.has_dropped());
        assert_eq!(gauge.drops(), Some(3));
        // They are no change of the queue.
        assert!(gauge.has_changed());
        gauge.read(queue(2, 9), now);
        assert!(!gauge.has_changed());
    }

    #[test]
    fn time_full_adds_up() {
        let start = Instant::now();
        let second = Duration::from_secs(1);
        let mut gauge = Gauge::new(queue(2, 0), true, start);
        gauge.read(queue(1, 0), start + second);
        gauge.read(queue(2, 0), start + 3 * second);
        assert_eq!(gauge.full(start + 4 * second), 2 * second);
    }
}
