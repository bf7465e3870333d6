//! The threads that serve a loop, over the time in which it serves nothing.

use crate::model::{Call, CpuTime, Doing, Pid, Thread};
use std::time::{Duration, Instant};

/// What threads were seen to do from one look to the next.
#[derive(Clone, Debug, Default)]
pub struct Crew {
    /// The first look, and the last.
    first: Option<Instant>,
    last: Option<Instant>,
    /// Since when no thread has gone on in any way.
    still_since: Option<Instant>,
    /// Since when no thread has read or written by `read(2)` and `write(2)`; nothing where that is
    /// not known.
    calls: Option<(u64, Instant)>,
    /// One entry a thread.
    hands: Vec<Hand>,
}

/// A thread.
#[derive(Clone, Debug)]
struct Hand {
    first: CpuTime,
    last: Thread,
    /// What it was seen to do, most recent last, each with how often.
    seen: Vec<(Doing, u32)>,
}

/// How many different things are kept of what a thread was seen to do.
const KEPT: usize = 8;

impl Crew {
    /// Takes in a look at all of them; `calls` is how often they have read or written so far.
    pub fn see(&mut self, threads: &[Thread], calls: Option<u64>, at: Instant) {
        let same_threads = self.hands.len() == threads.len()
            && self.hands.iter().zip(threads).all(|(hand, thread)| hand.last.tid == thread.tid);
        if !same_threads {
            *self = Self::default();
        }
        let still =
            same_threads && self.hands.iter().zip(threads).all(|(hand, thread)| stands(&hand.last, thread));
        self.still_since = if still { self.still_since } else { Some(at) };
        self.first = self.first.or(Some(at));
        self.last = Some(at);
        self.calls = match (calls, self.calls) {
            (Some(now), Some((then, since))) if now == then => Some((then, since)),
            (now, _) => now.map(|now| (now, at)),
        };
        if !same_threads {
            let hand = |thread: &Thread| Hand { first: thread.cpu, last: thread.clone(), seen: Vec::new() };
            self.hands = threads.iter().map(hand).collect();
        }
        for (hand, thread) in self.hands.iter_mut().zip(threads) {
            match hand.seen.iter().position(|(doing, _)| is_like(doing, &thread.doing)) {
                Some(at) => hand.seen[at].1 += 1,
                None if hand.seen.len() < KEPT => hand.seen.push((thread.doing.clone(), 1)),
                None => {}
            }
            hand.last = thread.clone();
        }
    }

    /// For how long none of them has gone on: each in the same call, or stopped, without CPU time.
    pub fn still_for(&self) -> Duration {
        let since = self.still_since.zip(self.last);
        since.map_or(Duration::ZERO, |(since, last)| last.saturating_duration_since(since))
    }

    /// For how long none of them has read or written by `read(2)` and `write(2)`, where that is
    /// known.
    pub fn callless_for(&self) -> Option<Duration> {
        let ((_, since), last) = (self.calls?, self.last?);
        Some(last.saturating_duration_since(since))
    }

    /// Since when they are looked at.
    pub fn watched_for(&self) -> Duration {
        let span = self.first.zip(self.last);
        span.map_or(Duration::ZERO, |(first, last)| last.saturating_duration_since(first))
    }

    /// Whether they use at least this share of a CPU, or would if they got one.
    pub fn runs(&self, share: f64) -> bool {
        let used: f64 = self.hands.iter().map(|hand| (hand.cpu() + hand.queued()).as_secs_f64()).sum();
        let span = self.watched_for().as_secs_f64();
        span > 0.0 && used >= share * span
    }

    /// The thread that has done most: that which ran most, or the first.
    pub fn busiest(&self) -> Option<&Thread> {
        // Of several, the first.
        let most = self.hands.iter().rev().max_by_key(|hand| hand.cpu() + hand.queued());
        most.map(|hand| &hand.last)
    }

    /// What that thread was seen to do, the most frequent first, each with its share of the looks.
    pub fn doings(&self, tid: Pid) -> Vec<(&Doing, f64)> {
        let Some(hand) = self.hands.iter().find(|hand| hand.last.tid == tid) else { return Vec::new() };
        let all: u32 = hand.seen.iter().map(|(_, times)| times).sum();
        let mut seen: Vec<_> =
            hand.seen.iter().map(|(d, n)| (d, f64::from(*n) / f64::from(all.max(1)))).collect();
        seen.sort_by(|a, b| b.1.total_cmp(&a.1));
        seen
    }

    /// The CPU time that it has used while it was looked at, all and in the kernel, the time that it
    /// waited for a CPU, and over how long.
    pub fn usage(&self, tid: Pid) -> Option<Usage> {
        let hand = self.hands.iter().find(|hand| hand.last.tid == tid)?;
        Some(Usage { cpu: hand.cpu(), queued: hand.queued(), span: self.watched_for() })
    }
}

/// What a thread has used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// CPU time.
    pub cpu: Duration,
    /// Time ready for a CPU without one.
    pub queued: Duration,
    /// In how much time.
    pub span: Duration,
}

impl Hand {
    fn cpu(&self) -> Duration {
        self.last.cpu.total().saturating_sub(self.first.total())
    }

    fn queued(&self) -> Duration {
        let (last, first) = (self.last.cpu.queued, self.first.queued);
        last.zip(first).map_or(Duration::ZERO, |(last, first)| last.saturating_sub(first))
    }
}

/// Whether two looks at a thread show that it has not gone on between. One that waits for a CPU does
/// not go on either; but that is no one's fault but the machine's, and it shows in what is queued.
fn stands(before: &Thread, now: &Thread) -> bool {
    let waits = now.state.is_stopped() || !matches!(now.doing, Doing::Running | Doing::Unknown(_));
    waits && is_like(&before.doing, &now.doing) && now.cpu.total() == before.cpu.total()
}

/// Whether two looks show the same: of a call, its number and arguments, whatever time is left.
fn is_like(a: &Doing, b: &Doing) -> bool {
    let call = |call: &Call| (call.abi, call.number, call.args);
    match (a, b) {
        (Doing::Call(a), Doing::Call(b)) => call(a) == call(b),
        _ => a == b,
    }
}

#[cfg(test)]
pub(super) mod testing {
    use super::{Call, CpuTime, Doing, Duration, Pid, Thread};
    use crate::model::{Abi, ThreadState, Timeout, Wait};

    pub(crate) fn running(cpu_ms: u64) -> Thread {
        thread(b'R', Doing::Running, cpu_ms)
    }

    pub(crate) fn sleeping(cpu_ms: u64) -> Thread {
        let wait = Wait::Sleep { timeout: Timeout::Never };
        let name = Some("nanosleep");
        let call = Call { abi: Abi::Native, number: 35, name, args: [1; 6], restarted: false, wait };
        thread(b'S', Doing::Call(call), cpu_ms)
    }

    fn thread(state: u8, doing: Doing, cpu_ms: u64) -> Thread {
        let exact = Some(Duration::from_millis(cpu_ms));
        let cpu = CpuTime { exact, queued: Some(Duration::ZERO), ..CpuTime::default() };
        Thread { tid: Pid(7), name: b"x".to_vec(), state: ThreadState(state), processor: None, cpu, doing }
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{running, sleeping};
    use super::{Crew, Duration, Instant, Pid};

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn one_that_stands_still() {
        let (mut crew, start) = (Crew::default(), Instant::now());
        crew.see(&[running(5)], Some(9), start);
        for n in 1..=10 {
            crew.see(&[sleeping(5)], Some(9), start + n * 10 * MS);
        }
        assert_eq!(crew.still_for(), 90 * MS);
        assert_eq!(crew.callless_for(), Some(100 * MS));
        assert!(!crew.runs(0.1));
        let doings = crew.doings(Pid(7));
        assert_eq!(doings.len(), 2);
        assert!(doings[0].0.call().is_some() && doings[0].1 > 0.9);
        // It goes on.
        crew.see(&[sleeping(6)], Some(10), start + 200 * MS);
        assert_eq!((crew.still_for(), crew.callless_for()), (Duration::ZERO, Some(Duration::ZERO)));
    }

    #[test]
    fn one_that_runs() {
        let (mut crew, start) = (Crew::default(), Instant::now());
        for n in 0..=10 {
            crew.see(&[running(u64::from(n) * 10)], None, start + n * 10 * MS);
        }
        assert!(crew.runs(0.9));
        assert_eq!((crew.still_for(), crew.callless_for()), (Duration::ZERO, None));
        assert_eq!(crew.usage(Pid(7)).unwrap().cpu, 100 * MS);
    }

    #[test]
    fn other_threads_begin_anew() {
        let (mut crew, start) = (Crew::default(), Instant::now());
        crew.see(&[sleeping(5)], None, start);
        crew.see(&[sleeping(5)], None, start + 50 * MS);
        crew.see(&[sleeping(5), sleeping(5)], None, start + 60 * MS);
        assert_eq!(crew.still_for(), Duration::ZERO);
        assert_eq!(crew.watched_for(), Duration::ZERO);
    }
}
