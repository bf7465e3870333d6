//! One measurement of one case.

use super::asleep;
use super::attendant::Attendant;
use super::case::Case;
use super::fault::Fault;
use super::kind::Ends;
use super::turn::{Took, Turning};
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

/// How long turns go on without a look at signals.
const AT_ONCE: Duration = Duration::from_millis(50);

/// Registrations that are made at least, about.
const REGISTRATIONS: usize = 200;

/// Turns that are made at least.
const LEAST: u64 = 3;

/// Measures a case once, for about so long.
pub(super) fn take(
    case: &Case,
    ends: &Ends,
    time: Duration,
    attendant: &mut Attendant,
) -> Result<Sample, Fault> {
    attendant.expect(time)?;
    let (mut turning, registering) = register(case, ends)?;
    let (warm, each) = warm_up(&mut turning, time / WARM_UP, attendant)?;
    let part = (time - time / WARM_UP) / PARTS;
    let turns = ((part.as_nanos() / each.as_nanos().max(1)) as u64).max(LEAST);
    let at_once = ((AT_ONCE.as_nanos() / each.as_nanos().max(1)) as u64).max(1);
    let whole = in_pieces(turns, at_once, attendant, |turns, attendant| turning.turns(turns, attendant))?;
    let timed =
        in_pieces(turns, at_once, attendant, |turns, attendant| turning.timed_turns(turns, attendant))?;
    let wait = timed.waiting.div_f64(timed.waits as f64);
    let asleep = asleep::measure(&mut turning, part, wait, attendant)?;
    turning.is_clear()?;
    let events = (warm + 2 * turns + asleep.turns) * case.active as u64;
    let per = |time: Duration, count: u64| time.as_nanos() as f64 / count as f64;
    Ok(Sample {
        event: per(whole.time, turns * case.active as u64),
        wait: (per(timed.waiting, timed.waits) - cost_of_a_look()).max(0.0),
        register: registering,
        cpu: per(asleep.cpu, asleep.turns * case.active as u64),
        wakeups: asleep.wakeups as f64 / (asleep.turns * case.active as u64) as f64,
        events,
    })
}

/// So many turns, with a look at signals from time to time, which takes none of the time that counts.
fn in_pieces(
    turns: u64,
    at_once: u64,
    attendant: &mut Attendant,
    mut turn: impl FnMut(u64, &mut Attendant) -> Result<Took, Fault>,
) -> Result<Took, Fault> {
    let (mut took, mut done) = (Took::default(), 0);
    while done < turns {
        attendant.check()?;
        let piece = at_once.min(turns - done);
        took += turn(piece, attendant)?;
        done += piece;
    }
    Ok(took)
}

/// Has all fds watched, over and over where they are few, and gives what one took.
fn register<'e>(case: &Case, ends: &'e Ends) -> Result<(Turning<'e>, f64), Fault> {
    let times = (REGISTRATIONS / case.fds).max(1);
    let mut all = Duration::ZERO;
    for _ in 1..times {
        all += Turning::start(case.way, ends, case.active)?.1;
    }
    let (turning, last) = Turning::start(case.way, ends, case.active)?;
    Ok((turning, (all + last).as_nanos() as f64 / (times * case.fds) as f64))
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
        attendant.check()?;
        let took = turning.turns(turns, attendant)?;
        done += turns;
        if begin.elapsed() >= time {
            return Ok((done, took.time.div_f64(turns as f64)));
        }
        if took.time < AT_ONCE {
            turns *= 2;
        }
    }
}

/// What the clock itself takes of the time between two looks at it, in nanoseconds.
fn cost_of_a_look() -> f64 {
    let looks = (0..100).map(|_| Instant::now().elapsed());
    looks.min().unwrap_or_default().as_nanos() as f64
}
