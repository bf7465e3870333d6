//! What a sweep has found.

use crate::model::{Holder, Tally};
use std::collections::BTreeMap;
use std::ops::Range;

/// Fds by what was asked of them, and what could not be looked at.
#[derive(Debug)]
pub struct Swept<K> {
    pub(super) keys: Vec<K>,
    pub(super) holders: Vec<Holder>,
    /// What may not be read, and what went away meanwhile.
    pub tally: Tally,
    /// What could not be read, by errno: how many processes, and how many fds of processes that can
    /// be listed. Together they are what the tally has as denied.
    pub failures: BTreeMap<i32, Failures>,
    /// Whether there may be processes that are not even listed.
    pub hides_processes: bool,
}

/// How much could not be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Failures {
    /// Whole processes.
    pub processes: u64,
    /// Fds of processes that can be listed.
    pub fds: u64,
}

impl<K: Ord> Swept<K> {
    /// The fds of one key, by process and number.
    pub fn of(&self, key: &K) -> &[Holder] {
        self.at(&self.range(key))
    }

    /// Where the fds of one key are.
    pub fn range(&self, key: &K) -> Range<usize> {
        let start = self.keys.partition_point(|k| k < key);
        let count = self.keys[start..].iter().take_while(|k| *k == key).count();
        start..start + count
    }

    /// The fds that are there.
    pub fn at(&self, range: &Range<usize>) -> &[Holder] {
        &self.holders[range.clone()]
    }

    /// Adds the fds of another look, which was for other keys. What could not be looked at is known
    /// already.
    pub fn merge(&mut self, other: Self) {
        if other.keys.is_empty() {
            return;
        }
        let (keys, holders) = (std::mem::take(&mut self.keys), std::mem::take(&mut self.holders));
        let mut all: Vec<(K, Holder)> = keys.into_iter().zip(holders).collect();
        all.extend(other.keys.into_iter().zip(other.holders));
        all.sort_by(|a, b| a.0.cmp(&b.0));
        (self.keys, self.holders) = all.into_iter().unzip();
    }

    /// All keys, each with its fds.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &[Holder])> {
        let mut start = 0;
        self.keys.chunk_by(|a, b| a == b).map(move |keys| {
            let holders = &self.holders[start..start + keys.len()];
            start += keys.len();
            (&keys[0], holders)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Swept;
    use crate::model::{FdNum, Holder, Pid, Process, Tally};
    use std::collections::BTreeMap;
    use std::sync::Arc;

    #[test]
    fn fds_are_found_by_key() {
        let process = Arc::new(Process { pid: Pid(1), command: Vec::new(), uid: 0, user: None });
        let holder = |fd| Holder { process: Arc::clone(&process), fd: FdNum(fd) };
        let swept = Swept {
            keys: vec![2, 2, 5],
            holders: vec![holder(7), holder(8), holder(9)],
            tally: Tally::default(),
            failures: BTreeMap::new(),
            hides_processes: false,
        };
        let fds = |key| swept.of(&key).iter().map(|h| h.fd.0).collect::<Vec<_>>();
        assert_eq!((fds(1), fds(2), fds(3), fds(5), fds(6)), (vec![], vec![7, 8], vec![], vec![9], vec![]));
        let mut swept = swept;
        let other = Swept {
            keys: vec![3],
            holders: vec![holder(6)],
            tally: Tally::default(),
            failures: BTreeMap::new(),
            hides_processes: false,
        };
        swept.merge(other);
        let fds = |key| swept.of(&key).iter().map(|h| h.fd.0).collect::<Vec<_>>();
        assert_eq!((fds(2), fds(3), fds(5)), (vec![7, 8], vec![6], vec![9]));
        let counts: Vec<_> = swept.iter().map(|(key, holders)| (*key, holders.len())).collect();
        assert_eq!(counts, [(2, 2), (3, 1), (5, 1)]);
    }
}
