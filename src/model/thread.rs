//! A thread, as far as one look tells.

use super::ids::Pid;
use super::wait::Call;
use std::time::Duration;

/// A thread at the moment when it was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Thread {
    /// Its id; that of the process, for the first.
    pub tid: Pid,
    /// Its name, `proc_pid_comm(5)`: at most 15 bytes, any bytes.
    pub name: Vec<u8>,
    /// Whether it runs, sleeps, is stopped.
    pub state: ThreadState,
    /// The CPU that it is on, or was on last.
    pub processor: Option<u32>,
    /// The CPU time that it has used.
    pub cpu: CpuTime,
    /// What it does, or waits in.
    pub doing: Doing,
}

/// The letter of a thread's state, `proc_pid_stat(5)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ThreadState(pub u8);

impl ThreadState {
    /// It is in a cgroup that is frozen. The kernel has no letter for that: it says that such a thread
    /// sleeps.
    pub const FROZEN: Self = Self(b'F');

    /// Whether a signal, a tracer or a frozen cgroup stopped it.
    pub fn is_stopped(self) -> bool {
        matches!(self.0, b'T' | b't') || self == Self::FROZEN
    }

    /// Whether it has ended, and only its parent or its other threads keep it.
    pub fn is_dead(self) -> bool {
        matches!(self.0, b'Z' | b'X' | b'x')
    }

    /// Whether it is on a CPU, or ready for one.
    pub fn is_running(self) -> bool {
        self.0 == b'R'
    }

    /// The word for it in every output.
    pub fn word(self) -> &'static str {
        match self.0 {
            b'R' => "running",
            b'S' => "sleeping",
            b'D' => "uninterruptible",
            b'T' => "stopped",
            b't' => "traced",
            b'F' => "frozen",
            b'I' => "idle",
            b'P' => "parked",
            b'Z' => "zombie",
            b'X' | b'x' => "dead",
            _ => "unknown",
        }
    }
}

/// CPU time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct CpuTime {
    /// In programs; the kernel counts in ticks.
    pub user: Duration,
    /// In the kernel.
    pub system: Duration,
    /// Both, to the nanosecond, where the kernel tells (`schedstat`).
    pub exact: Option<Duration>,
    /// Time spent ready for a CPU without one (`schedstat`).
    pub queued: Option<Duration>,
}

impl CpuTime {
    /// User and system together, as exactly as it is known.
    pub fn total(self) -> Duration {
        self.exact.unwrap_or(self.user + self.system)
    }
}

/// What a thread does, or waits in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Doing {
    /// It is on a CPU or ready for one: in its program, or in the kernel in a call that does not
    /// wait. The kernel does not say which; nor which call.
    Running,
    /// It waits in a system call. It may also be stopped in it: its state says so.
    Call(Call),
    /// It waits in the kernel and in no call: for a page, or it is stopped. With the function of the
    /// kernel, where that may be read.
    Kernel(Option<Vec<u8>>),
    /// It is a thread of the kernel, or one that works for the process in the kernel, as those of
    /// io_uring do: it makes no calls. With the function of the kernel, where that may be read.
    Worker(Option<Vec<u8>>),
    /// It has ended.
    Ended,
    /// The caller may not know (`EACCES`, `EPERM`), or the kernel does not tell (`ENOENT`: it was
    /// built without that).
    Unknown(i32),
}

impl Doing {
    /// The call that it waits in.
    pub fn call(&self) -> Option<&Call> {
        match self {
            Self::Call(call) => Some(call),
            _ => None,
        }
    }
}
