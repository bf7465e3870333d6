//! What those who accept tell of it.

use super::accept::Connection;
use super::socket_address::SocketAddress;
use crate::model::{FdNum, Pid};
use jiff::Timestamp;
use rustix::fd::AsRawFd as _;
use rustix::io::Errno;
use std::time::{Duration, Instant};

/// Something that happened in accepting.
#[derive(Debug)]
pub enum Report {
    /// A connection was accepted.
    Accepted(Accepted),
    /// No connection can be accepted for now, for want of fds, memory or processes.
    Paused(Errno),
    /// One could be accepted again.
    Resumed,
    /// A listener accepts no more.
    Shut {
        /// Which.
        listener: usize,
        /// What `accept4(2)` says.
        errno: Errno,
    },
}

/// An accepted connection.
#[derive(Debug)]
pub struct Accepted {
    /// When.
    pub time: Timestamp,
    /// The same, to count from.
    pub instant: Instant,
    /// By which listener.
    pub listener: usize,
    /// How many there have been, this one included.
    pub number: u64,
    /// Our end.
    pub fd: FdNum,
    /// The other end, where it has an address.
    pub peer: Option<SocketAddress>,
    /// The process at the other end, where the kernel tells.
    pub peer_pid: Option<Pid>,
    /// How long it waited, where the kernel tells.
    pub waited: Option<Duration>,
}

impl Accepted {
    /// Of a connection that has just been accepted.
    pub(super) fn new(listener: usize, number: u64, connection: &Connection) -> Self {
        Self {
            time: Timestamp::now(),
            instant: Instant::now(),
            listener,
            number,
            fd: FdNum(connection.socket.as_raw_fd()),
            peer: connection.peer.clone(),
            peer_pid: connection.peer_pid,
            waited: connection.waited,
        }
    }
}
