//! The system call that a thread waits in, with its arguments made readable.

use super::ids::{FdNum, Pid};
use super::readiness::Readiness;
use std::borrow::Cow;
use std::time::Duration;

/// A system call that a thread is in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Call {
    /// Which calls the number is of.
    pub abi: Abi,
    /// The number.
    pub number: i64,
    /// The name of the call that it waits in: for a restarted one that of the call that was
    /// interrupted, where that can be told. Nothing where the number is not known.
    pub name: Option<&'static str>,
    /// The arguments as they are.
    pub args: [u64; 6],
    /// Whether it is `restart_syscall(2)`, as after SIGSTOP and SIGCONT. The arguments are still
    /// those of the call that was interrupted.
    pub restarted: bool,
    /// What it waits for.
    pub wait: Wait,
}

impl Call {
    /// Its name; its number where that has none, or is of other calls.
    pub fn word(&self) -> Cow<'static, str> {
        self.name.map_or_else(|| self.number.to_string().into(), Cow::Borrowed)
    }

    /// Whether it is `select(2)` or its sister, which ask by sets and not by entries.
    pub fn is_select(&self) -> bool {
        matches!(self.name, Some("select" | "pselect6"))
    }
}

/// The table that a call's number is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Abi {
    /// Calls of the architecture that fdscope runs on.
    Native,
    /// Those of a 32-bit program. They are not decoded.
    Bits32,
    /// Those of an x32 program. They are not decoded.
    X32,
}

impl Abi {
    /// The word for it in every output.
    pub fn word(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Bits32 => "32-bit",
            Self::X32 => "x32",
        }
    }
}

/// What a call waits for, from its arguments.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Wait {
    /// `epoll_wait(2)` and its sisters.
    Epoll {
        /// The epoll fd.
        epoll: FdNum,
        /// How many events it takes at a time.
        max_events: i64,
        /// For how long.
        timeout: Timeout,
    },
    /// `poll(2)`, `select(2)` and their sisters.
    Poll {
        /// The fds, each with what is asked of it; the error of reading them otherwise. Of
        /// `select(2)`, whose sets are bits, in ascending order. Entries with a negative number are
        /// left out: the kernel skips them.
        fds: Result<Vec<Polled>, i32>,
        /// How many entries there are, for `poll(2)`, and the bound of fd numbers, for `select(2)`.
        count: u64,
        /// For how long.
        timeout: Timeout,
    },
    /// A call on an fd that waits for it: read, accept, connect, write, flock, ...
    Fd {
        /// The fd. Of those that take two, the one that is read.
        fd: FdNum,
        /// The fd that is written, of `sendfile(2)`, `splice(2)`, ...
        to: Option<FdNum>,
    },
    /// A word of memory that another thread changes: locks, condition variables, thread joins.
    Futex {
        /// What is done: `FUTEX_WAIT`, `FUTEX_LOCK_PI`, ... without `FUTEX_`, in lower case.
        op: &'static str,
        /// Where the word is; of `futex_waitv(2)`, the words.
        words: Vec<u64>,
        /// Whether only threads of this process may wake it.
        private: bool,
        /// For how long.
        timeout: Timeout,
    },
    /// Time, and nothing else.
    Sleep {
        /// For how long.
        timeout: Timeout,
    },
    /// A child that ends, or changes its state.
    Child(Children),
    /// Completions of an io_uring.
    Uring {
        /// Its fd; nothing where the ring is one that was registered with the thread.
        ring: Option<FdNum>,
        /// How many completions are waited for.
        min_complete: u64,
        /// For how long.
        timeout: Timeout,
    },
    /// Completions of `io_submit(2)`.
    Aio {
        /// How many completions are waited for.
        min_complete: u64,
        /// For how long.
        timeout: Timeout,
    },
    /// A signal.
    Signal {
        /// Which: bit 0 for signal 1. Nothing for any that has a handler, or where it can't be read.
        set: Option<u64>,
        /// For how long.
        timeout: Timeout,
    },
    /// Something else: see the name.
    Other,
}

/// An fd that `poll(2)` or `select(2)` is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Polled {
    /// The fd.
    pub fd: FdNum,
    /// What is asked for: of the three sets of `select(2)`, in, out and pri.
    pub events: Readiness,
}

/// For how long a call waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Timeout {
    /// Until it happens.
    Never,
    /// So long from the beginning of the call, which is not known from outside.
    After(Duration),
    /// Until a point in time.
    Until {
        /// On this clock, `clock_gettime(2)`.
        clock: i32,
        /// When.
        at: Duration,
        /// How long that was from the moment when it was looked at, zero if it has passed;
        /// nothing where the thread's clock is not ours.
        left: Option<Duration>,
    },
    /// The error of reading it; 0 where the kernel cannot be asked.
    Unread(i32),
}

/// Which children are waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Children {
    /// Any.
    Any,
    /// The one of this pid.
    Pid(Pid),
    /// Those of this process group; of the caller's own, for 0.
    Group(Pid),
    /// The one that this fd is of.
    Pidfd(FdNum),
}

impl Wait {
    /// The fds that are waited for, those behind an epoll fd not among them.
    pub fn fds(&self) -> impl Iterator<Item = FdNum> {
        let (polled, one, two) = match self {
            Self::Epoll { epoll, .. } => (&[][..], Some(*epoll), None),
            Self::Poll { fds, .. } => (fds.as_deref().unwrap_or_default(), None, None),
            Self::Fd { fd, to } => (&[][..], Some(*fd), *to),
            Self::Uring { ring, .. } => (&[][..], *ring, None),
            Self::Child(Children::Pidfd(fd)) => (&[][..], Some(*fd), None),
            _ => (&[][..], None, None),
        };
        polled.iter().map(|p| p.fd).chain(one).chain(two)
    }

    /// For how long it waits, where it can be told to wait for so long.
    pub fn timeout(&self) -> Option<Timeout> {
        match self {
            Self::Epoll { timeout, .. }
            | Self::Poll { timeout, .. }
            | Self::Futex { timeout, .. }
            | Self::Sleep { timeout }
            | Self::Uring { timeout, .. }
            | Self::Aio { timeout, .. }
            | Self::Signal { timeout, .. } => Some(*timeout),
            Self::Fd { .. } | Self::Child(_) | Self::Other => None,
        }
    }
}
