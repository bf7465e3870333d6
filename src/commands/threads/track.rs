//! What is seen of a thread over many looks.

use super::gil;
use crate::model::{Call, CpuTime, Doing, Thread, ThreadState, Timeout, Wait};
use std::time::{Duration, Instant};

/// How many ways a thread may be seen in before the rest is counted together.
const WAYS: usize = 32;
/// Sets of fds above this are told apart by their size alone.
const LARGE: usize = 1024;

/// How often a thread was seen in one way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Seen {
    /// In how many looks.
    pub(super) looks: u64,
    /// Of so many at the thread.
    of: u64,
    /// CPU time that the thread used meanwhile.
    pub(super) used: Option<Duration>,
    /// Time that it was ready for a CPU and had none.
    pub(super) delayed: Option<Duration>,
    /// How long it was looked at.
    time: Duration,
}

impl Seen {
    pub(super) fn share(self) -> f64 {
        100.0 * self.looks as f64 / self.of.max(1) as f64
    }

    /// A time as a share of the whole.
    pub(super) fn percent(self, part: Option<Duration>) -> Option<f64> {
        let whole = self.time.as_secs_f64();
        part.filter(|_| whole > 0.0).map(|part| 100.0 * part.as_secs_f64() / whole)
    }
}

/// One way in which a thread was seen.
#[derive(Clone, Debug)]
pub(super) struct Way {
    pub(super) state: ThreadState,
    pub(super) doing: Doing,
    /// How long it was told to wait, where that was the same each time.
    pub(super) timeout: Option<Timeout>,
    /// The function of the kernel, where it says more than the call.
    pub(super) wchan: Option<Vec<u8>>,
    looks: u64,
    /// In how many of them it waited as for Python's lock, and how often for a new time.
    timed: u64,
    renewed: u64,
}

impl Way {
    /// Whether it is likely that it was the lock of a Python interpreter each time; `variable` is one
    /// of its.
    pub(super) fn is_like_gil(&self) -> Option<u64> {
        let often = self.timed * 10 >= self.looks * 9;
        match &self.doing.call()?.wait {
            Wait::Futex { words, .. } if often && self.timed > 0 => {
                words.first().map(|word| gil::variable_of(*word))
            }
            _ => None,
        }
    }
}

/// What is known of a thread.
pub(super) struct Track {
    /// As it was last seen.
    pub(super) thread: Thread,
    pub(super) ways: Vec<Way>,
    /// Looks that found it in other ways than those.
    pub(super) others: u64,
    looks: u64,
    first: (Instant, CpuTime),
    pub(super) last: (Instant, CpuTime),
}

impl Track {
    pub(super) fn new(thread: Thread, now: Instant) -> Self {
        let cpu = thread.cpu;
        Self { thread, ways: Vec::new(), others: 0, looks: 0, first: (now, cpu), last: (now, cpu) }
    }

    pub(super) fn add(&mut self, thread: Thread, wchan: Option<Vec<u8>>, now: Instant) {
        self.looks += 1;
        self.last = (now, thread.cpu);
        let timed = u64::from(gil::variable(&thread.doing).is_some());
        let timeout = thread.doing.call().and_then(|call| call.wait.timeout());
        let same = |way: &&mut Way| way.state == thread.state && alike(&way.doing, &thread.doing);
        let room = self.ways.len() < WAYS;
        match self.ways.iter_mut().find(same) {
            Some(way) => {
                way.looks += 1;
                way.timed += timed;
                way.wchan = wchan.or(way.wchan.take());
                let now = thread.doing.call().map(|call| &call.wait);
                let before = way.doing.call().map(|call| &call.wait);
                way.renewed += u64::from(until(now) != until(before));
                way.timeout = way.timeout.filter(|known| Some(*known) == timeout);
                way.doing = thread.doing.clone();
            }
            None if room => self.ways.push(Way {
                state: thread.state,
                doing: thread.doing.clone(),
                // A time left is of one moment.
                timeout: timeout.filter(|timeout| !matches!(timeout, Timeout::Until { .. })),
                wchan,
                looks: 1,
                timed,
                renewed: 0,
            }),
            None => self.others += 1,
        }
        self.thread = thread;
    }

    /// How often it was seen in one of its ways.
    pub(super) fn seen(&self, looks: u64) -> Seen {
        let (from, to) = (self.first.1, self.last.1);
        let used = match (from.exact, to.exact) {
            (Some(from), Some(to)) => to.saturating_sub(from),
            // Of one that has ended the ticks are known.
            _ => (to.user + to.system).saturating_sub(from.user + from.system),
        };
        Seen {
            looks,
            of: self.looks,
            used: Some(used),
            delayed: to.queued.zip(from.queued).map(|(to, from)| to.saturating_sub(from)),
            time: self.last.0 - self.first.0,
        }
    }

    /// What its running was made of.
    pub(super) fn running(&self) -> Running {
        // In less than that the kernel has too few ticks to say what it went to.
        const ENOUGH: Duration = Duration::from_millis(50);
        let (from, to) = (self.first.1, self.last.1);
        let user = to.user.saturating_sub(from.user).as_secs_f64();
        let all = user + to.system.saturating_sub(from.system).as_secs_f64();
        let seen = self.seen(0);
        let [on, queued] = [seen.used, seen.delayed].map(Option::unwrap_or_default);
        let whole = (on + queued).as_secs_f64();
        Running {
            in_program: (all >= ENOUGH.as_secs_f64()).then(|| user / all),
            queued: if on + queued >= ENOUGH { queued.as_secs_f64() / whole } else { 0.0 },
        }
    }
}

/// What the running of a thread was made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Running {
    /// The part of its CPU time that was in its program, where it used enough to tell.
    pub(super) in_program: Option<f64>,
    /// The part of the whole in which it was ready for a CPU and had none.
    pub(super) queued: f64,
}

impl Way {
    /// In how many looks it was seen.
    pub(super) fn looks(&self) -> u64 {
        self.looks
    }

    /// Whether it was seen to wait anew, for another time than before.
    pub(super) fn was_renewed(&self) -> bool {
        self.renewed > 0
    }
}

/// When a call gives up.
fn until(wait: Option<&Wait>) -> Option<Duration> {
    match wait?.timeout()? {
        Timeout::Until { at, .. } => Some(at),
        _ => None,
    }
}

/// Whether two sights are of the same, whatever the time that was left.
fn alike(one: &Doing, other: &Doing) -> bool {
    let (Doing::Call(one), Doing::Call(other)) = (one, other) else { return one == other };
    // One that goes on after SIGCONT has another number.
    let is_renumbered = one.restarted != other.restarted && one.name.is_some();
    let same_call =
        |a: &Call, b: &Call| (a.abi, a.name) == (b.abi, b.name) && (a.number == b.number || is_renumbered);
    same_call(one, other) && alike_wait(&one.wait, &other.wait)
}

fn alike_wait(one: &Wait, other: &Wait) -> bool {
    match (one, other) {
        (Wait::Epoll { epoll: a, .. }, Wait::Epoll { epoll: b, .. }) => a == b,
        (Wait::Poll { fds: Ok(a), .. }, Wait::Poll { fds: Ok(b), .. }) => {
            a.len() == b.len() && (a.len() > LARGE || a == b)
        }
        (Wait::Poll { fds: a, count: n, .. }, Wait::Poll { fds: b, count: m, .. }) => a == b && n == m,
        (Wait::Futex { op: a, words: v, .. }, Wait::Futex { op: b, words: w, .. }) => {
            let variables = |words: &[u64]| words.iter().map(|w| gil::variable_of(*w)).collect::<Vec<_>>();
            a == b && variables(v) == variables(w)
        }
        (Wait::Sleep { .. }, Wait::Sleep { .. }) => true,
        (Wait::Signal { set: a, .. }, Wait::Signal { set: b, .. }) => a == b,
        (Wait::Uring { ring: a, min_complete: n, .. }, Wait::Uring { ring: b, min_complete: m, .. }) => {
            a == b && n == m
        }
        (Wait::Aio { min_complete: n, .. }, Wait::Aio { min_complete: m, .. }) => n == m,
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::{Track, WAYS};
    use crate::model::{Abi, Call, CpuTime, Doing, FdNum, Pid, Thread, ThreadState, Timeout, Wait};
    use std::time::{Duration, Instant};

    fn thread(wait: Wait, cpu: u64) -> Thread {
        let call =
            Call { abi: Abi::Native, number: 1, name: Some("call"), args: [0; 6], restarted: false, wait };
        Thread {
            tid: Pid(1),
            name: Vec::new(),
            state: ThreadState(b'S'),
            processor: None,
            cpu: CpuTime { exact: Some(Duration::from_millis(cpu)), ..CpuTime::default() },
            doing: Doing::Call(call),
        }
    }

    fn read(fd: i32) -> Wait {
        Wait::Fd { fd: FdNum(fd), to: None }
    }

    /// What comes of these waits, one a millisecond.
    fn track(waits: impl IntoIterator<Item = Wait>) -> Track {
        let begun = Instant::now();
        let mut track = Track::new(thread(read(0), 0), begun);
        for (nth, wait) in (1..).zip(waits) {
            track.add(thread(wait, nth), None, begun + Duration::from_millis(nth * 2));
        }
        track
    }

    #[test]
    fn ways_are_counted_and_few() {
        let seen = track([read(1), read(2), read(1), read(1)]);
        assert_eq!(seen.ways.iter().map(|way| way.looks()).collect::<Vec<_>>(), [3, 1]);
        let one = seen.seen(3);
        assert_eq!((one.share(), one.percent(one.used)), (75.0, Some(50.0)));
        let many = track((0..100).map(read));
        assert_eq!((many.ways.len(), many.others), (WAYS, 100 - WAYS as u64));
        let shares: f64 = many.ways.iter().map(|way| many.seen(way.looks()).share()).sum();
        assert!((shares + many.seen(many.others).share() - 100.0).abs() < 1e-9);
    }

    #[test]
    fn times_that_differ_are_one_way_without_a_time() {
        let sleep = |seconds| Wait::Sleep { timeout: Timeout::After(Duration::from_secs(seconds)) };
        let same = track([sleep(1), sleep(1)]);
        assert_eq!(same.ways[0].timeout, Some(Timeout::After(Duration::from_secs(1))));
        let other = track([sleep(1), sleep(2), sleep(1)]);
        assert_eq!((other.ways.len(), other.ways[0].timeout), (1, None));
    }

    #[test]
    fn a_call_that_goes_on_after_a_stop_is_the_same() {
        let mut again = thread(read(1), 0);
        if let Doing::Call(call) = &mut again.doing {
            (call.number, call.restarted) = (219, true);
        }
        let mut track = track([read(1)]);
        track.add(again, None, Instant::now());
        assert_eq!(track.ways.len(), 1);
    }

    #[test]
    fn a_lock_of_python_is_waited_for_again_and_again() {
        let futex = |word, at, left| Wait::Futex {
            op: "wait_bitset",
            words: vec![word],
            private: true,
            timeout: Timeout::Until {
                clock: libc::CLOCK_MONOTONIC,
                at: Duration::from_millis(at),
                left: Some(Duration::from_millis(left)),
            },
        };
        // The two words of a condition variable take turns.
        let renewed = track([futex(0x10f0, 5, 3), futex(0x10f4, 10, 1), futex(0x10f0, 15, 4)]);
        assert_eq!((renewed.ways.len(), renewed.ways[0].is_like_gil()), (1, Some(0x10f0)));
        assert!(renewed.ways[0].was_renewed());
        // Whoever has it may keep it for long.
        let once = track([futex(0x10f0, 5, 3), futex(0x10f0, 5, 2)]);
        assert_eq!((once.ways[0].is_like_gil(), once.ways[0].was_renewed()), (Some(0x10f0), false));
        let ever =
            Wait::Futex { op: "wait_bitset", words: vec![0x10f0], private: true, timeout: Timeout::Never };
        assert_eq!(track([ever.clone(), ever]).ways[0].is_like_gil(), None);
    }
}
