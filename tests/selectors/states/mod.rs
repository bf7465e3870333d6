//! States of fds: each function brings one about.

pub(crate) mod files;
pub(crate) mod other;
pub(crate) mod pipes;
pub(crate) mod sockets;
pub(crate) mod tcp;

use std::any::Any;
use std::os::fd::{AsRawFd, RawFd};

/// An fd in some state, with what keeps it there.
pub(crate) struct State {
    /// Its number; it may be closed.
    pub(crate) fd: RawFd,
    _kept: Vec<Box<dyn Any>>,
}

/// Why a state cannot be had on this machine.
pub(crate) type Made = Result<State, String>;

impl State {
    pub(crate) fn new(fd: impl AsRawFd + 'static) -> Self {
        Self { fd: fd.as_raw_fd(), _kept: vec![Box::new(fd)] }
    }

    /// With something that must live as long.
    pub(crate) fn and(mut self, other: impl Any) -> Self {
        self._kept.push(Box::new(other));
        self
    }
}
