//! What `watch` prints: events, and the fields that they have.

use crate::commands::cells::{seconds, text};
use crate::model::{Cell, Column, Emphasis, FdNum, Field, Pid, Readiness, Record, column_table};
use crate::watch::{Change, Durations};
use jiff::Timestamp;
use std::rc::Rc;
use std::time::Duration;

/// Something that happened.
pub(super) struct Event {
    pub(super) time: Timestamp,
    stamp: String,
    pub(super) elapsed: Duration,
    pub(super) what: What,
    /// The fd it happened to, if it did to one.
    pub(super) who: Option<Rc<Who>>,
    pub(super) seen: Option<Seen>,
    pub(super) facts: Facts,
    /// What each of several selectors sees, where one event is of all of them.
    pub(super) views: Vec<(&'static str, Readiness)>,
}

/// What happened.
#[derive(Clone, Debug)]
pub(super) enum What {
    /// All targets are registered.
    Armed {
        targets: Vec<Rc<Who>>,
    },
    /// The process has opened it since.
    Opened,
    Ready,
    /// More has come while it was ready.
    More,
    Clear {
        ready_for: Duration,
    },
    Hup,
    Error,
    /// It is closed, or its number is another's now.
    Closed {
        reused: bool,
    },
    /// There is nothing more to read, and never will be, or it cannot be read.
    End,
    /// The process has ended.
    Exited,
    Timeout,
    Summary(Box<Summary>),
}

/// An fd that is watched.
#[derive(Debug)]
pub(super) struct Who {
    /// The target, as it was typed.
    pub(super) target: Vec<u8>,
    /// `None` for our own.
    pub(super) pid: Option<Pid>,
    pub(super) command: Option<Vec<u8>>,
    /// `None` where it is all of a process.
    pub(super) fd: Option<FdNum>,
    pub(super) kind: String,
    pub(super) name: Vec<u8>,
}

/// What a selector says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) selector: &'static str,
    pub(super) trigger: &'static str,
    pub(super) readiness: Readiness,
    /// Its own bits.
    pub(super) raw: Option<u32>,
}

/// What can be asked of an fd without consuming anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) readable_bytes: Option<u64>,
    pub(super) unsent_bytes: Option<u64>,
    /// Connections that wait to be accepted.
    pub(super) queue: Option<u64>,
    /// Expirations of a timerfd, or the count of an eventfd.
    pub(super) count: Option<u64>,
    pub(super) socket_error: Option<String>,
    /// Why it cannot be read any more.
    pub(super) read_error: Option<String>,
}

/// How it went with one fd under one selector.
#[derive(Clone, Debug)]
pub(super) struct Summary {
    pub(super) transitions: u64,
    pub(super) durations: Durations,
    pub(super) bytes: u64,
}

impl What {
    /// What it is called.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Armed { .. } => "armed",
            Self::Opened => "opened",
            Self::Ready => "ready",
            Self::More => "more",
            Self::Clear { .. } => "clear",
            Self::Hup => "hup",
            Self::Error => "error",
            Self::Closed { .. } => "closed",
            Self::End => "end",
            Self::Exited => "exited",
            Self::Timeout => "timeout",
            Self::Summary(_) => "summary",
        }
    }
}

impl From<Change> for What {
    fn from(change: Change) -> Self {
        match change {
            Change::Ready => Self::Ready,
            Change::Hup => Self::Hup,
            Change::Error => Self::Error,
            Change::Clear { ready_for, .. } => Self::Clear { ready_for },
        }
    }
}

impl Event {
    /// An event that is no fd's, or whose fd is added.
    pub(super) fn new(time: Timestamp, elapsed: Duration, what: What) -> Self {
        let stamp = format!("{time:.6}");
        Self { time, stamp, elapsed, what, who: None, seen: None, facts: Facts::default(), views: Vec::new() }
    }

    /// Of this fd.
    pub(super) fn of(mut self, who: &Rc<Who>) -> Self {
        self.who = Some(Rc::clone(who));
        self
    }

    /// As a selector saw it.
    pub(super) fn seen(mut self, seen: Seen) -> Self {
        self.seen = Some(seen);
        self
    }

    /// With what the fd says of itself.
    pub(super) fn facts(mut self, facts: Facts) -> Self {
        self.facts = facts;
        self
    }

    /// Its name.
    pub(super) fn name(&self) -> &'static str {
        self.what.name()
    }

    fn who(&self) -> Option<&Who> {
        self.who.as_deref()
    }

    fn summary(&self) -> Option<&Summary> {
        if let What::Summary(summary) = &self.what { Some(summary) } else { None }
    }
}

impl Record for Event {
    fn emphasis(&self) -> Emphasis {
        match &self.what {
            What::Error => Emphasis::Alarm,
            What::End if self.facts.read_error.is_some() => Emphasis::Alarm,
            What::Hup | What::Closed { .. } | What::Exited | What::Timeout => Emphasis::Notice,
            _ => Emphasis::None,
        }
    }
}

/// The fields, in the order of JSON and TSV.
pub(super) const COLUMNS: &[Column<Event>] = column_table! {
    "event", String, "what happened: see EVENTS", |e| text(e.name().as_bytes());
    "time", String, "when it was observed, in UTC (RFC 3339), to the microsecond", |e| text(e.stamp.as_bytes());
    "elapsed", Duration, "time since fdscope began to watch", |e| Some(seconds(e.elapsed));
    "target", String, "the target, as it was typed", |e| text(&e.who()?.target);
    "pid", Integer, "process id; absent for fdscope's own fds", |e| Some(Cell::Int(e.who()?.pid?.0.into()));
    "command", String, "command name of the process", |e| e.who()?.command.as_deref().and_then(text);
    "fd", Integer, "number of the fd", |e| Some(Cell::Int(e.who()?.fd?.0.into()));
    "kind", String, "kind of the fd, as in fdscope-list(1)", |e| { let w = e.who()?; w.fd?; text(w.kind.as_bytes()) };
    "name", String, "what is known of it, as in fdscope-list(1)", |e| { let w = e.who()?; w.fd?; text(&w.name) };
    "selector", String, "which selector saw it: select, poll, epoll or mio", |e| text(e.seen?.selector.as_bytes());
    "trigger", String, "level, edge or oneshot", |e| text(e.seen?.trigger.as_bytes());
    "readiness", List, "conditions in force: in, out, pri, rdhup, hup, err, nval; others in hex",
        |e| Some(Cell::Set(e.seen?.readiness.set()));
    "raw", Integer, "the selector's own bits; null where it has none",
        |e| Some(e.seen?.raw.map_or(Cell::Null, |raw| Cell::Uint(raw.into())));
    "readable_bytes", Size, "bytes that can be read (FIONREAD)", |e| e.facts.readable_bytes.map(Cell::Uint);
    "unsent_bytes", Size, "bytes that the other end has not taken yet (SIOCOUTQ; of a pipe FIONREAD)", |e| e.facts.unsent_bytes.map(Cell::Uint);
    "queue", Integer, "connections that wait to be accepted", |e| e.facts.queue.map(Cell::Uint);
    "count", Integer, "expirations of a timerfd, or the count of an eventfd", |e| e.facts.count.map(Cell::Uint);
    "socket_error", String, "pending error of a connection that fdscope made (SO_ERROR), as errno(3) has it",
        |e| e.facts.socket_error.as_deref().and_then(|s| text(s.as_bytes()));
    "read_error", String, "why it cannot be read any more (read(2)), as errno(3) has it",
        |e| e.facts.read_error.as_deref().and_then(|s| text(s.as_bytes()));
    "ready_for", Duration, "how long what has gone was in force: of in, how long the owner let it wait",
        |e| if let What::Clear { ready_for } = e.what { Some(seconds(ready_for)) } else { None };
    "reused", Bool, "whether the number of a closed fd is another's now",
        |e| if let What::Closed { reused } = e.what { Some(Cell::Bool(reused)) } else { None };
    "targets", Integer, "how many fds are watched",
        |e| if let What::Armed { targets } = &e.what { Some(Cell::Uint(targets.len() as u64)) } else { None };
    "transitions", Integer, "how many changes were seen", |e| Some(Cell::Uint(e.summary()?.transitions));
    "ready_total", Duration, "time that it was seen ready, in all", |e| Some(seconds(e.summary()?.durations.total()));
    "ready_longest", Duration, "the longest of these times; null if there was none",
        |e| Some(e.summary()?.durations.longest().map_or(Cell::Null, seconds));
    "ready_median", Duration, "the median of these times; null if there was none",
        |e| Some(e.summary()?.durations.median().map_or(Cell::Null, seconds));
    "bytes", Size, "bytes that were seen to arrive, or were drained", |e| Some(Cell::Uint(e.summary()?.bytes));
};

/// The fields, for the manual.
pub(in crate::commands) fn fields() -> impl Iterator<Item = &'static Field> {
    COLUMNS.iter().map(|c| c.field)
}
