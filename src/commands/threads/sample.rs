//! Many looks at processes, and how often each thread was seen in what.

use super::chance::Chance;
use super::subject::Subject;
use crate::commands::signals::Signals;
use crate::proc::System;
use nix::sys::signal::Signal;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::time::{Duration, Instant};

/// How the looking ended.
pub(super) struct Ended {
    /// How many looks there were.
    pub(super) looks: u64,
    /// How many there would have been at the interval asked for.
    pub(super) asked: u64,
    /// By a signal.
    pub(super) signal: Option<Signal>,
    /// Before the time was over, as there was nothing left to look at.
    pub(super) early: bool,
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
    let asked = (time.as_secs_f64() / interval.as_secs_f64()).ceil() as u64;
    let mut ended = Ended { looks: 0, asked, signal: None, early: false };
    loop {
        let at = Instant::now();
        subjects.iter_mut().for_each(|subject| subject.look(system));
        ended.looks += 1;
        let now = Instant::now();
        ended.early = subjects.iter().all(|subject| subject.failure.is_some());
        if now >= end || ended.early {
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
