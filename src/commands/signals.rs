//! Signals, read from an fd instead of interrupting.

use crate::sys;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::fd::{AsRawFd as _, BorrowedFd, RawFd};
use rustix::process::{getpid, getsid};
use std::io;

/// Signals that this process has blocked, and reads.
pub(super) struct Signals {
    fd: SignalFd,
}

/// A signal that came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Received {
    pub(super) signal: Signal,
    /// Whether it was sent to us, rather than by a terminal to all in front of it.
    pub(super) personal: bool,
}

/// Blocks these signals, in this thread and those that it starts, but for those that are ignored:
/// by nohup(1), say, or for a job in the background. SIGCHLD is never ignored from here on.
pub(super) fn block(wanted: &[Signal]) -> io::Result<SigSet> {
    sys::heed_children()?;
    let ignored = ignored();
    let mask: SigSet = wanted.iter().copied().filter(|s| ignored >> (*s as u32 - 1) & 1 == 0).collect();
    mask.thread_block()?;
    Ok(mask)
}

impl Signals {
    /// The signals of a mask that is blocked.
    pub(super) fn open(mask: &SigSet) -> io::Result<Self> {
        let fd = SignalFd::with_flags(mask, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        Ok(Self { fd })
    }

    /// The fd to wait for.
    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        rustix::fd::AsFd::as_fd(&self.fd)
    }

    /// Its number.
    pub(super) fn raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }

    /// The next signal that came.
    pub(super) fn next(&self) -> Option<Received> {
        let info = self.fd.read_signal().ok()??;
        let signal = Signal::try_from(info.ssi_signo as i32).ok()?;
        // That a terminal is gone is told to the leader of its session alone.
        let personal = info.ssi_code <= 0 || (signal == Signal::SIGHUP && leads_session());
        Some(Received { signal, personal })
    }
}

fn leads_session() -> bool {
    getsid(None).is_ok_and(|session| session == getpid())
}

/// The mask of the signals that are ignored.
fn ignored() -> u64 {
    let status = procfs::process::Process::myself().and_then(|own| own.status());
    status.map_or(0, |status| status.sigign)
}
