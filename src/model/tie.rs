//! What an fd and its other end have in common.

use super::access::Access;
use super::ids::{Device, Inode};
use super::peers::Joint;
use super::socket::Family;

/// What ties an fd to its other end, by which that can be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tie {
    /// The same pipe.
    Pipe(Inode),
    /// The same FIFO.
    Fifo(Device, Inode),
    /// A connection of this socket.
    Socket(Inode, Family),
    /// Connections wait at this socket until they are accepted.
    Listener(Inode, Family),
    /// The same counter, by its id.
    Eventfd(u64),
    /// This is the master of a pseudoterminal of this number.
    Master(u32),
    /// This is the slave of this number in a filesystem of pseudoterminals.
    Slave(Device, u32),
    /// The same message queue.
    Queue(Device, Inode),
    /// There is another end, and nothing tells which.
    Elsewhere,
}

impl Tie {
    /// How the two belong together, for an fd of this access.
    pub fn joint(self, access: Option<Access>) -> Joint {
        match (self, access) {
            (Self::Listener(..), _) => Joint::Waiting,
            (Self::Eventfd(_) | Self::Queue(..), _) => Joint::Shared,
            (Self::Pipe(_) | Self::Fifo(..), Some(Access::Read)) => Joint::From,
            (Self::Pipe(_) | Self::Fifo(..), Some(Access::Write)) => Joint::To,
            _ => Joint::With,
        }
    }
}
