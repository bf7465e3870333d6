//! The time from the first event to the summary: waiting for whatever comes, and telling it.

use super::accepting::Accepting;
use super::attention::Attention;
use super::beside::Ended;
use super::event::{Drops, Event, Listening, What};
use super::meter::{Meters, Reading};
use super::watched::Watched;
use crate::commands::signals::{Received, Signals};
use crate::commands::sink::{Sink, Written};
use crate::error::Error;
use crate::listener::{Accepted, Gate, Gauge, Listener, Report};
use crate::model::errno_name;
use jiff::Timestamp;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token, Waker};
use nix::sys::signal::Signal;
use std::io;
use std::time::{Duration, Instant};

const SIGNALS: Token = Token(0);
const WAKER: Token = Token(1);
const FIRST_LISTENER: usize = 2;
/// Tokens of connections: beyond any number of listeners.
pub(super) const FIRST_CONNECTION: usize = 1 << 20;

/// How long after a connection came its queue is looked at, to be told of: in between it may have
/// been accepted, and then there is nothing to tell.
const SETTLE: Duration = Duration::from_millis(10);

/// Why a session ended.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    /// `--count`.
    Count,
    /// `--timeout`.
    Timeout,
    /// A signal.
    Signal(Signal),
    /// The command ended.
    Command(Ended),
    /// The listeners are gone: those of others ended, or somebody shut ours down.
    Gone,
}

/// When to end, and how often to look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) interval: Duration,
    pub(super) timeout: Option<Duration>,
    pub(super) count: Option<Count>,
}

/// What `--count` counts.
#[derive(Clone, Copy, Debug)]
pub(super) enum Count {
    /// Connections that we accept.
    Connections {
        /// How many.
        most: u64,
        /// Whether they have to end, too.
        finish: bool,
    },
    /// Changes of queues.
    Changes(u64),
}

/// A session.
pub(super) struct Session<'s> {
    sink: Sink<'s, Event>,
    poll: Poll,
    signals: Signals,
    meters: Meters,
    watched: Vec<Watched>,
    bounds: Bounds,
    started: Instant,
    /// When to look at the queues next.
    look: Instant,
    /// Changes of queues so far.
    changes: u64,
    timed_out: bool,
    attention: Attention,
}

impl<'s> Session<'s> {
    /// A session of these listeners, told of already if they are `listening` for the first time.
    pub(super) fn start(
        mut sink: Sink<'s, Event>,
        signals: Signals,
        meters: Meters,
        listening: Vec<Listening>,
        bounds: Bounds,
    ) -> Result<Self, Error> {
        let poll = Poll::new().map_err(refused)?;
        let registered =
            poll.registry().register(&mut SourceFd(&signals.raw_fd()), SIGNALS, Interest::READABLE);
        registered.map_err(refused)?;
        let started = Instant::now();
        let mut watched = Vec::new();
        for listening in listening {
            watched.push(Watched::new(&listening, started));
            let address = listening.address.clone();
            let what = What::Listening(listening);
            sink.write(&Event::new(Timestamp::now(), started.elapsed(), Some(address), what))?;
        }
        sink.flush("")?;
        Ok(Self {
            sink,
            poll,
            signals,
            meters,
            watched,
            bounds,
            started,
            look: started,
            changes: 0,
            timed_out: false,
            attention: Attention::default(),
        })
    }

    /// Has the session wake up when a connection comes to one of our own listeners.
    pub(super) fn attend(&mut self, listeners: &[Listener]) -> Result<(), Error> {
        let attention = Attention::begin(listeners, FIRST_LISTENER, self.poll.registry());
        self.attention = attention.map_err(refused)?;
        Ok(())
    }

    /// Something that wakes the session up.
    pub(super) fn waker(&self) -> Result<Waker, Error> {
        Waker::new(self.poll.registry(), WAKER).map_err(refused)
    }

    /// Tells of something that is of no listener.
    pub(super) fn tell(&mut self, what: What) -> Result<(), Error> {
        let event = Event::new(Timestamp::now(), self.started.elapsed(), None, what);
        self.sink.write(&event)
    }

    /// Goes on until the end, and gives that.
    pub(super) fn run(&mut self, accepting: &mut Accepting) -> Result<End, Error> {
        let end = self.go_on(accepting)?;
        // What was accepted before the end is told, although it came after the last look.
        if let Accepting::There { reports, .. } = accepting {
            let last: Vec<Report> = reports.try_iter().collect();
            self.tell_reports(last)?;
        }
        Ok(end)
    }

    fn go_on(&mut self, accepting: &mut Accepting) -> Result<End, Error> {
        let mut events = Events::with_capacity(1024);
        loop {
            let wait = self.wait(accepting);
            match self.poll.poll(&mut events, Some(wait)) {
                Err(e) if e.kind() != io::ErrorKind::Interrupted => return Err(refused(e)),
                _ => {}
            }
            let mut came = false;
            let mut signalled = false;
            for event in &events {
                match (event.token(), &mut *accepting) {
                    (SIGNALS, _) => signalled = true,
                    (WAKER, _) => {}
                    (Token(n), accepting) if n < FIRST_CONNECTION => {
                        came = true;
                        self.peek(n - FIRST_LISTENER);
                        if let Accepting::Here(event_loop) = accepting {
                            event_loop.listener_is_ready(n - FIRST_LISTENER);
                        }
                    }
                    (token, Accepting::Here(event_loop)) => event_loop.connection_is_ready(token),
                    _ => {}
                }
            }
            self.hear(accepting)?;
            // After what was accepted before it came, which is in the summary then.
            if signalled && let Some(end) = self.receive(accepting)? {
                return Ok(end);
            }
            let now = Instant::now();
            if came {
                self.look = self.look.min(now + SETTLE.min(self.bounds.interval));
            }
            if came && matches!(accepting, Accepting::Command(_)) {
                self.attention.doze(self.poll.registry()).map_err(refused)?;
            }
            if now >= self.look {
                self.attention.wake(self.poll.registry()).map_err(refused)?;
                self.look_at_queues()?;
                self.look = now + self.bounds.interval;
            }
            if let Some(end) = self.end(accepting) {
                return Ok(end);
            }
            let status = if self.sink.has_status() { self.status() } else { String::new() };
            self.sink.flush(&status)?;
        }
    }

    /// How long nothing is due.
    fn wait(&self, accepting: &Accepting) -> Duration {
        let now = Instant::now();
        let mut due = self.look;
        if let Some(end) = self.bounds.timeout.filter(|_| !self.timed_out) {
            due = due.min(self.started + end);
        }
        if let Accepting::Here(event_loop) = accepting
            && let Some(deadline) = event_loop.deadline(now)
        {
            due = due.min(deadline);
        }
        due.saturating_duration_since(now)
    }

    /// Reads one queue for its peak alone.
    fn peek(&mut self, i: usize) {
        let drops = self.watched[i].filling().and_then(|filling| filling.queue.drops);
        if let Reading::Queue(queue) = self.meters.peek(i, drops) {
            self.watched[i].read(queue, Instant::now());
        }
    }

    /// Tells what those who accept report.
    fn hear(&mut self, accepting: &mut Accepting) -> Result<(), Error> {
        let reports: Vec<Report> = match accepting {
            Accepting::Here(event_loop) => event_loop.turn(self.poll.registry(), Instant::now()).collect(),
            Accepting::There { reports, .. } => reports.try_iter().collect(),
            Accepting::Command(_) | Accepting::Others => return Ok(()),
        };
        self.tell_reports(reports)
    }

    fn tell_reports(&mut self, reports: Vec<Report>) -> Result<(), Error> {
        for report in reports {
            match report {
                Report::Accepted(accepted) => self.accepted(accepted)?,
                Report::Paused(errno) => {
                    self.tell(What::Paused { error: errno_name(errno.raw_os_error()) })?
                }
                Report::Resumed => self.tell(What::Resumed)?,
                Report::Shut { listener, errno } => {
                    self.close(listener, Some(errno_name(errno.raw_os_error())))?
                }
            }
        }
        Ok(())
    }

    fn accepted(&mut self, accepted: Accepted) -> Result<(), Error> {
        let watched = &mut self.watched[accepted.listener];
        watched.accept(accepted.waited);
        let address = Some(watched.address.clone());
        let elapsed = accepted.instant.saturating_duration_since(self.started);
        let event = Event::new(accepted.time, elapsed, address, What::Accepted(accepted));
        self.sink.write(&event)
    }

    fn tell_of(&mut self, i: usize, what: What) -> Result<(), Error> {
        let address = Some(self.watched[i].address.clone());
        self.sink.write(&Event::new(Timestamp::now(), self.started.elapsed(), address, what))
    }

    /// Tells that a listener is gone, unless that was done: a look at the queue and accepting may
    /// both find it.
    fn close(&mut self, i: usize, error: Option<String>) -> Result<(), Error> {
        if std::mem::replace(&mut self.watched[i].gone, true) {
            return Ok(());
        }
        self.tell_of(i, What::Closed { error })
    }

    /// Reads all queues, and tells what has changed.
    fn look_at_queues(&mut self) -> Result<(), Error> {
        let readings = self.meters.read_all();
        for (i, reading) in readings.into_iter().enumerate() {
            let watched = &mut self.watched[i];
            match reading {
                Reading::Queue(queue) => watched.read(queue, Instant::now()),
                Reading::Gone => {
                    self.close(i, None)?;
                    continue;
                }
                Reading::Unknown => continue,
            }
            let Some(gauge) = &mut watched.gauge else { continue };
            let (told, resized) = (gauge.was_told(), gauge.is_resized());
            let (changed, dropped) = (gauge.has_changed(), gauge.has_dropped());
            if changed && let Some(filling) = watched.filling() {
                // How it was found is no change.
                self.changes += u64::from(told);
                self.tell_of(i, What::Queue { filling, resized })?;
            }
            if dropped {
                let drops = self.drops(i);
                self.tell_of(i, What::Overflow(drops))?;
            }
        }
        Ok(())
    }

    fn drops(&mut self, i: usize) -> Drops {
        let listener = self.watched[i].gauge.as_ref().and_then(Gauge::drops);
        // Of sockets that have no such counter of their own, the network's says nothing.
        let counters = if listener.is_some() { self.meters.counters() } else { None };
        Drops { listener, overflows: counters.map(|c| c.overflows), drops: counters.map(|c| c.drops) }
    }

    /// Acts on the signals that came.
    fn receive(&mut self, accepting: &mut Accepting) -> Result<Option<End>, Error> {
        while let Some(Received { signal, personal }) = self.signals.next() {
            match (signal, &mut *accepting) {
                (Signal::SIGCHLD, Accepting::Command(beside)) => {
                    if let Some(ended) = beside.reap() {
                        self.tell(beside.exited(ended))?;
                        return Ok(Some(End::Command(ended)));
                    }
                }
                (Signal::SIGCHLD, accepting) => accepting.reap(),
                (signal, Accepting::Command(beside)) => {
                    // What a terminal sends it sends to all in front of it.
                    if personal {
                        beside.forward(signal);
                    }
                }
                (Signal::SIGUSR1, accepting) => accepting.change_gate(Gate::signal),
                (signal, _) => return Ok(Some(End::Signal(signal))),
            }
        }
        Ok(None)
    }

    /// Whether this is the end.
    fn end(&mut self, accepting: &mut Accepting) -> Option<End> {
        let late = self.bounds.timeout.is_some_and(|timeout| self.started.elapsed() >= timeout);
        if late && let Accepting::Command(beside) = accepting {
            // Its end is ours.
            if !std::mem::replace(&mut self.timed_out, true) {
                beside.forward(Signal::SIGTERM);
                // If it is stopped, it could not end.
                beside.forward(Signal::SIGCONT);
            }
            return None;
        }
        if late {
            return Some(End::Timeout);
        }
        // A command may go on without its listeners: many shut them down first, to end in order.
        if self.watched.iter().all(|w| w.gone) && !matches!(accepting, Accepting::Command(_)) {
            return Some(End::Gone);
        }
        let done = match self.bounds.count? {
            Count::Changes(most) => self.changes >= most,
            // Those that were told of: another thread may be about to report what it has accepted.
            Count::Connections { most, finish } => {
                self.watched.iter().map(Watched::accepted).sum::<u64>() >= most
                    && (!finish || accepting.ask_gate(|gate| gate.open() == 0).unwrap_or(false))
            }
        };
        done.then_some(End::Count)
    }

    /// Whether the time was up, although something else came of it.
    pub(super) fn timed_out(&self) -> bool {
        self.timed_out
    }

    fn status(&self) -> String {
        self.watched.iter().map(Watched::status).collect::<Vec<_>>().join("   ")
    }

    /// The summary, and the end of all output. `accepts` is whether we did.
    pub(super) fn finish(mut self, accepts: bool) -> Result<Written, Error> {
        let now = Instant::now();
        // What happened since the last look counts too.
        self.look_at_queues()?;
        for i in 0..self.watched.len() {
            let drops = self.drops(i);
            let summary = self.watched[i].summary(accepts, drops, now);
            self.tell_of(i, What::Summary(summary))?;
        }
        self.sink.finish()
    }
}

fn refused(error: io::Error) -> Error {
    Error::Refused(format!("cannot wait for events: {error}"))
}
