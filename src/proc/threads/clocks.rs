//! Clocks of a process, to tell how far off a point in time is.

use crate::proc::io::readlink_at;
use crate::proc::process::ProcessDir;
use crate::proc::system::System;
use rustix::fs::CWD;
use rustix::time::{ClockId, clock_gettime};
use std::cell::OnceCell;
use std::time::Duration;

/// The clocks that a process reads.
pub(super) struct Clocks<'p> {
    process: Option<&'p ProcessDir>,
    /// Whether those that count from the start of the machine are ours: `time_namespaces(7)`.
    shared: OnceCell<bool>,
}

impl<'p> Clocks<'p> {
    pub(super) fn new(system: &System, dir: &'p ProcessDir) -> Self {
        Self { process: system.root().is_native().then_some(dir), shared: OnceCell::new() }
    }

    /// Clocks of nobody we know.
    #[cfg(test)]
    pub(super) fn unknown() -> Self {
        Self { process: None, shared: OnceCell::new() }
    }

    /// How long it is from now until the clock shows `at`; nothing where the clock is not ours too.
    pub(super) fn left(&self, clock: i32, at: Duration) -> Option<Duration> {
        let id = match clock {
            libc::CLOCK_REALTIME | libc::CLOCK_REALTIME_ALARM => ClockId::Realtime,
            libc::CLOCK_MONOTONIC if self.are_shared() => ClockId::Monotonic,
            libc::CLOCK_BOOTTIME | libc::CLOCK_BOOTTIME_ALARM if self.are_shared() => ClockId::Boottime,
            _ => return None,
        };
        let now = clock_gettime(id);
        let now = Duration::new(now.tv_sec.try_into().ok()?, now.tv_nsec.try_into().ok()?);
        Some(at.saturating_sub(now))
    }

    fn are_shared(&self) -> bool {
        let Some(process) = self.process else { return false };
        *self.shared.get_or_init(|| {
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            match readlink_at(process.dir(), c"ns/time", &mut theirs) {
                Ok(()) => readlink_at(CWD, c"/proc/self/ns/time", &mut ours).is_ok() && ours == theirs,
                // A kernel without them has one clock for all.
                Err(e) => e == rustix::io::Errno::NOENT,
            }
        })
    }
}
