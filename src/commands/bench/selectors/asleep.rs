//! Being woken up: another thread makes fds ready while this one sleeps in the selector.

use super::attendant::Attendant;
use super::fault::Fault;
use super::turn::{Firing, Turning};
use nix::sys::resource::{UsageWho, getrusage};
use rustix::time::{ClockId, clock_gettime};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How long the other thread sleeps before it looks again whether there is something to do.
const NAP: Duration = Duration::from_micros(20);

/// Turns from one look at signals to the next: one that comes while nothing is waited for interrupts nothing.
const SOME: u64 = 16;

/// Turns that are made at least.
const LEAST: u64 = 3;

/// What being woken up took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asleep {
    pub(super) turns: u64,
    /// CPU time of this thread, in user mode and in the kernel.
    pub(super) cpu: Duration,
    /// How often it went to sleep.
    pub(super) wakeups: u64,
}

/// What the two threads tell each other.
#[derive(Default)]
struct Shared {
    /// The turn for which one of them waits.
    turn: AtomicU64,
    over: AtomicBool,
}

/// Turns for about so long; a look at all fds takes `wait`.
pub(super) fn measure(
    turning: &mut Turning<'_>,
    time: Duration,
    wait: Duration,
    attendant: &mut Attendant,
) -> Result<Asleep, Fault> {
    let shared = Shared::default();
    let firing = turning.firing();
    thread::scope(|scope| {
        // Two looks at all fds are made before a selector sleeps.
        let fire = || shared.fire(firing, NAP + wait * 2);
        let other = thread::Builder::new().spawn_scoped(scope, fire);
        let other = other.map_err(|e| Fault::Io("start a thread", e))?;
        let asleep = shared.sleep(turning, time, attendant);
        shared.over.store(true, Ordering::Release);
        match other.join() {
            Ok(Err(e)) => Err(Fault::Io("write", e)),
            _ => asleep,
        }
    })
}

impl Shared {
    /// The thread that is woken up.
    fn sleep(
        &self,
        turning: &mut Turning<'_>,
        time: Duration,
        attendant: &mut Attendant,
    ) -> Result<Asleep, Fault> {
        let end = Instant::now() + time;
        let (cpu, wakeups) = (cpu(), switches());
        let mut turns = 0;
        while turns < LEAST || Instant::now() < end {
            turning.be_woken(attendant, |turn| self.turn.store(turn, Ordering::Release))?;
            turns += 1;
            if turns % SOME == 0 {
                attendant.check()?;
            }
        }
        Ok(Asleep { turns, cpu: self::cpu() - cpu, wakeups: switches() - wakeups })
    }

    /// The thread that wakes it up, as soon as that likely sleeps.
    fn fire(&self, firing: Firing<'_>, delay: Duration) -> io::Result<()> {
        let mut fired = 0;
        while !self.over.load(Ordering::Acquire) {
            thread::sleep(NAP);
            let turn = self.turn.load(Ordering::Acquire);
            if turn != fired {
                thread::sleep(delay);
                firing.fire(turn)?;
                fired = turn;
            }
        }
        Ok(())
    }
}

/// CPU time of this thread so far.
fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}

/// How often this thread has gone to sleep.
fn switches() -> u64 {
    getrusage(UsageWho::RUSAGE_THREAD).map_or(0, |usage| usage.voluntary_context_switches().unsigned_abs())
}
