//! One measurement of one case.

use super::asleep;
use super::attendant::Attendant;
use super::case::Case;
use super::fault::Fault;
use super::kind::Ends;
use super::turn::Turning;
use std::time::{Duration, Instant};

/// What one run gave, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    /// From making it ready to having read it, for each event.
    pub(super) event: f64,
    /// In the call that waits.
    pub(super) wait: f64,
    /// To have an fd watched.
    pub(super) register: f64,
    /// CPU time of a thread that sleeps until an event comes, for each event.
    pub(super) cpu: f64,
    /// How often that was woken up for each event.
    pub(super) wakeups: f64,
    /// How many events there were, each of which came once.
    pub(super) events: u64,
}

/// What a part of a measurement takes of its time: events, waits, sleep; and before them the
/// warm-up.
const PARTS: u32 = 3;
const WARM_UP: u32 = 10;

/// Turns that are made at least.
const LEAST: u64 = 3;

/// Measures a case once, for about so long.
pub(super) fn take(
    case: &Case,
    ends: &Ends,
    time: Duration,
    attendant: &mut Attendant,
) -> Result<Sample, Fault> {
    attendant.expect(time);
    let (mut turning, registering) = Turning::start(case.way, ends, case.active)?;
    let (warm, each) = warm_up(&mut turning, time / WARM_UP, attendant)?;
    let part = (time - time / WARM_UP) / PARTS;
    let turns = ((part.as_nanos() / each.as_nanos().max(1)) as u64).max(LEAST);
    let whole = turning.turns(turns, attendant)?;
    let timed = turning.timed_turns(turns, attendant)?;
    let wait = timed.waiting / timed.waits as u32;
    let asleep = asleep::measure(&mut turning, part, wait, attendant)?;
    turning.is_clear()?;
    let events = (warm + 2 * turns + asleep.turns) * case.active as u64;
    let per = |time: Duration, count: u64| time.as_nanos() as f64 / count as f64;
    Ok(Sample {
        event: per(whole.time, turns * case.active as u64),
        wait: (per(timed.waiting, timed.waits) - cost_of_a_look()).max(0.0),
        register: per(registering, case.fds as u64),
        cpu: per(asleep.cpu, asleep.turns * case.active as u64),
        wakeups: asleep.wakeups as f64 / (asleep.turns * case.active as u64) as f64,
        events,
    })
}

/// Turns until caches are filled, and how many, and what one takes.
fn warm_up(
    turning: &mut Turning<'_>,
    time: Duration,
    attendant: &mut Attendant,
) -> Result<(u64, Duration), Fault> {
    let begin = Instant::now();
    let (mut turns, mut done) = (1, 0);
    loop {
        let took = turning.turns(turns, attendant)?;
        done += turns;
        if begin.elapsed() >= time {
            return Ok((done, took.time / turns as u32));
        }
        turns = (turns * 2).min(1 << 16);
    }
}

/// What the clock itself takes of the time between two looks at it, in nanoseconds.
fn cost_of_a_look() -> f64 {
    let looks = (0..100).map(|_| Instant::now().elapsed());
    looks.min().unwrap_or_default().as_nanos() as f64
}
