//! How a loop has spent its time.

use crate::watch::Durations;
use std::time::Duration;

/// The time that a loop was watched, by what it was like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shares {
    /// Nothing waited for it.
    pub idle: Duration,
    /// Something waited, and it went on.
    pub busy: Duration,
    /// Something waited, and it did not go on.
    pub stalled: Duration,
}

impl Shares {
    /// All of it.
    pub fn total(self) -> Duration {
        self.idle + self.busy + self.stalled
    }
}

/// How it went with a loop.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    /// Its time.
    pub shares: Shares,
    /// The stalls.
    pub stalls: Durations,
    /// The waits of what it watches, from being ready to being served, as far as they were seen.
    pub waits: Durations,
    /// How many fds were found that it turns without serving.
    pub spins: u64,
}
