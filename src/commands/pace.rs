//! Doing something for not more than a share of the time.

use std::time::{Duration, Instant};

/// The part of the time that it takes at most.
const SHARE: u32 = 50;

/// When something may be done again.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pace {
    /// When it was begun last, and how long it took.
    last: Option<(Instant, Duration)>,
}

impl Pace {
    /// Whether it may be done, at least this long after it was begun last.
    pub(super) fn is_due(&self, at: Instant, pause: Duration) -> bool {
        self.last.is_none_or(|(begin, took)| at >= begin + pause.max(took * SHARE))
    }

    /// It was begun at this moment, and is done now.
    pub(super) fn done(&mut self, begin: Instant) {
        self.last = Some((begin, begin.elapsed()));
    }

    /// When it was begun last.
    pub(super) fn begun(&self) -> Option<Instant> {
        self.last.map(|(begin, _)| begin)
    }
}
