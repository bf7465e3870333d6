//! One loop: fds become ready, the selector is asked until it has told of each, and they are read.

use super::attendant::Attendant;
use super::fault::Fault;
use super::kind::Ends;
use super::way::Way;
use crate::model::{Interest, Readiness};
use crate::selector::{Event, Selector, Token, Trigger, Wake};
use std::io;
use std::ops::AddAssign;
use std::time::{Duration, Instant};

/// How often a wait may be found to take too long: a process that was stopped meanwhile takes too
/// long once.
const OVERDUE: u32 = 2;

/// A selector with the fds that it watches.
pub(super) struct Turning<'e> {
    way: Way,
    selector: Box<dyn Selector>,
    firing: Firing<'e>,
    /// How many turns there were.
    turn: u64,
    /// Which were made ready and not told of yet.
    pending: Vec<bool>,
    events: Vec<Event>,
}

/// Makes fds ready: some at each turn, as far apart as they can be, and others than at the turn
/// before, so that no selector is favoured by where it finds them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Firing<'e> {
    ends: &'e Ends,
    active: usize,
    /// How far on those of the next turn are.
    step: u64,
}

impl<'e> Firing<'e> {
    fn new(ends: &'e Ends, active: usize) -> Self {
        let count = ends.count() as u64;
        // The golden ratio goes everywhere, in no order that a cache could learn; without a divisor in
        // common, to each of them.
        let least = (count as f64 * 0.618_034) as u64 + 1;
        let step = (least..).find(|step| gcd(*step, count) == 1).unwrap_or(1);
        Self { ends, active, step }
    }

    /// Which are active at a turn.
    fn active(self, turn: u64) -> impl Iterator<Item = usize> {
        let count = self.ends.count();
        let first = (turn % count as u64 * self.step % count as u64) as usize;
        (0..self.active).map(move |nth| (first + nth * count / self.active) % count)
    }

    /// Makes those ready.
    pub(super) fn fire(self, turn: u64) -> io::Result<()> {
        self.active(turn).try_for_each(|index| self.ends.fire(index))
    }
}

/// The greatest common divisor.
fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// What turns took.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Took {
    /// All in all.
    pub(super) time: Duration,
    /// In the waits alone, where that was asked for.
    pub(super) waiting: Duration,
    /// How many waits there were.
    pub(super) waits: u64,
}

impl AddAssign for Took {
    fn add_assign(&mut self, other: Self) {
        self.time += other.time;
        self.waiting += other.waiting;
        self.waits += other.waits;
    }
}

impl<'e> Turning<'e> {
    /// Has a selector watch all fds, and gives what that took.
    pub(super) fn start(way: Way, ends: &'e Ends, active: usize) -> Result<(Self, Duration), Fault> {
        let selector = way.backend.open().map_err(|e| Fault::Io("open the selector", e))?;
        Self::with(selector, way, ends, active)
    }

    fn with(
        mut selector: Box<dyn Selector>,
        way: Way,
        ends: &'e Ends,
        active: usize,
    ) -> Result<(Self, Duration), Fault> {
        let begin = Instant::now();
        for index in 0..ends.count() {
            selector
                .register(ends.watched(index), Token(index as u64), Interest::IN, way.trigger)
                .map_err(Fault::Register)?;
        }
        let took = begin.elapsed();
        let pending = vec![false; ends.count()];
        let firing = Firing::new(ends, active);
        Ok((Self { way, selector, firing, turn: 0, pending, events: Vec::new() }, took))
    }

    /// So many turns, without a look at the clock between them.
    pub(super) fn turns(&mut self, turns: u64, attendant: &mut Attendant) -> Result<Took, Fault> {
        self.all::<false>(turns, attendant)
    }

    /// The same with two looks at the clock for each wait.
    pub(super) fn timed_turns(&mut self, turns: u64, attendant: &mut Attendant) -> Result<Took, Fault> {
        self.all::<true>(turns, attendant)
    }

    fn all<const TIMED: bool>(&mut self, turns: u64, attendant: &mut Attendant) -> Result<Took, Fault> {
        let mut took = Took::default();
        let begin = Instant::now();
        for _ in 0..turns {
            let turn = self.prepare();
            self.firing.fire(turn).map_err(|e| Fault::Io("write", e))?;
            self.finish::<TIMED>(&mut took, attendant)?;
        }
        took.time = begin.elapsed();
        Ok(took)
    }

    /// A turn in which the fds are made ready by another thread, which is told which turn it is.
    pub(super) fn be_woken(
        &mut self,
        attendant: &mut Attendant,
        tell: impl FnOnce(u64),
    ) -> Result<(), Fault> {
        tell(self.prepare());
        self.finish::<false>(&mut Took::default(), attendant)
    }

    /// What makes the fds ready.
    pub(super) fn firing(&self) -> Firing<'e> {
        self.firing
    }

    /// Expects the events of the next turn.
    fn prepare(&mut self) -> u64 {
        self.turn += 1;
        for index in self.firing.active(self.turn) {
            self.pending[index] = true;
        }
        self.turn
    }

    /// Waits until all that were made ready were told of and read.
    fn finish<const TIMED: bool>(&mut self, took: &mut Took, attendant: &mut Attendant) -> Result<(), Fault> {
        let (mut left, mut overdue) = (self.firing.active, 0);
        while left > 0 {
            let begin = TIMED.then(Instant::now);
            let wake = self.selector.wait(None, &mut self.events);
            if let Some(begin) = begin {
                took.waiting += begin.elapsed();
            }
            took.waits += 1;
            match wake.map_err(|e| Fault::Io("wait", e))? {
                Wake::Ready => left = self.handle(left)?,
                Wake::TimedOut => return Err(Fault::Lost(left)),
                Wake::Interrupted if attendant.is_overdue() => {
                    overdue += 1;
                    if overdue > OVERDUE {
                        return Err(Fault::Lost(left));
                    }
                }
                Wake::Interrupted => attendant.check()?,
            }
        }
        Ok(())
    }

    /// Reads what the events are about; `left` are still to come, and so many less afterwards.
    fn handle(&mut self, mut left: usize) -> Result<usize, Fault> {
        for event in &self.events {
            let index = event.token.0 as usize;
            let pending = self.pending.get_mut(index).is_some_and(std::mem::take);
            if !pending || !event.readiness.contains(Readiness::IN) {
                return Err(Fault::Unfounded { index, readiness: event.readiness });
            }
            if !self.firing.ends.take(index).map_err(|e| Fault::Io("read", e))? {
                return Err(Fault::Changed(index));
            }
            if self.way.trigger == Trigger::Oneshot {
                self.selector
                    .modify(self.firing.ends.watched(index), event.token, Interest::IN, self.way.trigger)
                    .map_err(Fault::Register)?;
            }
            left -= 1;
        }
        Ok(left)
    }

    /// That there is nothing more to be told of.
    pub(super) fn is_clear(&mut self) -> Result<(), Fault> {
        loop {
            match self.selector.wait(Some(Duration::ZERO), &mut self.events) {
                Ok(Wake::TimedOut) => return Ok(()),
                Ok(Wake::Interrupted) => {}
                Ok(Wake::Ready) => {
                    let event = self.events[0];
                    let index = event.token.0 as usize;
                    return Err(Fault::Unfounded { index, readiness: event.readiness });
                }
                Err(e) => return Err(Fault::Io("wait", e)),
            }
        }
    }
}

#[cfg(test)]
mod tests;
