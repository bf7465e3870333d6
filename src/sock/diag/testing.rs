//! Real listeners, and clients that nobody accepts, for the tests of what is told of them.

use super::{Diag, ListeningSocket};
use crate::model::Inode;
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::addr::SocketAddrArg;
use rustix::net::{AddressFamily, Protocol, SocketFlags, SocketType};
use std::time::{Duration, Instant};

/// A socket that does not wait.
pub(crate) fn socket(
    family: AddressFamily,
    socket_type: SocketType,
    protocol: Option<Protocol>,
) -> Result<OwnedFd, Errno> {
    rustix::net::socket_with(family, socket_type, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, protocol)
}

/// Sends one client there, which neither waits nor is accepted.
pub(crate) fn connect(client: OwnedFd, address: &impl SocketAddrArg) -> Result<OwnedFd, Errno> {
    match rustix::net::connect(&client, address) {
        Ok(()) | Err(Errno::INPROGRESS) => Ok(client),
        Err(error) => Err(error),
    }
}

/// The inode of a socket, as the link of its fd shows it.
pub(crate) fn inode(socket: impl AsFd) -> Inode {
    Inode(rustix::fs::fstat(socket).unwrap().st_ino)
}

/// The TCP listener that is this socket.
pub(crate) fn tcp_listener(diag: &mut Diag, socket: impl AsFd) -> Option<ListeningSocket> {
    let inode = inode(socket);
    diag.tcp_listeners().unwrap().into_iter().find(|listener| listener.inode == inode)
}

/// Looks again and again until it is so.
pub(crate) fn until<T: std::fmt::Debug>(mut look: impl FnMut() -> T, is_so: impl Fn(&T) -> bool) -> T {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let seen = look();
        if is_so(&seen) {
            return seen;
        }
        assert!(Instant::now() < deadline, "still {seen:?}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
