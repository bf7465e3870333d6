//! What was found in a part of the work.

use super::swept::{Failures, Swept};
use crate::model::{Holder, Tally};
use rustix::io::Errno;
use std::collections::BTreeMap;

/// What was found in some parts.
#[derive(Debug)]
pub(in crate::proc) struct Piece<K> {
    pub(in crate::proc) found: Vec<(K, Holder)>,
    pub(in crate::proc) tally: Tally,
    pub(in crate::proc) failures: BTreeMap<i32, Failures>,
    /// Whether there are fds with higher numbers.
    pub(in crate::proc) has_more: bool,
}

impl<K> Piece<K> {
    pub(in crate::proc) fn new() -> Self {
        Self { found: Vec::new(), tally: Tally::default(), failures: BTreeMap::new(), has_more: false }
    }

    /// Adds what was found behind it.
    pub(in crate::proc) fn add(&mut self, other: Self) {
        self.found.extend(other.found);
        self.tally.add(other.tally);
        for (errno, Failures { processes, fds }) in other.failures {
            let all = self.failures.entry(errno).or_default();
            all.processes += processes;
            all.fds += fds;
        }
    }

    pub(super) fn fails(&mut self, errno: Errno) -> &mut Failures {
        self.tally.denied += 1;
        self.failures.entry(errno.raw_os_error()).or_default()
    }
}

impl<K: Ord> Piece<K> {
    /// All that was found, by key.
    pub(in crate::proc) fn sorted(mut self, hides_processes: bool) -> Swept<K> {
        // Stable: what was met in order of pid and fd stays so.
        self.found.sort_by(|a, b| a.0.cmp(&b.0));
        let (keys, holders) = self.found.into_iter().unzip();
        Swept { keys, holders, tally: self.tally, failures: self.failures, hides_processes }
    }
}
