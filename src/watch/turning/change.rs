//! What changes with a loop.

use std::time::{Duration, Instant};

/// What has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The loop has not gone on for longer than the limit.
    Stalled(Stall),
    /// It goes on again.
    Recovered {
        /// For how long it had not.
        lasted: Duration,
    },
    /// It turns, or its threads run, without serving what is ready all the time.
    Spinning {
        /// Which of what it watches.
        token: usize,
        /// Since when.
        since: Instant,
        /// Whether it has served others meanwhile, so that it turns for sure.
        turns: bool,
    },
}

/// A stall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stall {
    /// When it began, as far as it was seen.
    pub since: Instant,
    /// Whether the threads stand still: else they run, or are not known.
    pub still: bool,
}
