//! Signals, read from an fd.

use crate::model::FdNum;
use crate::sys;
use nix::sys::signal::Signal;
use rustix::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd, RawFd};
use rustix::process::{getpid, getsid};
use std::collections::VecDeque;
use std::io;

/// Signals by which people, supervisors and terminals that are gone end a command: it shows what it has
/// first.
pub(super) const ENDING: [Signal; 3] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP];

/// Signals that are caught, and read.
pub(super) struct Signals {
    signals: Vec<Signal>,
    fd: OwnedFd,
    came: VecDeque<Received>,
}

/// A signal that came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Received {
    pub(super) signal: Signal,
    /// Whether it was sent to us, rather than by a terminal to all in front of it.
    pub(super) personal: bool,
}

/// Catches these signals, but for those that are ignored: by nohup(1), say, or for a job in the
/// background. SIGCHLD is never ignored from here on.
pub(super) fn catch(wanted: &[Signal]) -> io::Result<Vec<Signal>> {
    let mut caught = Vec::new();
    for &signal in wanted {
        if sys::catch_signal(signal as i32, signal == Signal::SIGCHLD)? {
            caught.push(signal);
        }
    }
    Ok(caught)
}

impl Signals {
    /// Signals that are caught already.
    pub(super) fn open(caught: Vec<Signal>) -> io::Result<Self> {
        Ok(Self { signals: caught, fd: sys::signal_fd()?, came: VecDeque::new() })
    }

    /// The fd to wait for.
    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Its number.
    pub(super) fn raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }

    /// The next signal that came.
    pub(super) fn next(&mut self) -> Option<Received> {
        if self.came.is_empty() {
            // Before they are taken: what comes after wakes up again.
            let _ = rustix::io::read(&self.fd, &mut [0; 8]);
            for &signal in &self.signals {
                let came = sys::take_signal(signal as i32);
                let received = (0..came.times).map(|n| Received {
                    signal,
                    // That a terminal is gone is told to the leader of its session alone.
                    personal: n < came.sent || (signal == Signal::SIGHUP && leads_session()),
                });
                self.came.extend(received);
            }
        }
        self.came.pop_front()
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        sys::forget_signal_fd(FdNum(self.raw_fd()));
    }
}

fn leads_session() -> bool {
    getsid(None).is_ok_and(|session| session == getpid())
}
