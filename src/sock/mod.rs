//! Sockets: what the kernel's tables say of them.
//!
//! [`Tables`] answers for one network namespace, reading a table when a socket of its protocol is
//! first asked for. The source is `/proc/PID/net`; a source that asks sock_diag netlink takes its
//! place behind the same [`Tables::find`].

mod procnet;
mod protocol;

use crate::model::{Family, Inode, Socket};
use procnet::Table;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// The sockets of one network namespace, read as they are asked for.
#[derive(Debug)]
pub struct Tables {
    net: PathBuf,
    read: Mutex<Read>,
}

#[derive(Debug, Default)]
struct Read {
    sockets: HashMap<Inode, Socket>,
    tables: Vec<Table>,
}

impl Tables {
    /// The sockets that `net`, a directory such as `/proc/PID/net`, lists.
    pub fn new(net: PathBuf) -> Self {
        Self { net, read: Mutex::default() }
    }

    /// What is known of the socket `inode`. `protocol` gives the kernel's name of its protocol
    /// (`system.sockprotoname`); it is asked only where the tables read so far do not list it.
    pub fn find(&self, inode: Inode, protocol: impl FnOnce() -> Option<Vec<u8>>) -> Option<Socket> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(socket) = read.sockets.get(&inode) {
            return Some(socket.clone());
        }
        let protocol = protocol();
        let family = protocol.as_deref().map(protocol::family);
        let tables = match family {
            Some(family) => Table::of(family),
            None => Table::ALL,
        };
        for &table in tables {
            if !read.tables.contains(&table) {
                read.tables.push(table);
                let sockets = &mut read.sockets;
                table.read(&self.net, |socket| drop(sockets.insert(socket.inode, socket)));
                if let Some(socket) = sockets.get(&inode) {
                    return Some(socket.clone());
                }
            }
        }
        let family = family?;
        Some(Socket { protocol: protocol.filter(|_| family == Family::Other), ..Socket::new(inode, family) })
    }
}
