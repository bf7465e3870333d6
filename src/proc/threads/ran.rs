//! When a thread last ran: `se.exec_start` of `/proc/PID/task/TID/sched`.
//!
//! The scheduler notes it whenever it takes a CPU away from a thread, on a clock that each CPU has of
//! its own and that stands still while the CPU serves interrupts, or other machines. So what has
//! passed since is known at least: the truth is more by what that clock missed.

use crate::model::decimal;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// When a thread last ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ran {
    /// The CPU that it ran on.
    pub(super) processor: u32,
    /// On that CPU's clock.
    pub(super) at: Duration,
    /// When it was read, on ours.
    pub(super) seen: Instant,
}

/// The time that the text of a `sched` file gives; nothing where the scheduler has moved the thread
/// since and forgotten it.
pub(super) fn parse(text: &[u8]) -> Option<Duration> {
    let line = text.split(|&b| b == b'\n').find_map(|line| line.strip_prefix(b"se.exec_start"))?;
    let value = line.trim_ascii_start().strip_prefix(b":")?.trim_ascii();
    let dot = value.iter().position(|&b| b == b'.')?;
    let (milliseconds, nanoseconds) = (decimal(&value[..dot])?, value.get(dot + 1..dot + 7)?);
    let time = Duration::from_millis(milliseconds) + Duration::from_nanos(decimal(nanoseconds)?);
    (!time.is_zero()).then_some(time)
}

/// What the clocks of some CPUs showed at moments of ours.
#[derive(Debug, Default)]
pub struct RunClocks(BTreeMap<u32, (Duration, Instant)>);

/// How long the clocks may take: a CPU that others have for themselves is not waited for.
const PATIENCE: Duration = Duration::from_millis(100);

impl RunClocks {
    /// Reads the clocks of the CPUs that threads ran on, as far as we may run there too: a thread of ours
    /// goes to each for a moment.
    pub fn of(ran: impl Iterator<Item = Ran>) -> Self {
        let processors: BTreeSet<u32> = ran.map(|ran| ran.processor).collect();
        let mut clocks = Self::default();
        if processors.is_empty() {
            return clocks;
        }
        let (sender, receiver) = channel();
        std::thread::spawn(move || {
            let Ok(ours) = sched_getaffinity(Pid::from_raw(0)) else { return };
            for processor in processors {
                let read = ours.is_set(processor as usize).is_ok_and(|ours| ours).then(|| read(processor));
                if let Some(Some(read)) = read
                    && sender.send((processor, read)).is_err()
                {
                    return;
                }
            }
        });
        let until = Instant::now() + PATIENCE;
        while let Ok((processor, read)) =
            receiver.recv_timeout(until.saturating_duration_since(Instant::now()))
        {
            clocks.0.insert(processor, read);
        }
        clocks
    }

    /// How long the thread had not run, at least, when that was read.
    pub fn since(&self, ran: Ran) -> Option<Duration> {
        let (clock, when) = self.0.get(&ran.processor)?;
        let then = match when.checked_duration_since(ran.seen) {
            Some(later) => clock.checked_sub(later)?,
            None => *clock + ran.seen.duration_since(*when),
        };
        // Clocks that are read one after the other may be a little apart.
        Some(then.saturating_sub(ran.at))
    }
}

/// The clock of a CPU, by when this thread last ran, which is now.
fn read(processor: u32) -> Option<(Duration, Instant)> {
    let mut only = CpuSet::new();
    only.set(processor as usize).ok()?;
    sched_setaffinity(Pid::from_raw(0), &only).ok()?;
    // The scheduler looks at its clock when a thread gives up its CPU, and when it gets it back.
    std::thread::sleep(Duration::from_nanos(1));
    let now = Instant::now();
    let text = std::fs::read("/proc/thread-self/sched").ok()?;
    Some((parse(&text)?, now))
}

#[cfg(test)]
mod tests {
    use super::{Ran, RunClocks, parse};
    use std::time::{Duration, Instant};

    #[test]
    fn times_of_the_scheduler() {
        let text =
            b"cat (1, #threads: 1)\n---\nse.exec_start                    :       2960366.670081\nx : 1\n";
        assert_eq!(parse(text), Some(Duration::new(2960, 366_670_081)));
        assert_eq!(parse(b"se.exec_start    :     0.000000\n"), None);
        for text in [&b""[..], b"se.exec_start", b"se.exec_start : 12", b"se.exec_start : 1.2"] {
            assert_eq!(parse(text), None);
        }
    }

    #[test]
    fn a_clock_that_is_not_known_tells_nothing() {
        let now = Instant::now();
        let ran = Ran { processor: 7, at: Duration::from_secs(1), seen: now };
        assert_eq!(RunClocks::default().since(ran), None);
        let clocks = RunClocks([(7, (Duration::from_secs(5), now))].into());
        assert_eq!(clocks.since(ran), Some(Duration::from_secs(4)));
        let earlier = Ran { seen: now - Duration::from_secs(1), ..ran };
        assert_eq!(clocks.since(earlier), Some(Duration::from_secs(3)));
        let later = Ran { seen: now + Duration::from_secs(1), ..ran };
        assert_eq!(clocks.since(later), Some(Duration::from_secs(5)));
    }
}
