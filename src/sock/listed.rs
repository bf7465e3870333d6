//! Sockets that were asked for at once, to be looked up by inode.

use super::diag::Messages;
use crate::model::{Inode, Socket};
use std::sync::Arc;

/// The sockets of one answer.
#[derive(Debug)]
pub(super) enum Listed {
    /// As the kernel told them.
    Told(Messages),
    /// Read already, and sorted by inode.
    Read(Vec<Socket>),
}

impl Listed {
    /// Sockets that were read. Those to which no file belongs are left out.
    pub(super) fn read(mut sockets: Vec<Socket>) -> Self {
        sockets.retain(|socket| socket.inode != Inode(0));
        sockets.sort_by_key(|socket| socket.inode);
        Self::Read(sockets)
    }

    fn position(&self, inode: Inode) -> Option<usize> {
        match self {
            Self::Told(messages) => messages.position(inode),
            Self::Read(sockets) => sockets.binary_search_by_key(&inode, |socket| socket.inode).ok(),
        }
    }
}

/// Where a socket stands: it is read when nobody has to wait for that any more.
#[derive(Debug)]
pub(super) struct Place {
    list: Arc<Listed>,
    position: usize,
}

impl Place {
    /// Where a list has the socket of this inode, if it has.
    pub(super) fn find(list: &Arc<Listed>, inode: Inode) -> Option<Self> {
        let position = list.position(inode)?;
        Some(Self { list: Arc::clone(list), position })
    }

    /// The socket.
    pub(super) fn socket(&self) -> Option<Socket> {
        match &*self.list {
            Listed::Told(messages) => messages.at(self.position),
            Listed::Read(sockets) => sockets.get(self.position).cloned(),
        }
    }
}
