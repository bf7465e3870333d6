//! What `listen` prints: events, and the fields that they have.

use crate::commands::cells::{seconds, text};
use crate::listener::Accepted;
use crate::model::{AcceptQueue, Cell, Column, Emphasis, FdNum, Field, Pid, Record, column_table};
use jiff::Timestamp;
use std::time::Duration;

/// Something that happened.
pub(super) struct Event {
    pub(super) time: Timestamp,
    /// The time as programs read it.
    stamp: String,
    elapsed: Duration,
    /// The listener it happened to, if it did to one.
    pub(super) address: Option<Vec<u8>>,
    pub(super) what: What,
    peer: Option<Vec<u8>>,
}

/// What happened.
pub(super) enum What {
    Listening(Listening),
    /// The accept queue is another, or was fuller meanwhile.
    Queue {
        filling: Filling,
        /// Whether `listen(2)` was called again, with another backlog.
        resized: bool,
    },
    Accepted(Accepted),
    /// Connections were refused a place.
    Overflow(Drops),
    /// Accepting fails for want of something.
    Paused {
        error: String,
    },
    Resumed,
    /// The listener is gone, or accepts no more.
    Closed {
        error: Option<String>,
    },
    /// The command was started.
    Started {
        pid: Pid,
        command: Vec<u8>,
    },
    /// The command has ended.
    Exited {
        pid: Pid,
        status: Option<i32>,
        signal: Option<&'static str>,
    },
    Summary(Summary),
}

/// A listener, and what the kernel made of it.
pub(super) struct Listening {
    pub(super) address: Vec<u8>,
    pub(super) fd: Option<FdNum>,
    /// Whose it is, if not our own.
    pub(super) pid: Option<Pid>,
    pub(super) command: Option<Vec<u8>>,
    pub(super) name: Option<Vec<u8>>,
    pub(super) family: &'static str,
    pub(super) socket_type: &'static str,
    pub(super) requested: Option<i32>,
    /// `None` where the kernel does not tell.
    pub(super) queue: Option<AcceptQueue>,
    pub(super) somaxconn: Option<u64>,
    /// Whether it is somebody else's.
    pub(super) foreign: bool,
}

/// How full an accept queue is, and was at most.
#[derive(Clone, Copy)]
pub(super) struct Filling {
    pub(super) queue: AcceptQueue,
    pub(super) peak: u32,
}

/// Connections that found no place, since the start, as two counters have it.
#[derive(Clone, Copy, Default)]
pub(super) struct Drops {
    /// Of this listener.
    pub(super) listener: Option<u64>,
    /// Of all listeners in the network namespace: `ListenOverflows` and `ListenDrops`.
    pub(super) overflows: Option<u64>,
    pub(super) drops: Option<u64>,
}

/// How it went with one listener.
pub(super) struct Summary {
    /// Connections that we accepted; `None` where others accept.
    pub(super) accepted: Option<u64>,
    /// `None` where the kernel does not tell.
    pub(super) filling: Option<Filling>,
    pub(super) full: Option<Duration>,
    pub(super) longest_wait: Option<Duration>,
    pub(super) drops: Drops,
}

impl Event {
    /// An event of this moment.
    pub(super) fn new(time: Timestamp, elapsed: Duration, address: Option<Vec<u8>>, what: What) -> Self {
        let peer = match &what {
            What::Accepted(accepted) => accepted.peer.as_ref().map(crate::listener::SocketAddress::bytes),
            _ => None,
        };
        Self { time, stamp: format!("{time:.6}"), elapsed, address, what, peer }
    }

    /// The address of the other end of an accepted connection.
    pub(super) fn peer(&self) -> Option<&[u8]> {
        self.peer.as_deref()
    }

    fn name(&self) -> &'static str {
        match self.what {
            What::Listening(_) => "listening",
            What::Queue { .. } => "queue",
            What::Accepted(_) => "accepted",
            What::Overflow(_) => "overflow",
            What::Paused { .. } => "paused",
            What::Resumed => "resumed",
            What::Closed { .. } => "closed",
            What::Started { .. } => "started",
            What::Exited { .. } => "exited",
            What::Summary(_) => "summary",
        }
    }

    fn listening(&self) -> Option<&Listening> {
        if let What::Listening(listening) = &self.what { Some(listening) } else { None }
    }

    fn accepted(&self) -> Option<&Accepted> {
        if let What::Accepted(accepted) = &self.what { Some(accepted) } else { None }
    }

    fn summary(&self) -> Option<&Summary> {
        if let What::Summary(summary) = &self.what { Some(summary) } else { None }
    }

    /// Of events that have it: how full the queue is, if that is known.
    fn filling(&self) -> Option<Option<Filling>> {
        match &self.what {
            What::Queue { filling, .. } => Some(Some(*filling)),
            What::Summary(summary) => Some(summary.filling),
            _ => None,
        }
    }

    fn drops(&self) -> Option<Drops> {
        match &self.what {
            What::Overflow(drops) => Some(*drops),
            What::Summary(summary) => Some(summary.drops),
            _ => None,
        }
    }

    fn pid(&self) -> Option<Pid> {
        match &self.what {
            What::Listening(listening) => listening.pid,
            What::Started { pid, .. } | What::Exited { pid, .. } => Some(*pid),
            _ => None,
        }
    }
}

impl Record for Event {
    fn emphasis(&self) -> Emphasis {
        match &self.what {
            What::Queue { filling, .. } if filling.queue.is_full() => Emphasis::Notice,
            What::Overflow(_) | What::Paused { .. } | What::Closed { .. } => Emphasis::Alarm,
            _ => Emphasis::None,
        }
    }
}

/// A value that this event has, but that may not be known.
fn known<T: Into<u64>>(value: Option<T>) -> Option<Cell<'static>> {
    Some(value.map_or(Cell::Null, |n| Cell::Uint(n.into())))
}

/// A time of which the same holds.
fn known_time(duration: Option<Duration>) -> Option<Cell<'static>> {
    Some(duration.map_or(Cell::Null, |d| Cell::Float(d.as_secs_f64())))
}

/// The fields, in the order of JSON and TSV.
pub(super) const COLUMNS: &[Column<Event>] = column_table! {
    "event", String, "what happened: see EVENTS", |e| text(e.name().as_bytes());
    "time", String, "when, in UTC (RFC 3339), to the microsecond", |e| text(e.stamp.as_bytes());
    "elapsed", Duration, "time since fdscope began to listen, or to look",
        |e| Some(seconds(e.elapsed));
    "address", String, "the listener's address", |e| e.address.as_deref().and_then(text);
    "fd", Integer, "number of the fd: of the listener, or of the accepted connection",
        |e| match &e.what {
            What::Listening(l) => Some(l.fd.map_or(Cell::Null, |fd| Cell::Int(fd.0.into()))),
            What::Accepted(a) => Some(Cell::Int(a.fd.0.into())),
            _ => None,
        };
    "pid", Integer, "whose listener it is, if not fdscope's; or the command's process id",
        |e| e.pid().map(|pid| Cell::Int(pid.0.into()));
    "command", String, "name of that process",
        |e| match &e.what {
            What::Listening(l) => l.command.as_deref().and_then(text),
            What::Started { command, .. } => text(command),
            _ => None,
        };
    "name", String, "what the listener is called to the command: sd_listen_fds_with_names(3)",
        |e| e.listening()?.name.as_deref().and_then(text);
    "family", String, "tcp, tcp6, unix or vsock", |e| text(e.listening()?.family.as_bytes());
    "type", String, "stream or seqpacket", |e| text(e.listening()?.socket_type.as_bytes());
    "backlog.requested", Integer, "what listen(2) was given; null where fdscope did not call it",
        |e| Some(e.listening()?.requested.map_or(Cell::Null, |n| Cell::Int(n.into())));
    "backlog.effective", Integer, "the backlog that the kernel keeps, read back from the socket",
        |e| known(e.listening()?.queue.and_then(|q| q.max));
    "backlog.admits", Integer, "how many connections find a place in the queue: one more than that",
        |e| known(e.listening()?.queue.and_then(AcceptQueue::admits));
    "somaxconn", Integer, "net.core.somaxconn, which a backlog is clamped to",
        |e| known(e.listening()?.somaxconn);
    "number", Integer, "how many connections were accepted, this one included",
        |e| Some(Cell::Uint(e.accepted()?.number));
    "peer", String, "address of the other end; null where it is not known",
        |e| { e.accepted()?; Some(e.peer.as_deref().map_or(Cell::Null, Cell::Text)) };
    "peer_pid", Integer, "process at the other end of a unix socket: that which connected",
        |e| e.accepted()?.peer_pid.map(|pid| Cell::Int(pid.0.into()));
    "waited", Duration, "how long the connection waited to be accepted; null where the kernel does not tell",
        |e| known_time(e.accepted()?.waited);
    "waiting", Integer, "connections that nobody has accepted yet", |e| known(e.filling()?.map(|f| f.queue.waiting));
    "max", Integer, "the backlog that the kernel keeps: one more may wait", |e| known(e.filling()?.and_then(|f| f.queue.max));
    "peak", Integer, "the most that were seen to wait", |e| known(e.filling()?.map(|f| f.peak));
    "full", Bool, "whether the next connection would be refused a place", |e| Some(e.filling()?.map_or(Cell::Null, |f| Cell::Bool(f.queue.is_full())));
    "listener_drops", Integer, "connections that this listener refused a place, since the start; some count twice",
        |e| known(e.drops()?.listener);
    "listen_overflows", Integer, "ListenOverflows of the whole network namespace, since the start",
        |e| known(e.drops()?.overflows);
    "listen_drops", Integer, "ListenDrops of the whole network namespace, since the start",
        |e| known(e.drops()?.drops);
    "accepted", Integer, "connections that fdscope accepted; null where others accept",
        |e| known(e.summary()?.accepted);
    "full_time", Duration, "how long the queue was full, as far as it was seen",
        |e| known_time(e.summary()?.full);
    "longest_wait", Duration, "the longest that an accepted connection waited; null where it is not known",
        |e| known_time(e.summary()?.longest_wait);
    "error", String, "name of the error, as errno(3) has it",
        |e| match &e.what {
            What::Paused { error } => text(error.as_bytes()),
            What::Closed { error } => error.as_deref().and_then(|e| text(e.as_bytes())),
            _ => None,
        };
    "status", Integer, "exit status of the command; null if a signal ended it",
        |e| match &e.what {
            What::Exited { status, .. } => Some(status.map_or(Cell::Null, |s| Cell::Int(s.into()))),
            _ => None,
        };
    "signal", String, "the signal that ended the command",
        |e| match &e.what {
            What::Exited { signal, .. } => signal.and_then(|s| text(s.as_bytes())),
            _ => None,
        };
};

/// The fields, for the manual.
pub(in crate::commands) fn fields() -> impl Iterator<Item = &'static Field> {
    COLUMNS.iter().map(|c| c.field)
}
