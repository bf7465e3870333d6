//! Many looks at processes, and how often each thread was seen in what.

use super::look::tells_more;
use super::targets::Wanted;
use super::track::Track;
use crate::commands::signals::Signals;
use crate::model::{Doing, Pid};
use crate::proc::{OpenError, ProcessDir, System, ThreadReader};
use nix::sys::signal::Signal;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

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
    fn look(&mut self, system: &System) {
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
    fn finish(&mut self, system: &System) {
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

/// How the looking ended.
pub(super) struct Ended {
    /// How many looks there were.
    pub(super) looks: u64,
    /// How many there would have been at the interval asked for.
    pub(super) asked: u64,
    /// By a signal.
    pub(super) signal: Option<Signal>,
}

/// Looks at the subjects for a time.
pub(super) fn sample(
    system: &System,
    subjects: &mut [Subject],
    time: Duration,
    interval: Duration,
    signals: &mut Signals,
) -> Ended {
    let begun = Instant::now();
    let end = begun + time;
    let mut chance = Chance::new();
    let mut ended =
        Ended { looks: 0, asked: (time.as_secs_f64() / interval.as_secs_f64()).ceil() as u64, signal: None };
    loop {
        let at = Instant::now();
        subjects.iter_mut().for_each(|subject| subject.look(system));
        ended.looks += 1;
        let now = Instant::now();
        if now >= end || subjects.iter().all(|subject| subject.failure.is_some()) {
            break;
        }
        // No more than half of a CPU's time, however many threads there are.
        let next = (at + chance.near(interval)).max(now + (now - at)).min(end);
        if wait(signals, next) {
            while let Some(received) = signals.next() {
                ended.signal = Some(received.signal);
            }
            if ended.signal.is_some() {
                break;
            }
        }
    }
    subjects.iter_mut().for_each(|subject| subject.finish(system));
    ended
}

/// Waits until a time; whether a signal came first.
fn wait(signals: &Signals, until: Instant) -> bool {
    let left = until.saturating_duration_since(Instant::now());
    let left = Timespec { tv_sec: left.as_secs() as _, tv_nsec: left.subsec_nanos().into() };
    let mut fds = [PollFd::from_borrowed_fd(signals.as_fd(), PollFlags::IN)];
    poll(&mut fds, Some(&left)).is_ok_and(|ready| ready > 0)
}

/// Looks that come as regularly as what they look at would always see the same.
struct Chance(u64);

impl Chance {
    fn new() -> Self {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        Self(now.tv_nsec as u64 | 1)
    }

    /// A time between three and five quarters of this one: xorshift by Marsaglia.
    fn near(&mut self, time: Duration) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        time.mul_f64(0.75 + (self.0 % 1024) as f64 / 2048.0)
    }
}
