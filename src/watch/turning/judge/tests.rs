//! Loops as they are looked at every 10 ms.

use super::super::crew::testing::{running, sleeping};
use super::{Change, Judge, Limits, Member, Sighting};
use crate::model::{Marks, Readiness, Thread, Waiting, Worth};
use std::time::{Duration, Instant};

const MS: Duration = Duration::from_millis(1);

/// A loop, and a clock.
struct Script {
    judge: Judge,
    start: Instant,
    now: Instant,
}

impl Script {
    fn new() -> Self {
        let start = Instant::now();
        let limits = Limits { stall: 100 * MS, interval: 10 * MS };
        Self { judge: Judge::new(limits, start), start, now: start }
    }

    /// A look at a loop that is clear.
    fn clear(&mut self) -> Vec<Change> {
        self.now += 10 * MS;
        self.judge.clear(self.now);
        self.judge.judge(self.now)
    }

    /// A look at one that is ready, at its fds, and at its thread if there is one to look at.
    fn look(&mut self, members: &[(usize, Sighting)], thread: Option<(Thread, Option<u64>)>) -> Vec<Change> {
        self.now += 10 * MS;
        self.judge.ready(self.now);
        for &(token, sighting) in members {
            self.judge.see(token, sighting, self.now);
        }
        self.judge.whole();
        if let Some((thread, calls)) = thread.filter(|_| self.judge.wants(self.now).crew) {
            self.judge.crew(&[thread], calls, false, self.now);
        }
        self.judge.judge(self.now)
    }

    /// Looks until something changes, for so many ms at most; gives when.
    fn until(
        &mut self,
        most: u64,
        mut look: impl FnMut(&mut Self, u64) -> Vec<Change>,
    ) -> Option<(u64, Change)> {
        for n in 0..most / 10 {
            if let Some(change) = look(self, n).pop() {
                return Some((self.ms(), change));
            }
        }
        None
    }

    /// The longest wait of one that is over.
    fn longest(&self, token: usize) -> Option<Duration> {
        self.judge.member(token).map(Member::longest)
    }

    fn ms(&self) -> u64 {
        (self.now - self.start).as_millis() as u64
    }
}

fn is_stall(found: &Option<(u64, Change)>) -> bool {
    matches!(found, Some((_, Change::Stalled(_))))
}

/// A connection with so much taken from it, and unread.
fn tcp(taken: u64, unread: u64) -> Sighting {
    let marks = Marks {
        taken: Some(taken),
        given: Some(0),
        waiting: Some(Waiting::Bytes(unread)),
        worth: Worth::Exactly,
        ..Marks::default()
    };
    let readiness = if unread > 0 { Readiness::IN } else { Readiness::EMPTY };
    Sighting { readiness, edge: false, shared: false, marks }
}

fn with(worth: Worth, amount: Option<u64>) -> Sighting {
    let marks = Marks { waiting: amount.map(Waiting::Bytes), worth, ..Marks::default() };
    Sighting { readiness: Readiness::IN, edge: false, shared: false, marks }
}

/// A connection whose other end has gone.
fn hung_up() -> Sighting {
    Sighting { readiness: Readiness::IN | Readiness::HUP, ..tcp(7, 0) }
}

#[test]
fn a_busy_loop_is_not_stalled() {
    let mut script = Script::new();
    let found = script.until(10_000, |script, n| script.look(&[(1, tcp(n, 5)), (2, tcp(0, 9))], None));
    // The other is spun on, perhaps: it is not a stall.
    assert!(matches!(found, Some((5010.., Change::Spinning { token: 2, turns: true, .. }))), "{found:?}");
    let totals = script.judge.totals(script.now);
    assert_eq!(totals.waits.median(), Some(10 * MS));
    assert!(totals.shares.busy > 4900 * MS && totals.shares.stalled.is_zero());
}

#[test]
fn nothing_is_served() {
    let mut script = Script::new();
    script.clear();
    let found = script.until(1000, |script, _| script.look(&[(1, tcp(3, 5))], None));
    let Some((ms, Change::Stalled(stall))) = found else { panic!("{found:?}") };
    // From the second look on.
    assert_eq!((ms, stall.since - script.start, stall.still), (120, 20 * MS, false));
    assert_eq!(script.longest(1), Some(Duration::ZERO));
    // More comes, and others.
    for n in 0..50 {
        assert_eq!(script.look(&[(1, tcp(3, 5 + n)), (2, tcp(0, n))], None), []);
    }
    let changes = script.look(&[(1, tcp(9, 0)), (2, tcp(0, 49))], None);
    assert_eq!(changes, [Change::Recovered { lasted: 610 * MS }]);
    assert_eq!((script.longest(1), script.longest(2)), (Some(610 * MS), Some(Duration::ZERO)));
    let totals = script.judge.totals(script.now);
    assert_eq!((totals.stalls.number(), totals.shares.stalled), (1, 610 * MS));
    // From the first look on.
    assert_eq!(totals.shares.total(), script.now - script.start - 10 * MS);
}

#[test]
fn a_clear_loop_has_recovered() {
    let mut script = Script::new();
    assert!(is_stall(&script.until(1000, |script, _| script.look(&[(1, tcp(3, 5))], None))));
    let changes = script.clear();
    assert!(matches!(changes[..], [Change::Recovered { .. }]), "{changes:?}");
    assert_eq!(script.judge.wants(script.now), Default::default());
}

/// A loop that nothing is known of, first or for a while, is not idle then, nor anything else.
#[test]
fn what_is_not_known_is_not_counted() {
    let mut script = Script::new();
    let pause = |script: &mut Script| {
        script.now += 500 * MS;
        script.judge.unknown(script.now);
        assert_eq!(script.judge.judge(script.now), []);
    };
    pause(&mut script);
    assert!(script.judge.totals(script.now).shares.total().is_zero());
    script.clear();
    script.clear();
    script.look(&[(1, tcp(3, 5))], None);
    // It was as it was seen last until then.
    pause(&mut script);
    pause(&mut script);
    script.clear();
    let shares = script.judge.totals(script.now).shares;
    assert_eq!((shares.idle, shares.busy, shares.stalled), (20 * MS, 500 * MS, Duration::ZERO));
}

/// Its threads show it before all is looked at often enough.
#[test]
fn whose_thread_stands_still_is_stalled_whatever_it_watches() {
    for sighting in [with(Worth::Nothing, None), hung_up()] {
        let mut script = Script::new();
        let found = script.until(1000, |script, _| script.look(&[(1, sighting)], Some((sleeping(5), None))));
        let Some((110, Change::Stalled(stall))) = found else { panic!("{found:?}") };
        assert!(stall.still);
    }
    // It need not even be known what it is ready for.
    let mut script = Script::new();
    assert!(is_stall(&script.until(1000, |script, _| script.look(&[], Some((sleeping(5), None))))));
}

#[test]
fn what_is_no_proof() {
    // Served again and again to the same amount, perhaps.
    let mut script = Script::new();
    let runs = |n: u64| Some((running(n * 10), Some(n)));
    let nothing = with(Worth::Nothing, Some(5));
    assert_eq!(script.until(4000, |script, n| script.look(&[(1, nothing)], runs(n))), None);
    // Who reads may have read from it.
    let by_calls = with(Worth::ByCalls, None);
    assert_eq!(Script::new().until(4000, |script, n| script.look(&[(1, by_calls)], runs(n))), None);
    // Who does not, has not.
    let computes = |n: u64| Some((running(n * 10), Some(7)));
    assert!(is_stall(&Script::new().until(4000, |script, n| script.look(&[(1, by_calls)], computes(n)))));
    // What fluctuates is served.
    let roughly = |n: u64| with(Worth::Roughly, Some(100 - n % 4));
    assert_eq!(Script::new().until(4000, |script, n| script.look(&[(1, roughly(n))], runs(n))), None);
    let roughly = with(Worth::Roughly, Some(100));
    assert!(is_stall(&Script::new().until(4000, |script, n| script.look(&[(1, roughly)], runs(n)))));
}

/// A listener that other processes have, too, is no proof that this one is well.
#[test]
fn what_others_serve() {
    let mut script = Script::new();
    let listener = |n: u64| {
        let marks = Marks {
            waiting: Some(Waiting::Connections(1 + n % 3)),
            worth: Worth::Roughly,
            ..Marks::default()
        };
        Sighting { readiness: Readiness::IN, edge: false, shared: true, marks }
    };
    assert_eq!(script.until(4000, |script, n| script.look(&[(1, listener(n))], None)), None);
    let found = script.until(4000, |script, n| script.look(&[(1, listener(n)), (2, tcp(3, 5))], None));
    assert!(is_stall(&found));
}

#[test]
fn a_thread_that_waits_in_the_loop_is_well() {
    let mut script = Script::new();
    for _ in 0..100 {
        script.look(&[(1, with(Worth::Roughly, Some(5)))], None);
        script.judge.crew(&[sleeping(5)], None, true, script.now);
        assert_eq!(script.judge.stalled(), None);
    }
}

/// That nobody is there is no sign that it turns.
#[test]
fn a_loop_that_nobody_serves() {
    let mut script = Script::new();
    let found = script.until(8000, |script, _| {
        script.judge.excuse(script.now);
        script.look(&[(1, hung_up()), (2, tcp(0, 5))], None)
    });
    assert_eq!(found, None);
}

#[test]
fn what_is_at_its_end_keeps_nobody_waiting() {
    let mut script = Script::new();
    let runs = |n: u64| Some((running(n * 10), None));
    let found = script.until(4000, |script, n| script.look(&[(1, hung_up())], runs(n)));
    assert!(matches!(found, Some((1010.., Change::Spinning { token: 1, turns: false, .. }))), "{found:?}");
    // It is told once.
    assert_eq!(script.until(4000, |script, n| script.look(&[(1, hung_up())], runs(400 + n))), None);
    // Others that wait make a stall of it.
    let found = script.until(4000, |script, n| script.look(&[(1, hung_up()), (2, tcp(1, 5))], runs(800 + n)));
    assert!(is_stall(&found));
}

#[test]
fn what_is_closed_was_served() {
    let mut script = Script::new();
    assert!(is_stall(&script.until(1000, |script, _| script.look(&[(1, tcp(3, 5)), (2, tcp(0, 5))], None))));
    script.judge.gone(1, script.now);
    let changes = script.look(&[(2, tcp(0, 5))], None);
    assert!(matches!(changes[..], [Change::Recovered { .. }]), "{changes:?}");
}

#[test]
fn what_could_not_be_looked_at_as_a_whole_is_not_judged() {
    let mut script = Script::new();
    for _ in 0..100 {
        script.now += 10 * MS;
        script.judge.ready(script.now);
        script.judge.see(1, tcp(3, 5), script.now);
        assert_eq!(script.judge.judge(script.now), []);
    }
    assert!(script.judge.wants(script.now).all);
}
