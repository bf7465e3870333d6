//! Resource limits: `getrlimit(2)`.

use super::units::bytes;

/// One of the limits of `getrlimit(2)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resource {
    /// The name of the constant without `RLIMIT_`, in lower case, as `prlimit(1)` has it.
    pub name: &'static str,
    /// The constant.
    pub number: u32,
    /// How the limit is counted.
    pub unit: Unit,
    /// What it limits.
    pub help: &'static str,
}

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Seconds of CPU time.
    Seconds,
    /// Microseconds of CPU time.
    Microseconds,
    /// File descriptors.
    Fds,
    /// Threads.
    Threads,
    /// Locks.
    Locks,
    /// Signals.
    Signals,
    /// A priority.
    Priority,
}

impl Unit {
    /// A limit as people read it; `None` is unlimited.
    pub fn show(self, limit: Option<u64>) -> String {
        match (self, limit) {
            (_, None) => "unlimited".to_owned(),
            (Self::Bytes, Some(n)) => bytes(n),
            (_, Some(n)) => n.to_string(),
        }
    }

    /// The word for it in every output.
    pub fn word(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Seconds => "seconds",
            Self::Microseconds => "microseconds",
            Self::Fds => "fds",
            Self::Threads => "threads",
            Self::Locks => "locks",
            Self::Signals => "signals",
            Self::Priority => "priority",
        }
    }
}

macro_rules! resource {
    ($name:literal, $number:ident, $unit:ident, $help:literal) => {
        Resource { name: $name, number: libc::$number as u32, unit: Unit::$unit, help: $help }
    };
}

impl Resource {
    /// All limits, the one that people look for first.
    pub const ALL: &'static [Self] = &[
        resource!("nofile", RLIMIT_NOFILE, Fds, "open file descriptors (highest number + 1)"),
        resource!("nproc", RLIMIT_NPROC, Threads, "threads of the real user, in all processes"),
        resource!("as", RLIMIT_AS, Bytes, "address space"),
        resource!("data", RLIMIT_DATA, Bytes, "data segment and heap"),
        resource!("stack", RLIMIT_STACK, Bytes, "stack of the main thread"),
        resource!("memlock", RLIMIT_MEMLOCK, Bytes, "memory locked into RAM"),
        resource!("sigpending", RLIMIT_SIGPENDING, Signals, "queued signals of the real user"),
        resource!("msgqueue", RLIMIT_MSGQUEUE, Bytes, "POSIX message queues of the real user"),
        resource!("core", RLIMIT_CORE, Bytes, "size of a core dump"),
        resource!("cpu", RLIMIT_CPU, Seconds, "CPU time"),
        resource!("fsize", RLIMIT_FSIZE, Bytes, "size of a file that it writes"),
        resource!("locks", RLIMIT_LOCKS, Locks, "file locks (not enforced since Linux 2.4.25)"),
        resource!("nice", RLIMIT_NICE, Priority, "ceiling of the nice value, as 20 - nice"),
        resource!("rss", RLIMIT_RSS, Bytes, "resident memory (not enforced)"),
        resource!("rtprio", RLIMIT_RTPRIO, Priority, "ceiling of the real-time priority"),
        resource!(
            "rttime",
            RLIMIT_RTTIME,
            Microseconds,
            "CPU time of a real-time thread between blocking calls"
        ),
    ];

    /// The open-files limit.
    pub const NOFILE: Self = Self::ALL[0];

    /// The limit of this name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|r| r.name == name)
    }
}
