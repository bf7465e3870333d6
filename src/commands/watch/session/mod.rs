//! The time from the first look to the summary: waiting, and what is done in each turn. How it is
//! done is in the files beside this one.

mod arming;
mod looking;
mod own_fds;
mod upkeep;

use super::event::{Event, Seen, Summary, What, Who};
use super::lookout::Lookout;
use super::options::Until;
use super::stage::Stage;
use crate::commands::signals::Signals;
use crate::commands::sink::Sink;
use crate::error::Error;
use crate::model::{Interest, Readiness};
use crate::proc::System;
use crate::selector::Trigger;
use crate::sock::Diag;
use crate::watch::Change;
use jiff::Timestamp;
use mio::unix::SourceFd;
use mio::{Events, Interest as MioInterest, Poll, Token};
use nix::sys::signal::Signal;
use rustix::fd::AsRawFd as _;
use std::io::{self, Write};
use std::rc::Rc;
use std::time::{Duration, Instant};

const SIGNALS: Token = Token(0);
const LOOKOUTS: Token = Token(1);
const FIRST_PROCESS: usize = 2;

/// How soon it is looked at least whether what is ready still is.
const SOONEST: Duration = Duration::from_millis(1);

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// `--until` or `--count`.
    Met,
    Timeout,
    Signal(Signal),
    /// Nothing is left to watch; whether because targets have ended.
    Gone {
        ended: bool,
    },
}

/// How to look, and when to end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) interval: Duration,
    pub(super) timeout: Option<Duration>,
    pub(super) count: Option<u64>,
    pub(super) until: Option<Until>,
    pub(super) repeat: bool,
    pub(super) retry: Option<Duration>,
    pub(super) drains: bool,
    /// Whether what epoll refuses is shown by poll.
    pub(super) auto: bool,
    /// Whether one line shows what all selectors see.
    pub(super) together: bool,
    pub(super) events: Option<Interest>,
    /// Whether notes on stderr are unwanted.
    pub(super) quiet: bool,
}

impl Bounds {
    /// Whether all that comes is what is wanted, so that less than that is a failure.
    fn reads_all(&self) -> bool {
        self.drains && self.until.is_none()
    }
}

/// A session.
pub(super) struct Session<'s> {
    sink: Sink<'s, Event>,
    tee: Option<&'s mut dyn Write>,
    alarm: Poll,
    signals: Signals,
    lookouts: Vec<Lookout>,
    stage: Stage,
    system: &'s System,
    bounds: Bounds,
    started: Instant,
    /// Whether all selectors have looked once.
    looked: bool,
    follow: Instant,
    /// When the selectors are asked next, if every return is shown.
    next_return: Instant,
    /// Which subject is asked next whether it is closed, and whether it has more.
    next_check: usize,
    next_more: usize,
    /// When that is asked again, and how many have to be asked without a pause.
    check: Instant,
    hurried: usize,
    /// When something has changed last.
    changed: Instant,
    told: u64,
    end: Option<End>,
    /// Whether anything that was watched has ended.
    ended: bool,
    /// Whether reading made room, so that it is worth looking at once.
    drained: bool,
    /// Whether something has come since that was asked last.
    came: bool,
    /// For what unix listeners do not tell themselves.
    diag: Option<Diag>,
    buffer: Vec<u8>,
    /// Whether there are connections of our own.
    connects: bool,
    /// Those that have failed, and when they are tried again.
    retries: Vec<(usize, Option<Instant>)>,
}

/// What one selector sees of one subject in one turn.
struct Sighting {
    subject: usize,
    lookout: usize,
    change: Change,
    readiness: Readiness,
    raw: Option<u32>,
}

impl<'s> Session<'s> {
    /// Begins to watch, and says so.
    pub(super) fn start(
        sink: Sink<'s, Event>,
        tee: Option<&'s mut dyn Write>,
        signals: Signals,
        lookouts: Vec<Lookout>,
        stage: Stage,
        system: &'s System,
        bounds: Bounds,
    ) -> Result<Self, Error> {
        let alarm = Poll::new().map_err(refused)?;
        let register = |fd: i32, token| {
            alarm.registry().register(&mut SourceFd(&fd), token, MioInterest::READABLE).map_err(refused)
        };
        register(signals.raw_fd(), SIGNALS)?;
        for (i, process) in stage.processes.iter().enumerate() {
            register(process.table.pidfd().as_raw_fd(), Token(FIRST_PROCESS + i))?;
        }
        for lookout in &lookouts {
            if let Some(fd) = lookout.fd() {
                register(fd.0, LOOKOUTS)?;
            }
        }
        let started = Instant::now();
        let connects = stage.subjects.iter().any(|s| s.remote.is_some());
        let mut session = Self {
            connects,
            diag: Diag::open().ok(),
            sink,
            tee,
            alarm,
            signals,
            lookouts,
            stage,
            system,
            bounds,
            started,
            looked: false,
            follow: started,
            next_return: started,
            next_check: 0,
            next_more: 0,
            check: started,
            hurried: 0,
            changed: started,
            told: 0,
            end: None,
            ended: false,
            drained: false,
            retries: Vec::new(),
            came: false,
            buffer: if bounds.drains { vec![0; 64 * 1024] } else { Vec::new() },
        };
        session.arm()?;
        Ok(session)
    }

    /// Goes on until the end.
    pub(super) fn run(&mut self) -> Result<End, Error> {
        let mut events = Events::with_capacity(64);
        loop {
            if let Some(end) = self.turn(&mut events)? {
                return Ok(end);
            }
            self.sink.flush("")?;
        }
    }

    fn turn(&mut self, events: &mut Events) -> Result<Option<End>, Error> {
        if let Some(end) = self.over()? {
            return Ok(Some(end));
        }
        let wait = self.wait();
        let blocks = !self.ticks() && self.lookouts.iter().all(|l| l.fd().is_none());
        if blocks {
            // Nothing else can wake it up than what it looks at, and signals.
            self.look(wait)?;
            self.await_alarm(events, Some(Duration::ZERO))?;
        } else {
            self.await_alarm(events, wait)?;
        }
        // A process that ends closes all it has: that it ended is what is told.
        let end = self.hear(events)?;
        if !blocks && self.may_look() {
            self.look(Some(Duration::ZERO))?;
            self.look_again()?;
        }
        self.looked = true;
        if end.is_some() {
            return Ok(end);
        }
        // What has failed is tried again, not read to its end.
        self.look_for_failed()?;
        self.drain()?;
        self.look_for_more()?;
        self.look_for_closed()?;
        self.look_for_new()?;
        Ok(None)
    }

    /// Whether this is the end.
    fn over(&mut self) -> Result<Option<End>, Error> {
        if self.end.is_some() {
            return Ok(self.end);
        }
        // What is ready by now is told, however short the time is: as poll(2) does that may not wait.
        if self.looked && self.is_late() {
            self.tell(Event::new(Timestamp::now(), self.elapsed(), What::Timeout))?;
            return Ok(Some(End::Timeout));
        }
        let watched = self.stage.subjects.iter().any(|s| s.open);
        let followed = self.stage.processes.iter().any(|p| p.follow && !p.ended);
        let retried = self.retries.iter().any(|(_, at)| at.is_some());
        Ok((!watched && !followed && !retried).then_some(End::Gone { ended: self.ended }))
    }

    fn await_alarm(&mut self, events: &mut Events, wait: Option<Duration>) -> Result<(), Error> {
        match self.alarm.poll(events, wait) {
            Err(e) if e.kind() != io::ErrorKind::Interrupted => Err(refused(e)),
            _ => Ok(()),
        }
    }

    /// Whether something has to be asked for again and again.
    fn ticks(&self) -> bool {
        // Not all can wake up the others.
        let wakes = self.lookouts.iter().filter(|l| l.fd().is_some()).count();
        self.bounds.repeat
            || (wakes > 0 && wakes < self.lookouts.len())
            || self.retries.iter().any(|(_, at)| at.is_some())
            || self.stage.processes.iter().any(|p| !p.ended)
            || self.lookouts.iter().any(|l| l.trigger == Trigger::Level && !l.ready.is_empty())
    }

    fn wait(&self) -> Option<Duration> {
        if self.drained {
            return Some(Duration::ZERO);
        }
        let tick = if self.bounds.repeat {
            Some(self.next_return.saturating_duration_since(Instant::now()))
        } else {
            self.ticks().then(|| self.tick()).or(self.sink.pace())
        };
        let rest = self.bounds.timeout.map(|timeout| timeout.saturating_sub(self.started.elapsed()));
        match (tick, rest) {
            (Some(tick), Some(rest)) => Some(tick.min(rest)),
            (tick, rest) => tick.or(rest),
        }
    }

    /// How long it is until it has to be asked again. That something clears wakes nobody, so it is
    /// looked at the more often the shorter it has been ready: that tells for how long within a
    /// quarter of that time.
    fn tick(&self) -> Duration {
        let interval = self.bounds.interval;
        let samples = self.lookouts.iter().any(Lookout::samples);
        let ready = self.lookouts.iter().any(|l| l.trigger == Trigger::Level && !l.ready.is_empty());
        if !ready || samples || self.bounds.repeat {
            return interval;
        }
        (self.changed.elapsed() / 4).max(SOONEST).min(interval)
    }

    /// Signals, and processes that have ended.
    fn hear(&mut self, events: &Events) -> Result<Option<End>, Error> {
        for event in events {
            match event.token() {
                SIGNALS => {
                    while let Some(received) = self.signals.next() {
                        if received.signal != Signal::SIGTSTP {
                            return Ok(Some(End::Signal(received.signal)));
                        }
                        self.sink.pause()?;
                        let _ = nix::sys::signal::raise(Signal::SIGSTOP);
                    }
                }
                Token(n) if n >= FIRST_PROCESS => self.exit(n - FIRST_PROCESS)?,
                _ => {}
            }
        }
        Ok(None)
    }

    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    fn event(&self, what: What, who: &Rc<Who>) -> Event {
        Event::new(Timestamp::now(), self.elapsed(), what).of(who)
    }

    /// Tells an event, and sees whether it is the one that was waited for.
    fn tell(&mut self, event: Event) -> Result<(), Error> {
        if self.end.is_some() {
            return Ok(());
        }
        self.sink.write(&event)?;
        if matches!(event.what, What::Armed { .. } | What::Timeout | What::Summary(_)) {
            return Ok(());
        }
        let readiness = event.seen.map(|seen| seen.readiness).unwrap_or_default();
        self.count(self.is_met_by(event.name(), readiness));
        Ok(())
    }

    /// Whether an event of this name is the one that is waited for, seen with this in force.
    fn is_met_by(&self, name: &str, readiness: Readiness) -> bool {
        self.bounds.until.is_some_and(|until| until.is_met_by(name, readiness))
    }

    /// One more was told.
    fn count(&mut self, met: bool) {
        self.told += 1;
        if met || self.bounds.count.is_some_and(|count| self.told >= count) {
            self.end = Some(End::Met);
        }
    }

    /// The summary, and the end of all output.
    pub(super) fn finish(mut self) -> Result<(), Error> {
        let now = Instant::now();
        let (time, elapsed) = (Timestamp::now(), self.elapsed());
        for subject in &mut self.stage.subjects {
            let bytes = subject.bytes;
            for (tracker, lookout) in subject.trackers.iter_mut().zip(&self.lookouts) {
                if tracker.changes() == 0 {
                    continue;
                }
                let readiness = tracker.readiness();
                tracker.end(now);
                let durations = tracker.durations().clone();
                let summary = Summary { transitions: tracker.changes(), durations, bytes };
                let event = Event::new(time, elapsed, What::Summary(Box::new(summary))).of(&subject.who);
                let (selector, trigger) = (lookout.backend.name(), lookout.trigger.name());
                self.sink.write(&event.seen(Seen { selector, trigger, readiness, raw: None }))?;
            }
        }
        self.sink.finish().map(|_| ())
    }

    /// Whether its time is over.
    pub(super) fn is_late(&self) -> bool {
        self.bounds.timeout.is_some_and(|timeout| self.started.elapsed() >= timeout)
    }

    /// Whether a target was not there, or could not be watched.
    pub(super) fn failed(&self) -> bool {
        self.stage.failed
    }
}

fn refused(error: io::Error) -> Error {
    Error::Refused(format!("cannot wait for events: {error}"))
}
