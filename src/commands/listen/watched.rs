//! One listener, and what we have seen of it.

use super::event::{Drops, Filling, Listening, Summary};
use super::lines;
use crate::listener::Gauge;
use crate::model::AcceptQueue;
use std::time::{Duration, Instant};

/// A listener that is watched.
pub(super) struct Watched {
    pub(super) address: Vec<u8>,
    /// `None` where the kernel tells nothing of the queue.
    pub(super) gauge: Option<Gauge>,
    accepted: u64,
    longest_wait: Option<Duration>,
    pub(super) gone: bool,
}

impl Watched {
    /// A listener that was told of just now.
    pub(super) fn new(listening: &Listening, now: Instant) -> Self {
        // An empty queue of our own is no news.
        let told = |queue: AcceptQueue| !listening.foreign && queue.waiting == 0;
        let gauge = listening.queue.map(|queue| Gauge::new(queue, told(queue), now));
        Self { address: listening.address.clone(), gauge, accepted: 0, longest_wait: None, gone: false }
    }

    /// How many connections were accepted.
    pub(super) fn accepted(&self) -> u64 {
        self.accepted
    }

    /// A connection was accepted.
    pub(super) fn accept(&mut self, waited: Option<Duration>) {
        self.accepted += 1;
        self.longest_wait = self.longest_wait.max(waited);
    }

    /// A reading, which is not told.
    pub(super) fn read(&mut self, queue: AcceptQueue, now: Instant) {
        if let Some(gauge) = &mut self.gauge {
            gauge.read(queue, now);
        }
    }

    /// How full its queue is, and was.
    pub(super) fn filling(&self) -> Option<Filling> {
        self.gauge.as_ref().map(|gauge| Filling { queue: gauge.queue(), peak: gauge.peak() })
    }

    /// How it went. `accepts` is whether we do.
    pub(super) fn summary(&self, accepts: bool, drops: Drops, now: Instant) -> Summary {
        Summary {
            accepted: accepts.then_some(self.accepted),
            filling: self.filling(),
            full: self.gauge.as_ref().map(|gauge| gauge.full(now)),
            longest_wait: self.longest_wait,
            drops,
        }
    }

    /// Its part of the line that stays.
    pub(super) fn status(&self) -> String {
        let drops = self.gauge.as_ref().and_then(Gauge::drops);
        let status = lines::gauge(&self.address, self.filling(), drops);
        if self.accepted > 0 { format!("{status}  accepted {}", self.accepted) } else { status }
    }
}
