//! Looking again and again, until the time is over.

use super::event::{Event, Shown};
use super::options::Args;
use super::report::{self, Moment};
use super::stage::Stage;
use crate::commands::signals::Signals;
use crate::commands::sink::Sink;
use crate::commands::words;
use crate::context::complain;
use crate::error::Error;
use crate::proc::System;
use crate::watch::turning::{Change, Limits};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use nix::sys::signal::Signal;
use rustix::fd::AsRawFd as _;
use std::io;
use std::time::{Duration, Instant};

const SIGNALS: Token = Token(0);
const FIRST_PROCESS: usize = 1;

/// Looking takes at most this part of the time.
const SHARE: u32 = 10;
const PRESSING: u32 = 2;

/// How long looking for new loops and at threads may take in one turn, but for the last of them.
const ERRANDS: Duration = Duration::from_micros(500);

/// In how many looks on end it must take more before that is said.
const SLOW: u32 = 20;

/// How long a loop must be ready for nothing that it has open before that is told.
const STALE: Duration = Duration::from_secs(1);

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The time is over.
    Over,
    Signal(Signal),
    /// All processes have ended.
    Gone,
}

/// A session.
pub(super) struct Session<'s> {
    sink: Sink<'s, Event>,
    signals: Signals,
    alarm: Poll,
    pub(super) stage: Stage,
    system: &'s System,
    limits: Limits,
    time: Option<Duration>,
    quiet: bool,
    started: Instant,
    /// Whether a loop has stalled.
    pub(super) stalled: bool,
    /// Whether any loop could be judged.
    pub(super) judged: bool,
    /// The process for which new loops were looked for last.
    next: usize,
    /// Whether a loop is about to be called stalled, or not.
    presses: bool,
    /// In how many looks on end looking has taken too long; nothing once that was said.
    slow: Option<u32>,
}

impl<'s> Session<'s> {
    /// Begins, and says what is looked at.
    pub(super) fn start(
        sink: Sink<'s, Event>,
        signals: Signals,
        stage: Stage,
        system: &'s System,
        args: &Args,
        quiet: bool,
    ) -> Result<Self, Error> {
        let alarm = Poll::new().map_err(refused)?;
        let register = |fd: i32, token| {
            alarm.registry().register(&mut SourceFd(&fd), token, Interest::READABLE).map_err(refused)
        };
        register(signals.raw_fd(), SIGNALS)?;
        for (i, process) in stage.processes.iter().enumerate() {
            register(process.pidfd().as_raw_fd(), Token(FIRST_PROCESS + i))?;
        }
        let limits = Limits { stall: args.stall, interval: args.interval };
        let mut session = Self {
            sink,
            signals,
            alarm,
            stage,
            system,
            limits,
            time: args.time,
            quiet,
            started: Instant::now(),
            stalled: false,
            judged: false,
            next: 0,
            presses: false,
            slow: Some(0),
        };
        for process in 0..session.stage.processes.len() {
            session.introduce(process, 0)?;
        }
        session.sink.flush("")?;
        Ok(session)
    }

    /// Goes on until the end.
    pub(super) fn run(&mut self) -> Result<End, Error> {
        let mut events = Events::with_capacity(64);
        let mut next = Instant::now();
        loop {
            let rest = self.time.map(|time| (self.started + time).saturating_duration_since(Instant::now()));
            if rest == Some(Duration::ZERO) {
                return Ok(End::Over);
            }
            let wait = next.saturating_duration_since(Instant::now());
            match self.alarm.poll(&mut events, Some(rest.map_or(wait, |rest| wait.min(rest)))) {
                Err(e) if e.kind() != io::ErrorKind::Interrupted => return Err(refused(e)),
                _ => {}
            }
            if let Some(end) = self.hear(&events)? {
                self.sink.flush("")?;
                return Ok(end);
            }
            let begin = Instant::now();
            if begin >= next {
                self.look()?;
                self.sink.flush("")?;
                let took = begin.elapsed();
                // For the moment that it takes to know whether a loop stalls, it may be more.
                let share = if self.presses { PRESSING } else { SHARE };
                self.tell_pace(took * share);
                next = begin + self.limits.interval.max(took * share);
            }
        }
    }

    /// Signals, and processes that have ended.
    fn hear(&mut self, events: &Events) -> Result<Option<End>, Error> {
        for event in events {
            match event.token() {
                SIGNALS => {
                    if let Some(received) = self.signals.next() {
                        return Ok(Some(End::Signal(received.signal)));
                    }
                }
                Token(n) => self.exit(n - FIRST_PROCESS)?,
            }
        }
        Ok(self.stage.processes.iter().all(|process| process.ended).then_some(End::Gone))
    }

    fn exit(&mut self, index: usize) -> Result<(), Error> {
        let now = Moment::since(self.started);
        let process = &mut self.stage.processes[index];
        if std::mem::replace(&mut process.ended, true) {
            return Ok(());
        }
        let event = report::exited(process, now);
        self.sink.write(&event)
    }

    /// Looks at all loops.
    fn look(&mut self) -> Result<(), Error> {
        self.presses = false;
        self.run_errands()?;
        for index in 0..self.stage.processes.len() {
            for l in 0..self.stage.processes[index].loops.len() {
                if self.stage.processes[index].loops[l].open && !self.stage.processes[index].ended {
                    self.look_at(index, l)?;
                }
            }
        }
        Ok(())
    }

    /// Looks for new loops and at threads, of some processes in each turn.
    fn run_errands(&mut self) -> Result<(), Error> {
        let begin = Instant::now();
        let count = self.stage.processes.len();
        for _ in 0..count {
            self.next = (self.next + 1) % count;
            if !self.stage.processes[self.next].ended {
                self.look_for_new(self.next)?;
            }
            if begin.elapsed() > ERRANDS {
                break;
            }
        }
        Ok(())
    }

    fn look_for_new(&mut self, index: usize) -> Result<(), Error> {
        let process = &mut self.stage.processes[index];
        let at = Instant::now();
        let found = process.find_new(self.system, self.limits, at);
        let surveyed = process.survey(self.system, self.limits, at);
        if let Some(first) = found.into_iter().chain(surveyed).min() {
            self.introduce(index, first)?;
        }
        Ok(())
    }

    fn look_at(&mut self, index: usize, l: usize) -> Result<(), Error> {
        let process = &mut self.stage.processes[index];
        let at = Instant::now();
        let wants = process.loops[l].judge.wants(at);
        self.presses |= wants.all;
        if wants.crew {
            process.guess_hands(self.system, l, at);
        }
        let had_failed = process.loops[l].failed.is_some();
        let looked = process.look(self.system, l, at);
        let found = &process.loops[l];
        let is_quiet = looked.changes.is_empty() && found.open && found.failed.is_some() == had_failed;
        if is_quiet && found.judge.ready_since().is_none() {
            process.loops[l].told_stale = false;
            return Ok(());
        }
        let now = Moment::since(self.started);
        if !found.open {
            return self.close(index, l, now);
        }
        if let Some(note) = found.note().filter(|_| found.failed.is_some() && !had_failed) {
            complain(&format!("{}: {note}", process.pid()));
            self.stage.failed = true;
        }
        let process = &mut self.stage.processes[index];
        let proven = !process.loops[l].unproven;
        for change in &looked.changes {
            // What has recovered was a stall, which may be known only now.
            self.stalled |= proven && matches!(change, Change::Stalled(_) | Change::Recovered { .. });
            let named = report::named(&process.loops[l], change);
            process.name(self.system, l, &named);
            let event = report::changed(self.system, process, l, change, now);
            self.sink.write(&event)?;
        }
        let found = &mut process.loops[l];
        let lasted = found.judge.unexplained(now.at);
        let has_stale = || found.set.iter().any(|(_, watched)| watched.wakes_for_nothing());
        // One that is stalled does not turn.
        if lasted >= STALE && !found.told_stale && found.judge.stalled().is_none() && has_stale() {
            found.told_stale = true;
            let event = report::stale(self.system, process, l, lasted, now);
            self.sink.write(&event)?;
        } else if lasted.is_zero() {
            found.told_stale = false;
        }
        Ok(())
    }

    /// Tells of the loops of a process that are looked at from now on, from the first that is new.
    fn introduce(&mut self, index: usize, first: usize) -> Result<(), Error> {
        let process = &mut self.stage.processes[index];
        let loops = first..process.loops.len();
        if loops.is_empty() {
            return Ok(());
        }
        let threads = process.read_threads(self.system);
        for l in loops {
            let process = &mut self.stage.processes[index];
            process.look(self.system, l, Instant::now());
            // One that gives its fds each time has only now given some.
            if process.loops[l].epoll().is_none() {
                process.identify(self.system, [l]);
            }
            let now = Moment::since(self.started);
            for thread in &threads {
                if process.loops[l].is_in(thread) {
                    process.loops[l].add_hand(thread.tid);
                }
            }
            let event = report::describe(self.system, process, l, &threads, Shown::Nothing, now);
            self.judged |= process.loops[l].can_be_judged();
            let open = process.loops[l].open;
            self.sink.write(&event)?;
            // It may be closed already.
            if !open {
                self.close(index, l, now)?;
            }
        }
        Ok(())
    }

    /// Tells of a loop that is not there any more, and how it went with it.
    fn close(&mut self, index: usize, l: usize, now: Moment) -> Result<(), Error> {
        let process = &mut self.stage.processes[index];
        let closed = report::closed(&process.loops[l], now);
        self.sink.write(&closed)?;
        let summary = report::summary(self.system, process, l, now);
        self.sink.write(&summary)
    }

    /// Says so if looks are further apart than was asked for.
    fn tell_pace(&mut self, pace: Duration) {
        let Some(slow) = &mut self.slow else { return };
        *slow = if pace > self.limits.interval * 3 / 2 { *slow + 1 } else { 0 };
        if *slow >= SLOW && !self.quiet {
            self.slow = None;
            complain(&format!(
                "looking at all loops takes long, so that looks are {} apart, and shorter stalls may not be seen",
                words::time(pace)
            ));
        }
    }

    /// The summary, and the end of all output.
    pub(super) fn finish(mut self) -> Result<(), Error> {
        let now = Moment::since(self.started);
        for index in 0..self.stage.processes.len() {
            for l in 0..self.stage.processes[index].loops.len() {
                let process = &mut self.stage.processes[index];
                if process.loops[l].open {
                    let event = report::summary(self.system, process, l, now);
                    self.sink.write(&event)?;
                }
            }
        }
        self.sink.finish().map(|_| ())
    }
}

fn refused(error: io::Error) -> Error {
    Error::Refused(format!("cannot wait for events: {error}"))
}
