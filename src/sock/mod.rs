//! Sockets: what the kernel's tables say of them.
//!
//! [`Tables`] answers for one network namespace, reading a table when a socket of its protocol is
//! first asked for. The source is `/proc/PID/net`; a source that asks sock_diag netlink takes its
//! place behind the same [`Tables::find`].

mod procnet;
mod protocol;

use crate::model::{Family, Inode, Socket};
use procnet::{Listing, Table};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// The sockets of one network namespace, read as they are asked for.
#[derive(Debug)]
pub struct Tables {
    net: PathBuf,
    read: Mutex<Vec<Listing>>,
}

impl Tables {
    /// The sockets that `net`, a directory such as `/proc/PID/net`, lists.
    pub fn new(net: PathBuf) -> Self {
        Self { net, read: Mutex::default() }
    }

    /// The socket `inode` with nothing but its family, where that can be told without reading a
    /// table.
    pub fn identify(&self, inode: Inode, protocol: impl FnOnce() -> Option<Vec<u8>>) -> Option<Socket> {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(socket) = read.iter().find_map(|listing| listing.find(inode)) {
            return Some(socket);
        }
        protocol().map(|name| Socket::new(inode, protocol::family(&name)))
    }

    /// What is known of the socket `inode`. `protocol` gives the kernel's name of its protocol
    /// (`system.sockprotoname`); it is asked only where the tables read so far do not list it.
    pub fn find(&self, inode: Inode, protocol: impl FnOnce() -> Option<Vec<u8>>) -> Option<Socket> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(socket) = read.iter().find_map(|listing| listing.find(inode)) {
            return Some(socket);
        }
        let protocol = protocol();
        let family = protocol.as_deref().map(protocol::family);
        let tables = match family {
            Some(family) => Table::of(family),
            None => Table::ALL,
        };
        for &table in tables {
            if !read.iter().any(|listing| listing.table() == table) {
                let listing = table.read(&self.net);
                let socket = listing.find(inode);
                read.push(listing);
                if socket.is_some() {
                    return socket;
                }
            }
        }
        let family = family?;
        Some(Socket { protocol: protocol.filter(|_| family == Family::Other), ..Socket::new(inode, family) })
    }
}
