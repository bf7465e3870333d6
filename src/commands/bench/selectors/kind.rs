//! The fds that are watched.

use rustix::event::{EventfdFlags, eventfd};
use rustix::io::{Errno, read, write};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::pipe::{PipeFlags, pipe_with};
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

/// What is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Kind {
    /// Read ends of pipes; two fds each
    Pipe,
    /// Unix stream sockets, connected with another; two fds each
    Socketpair,
    /// eventfd(2); one fd each
    Eventfd,
}

/// What goes through a pipe or a socket.
const BYTE: &[u8] = b"x";
/// What goes through an eventfd, and adds up there.
const ONE: [u8; 8] = 1u64.to_ne_bytes();

impl Kind {
    /// Its name on the command line and in output.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Pipe => "pipe",
            Self::Socketpair => "socketpair",
            Self::Eventfd => "eventfd",
        }
    }

    /// How many fds one takes.
    pub(super) fn fds(self) -> u64 {
        if self == Self::Eventfd { 1 } else { 2 }
    }
}

/// Many of a kind, that can be made ready.
#[derive(Debug)]
pub(super) struct Ends {
    kind: Kind,
    near: Vec<OwnedFd>,
    /// The other end of each, where there is one.
    far: Vec<OwnedFd>,
}

impl Ends {
    /// So many of a kind, with nothing in them.
    pub(super) fn open(kind: Kind, count: usize) -> io::Result<Self> {
        let mut ends = Self { kind, near: Vec::with_capacity(count), far: Vec::new() };
        for _ in 0..count {
            let (near, far) = match kind {
                Kind::Eventfd => {
                    ends.near.push(eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?);
                    continue;
                }
                Kind::Pipe => pipe_with(PipeFlags::NONBLOCK | PipeFlags::CLOEXEC)?,
                Kind::Socketpair => {
                    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
                    socketpair(AddressFamily::UNIX, SocketType::STREAM, flags, None)?
                }
            };
            ends.near.push(near);
            ends.far.push(far);
        }
        Ok(ends)
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.near.len()
    }

    /// The fd to watch.
    pub(super) fn watched(&self, index: usize) -> BorrowedFd<'_> {
        self.near[index].as_fd()
    }

    /// Makes it ready.
    pub(super) fn fire(&self, index: usize) -> io::Result<()> {
        let (end, bytes): (_, &[u8]) = match self.kind {
            Kind::Eventfd => (&self.near[index], &ONE),
            Kind::Pipe | Kind::Socketpair => (&self.far[index], BYTE),
        };
        let written = write(end, bytes)?;
        if written == bytes.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
    }

    /// Takes what made it ready; whether that was what was put there once, and nothing else.
    pub(super) fn take(&self, index: usize) -> io::Result<bool> {
        // Room for more than there should be.
        let mut buffer = [0; 16];
        match read(&self.near[index], &mut buffer) {
            Ok(length) if self.kind == Kind::Eventfd => Ok(buffer[..length] == ONE),
            Ok(length) => Ok(&buffer[..length] == BYTE),
            Err(Errno::AGAIN) => Ok(false),
            Err(e) => Err(e.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Ends, Kind};
    use clap::ValueEnum as _;

    #[test]
    fn what_is_put_in_comes_out_once() {
        for &kind in Kind::value_variants() {
            assert_eq!(kind.to_possible_value().expect("none is hidden").get_name(), kind.name());
            let ends = Ends::open(kind, 3).expect("some fds");
            assert_eq!((ends.count(), ends.far.len() as u64), (3, 3 * (kind.fds() - 1)));
            assert!(!ends.take(1).expect("a read"), "{kind:?}");
            ends.fire(1).expect("room");
            assert!(ends.take(1).expect("a read") && !ends.take(1).expect("a read"), "{kind:?}");
            // Twice is not once.
            (0..2).for_each(|_| ends.fire(2).expect("room"));
            assert!(!ends.take(2).expect("a read"), "{kind:?}");
        }
    }
}
