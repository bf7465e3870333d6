//! A socket that listens.

use crate::model::{AcceptQueue, Endpoint, Inode, Socket};

/// A socket that listens, as it was at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListeningSocket {
    /// Its inode in sockfs, which the links of its fds name.
    pub inode: Inode,
    /// `stream` or `seqpacket`.
    pub socket_type: &'static str,
    /// Where a TCP socket listens.
    pub local: Option<Endpoint>,
    /// Where a unix socket listens: a path as it was bound, or an abstract name with `@` in place
    /// of the NUL it begins with.
    pub path: Option<Vec<u8>>,
    /// Who made it, or whom it was given to with `fchown(2)`, in our user namespace.
    pub uid: Option<u32>,
    /// Its accept queue.
    pub queue: AcceptQueue,
}

impl ListeningSocket {
    /// The socket, if it listens.
    pub(super) fn of(socket: &Socket) -> Option<Self> {
        Some(Self {
            inode: socket.inode,
            socket_type: socket.socket_type.unwrap_or("stream"),
            local: socket.local,
            path: socket.path.clone(),
            uid: socket.uid,
            queue: socket.queue?,
        })
    }
}
