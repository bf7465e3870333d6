//! What `stat` and `schedstat` of a thread say, `proc_pid_stat(5)`.

use crate::model::{CpuTime, ThreadState, decimal};
use std::time::Duration;

pub(super) struct Stat {
    /// A newline and a backslash in it are escaped.
    pub(super) name: Vec<u8>,
    pub(super) state: ThreadState,
    pub(super) processor: Option<u32>,
    pub(super) cpu: CpuTime,
    /// Whether it never runs a program.
    pub(super) is_worker: bool,
}

/// `linux/sched.h`: threads of the kernel, and those that it starts in a process.
const PF_IO_WORKER: u64 = 0x10;
const PF_USER_WORKER: u64 = 0x4000;
const PF_KTHREAD: u64 = 0x20_0000;

impl Stat {
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        // The name may hold parentheses itself.
        let start = text.iter().position(|&b| b == b'(')? + 1;
        let end = text.iter().rposition(|&b| b == b')')?;
        let mut words = text.get(end + 2..)?.split(|b| b.is_ascii_whitespace());
        let state = *words.next()?.first()?;
        let flags = decimal(words.nth(5)?)?;
        let user = decimal(words.nth(4)?)?;
        let system = decimal(words.next()?)?;
        let processor = words.nth(23).and_then(decimal).and_then(|n| n.try_into().ok());
        let ticks = procfs::ticks_per_second();
        let time = |n: u64| Duration::from_secs_f64(n as f64 / ticks as f64);
        Some(Self {
            name: text.get(start..end)?.to_vec(),
            state: ThreadState(state),
            processor,
            cpu: CpuTime { user: time(user), system: time(system), exact: None, queued: None },
            is_worker: flags & (PF_IO_WORKER | PF_USER_WORKER | PF_KTHREAD) != 0,
        })
    }
}

/// Adds what `schedstat` says: nanoseconds on a CPU, and waiting for one.
pub(super) fn add_exact(cpu: &mut CpuTime, text: &[u8]) {
    let mut words = text.split(|b| b.is_ascii_whitespace());
    let mut nanoseconds = || words.next().and_then(decimal).map(Duration::from_nanos);
    cpu.exact = nanoseconds();
    cpu.queued = nanoseconds();
}

#[cfg(test)]
mod tests {
    use super::{Stat, add_exact};
    use std::time::Duration;

    const LINE: &[u8] = b"42 (a) S 1 (b)) T 1 42 42 0 -1 4194368 9 0 0 0 150 25 0 0 20 0 2 0 7 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 17 3 0 0 0 0\n";

    #[test]
    fn words_follow_the_last_parenthesis() {
        let mut stat = Stat::parse(LINE).unwrap();
        assert_eq!(stat.name, b"a) S 1 (b)");
        assert!(stat.state.is_stopped() && !stat.is_worker);
        assert_eq!(stat.processor, Some(3));
        let ticks = procfs::ticks_per_second() as f64;
        assert_eq!(
            stat.cpu.total(),
            Duration::from_secs_f64(150.0 / ticks) + Duration::from_secs_f64(25.0 / ticks)
        );
        add_exact(&mut stat.cpu, b"1750000001 3000 12\n");
        assert_eq!(stat.cpu.total(), Duration::from_nanos(1_750_000_001));
        assert_eq!(stat.cpu.queued, Some(Duration::from_nanos(3000)));
    }

    #[test]
    fn threads_of_the_kernel() {
        let line = b"2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 24 0 0\n";
        assert!(Stat::parse(line).unwrap().is_worker);
        assert!(Stat::parse(b"").is_none() && Stat::parse(b"1 (x)").is_none());
    }
}
