//! The threads of a process, and which of them serve which loop.

use super::super::event_loop::{Way, listens, waits_in_epoll};
use super::Process;
use crate::model::{Doing, Pid, Thread, Wait};
use crate::proc::{System, ThreadReader};
use crate::watch::turning::Limits;
use std::time::{Duration, Instant};

/// How often threads are looked at at most.
const SURVEY: Duration = Duration::from_millis(500);
/// How often that is done to guess which serves a loop.
const GUESS: Duration = Duration::from_millis(50);

/// How many threads are looked at to find those that serve loops; and how many of them at a time while
/// loops are judged, to find which wait in which.
const THREADS: usize = 4096;
const SOME: usize = 256;

/// How many loops that poll are judged.
const POLLERS: usize = 64;

impl Process {
    /// Looks at its threads, if it is time to, to know which serve which loop: gives the index of the
    /// first loop that was found so.
    pub(in crate::commands::loops) fn survey(
        &mut self,
        system: &System,
        limits: Limits,
        at: Instant,
    ) -> Option<usize> {
        // One that nobody was seen to wait in may be waited in now.
        let sought = self.loops.iter().any(|l| l.open && !l.certain && l.judge.ready_since().is_none());
        let pause = if sought { SURVEY / 5 } else { SURVEY };
        if !self.surveys.is_due(at, pause) {
            return None;
        }
        let before = self.loops.len();
        let threads = self.read_some_threads(system);
        for thread in &threads {
            self.place(thread, limits);
        }
        let found = before < self.loops.len();
        if found {
            self.settle(system, before);
        }
        found.then_some(before)
    }

    /// Its threads, as many as are looked at.
    pub(in crate::commands::loops) fn read_threads(&mut self, system: &System) -> Vec<Thread> {
        let tids = self.dir.threads();
        self.threads = (tids.len(), tids.len().min(THREADS));
        self.read_these(system, &tids[..self.threads.1])
    }

    /// Some of its threads, and the others another time.
    fn read_some_threads(&mut self, system: &System) -> Vec<Thread> {
        let begin = Instant::now();
        let mut tids = self.dir.threads();
        self.threads = (tids.len(), tids.len().min(THREADS));
        if tids.len() > SOME && self.surveys.begun().is_some() {
            let at = tids.iter().position(|&tid| tid > self.next).unwrap_or(0);
            tids.rotate_left(at);
            tids.truncate(SOME);
            self.next = tids.last().copied().unwrap_or(Pid(0));
        }
        tids.truncate(THREADS);
        let threads = self.read_these(system, &tids);
        self.surveys.done(begin);
        threads
    }

    fn read_these(&self, system: &System, tids: &[Pid]) -> Vec<Thread> {
        let Ok(mut reader) = ThreadReader::new(system, &self.dir) else { return Vec::new() };
        tids.iter().filter_map(|&tid| reader.read(tid).ok()).collect()
    }

    /// Notes which loop a thread waits in. One that gives its fds each time makes a loop of its own.
    fn place(&mut self, thread: &Thread, limits: Limits) {
        if let Some(waited_in) = self.loops.iter_mut().find(|l| l.open && l.is_in(thread)) {
            waited_in.add_hand(thread.tid);
            return;
        }
        // One that is in a handler makes no other loop by what it waits for there.
        if self.only.is_some() || self.loops.iter().any(|l| l.open && l.is_polled_by(thread.tid)) {
            return;
        }
        let pollers = self.loops.iter().filter(|l| l.open && l.epoll().is_none()).count();
        if pollers >= POLLERS {
            return;
        }
        let Some((way, selector)) = self.way_of(thread) else { return };
        self.add(way, None, Some(thread.tid), selector, limits).add_hand(thread.tid);
    }

    /// How a thread waits that is a loop of its own.
    fn way_of(&self, thread: &Thread) -> Option<(Way, &'static str)> {
        let call = thread.doing.call()?;
        match &call.wait {
            Wait::Uring { .. } => Some((Way::Uring, "io_uring")),
            Wait::Poll { fds: Ok(fds), .. } => {
                let is_loop = match fds[..] {
                    // Who waits for one fd waits for that, and not for whatever comes: but for a listener.
                    [one] => listens(self.table.donor(), one.fd),
                    _ => !fds.is_empty(),
                };
                let selector = if call.is_select() { "select" } else { "poll" };
                is_loop.then(|| (Way::Poll(Box::default()), selector))
            }
            _ => None,
        }
    }

    /// Has the only thread that may serve a loop looked at, where none was seen to wait in it: for all such
    /// loops that may stall. Which that is may change.
    pub(in crate::commands::loops) fn guess_hands(&mut self, system: &System, index: usize, at: Instant) {
        if self.loops[index].seen || !self.guesses.is_due(at, GUESS) {
            return;
        }
        let begin = Instant::now();
        let threads = self.read_threads(system);
        for index in 0..self.loops.len() {
            let found = &self.loops[index];
            if found.open && !found.seen && found.judge.wants(at).crew {
                self.guess_hands_of(index, &threads);
            }
        }
        self.guesses.done(begin);
    }

    fn guess_hands_of(&mut self, index: usize, threads: &[Thread]) {
        // The only thread there is may wait for a lock, say.
        let alone = threads.len() == 1 && self.threads.0 == 1;
        let serves_another = |thread: &Thread| {
            let others = self.loops.iter().enumerate().filter(|(i, _)| *i != index);
            others.map(|(_, l)| l).any(|l| l.seen && l.hands.contains(&thread.tid))
        };
        let may = |thread: &&Thread| match &thread.doing {
            _ if waits_in_epoll(thread) => false,
            _ if alone => true,
            Doing::Call(call) if matches!(call.wait, Wait::Futex { .. }) => false,
            Doing::Worker(_) | Doing::Ended => false,
            _ => !serves_another(thread) && self.way_of(thread).is_none(),
        };
        let may: Vec<Pid> = threads.iter().filter(may).map(|thread| thread.tid).collect();
        let found = &mut self.loops[index];
        found.abandoned = may.is_empty();
        found.hands = if may.len() == 1 { may } else { Vec::new() };
        found.certain = alone && !found.hands.is_empty();
        found.unproven = !found.certain && (found.unproven || found.abandoned);
    }
}
