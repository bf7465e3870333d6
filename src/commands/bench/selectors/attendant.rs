//! Signals that end it, and a timer for what never comes.

use super::fault::Fault;
use crate::commands::signals::{self, Signals};
use crate::sys;
use nix::sys::signal::{SigEvent, SigevNotify, Signal};
use nix::sys::timer::{Expiration, Timer, TimerSetTimeFlags};
use nix::time::ClockId;
use std::io;
use std::time::Duration;

/// How much longer than planned a measurement may take: after that, what was to come is lost.
const PATIENCE: Duration = Duration::from_secs(5);

/// Then again and again, since a signal between two waits ends none.
const AGAIN: Duration = Duration::from_secs(1);

/// What the timer sends. A wait with a timeout would cost more than one without, and somebody else
/// may have set the one timer that makes SIGALRM.
const OVERDUE: Signal = Signal::SIGVTALRM;

/// Looks after a measurement.
pub(super) struct Attendant {
    /// None in tests, which leave the signals of the process alone.
    means: Option<(Signals, Timer)>,
}

impl Attendant {
    /// Catches signals from now on.
    pub(super) fn new() -> io::Result<Self> {
        let caught = signals::catch(&signals::ENDING)?;
        sys::catch_signal(OVERDUE as i32, true)?;
        let signal = SigevNotify::SigevSignal { signal: OVERDUE, si_value: 0 };
        let timer = Timer::new(ClockId::CLOCK_MONOTONIC, SigEvent::new(signal))?;
        Ok(Self { means: Some((Signals::open(caught)?, timer)) })
    }

    /// One that hears of no signal.
    #[cfg(test)]
    pub(super) fn deaf() -> Self {
        Self { means: None }
    }

    /// A measurement begins that is planned to take so long.
    pub(super) fn expect(&mut self, time: Duration) -> Result<(), Fault> {
        let Some((_, timer)) = &mut self.means else { return Ok(()) };
        let overdue = Expiration::IntervalDelayed((time + PATIENCE).into(), AGAIN.into());
        timer.set(overdue, TimerSetTimeFlags::empty()).map_err(|e| Fault::Io("set a timer", e.into()))
    }

    /// Whether it takes longer than that.
    pub(super) fn is_overdue(&self) -> bool {
        sys::take_signal(OVERDUE as i32).times > 0
    }

    /// Whether it may go on.
    pub(super) fn check(&mut self) -> Result<(), Fault> {
        let came = self.means.as_mut().and_then(|(signals, _)| signals.next());
        came.map_or(Ok(()), |received| Err(Fault::Signal(received.signal)))
    }
}
