//! Whether connections that come to our own listeners wake us up.

use crate::listener::Listener;
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::fd::{AsRawFd as _, RawFd};
use std::io;

/// Listeners that wake us up, or do not for now: beside a server that is busy, each connection
/// would.
#[derive(Default)]
pub(super) struct Attention {
    fds: Vec<RawFd>,
    awake: bool,
    /// The token of the first.
    first: usize,
}

impl Attention {
    /// Of these listeners from now on. They get tokens from `first` on.
    pub(super) fn begin(listeners: &[Listener], first: usize, registry: &Registry) -> io::Result<Self> {
        let fds = listeners.iter().map(|l| l.socket.as_raw_fd()).collect();
        let mut attention = Self { fds, awake: false, first };
        attention.wake(registry)?;
        Ok(attention)
    }

    /// They wake us up again.
    pub(super) fn wake(&mut self, registry: &Registry) -> io::Result<()> {
        if !std::mem::replace(&mut self.awake, true) {
            for (i, fd) in self.fds.iter().enumerate() {
                registry.register(&mut SourceFd(fd), Token(self.first + i), Interest::READABLE)?;
            }
        }
        Ok(())
    }

    /// They do not until then.
    pub(super) fn doze(&mut self, registry: &Registry) -> io::Result<()> {
        if std::mem::take(&mut self.awake) {
            for fd in &self.fds {
                registry.deregister(&mut SourceFd(fd))?;
            }
        }
        Ok(())
    }
}
