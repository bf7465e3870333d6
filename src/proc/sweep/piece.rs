//! What was found in a part of the work.

use super::swept::{Failures, Swept};
use crate::model::{FdNum, Holder, Pid, Process, Tally};
use crate::proc::process::ProcessDir;
use crate::proc::system::System;
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What was found in some parts.
#[derive(Debug)]
pub(in crate::proc) struct Piece<K> {
    pub(in crate::proc) found: Vec<(K, Holder)>,
    pub(in crate::proc) tally: Tally,
    pub(in crate::proc) failures: BTreeMap<i32, Failures>,
    /// Whether there may be fds with higher numbers. Not told where a table came at once.
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

    /// Adds an fd that matters. Who its process is matters only now, and is asked for once.
    pub(in crate::proc) fn push(
        &mut self,
        system: &System,
        pid: Pid,
        fd: FdNum,
        key: K,
        process: &mut Option<Arc<Process>>,
    ) {
        if process.is_none() {
            *process = ProcessDir::open(system.root(), pid, system).ok().map(|dir| Arc::clone(&dir.process));
        }
        match process {
            Some(process) => self.found.push((key, Holder { process: Arc::clone(process), fd })),
            None => self.tally.vanished += 1,
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
