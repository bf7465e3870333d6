//! A process that is looked at many times.

use super::look::tells_more;
use super::targets::Wanted;
use super::track::Track;
use crate::model::{Doing, Pid};
use crate::proc::{OpenError, ProcessDir, System, ThreadReader};
use std::collections::BTreeMap;
use std::time::Instant;

/// How many threads of a process are told apart, those that have ended among them.
const THREADS: usize = 20_000;

/// A process that is looked at.
pub(super) struct Subject {
    pub(super) wanted: Wanted,
    pub(super) dir: ProcessDir,
    pub(super) tracks: BTreeMap<Pid, Track>,
    /// Looks at threads beyond those that are told apart.
    pub(super) left_out: u64,
    /// Why it could be looked at no longer.
    pub(super) failure: Option<OpenError>,
    /// Whether any of its threads had not ended when it was last looked at.
    alive: bool,
    /// Whether it began to run another program meanwhile.
    pub(super) replaced: bool,
    /// What the kernel told the program when it began; another one is told other things.
    vector: Vec<u8>,
}

impl Subject {
    pub(super) fn new(wanted: Wanted, dir: ProcessDir) -> Self {
        let vector = dir.read(c"auxv").unwrap_or_default();
        Self {
            wanted,
            dir,
            tracks: BTreeMap::new(),
            left_out: 0,
            failure: None,
            alive: false,
            replaced: false,
            vector,
        }
    }

    /// Looks once.
    pub(super) fn look(&mut self, system: &System) {
        if self.failure.is_some() {
            return;
        }
        if let Err(error) = self.try_look(system) {
            self.failure = Some(error);
        }
    }

    fn try_look(&mut self, system: &System) -> Result<(), OpenError> {
        let mut reader = ThreadReader::new(system, &self.dir)?;
        if let Ok(vector) = self.dir.read(c"auxv")
            && vector != self.vector
        {
            self.replaced |= !self.vector.is_empty() && !vector.is_empty();
            self.vector = vector;
        }
        let tids = self.dir.threads();
        if tids.is_empty() {
            return Err(OpenError::Gone);
        }
        let mut alive = false;
        for tid in tids {
            let mut thread = match reader.glance(tid) {
                Ok(thread) => thread,
                // It ended just now.
                Err(OpenError::Gone) => continue,
                Err(error) => return Err(error),
            };
            let now = Instant::now();
            let wchan = tells_more(&thread).then(|| reader.wchan(tid)).flatten();
            alive |= thread.doing != Doing::Ended;
            let room = self.tracks.len() < THREADS;
            match self.tracks.get_mut(&tid) {
                Some(track) => track.add(thread, wchan, now),
                None if room => {
                    reader.exact(tid, &mut thread.cpu);
                    let mut track = Track::new(thread.clone(), now);
                    track.add(thread, wchan, now);
                    self.tracks.insert(tid, track);
                }
                None => self.left_out += 1,
            }
        }
        // What is left of it waits for its parent to take notice.
        let was_alive = std::mem::replace(&mut self.alive, alive);
        if was_alive && !alive { Err(OpenError::Gone) } else { Ok(()) }
    }

    /// Asks once more how much CPU time they used, more exactly than in each look.
    pub(super) fn finish(&mut self, system: &System) {
        let Ok(mut reader) = ThreadReader::new(system, &self.dir) else { return };
        for (tid, track) in &mut self.tracks {
            let mut cpu = track.last.1;
            if reader.exact(*tid, &mut cpu) {
                track.last = (Instant::now(), cpu);
                track.thread.cpu = cpu;
            }
        }
    }
}
