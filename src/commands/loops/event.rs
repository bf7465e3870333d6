//! What `loops` prints: events, and the fields that they have.

use crate::commands::cells::{seconds, text};
use crate::model::{Cell, Column, Emphasis, FdNum, Field, Pid, Record, Value, column_table};
use crate::watch::turning::Totals;
use jiff::Timestamp;
use std::rc::Rc;
use std::time::Duration;

/// Something that was seen of a loop, or of its process.
pub(super) struct Event {
    pub(super) time: Timestamp,
    stamp: String,
    pub(super) elapsed: Duration,
    pub(super) what: What,
    pub(super) who: Rc<Who>,
    /// The fds that it is about.
    pub(super) fds: Vec<Fd>,
    /// How many there are, should not all be in `fds`.
    pub(super) fds_total: usize,
    /// Them, as records.
    fd_values: Vec<Value>,
    /// The thread that serves the loop, and what it does.
    pub(super) hand: Option<Hand>,
    /// What shows that the loop goes on, or does not.
    pub(super) progress: Option<String>,
    since: Option<String>,
}

/// What it is.
#[derive(Debug)]
pub(super) enum What {
    /// A loop, as it is now.
    Loop(Box<Description>),
    /// It does not go on.
    Stalled { lasted: Duration },
    /// It goes on again.
    Recovered { lasted: Duration },
    /// It leaves something unserved that is ready all the time.
    Spinning { lasted: Duration, turns: bool },
    /// The loop is there no more.
    Closed,
    /// The process has ended.
    Exited,
    /// How it went.
    Summary(Box<Summary>),
}

/// Whose it is.
#[derive(Debug)]
pub(super) struct Who {
    pub(super) pid: Pid,
    pub(super) command: Vec<u8>,
    /// With what it waits: epoll, poll, select, io_uring.
    pub(super) selector: Option<&'static str>,
    /// Its epoll fd.
    pub(super) epoll: Option<FdNum>,
    /// Its thread, where that is what it is known by.
    pub(super) tid: Option<Pid>,
}

/// A loop at one moment.
#[derive(Debug, Default)]
pub(super) struct Description {
    /// Other numbers of its epoll fd.
    pub(super) also: Vec<FdNum>,
    pub(super) also_values: Vec<Value>,
    /// Whether something waits for it; nothing where that is not known.
    pub(super) ready: Option<bool>,
    /// Whether it can be judged, and why not.
    pub(super) note: Option<String>,
    /// The threads that wait in it: ids and names.
    pub(super) threads: Vec<(Pid, Vec<u8>)>,
    pub(super) thread_values: Vec<Value>,
    /// How many fds of each kind it watches.
    pub(super) kinds: Vec<(String, usize)>,
    pub(super) kind_values: Vec<Value>,
    pub(super) stale: usize,
    pub(super) registrations: Vec<Watched>,
    pub(super) registration_values: Vec<Value>,
    /// Whether lines show all of them, or none.
    pub(super) shown: Shown,
}

/// How many registrations lines show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Shown {
    /// None.
    #[default]
    Nothing,
    /// Some.
    Some,
    /// All.
    All,
}

/// A registration.
#[derive(Clone, Debug)]
pub(super) struct Watched {
    pub(super) fd: FdNum,
    pub(super) kind: String,
    pub(super) name: Vec<u8>,
    pub(super) events: String,
    pub(super) data: u64,
    /// What is in force; nothing where it was not asked.
    pub(super) now: Option<String>,
    pub(super) stale: Option<bool>,
    /// Whether it may have the loop spin.
    pub(super) suspect: bool,
}

/// An fd that an event is about.
#[derive(Clone, Debug)]
pub(super) struct Fd {
    pub(super) fd: FdNum,
    pub(super) kind: String,
    pub(super) name: Vec<u8>,
    pub(super) readiness: String,
    /// What waits in it.
    pub(super) waiting: Option<(&'static str, u64)>,
    /// For how long it has waited, or the longest that it did.
    pub(super) waited: Option<Duration>,
    /// How often it did.
    pub(super) waits: Option<u64>,
}

/// A thread.
#[derive(Clone, Debug)]
pub(super) struct Hand {
    pub(super) tid: Pid,
    pub(super) name: Vec<u8>,
    /// What it does, in words.
    pub(super) doing: Vec<u8>,
    /// The system call that it is in.
    pub(super) call: Option<String>,
    /// Its share of a CPU meanwhile, and of the time that it was ready for one without one, in percent.
    pub(super) cpu: Option<f64>,
    pub(super) queued: Option<f64>,
    /// Whether it was seen to wait in the loop, rather than guessed.
    pub(super) certain: bool,
}

/// How it went with a loop.
#[derive(Clone, Debug)]
pub(super) struct Summary {
    /// How far apart looks are.
    pub(super) interval: Duration,
    pub(super) totals: Totals,
    /// Why it could not be judged, where it could not, or not all the time.
    pub(super) note: Option<String>,
    /// Whether it could for most of the time, so that its figures are worth something.
    pub(super) partly: bool,
}

impl Event {
    /// An event of a loop or a process.
    pub(super) fn new(time: Timestamp, elapsed: Duration, who: &Rc<Who>, what: What) -> Self {
        Self {
            time,
            stamp: format!("{time:.6}"),
            elapsed,
            what,
            who: Rc::clone(who),
            fds: Vec::new(),
            fds_total: 0,
            fd_values: Vec::new(),
            hand: None,
            progress: None,
            since: None,
        }
    }

    /// About these fds, of so many.
    pub(super) fn fds(mut self, fds: Vec<Fd>, total: usize) -> Self {
        self.fd_values = fds.iter().map(Fd::record).collect();
        (self.fds, self.fds_total) = (fds, total);
        self
    }

    /// Which began so long before.
    pub(super) fn began(mut self, before: Duration) -> Self {
        let since = jiff::SignedDuration::try_from(before).ok().and_then(|d| self.time.checked_sub(d).ok());
        self.since = since.map(|since| format!("{since:.6}"));
        self
    }

    pub(super) fn hand(mut self, hand: Option<Hand>) -> Self {
        self.hand = hand;
        self
    }

    pub(super) fn progress(mut self, progress: impl Into<String>) -> Self {
        self.progress = Some(progress.into());
        self
    }

    /// Its name.
    pub(super) fn name(&self) -> &'static str {
        match &self.what {
            What::Loop(_) => "loop",
            What::Stalled { .. } => "stalled",
            What::Recovered { .. } => "recovered",
            What::Spinning { .. } => "spinning",
            What::Closed => "closed",
            What::Exited => "exited",
            What::Summary(_) => "summary",
        }
    }

    fn description(&self) -> Option<&Description> {
        if let What::Loop(description) = &self.what { Some(description) } else { None }
    }

    fn summary(&self) -> Option<&Summary> {
        if let What::Summary(summary) = &self.what { Some(summary) } else { None }
    }

    fn totals(&self) -> Option<&Totals> {
        self.summary()
            .filter(|summary| summary.note.is_none() || summary.partly)
            .map(|summary| &summary.totals)
    }

    fn lasted(&self) -> Option<Duration> {
        match self.what {
            What::Stalled { lasted } | What::Recovered { lasted } | What::Spinning { lasted, .. } => {
                Some(lasted)
            }
            _ => None,
        }
    }

    fn note(&self) -> Option<&str> {
        match &self.what {
            What::Loop(description) => description.note.as_deref(),
            What::Summary(summary) => summary.note.as_deref(),
            _ => None,
        }
    }
}

impl Description {
    /// Fills in what programs are shown.
    pub(super) fn finish(mut self) -> Self {
        let thread = |(tid, name): &(Pid, Vec<u8>)| {
            Value::Map(vec![("tid", tid.0.into()), ("name", name.clone().into())])
        };
        self.thread_values = self.threads.iter().map(thread).collect();
        let kind = |(kind, count): &(String, usize)| {
            Value::Map(vec![("kind", kind.clone().into()), ("count", (*count as u64).into())])
        };
        self.kind_values = self.kinds.iter().map(kind).collect();
        self.also_values = self.also.iter().map(|fd| fd.0.into()).collect();
        self.registration_values = self.registrations.iter().map(Watched::record).collect();
        self
    }
}

impl Watched {
    fn record(&self) -> Value {
        let names = |text: &str| Value::texts(text.split(',').filter(|n| !n.is_empty()));
        Value::Map(vec![
            ("fd", self.fd.0.into()),
            ("kind", self.kind.clone().into()),
            ("name", self.name.clone().into()),
            ("events", names(&self.events)),
            ("data", self.data.into()),
            ("readiness", self.now.as_deref().map_or(Value::Null, names)),
            ("stale", self.stale.into()),
            ("suspect", self.suspect.into()),
        ])
    }
}

impl Fd {
    fn record(&self) -> Value {
        let mut record = vec![
            ("fd", Value::from(self.fd.0)),
            ("kind", self.kind.clone().into()),
            ("name", self.name.clone().into()),
        ];
        if !self.readiness.is_empty() {
            record.push(("readiness", Value::texts(self.readiness.split(','))));
        }
        if let Some((what, amount)) = self.waiting {
            record.push((what, amount.into()));
        }
        if let Some(waited) = self.waited {
            record.push(("waited", waited.as_secs_f64().into()));
        }
        if let Some(waits) = self.waits {
            record.push(("waits", waits.into()));
        }
        Value::Map(record)
    }
}

impl Record for Event {
    fn emphasis(&self) -> Emphasis {
        match &self.what {
            What::Stalled { .. } => Emphasis::Alarm,
            What::Spinning { .. } | What::Closed | What::Exited => Emphasis::Notice,
            _ => Emphasis::None,
        }
    }
}

fn count(n: u64) -> Option<Cell<'static>> {
    Some(Cell::Uint(n))
}

/// The fields, in the order of JSON and TSV.
pub(super) const COLUMNS: &[Column<Event>] = column_table! {
    "event", String, "what was seen: see EVENTS", |e| text(e.name().as_bytes());
    "time", String, "when it was seen, in UTC (RFC 3339), to the microsecond", |e| text(e.stamp.as_bytes());
    "elapsed", Duration, "time since fdscope began to look", |e| Some(seconds(e.elapsed));
    "pid", Integer, "process id", |e| Some(Cell::Int(e.who.pid.0.into()));
    "command", String, "command name of the process", |e| text(&e.who.command);
    "selector", String, "what the loop waits with: epoll, poll, select or io_uring",
        |e| e.who.selector.and_then(|s| text(s.as_bytes()));
    "loop", Integer, "number of the epoll fd; null for a loop without one, which its thread tells",
        |e| { e.who.selector?; Some(e.who.epoll.map_or(Cell::Null, |fd| Cell::Int(fd.0.into()))) };
    "thread", Integer, "id of the thread that serves the loop, where it is known",
        |e| Some(Cell::Int(e.hand.as_ref().map(|hand| hand.tid).or(e.who.tid)?.0.into()));
    "thread_name", String, "name of that thread", |e| text(&e.hand.as_ref()?.name);
    "thread_certain", Bool, "whether that thread was seen to wait in the loop; if not, it is the only one \
        that may serve it", |e| Some(Cell::Bool(e.hand.as_ref()?.certain));
    "since", String, "when it began, as far as it was seen, in UTC (RFC 3339)", |e| text(e.since.as_ref()?.as_bytes());
    "lasted", Duration, "for how long it has lasted, or did", |e| Some(seconds(e.lasted()?));
    "fds", Records, "what waits for the loop, that which waits longest first: fd, kind, name, readiness, bytes \
        or connections, and for how long it has waited; of summary the ones that waited longest, with \
        the longest of their waits",
        |e| (!e.fd_values.is_empty()).then_some(Cell::List(&e.fd_values));
    "fds_total", Integer, "how many wait, of which fds has the first",
        |e| (e.fds_total > 0).then_some(Cell::Uint(e.fds_total as u64));
    "doing", String, "what the thread does meanwhile, in words", |e| text(&e.hand.as_ref()?.doing);
    "call", String, "the system call that it is in; null if it runs",
        |e| Some(e.hand.as_ref()?.call.as_ref().map_or(Cell::Null, |call| Cell::Text(call.as_bytes())));
    "cpu_percent", Number, "CPU time that the thread used meanwhile, of one CPU",
        |e| Some(Cell::Float(e.hand.as_ref()?.cpu?));
    "delay_percent", Number, "share of the time in which it was ready for a CPU without one",
        |e| Some(Cell::Float(e.hand.as_ref()?.queued?));
    "progress", String, "what shows that the loop goes on, or does not", |e| text(e.progress.as_ref()?.as_bytes());
    "turns", Bool, "of spinning, whether the loop was seen to serve others meanwhile",
        |e| if let What::Spinning { turns, .. } = e.what { Some(Cell::Bool(turns)) } else { None };
    "ready", Bool, "whether something waits for the loop now; null where that cannot be asked",
        |e| Some(e.description()?.ready.map_or(Cell::Null, Cell::Bool));
    "threads", Records, "the threads that wait in it now: tid, name",
        |e| Some(Cell::List(&e.description()?.thread_values));
    "duplicates", List, "other numbers of the same epoll fd, which `dup`(2) gave",
        |e| Some(Cell::List(&e.description()?.also_values));
    "watches", Integer, "how many fds it watches", |e| count(e.description()?.registrations.len() as u64);
    "kinds", Records, "how many of each kind: kind, count", |e| Some(Cell::List(&e.description()?.kind_values));
    "stale", Integer, "registrations whose fd is closed or is something else now",
        |e| count(e.description()?.stale as u64);
    "registrations", Records, "each that it watches: fd, kind, name, events, data, readiness (null where it was \
        not asked), stale (null where not known), suspect (ready with nothing to be read)",
        |e| Some(Cell::List(&e.description()?.registration_values));
    "note", String, "why the loop cannot be judged, or not all of it", |e| text(e.note()?.as_bytes());
    "idle", Duration, "time in which nothing waited for the loop", |e| Some(seconds(e.totals()?.shares.idle));
    "busy", Duration, "time in which something did, and it went on", |e| Some(seconds(e.totals()?.shares.busy));
    "stalled", Duration, "time in which it did not go on", |e| Some(seconds(e.totals()?.shares.stalled));
    "stalls", Integer, "how many stalls there were", |e| count(e.totals()?.stalls.number());
    "stall_longest", Duration, "the longest of them", |e| Some(seconds(e.totals()?.stalls.longest()?));
    "spins", Integer, "fds that it left unserved though it turned", |e| count(e.totals()?.spins);
    "waits", Integer, "how often an fd was seen to wait for it", |e| count(e.totals()?.waits.number());
    "wait_longest", Duration, "the longest from being ready to being served", |e| Some(seconds(e.totals()?.waits.longest()?));
    "wait_median", Duration, "half of those that were seen were no longer", |e| Some(seconds(e.totals()?.waits.median()?));
};

/// The fields of `loops`, for the manual.
pub(in crate::commands) fn fields() -> impl Iterator<Item = &'static Field> {
    COLUMNS.iter().map(|c| c.field)
}
