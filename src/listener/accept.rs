//! One `accept4(2)`, and what can be told of the connection at that moment.

use super::open::Listener;
use super::socket_address::SocketAddress;
use crate::model::Pid;
use crate::sys;
use nix::sys::socket::sockopt::PeerCredentials;
use nix::sys::socket::{SockaddrStorage, getpeername, getsockopt};
use rustix::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use rustix::io::Errno;
use rustix::net::{self, SocketFlags};
use std::time::Duration;

/// An accepted connection.
#[derive(Debug)]
pub struct Connection {
    /// Our end.
    pub socket: OwnedFd,
    /// The other end, where it has an address.
    pub peer: Option<SocketAddress>,
    /// The process at the other end, of unix sockets: that which connected.
    pub peer_pid: Option<Pid>,
    /// How long it waited to be accepted, of TCP. To the tick of the kernel's clock.
    pub waited: Option<Duration>,
}

/// Why there is no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// None waits.
    Empty,
    /// Something happened to one connection, or a signal came: try again.
    Passing,
    /// No connection can be had for now: fds or memory have run out, or a security module or filter
    /// forbids it. To try again at once would be of no use.
    Exhausted(Errno),
    /// The socket accepts no more.
    Final(Errno),
}

impl From<Errno> for Refusal {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::AGAIN => Self::Empty,
            // No listener any more: somebody who has it too shut it down. Or it never was one.
            Errno::INVAL | Errno::BADF | Errno::NOTSOCK | Errno::OPNOTSUPP => Self::Final(errno),
            // Errors of the connection's network are given out here, each once: accept(2).
            Errno::INTR
            | Errno::CONNABORTED
            | Errno::CONNRESET
            | Errno::TIMEDOUT
            | Errno::NETDOWN
            | Errno::PROTO
            | Errno::NOPROTOOPT
            | Errno::HOSTDOWN
            | Errno::NONET
            | Errno::HOSTUNREACH
            | Errno::NETUNREACH => Self::Passing,
            // What is not known may come again and again.
            _ => Self::Exhausted(errno),
        }
    }
}

/// Accepts a connection, closed on `execve(2)`. Waits for one if the listener is blocking.
pub(super) fn accept(listener: &Listener, nonblocking: bool) -> Result<Connection, Refusal> {
    let mut flags = SocketFlags::CLOEXEC;
    flags.set(SocketFlags::NONBLOCK, nonblocking);
    match &listener.local {
        SocketAddress::Vsock { .. } => {
            let socket = net::accept_with(&listener.socket, flags)?;
            let peer = getpeername::<SockaddrStorage>(socket.as_raw_fd()).ok();
            let peer = peer.and_then(|p| SocketAddress::from_system(&p));
            Ok(Connection { socket, peer, peer_pid: None, waited: None })
        }
        SocketAddress::Inet(_) => {
            // The address as accept4 gives it: a client that has left has none any more.
            let (socket, peer) = net::acceptfrom_with(&listener.socket, flags)?;
            // Nothing can have been sent on it before, so this counts from the handshake.
            let waited = sys::tcp_info(socket.as_fd()).ok();
            let waited = waited.map(|info| Duration::from_millis(info.last_data_sent.into()));
            Ok(Connection { socket, peer: peer.and_then(SocketAddress::from_accept), peer_pid: None, waited })
        }
        SocketAddress::Path(_) | SocketAddress::Abstract(_) | SocketAddress::Unnamed => {
            let (socket, peer) = net::acceptfrom_with(&listener.socket, flags)?;
            // Of a process that is not in our pid namespace, the pid is 0, which rustix does not allow for.
            let credentials = getsockopt(&socket, PeerCredentials).ok();
            let peer_pid = credentials.map(|c| Pid(c.pid())).filter(|&pid| pid != Pid(0));
            let peer = peer.and_then(SocketAddress::from_accept).unwrap_or(SocketAddress::Unnamed);
            Ok(Connection { socket, peer: Some(peer), peer_pid, waited: None })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Errno, Refusal};

    #[test]
    fn what_an_error_means() {
        assert_eq!(Refusal::from(Errno::AGAIN), Refusal::Empty);
        assert_eq!(Refusal::from(Errno::MFILE), Refusal::Exhausted(Errno::MFILE));
        assert_eq!(Refusal::from(Errno::INTR), Refusal::Passing);
        assert_eq!(Refusal::from(Errno::CONNABORTED), Refusal::Passing);
        assert_eq!(Refusal::from(Errno::NETDOWN), Refusal::Passing);
        assert_eq!(Refusal::from(Errno::INVAL), Refusal::Final(Errno::INVAL));
        // As from a seccomp filter or a security module: it does not pass by being tried again.
        for errno in [Errno::PERM, Errno::ACCESS, Errno::NOSYS] {
            assert_eq!(Refusal::from(errno), Refusal::Exhausted(errno));
        }
    }
}
