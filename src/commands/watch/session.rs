//! The time from the first look to the summary.

use super::connect::connect;
use super::drain::{Drained, drain};
use super::event::{Event, Facts, Seen, Summary, What, Who};
use super::lookout::{Lookout, Sight};
use super::options::Until;
use super::stage::{Stage, Wishes};
use super::subject::Subject;
use crate::commands::signals::Signals;
use crate::commands::sink::Sink;
use crate::error::Error;
use crate::model::{Interest, Readiness, neutralise};
use crate::proc::System;
use crate::selector::{Backend, Feature, RegisterError, Trigger};
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

/// How often processes are asked for new fds, at most.
const FOLLOW: Duration = Duration::from_millis(100);
/// How long after something has come it is looked at again.
const AGAIN: Duration = Duration::from_micros(200);
/// How often more of the same is told, at most.
const MORE: Duration = Duration::from_millis(100);
/// How many subjects are asked in one turn whether they have more to read.
const SHARE: usize = 128;
/// For how long subjects are asked in one turn whether they are closed, and how many times as long
/// none is, unless one is known to be.
const CHECK: Duration = Duration::from_millis(2);
const UNCHECKED: u32 = 20;
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
    buffer: Vec<u8>,
    /// Connections that have failed, and when they are tried again.
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
        for (i, donor) in stage.donors.iter().enumerate() {
            register(donor.pidfd().as_raw_fd(), Token(FIRST_PROCESS + i))?;
        }
        for lookout in &lookouts {
            if let Some(fd) = lookout.fd() {
                register(fd.0, LOOKOUTS)?;
            }
        }
        let started = Instant::now();
        let mut session = Self {
            sink,
            tee,
            alarm,
            signals,
            lookouts,
            stage,
            system,
            bounds,
            started,
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

    fn arm(&mut self) -> Result<(), Error> {
        // One that only its own wait can wake up must be woken up by signals, too.
        for lookout in self.lookouts.iter_mut().filter(|l| l.fd().is_none()) {
            lookout.register_alarm(self.signals.as_fd()).map_err(|e| Error::Refused(e.to_string()))?;
        }
        for process in &mut self.stage.processes {
            process.has_changed(self.system);
        }
        let mut constant = Vec::new();
        for token in 0..self.stage.subjects.len() {
            self.stage.subjects[token].drained =
                self.bounds.drains && self.stage.subjects[token].own_fd().is_some();
            if self.stage.subjects[token].open {
                constant.extend(self.register(token));
            } else {
                // A connection that could not even be begun.
                self.retries.push((token, self.bounds.retry.map(|retry| self.started + retry)));
            }
        }
        let subjects = self.stage.subjects.iter().enumerate();
        let watched = subjects
            .filter(|(token, s)| s.open || s.remote.is_some() || constant.binary_search(token).is_ok());
        let targets = watched.map(|(_, s)| Rc::clone(&s.who)).collect();
        self.tell(Event::new(Timestamp::now(), self.elapsed(), What::Armed { targets }))?;
        for token in constant {
            self.show_constant(token)?;
        }
        self.sink.flush("")
    }

    /// Has all lookouts look at a subject. Gives it back if it is one that is always ready and
    /// shall be shown as that.
    fn register(&mut self, token: usize) -> Option<usize> {
        let constant = self.attach(token);
        let subject = &mut self.stage.subjects[token];
        if !subject.open
            && subject.process().is_some()
            && let Some(number) = subject.number.take()
        {
            self.stage.numbers.give_back(number);
        }
        constant
    }

    fn attach(&mut self, token: usize) -> Option<usize> {
        let subject = &mut self.stage.subjects[token];
        let follows = subject.process().is_some_and(|p| self.stage.processes[p].follow);
        let refuse = |subject: &mut Subject, reason: &str| {
            subject.open = false;
            if !follows {
                let target = subject.who.target.escape_ascii();
                complain(&format!("{target}: {reason}"));
            }
            !follows
        };
        if subject.process().is_some() && subject.who.kind == "signalfd" {
            let reason = "a signalfd shows whoever asks his own signals, and not those of its process: \
                          it cannot be watched from outside";
            self.stage.failed |= refuse(subject, reason);
            return None;
        }
        let foreign = subject.process().is_some();
        if foreign {
            let epolls: Vec<_> = self.lookouts.iter().filter_map(Lookout::fd).collect();
            subject.number = if epolls.is_empty() { None } else { self.stage.numbers.take(&epolls) };
        }
        let mut refusals = Vec::new();
        for lookout in &mut self.lookouts {
            match lookout.register(token, subject, &self.stage.donors) {
                Ok(()) => {}
                Err(RegisterError::Refused { what: Feature::Files, .. }) if self.bounds.auto => {
                    subject.open = false;
                    return (!follows).then_some(token);
                }
                Err(RegisterError::Io(e)) if e.raw_os_error() == Some(libc::EBADF) => subject.open = false,
                Err(e) => {
                    // Who has not registered it cannot tell whether it is closed.
                    if let (Some(_), Some(number)) = (lookout.fd(), subject.number.take_if(|_| foreign)) {
                        self.stage.numbers.give_back(number);
                    }
                    refusals.push(e.to_string());
                }
            }
        }
        // Those that can go on: that one cannot is what is to be seen.
        let all = refusals.len() == self.lookouts.len();
        for reason in refusals {
            if all {
                self.stage.failed |= refuse(subject, &reason);
            } else if !follows {
                complain(&format!("{}: {reason}", subject.who.target.escape_ascii()));
            }
        }
        None
    }

    /// What epoll refuses, as poll sees it: it will never be otherwise.
    fn show_constant(&mut self, token: usize) -> Result<(), Error> {
        let mut poll = Lookout::new(Backend::Poll, Trigger::Level).map_err(refused)?;
        let subject = &mut self.stage.subjects[token];
        if poll.register(token, subject, &self.stage.donors).is_err() {
            return Ok(());
        }
        subject.open = true;
        let sights = poll.look(Some(Duration::ZERO), &self.stage.subjects, &self.stage.donors);
        // To be read, it is not over yet.
        let drained = self.stage.subjects[token].drained;
        self.stage.subjects[token].open = drained;
        self.drained |= drained;
        for (seen, sight) in sights.map_err(refused)? {
            if let Sight::Ready { readiness, raw } = sight
                && seen == token
            {
                let seen = Seen { selector: "poll", trigger: "level", readiness, raw };
                let subject = &mut self.stage.subjects[token];
                subject.trackers[0].level(readiness, Instant::now());
                let who = Rc::clone(&subject.who);
                self.tell(self.event(What::Ready, &who).seen(seen))?;
            }
        }
        Ok(())
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
        if let Some(end) = self.hear(events)? {
            return Ok(Some(end));
        }
        if !blocks && self.may_look() {
            self.look(Some(Duration::ZERO))?;
            self.look_again()?;
        }
        // What has failed is tried again, not read to its end.
        self.look_for_failed()?;
        self.drain()?;
        self.look_for_more()?;
        self.look_for_closed()?;
        self.look_for_new()?;
        Ok(None)
    }

    /// Looks once more, soon after something has come. What wakes us up is that it comes, so whoever
    /// takes it at once and gets more soon would otherwise be seen to let it wait all the time.
    fn look_again(&mut self) -> Result<(), Error> {
        if std::mem::take(&mut self.came) && !self.bounds.repeat && !self.stage.processes.is_empty() {
            std::thread::sleep(AGAIN);
            self.look(Some(Duration::ZERO))?;
            self.came = false;
        }
        Ok(())
    }

    /// Whether this is the end.
    fn over(&mut self) -> Result<Option<End>, Error> {
        if self.end.is_some() {
            return Ok(self.end);
        }
        if self.bounds.timeout.is_some_and(|timeout| self.started.elapsed() >= timeout) {
            self.tell(Event::new(Timestamp::now(), self.elapsed(), What::Timeout))?;
            return Ok(Some(End::Timeout));
        }
        let watched = self.stage.subjects.iter().any(|s| s.open);
        let followed = self.stage.processes.iter().any(|p| p.follow && !p.ended);
        let retried = self.retries.iter().any(|(_, at)| at.is_some());
        Ok((!watched && !followed && !retried).then_some(End::Gone { ended: self.ended }))
    }

    /// Whether it is time to look: always, unless every return is shown.
    fn may_look(&mut self) -> bool {
        let now = Instant::now();
        let may = !self.bounds.repeat || now >= self.next_return;
        if may {
            self.next_return = now + self.bounds.interval;
        }
        may
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

    /// Has every lookout look, and tells what has changed.
    fn look(&mut self, timeout: Option<Duration>) -> Result<(), Error> {
        let mut changes: Vec<Sighting> = Vec::new();
        let mut closed = Vec::new();
        for i in 0..self.lookouts.len() {
            let lookout = &mut self.lookouts[i];
            // The first waits for all.
            let timeout = if i == 0 { timeout } else { Some(Duration::ZERO) };
            let sights = lookout.look(timeout, &self.stage.subjects, &self.stage.donors).map_err(refused)?;
            let now = Instant::now();
            let level = lookout.trigger == Trigger::Level;
            let before = std::mem::take(&mut lookout.ready);
            let mut ready = Vec::with_capacity(sights.len());
            for (token, sight) in sights {
                let Some(subject) = self.stage.subjects.get_mut(token).filter(|s| s.open) else { continue };
                let (readiness, raw) = match sight {
                    Sight::Ready { readiness, raw } => (readiness, raw),
                    Sight::Closed { reused } => {
                        closed.push((token, reused));
                        continue;
                    }
                };
                if self.bounds.repeat {
                    subject.trackers[i].level(readiness, now);
                    let change = Change::Ready;
                    changes.push(Sighting { subject: token, lookout: i, change, readiness, raw });
                } else if level {
                    let told = subject.trackers[i].level(readiness, now);
                    changes.extend(told.into_iter().flatten().map(|change| Sighting {
                        subject: token,
                        lookout: i,
                        change,
                        readiness,
                        raw,
                    }));
                } else if let Some(change) = subject.trackers[i].edge(readiness) {
                    changes.push(Sighting { subject: token, lookout: i, change, readiness, raw });
                }
                ready.push(token);
            }
            if level {
                ready.sort_unstable();
                for token in before.into_iter().filter(|t| ready.binary_search(t).is_err()) {
                    // A registration ends without an event: that is no clear.
                    let gone = self.stage.closed(token, lookout.fd());
                    if let Some(reused) = gone {
                        closed.push((token, reused));
                        continue;
                    }
                    if closed.iter().any(|(other, _)| *other == token) {
                        continue;
                    }
                    let subject = &mut self.stage.subjects[token];
                    let nothing = Readiness::default();
                    let told = subject.trackers[i].level(nothing, now);
                    if subject.open && !self.bounds.repeat {
                        changes.extend(told.into_iter().flatten().map(|change| Sighting {
                            subject: token,
                            lookout: i,
                            change,
                            readiness: nothing,
                            raw: Some(0),
                        }));
                    }
                }
            }
            self.lookouts[i].ready = ready;
        }
        self.tell_changes(changes)?;
        for (token, reused) in closed {
            self.close(token, reused)?;
        }
        Ok(())
    }

    fn tell_changes(&mut self, mut changes: Vec<Sighting>) -> Result<(), Error> {
        self.came |= changes.iter().any(|c| !matches!(c.change, Change::Clear { .. }));
        if !changes.is_empty() {
            self.changed = Instant::now();
        }
        if self.bounds.together {
            // One line an fd, whatever number of selectors has seen a change: the worst of them.
            let rank = |change| match change {
                Change::Error => 0,
                Change::Hup => 1,
                Change::Ready => 2,
                Change::Clear { .. } => 3,
            };
            changes.sort_by_key(|c| (c.subject, rank(c.change), c.lookout));
            changes.dedup_by_key(|c| c.subject);
        }
        for Sighting { subject: token, lookout, change, readiness, raw } in changes {
            let what = match change {
                Change::Ready => What::Ready,
                Change::Hup => What::Hup,
                Change::Error => What::Error,
                Change::Clear { ready_for, .. } => What::Clear { ready_for },
            };
            let facts = self.facts(token, &what, readiness);
            let seen = self.seen(lookout, readiness, raw);
            let who = Rc::clone(&self.stage.subjects[token].who);
            let mut event = self.event(what, &who).seen(seen).facts(facts);
            if self.bounds.together {
                let subject = &self.stage.subjects[token];
                let view = |(l, t): (&Lookout, &crate::watch::Tracker)| (l.backend.name(), t.readiness());
                event.views = self.lookouts.iter().zip(&subject.trackers).map(view).collect();
            }
            self.tell(event)?;
        }
        Ok(())
    }

    fn seen(&self, lookout: usize, readiness: Readiness, raw: Option<u32>) -> Seen {
        let lookout = &self.lookouts[lookout];
        Seen { selector: lookout.backend.name(), trigger: lookout.trigger.name(), readiness, raw }
    }

    /// What the fd says of itself, and what that adds to what is known of it.
    fn facts(&mut self, token: usize, what: &What, readiness: Readiness) -> Facts {
        let subject = &mut self.stage.subjects[token];
        if matches!(what, What::Clear { .. }) {
            if !readiness.contains(Readiness::IN) {
                subject.clear_bytes();
            }
            return Facts::default();
        }
        let has_error = readiness.contains(Readiness::ERR);
        let facts = subject.facts(&self.stage.donors, self.system.root(), has_error);
        subject.note_bytes(facts.readable_bytes);
        subject.tell_bytes();
        facts
    }

    /// Tells of subjects that have more to read than was told.
    fn look_for_more(&mut self) -> Result<(), Error> {
        let Some(lookout) = self.lookouts.iter().position(|l| l.trigger == Trigger::Level) else {
            return Ok(());
        };
        let ready = std::mem::take(&mut self.lookouts[lookout].ready);
        for n in 0..ready.len().min(SHARE) {
            let token = ready[(self.next_more + n) % ready.len()];
            let subject = &mut self.stage.subjects[token];
            let readable = subject.trackers[lookout].readiness().contains(Readiness::IN);
            if !readable || !subject.open || !subject.has_bytes() {
                continue;
            }
            let Some(bytes) = subject.readable_bytes(&self.stage.donors) else { continue };
            subject.note_bytes(Some(bytes));
            if subject.has_more() && subject.may_tell_more(MORE) && !self.bounds.repeat {
                let readiness = subject.trackers[lookout].readiness();
                let who = Rc::clone(&subject.who);
                let facts = Facts { readable_bytes: Some(bytes), ..Facts::default() };
                let seen = self.seen(lookout, readiness, None);
                self.tell(self.event(What::More, &who).seen(seen).facts(facts))?;
            }
        }
        self.next_more = self.next_more.wrapping_add(SHARE) % ready.len().max(1);
        self.lookouts[lookout].ready = ready;
        Ok(())
    }

    /// Asks some of the subjects whether they are still what was registered. The kernel goes
    /// through all that is registered for that.
    fn look_for_closed(&mut self) -> Result<(), Error> {
        let began = Instant::now();
        let Some(epoll) = self.lookouts.iter().find_map(Lookout::fd).filter(|_| began >= self.check) else {
            return Ok(());
        };
        let count = self.stage.subjects.len();
        let mut closed = Vec::new();
        let mut asked = 0;
        while asked < count && (asked % 16 != 0 || began.elapsed() < CHECK) {
            let token = (self.next_check + asked) % count;
            closed.extend(self.stage.closed(token, Some(epoll)).map(|reused| (token, reused)));
            asked += 1;
        }
        self.next_check = (self.next_check + asked) % count.max(1);
        self.hurried = self.hurried.saturating_sub(asked);
        let pause = if self.hurried > 0 { 0 } else { UNCHECKED };
        let now = Instant::now();
        self.check = now + self.bounds.interval.max((now - began) * pause);
        for (token, reused) in closed {
            self.close(token, reused)?;
        }
        Ok(())
    }

    /// A subject is closed by its owner.
    fn close(&mut self, token: usize, reused: bool) -> Result<(), Error> {
        let subject = &mut self.stage.subjects[token];
        if !std::mem::replace(&mut subject.open, false) {
            return Ok(());
        }
        if let Some(number) = subject.number.take() {
            self.stage.numbers.give_back(number);
        }
        self.ended = true;
        let now = Instant::now();
        subject.trackers.iter_mut().for_each(|t| t.end(now));
        let who = Rc::clone(&subject.who);
        // Its number may be another's now or soon, and there may be another in its place.
        if let (Some(process), Some(fd)) = (subject.process(), who.fd) {
            self.stage.processes[process].forget(fd);
        }
        self.tell(self.event(What::Closed { reused }, &who))
    }

    /// Takes in what followed processes have opened since.
    fn look_for_new(&mut self) -> Result<(), Error> {
        let now = Instant::now();
        if now < self.follow {
            return Ok(());
        }
        self.follow = now + FOLLOW.max(self.bounds.interval);
        for index in 0..self.stage.processes.len() {
            let process = &mut self.stage.processes[index];
            if process.ended {
                continue;
            }
            let changed = process.has_changed(self.system);
            if changed {
                (self.hurried, self.check) = (self.stage.subjects.len(), now);
            }
            if !process.follow || !(changed || process.is_due()) {
                continue;
            }
            let Ok(found) = process.list(None, self.system.root()) else { continue };
            let wishes = Wishes { events: self.bounds.events, lookouts: self.lookouts.len(), retries: false };
            for one in found {
                let token = self.stage.subjects.len();
                self.stage.subjects.push(Subject::foreign(one.who, index, one.want, wishes));
                self.register(token);
                let subject = &self.stage.subjects[token];
                if subject.open {
                    let who = Rc::clone(&subject.who);
                    self.tell(self.event(What::Opened, &who))?;
                }
            }
        }
        Ok(())
    }

    /// Reads what has come on our own fds.
    fn drain(&mut self) -> Result<(), Error> {
        self.drained = false;
        if !self.bounds.drains {
            return Ok(());
        }
        for token in 0..self.stage.subjects.len() {
            let subject = &mut self.stage.subjects[token];
            let readable = subject.trackers.iter().any(|t| {
                t.readiness().intersects(Readiness::IN | Readiness::HUP | Readiness::ERR | Readiness::RDHUP)
            });
            let reads = subject.open && subject.drained && readable;
            let Some(fd) = subject.own_fd().filter(|_| reads) else { continue };
            let tee = self.tee.as_mut().map(|t| &mut **t as &mut dyn Write);
            let drained = drain(fd, &mut self.buffer, tee).map_err(Error::Output)?;
            let (bytes, ends) = match drained {
                Drained::Some(bytes) | Drained::Dry(bytes) => (bytes, false),
                Drained::End(bytes) => (bytes, true),
                Drained::Never => {
                    subject.drained = false;
                    continue;
                }
            };
            subject.bytes += bytes;
            subject.clear_bytes();
            self.drained |= bytes > 0;
            if ends {
                self.finish_own(token, true)?;
                continue;
            }
            for lookout in &mut self.lookouts {
                match lookout.trigger {
                    Trigger::Oneshot => lookout.rearm(token, &self.stage.subjects[token]),
                    // What was told is read: it is over.
                    Trigger::Edge if drained == Drained::Dry(bytes) => {
                        for tracker in &mut self.stage.subjects[token].trackers {
                            tracker.end(Instant::now());
                        }
                    }
                    _ => {}
                }
            }
        }
        if let Some(tee) = &mut self.tee {
            tee.flush().map_err(Error::Output)?;
        }
        Ok(())
    }

    /// Connections of our own that have failed are over, or begun again.
    fn look_for_failed(&mut self) -> Result<(), Error> {
        let now = Instant::now();
        for token in 0..self.stage.subjects.len() {
            let subject = &mut self.stage.subjects[token];
            if subject.remote.is_none() {
                continue;
            }
            let readiness = subject.trackers.iter().fold(Readiness::EMPTY, |all, t| all | t.readiness());
            if subject.open && readiness.intersects(Readiness::ERR) {
                // Another address of the host at once, and the first again after a while.
                let again = self.bounds.retry.map(|retry| now + retry);
                self.retries.push((token, subject.next_address.map(|_| now).or(again)));
                self.finish_own(token, false)?;
            } else if subject.open && readiness.intersects(Readiness::OUT) {
                // It is connected.
                subject.remote = None;
            }
        }
        let due = |(_, at): &(usize, Option<Instant>)| at.is_some_and(|at| at <= now);
        for (token, _) in self.retries.extract_if(.., |r| due(r)).collect::<Vec<_>>() {
            let subject = &mut self.stage.subjects[token];
            let Some(remote) = &subject.remote else { continue };
            match connect(remote, subject.next_address.unwrap_or(0)) {
                Ok(begun) => {
                    subject.next_address = begun.next;
                    subject.replace(begun.fd);
                    self.register(token);
                }
                // As if it had been refused.
                Err(_) => self.retries.push((token, self.bounds.retry.map(|retry| now + retry))),
            }
        }
        Ok(())
    }

    /// Nothing will come on an fd of our own any more.
    fn finish_own(&mut self, token: usize, tells: bool) -> Result<(), Error> {
        for lookout in &mut self.lookouts {
            lookout.deregister(token, &self.stage.subjects[token]);
            lookout.ready.retain(|t| *t != token);
        }
        let subject = &mut self.stage.subjects[token];
        subject.open = false;
        let now = Instant::now();
        subject.trackers.iter_mut().for_each(|t| t.end(now));
        let who = Rc::clone(&subject.who);
        if tells { self.tell(self.event(What::End, &who)) } else { Ok(()) }
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

    fn exit(&mut self, index: usize) -> Result<(), Error> {
        let process = &mut self.stage.processes[index];
        if std::mem::replace(&mut process.ended, true) {
            return Ok(());
        }
        self.ended = true;
        let who = Who {
            target: process.target.clone(),
            pid: Some(process.pid),
            command: None,
            fd: None,
            kind: String::new(),
            name: Vec::new(),
        };
        let now = Instant::now();
        for subject in self.stage.subjects.iter_mut().filter(|s| s.process() == Some(index)) {
            subject.open = false;
            if let Some(number) = subject.number.take() {
                self.stage.numbers.give_back(number);
            }
            subject.trackers.iter_mut().for_each(|t| t.end(now));
        }
        self.tell(self.event(What::Exited, &Rc::new(who)))
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
        self.told += 1;
        let readiness = event.seen.map(|seen| seen.readiness).unwrap_or_default();
        let met = self.bounds.until.is_some_and(|until| until.is_met_by(event.name(), readiness));
        if met || self.bounds.count.is_some_and(|count| self.told >= count) {
            self.end = Some(End::Met);
        }
        Ok(())
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
        self.sink.finish()
    }

    /// Whether a target was not there, or could not be watched.
    pub(super) fn failed(&self) -> bool {
        self.stage.failed
    }
}

fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "fdscope: {}", neutralise(text));
}

fn refused(error: io::Error) -> Error {
    Error::Refused(format!("cannot wait for events: {error}"))
}
