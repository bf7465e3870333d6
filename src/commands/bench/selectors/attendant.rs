//! Signals that end it, and an alarm for what never comes.

use super::fault::Fault;
use crate::commands::signals::{self, Signals};
use crate::sys;
use nix::sys::signal::Signal;
use nix::unistd::alarm;
use std::io;
use std::time::Duration;

/// How much longer than planned a measurement may take: after that, what was to come is lost.
const PATIENCE: Duration = Duration::from_secs(10);

/// Looks after a measurement.
pub(super) struct Attendant {
    signals: Signals,
}

impl Attendant {
    /// Catches signals from now on.
    pub(super) fn new() -> io::Result<Self> {
        let caught = signals::catch(&[Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP])?;
        sys::catch_signal(Signal::SIGALRM as i32, true)?;
        Ok(Self { signals: Signals::open(caught)? })
    }

    /// A measurement begins that is planned to take so long.
    pub(super) fn expect(&self, time: Duration) {
        let seconds = (time + PATIENCE).as_secs() + 1;
        alarm::set(seconds.try_into().unwrap_or(u32::MAX));
    }

    /// Whether it takes longer than that.
    pub(super) fn is_overdue(&self) -> bool {
        sys::take_signal(Signal::SIGALRM as i32).times > 0
    }

    /// Whether it may go on.
    pub(super) fn check(&mut self) -> Result<(), Fault> {
        self.signals.next().map_or(Ok(()), |received| Err(Fault::Signal(received.signal)))
    }
}

impl Drop for Attendant {
    fn drop(&mut self) {
        alarm::cancel();
    }
}
