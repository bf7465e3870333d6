//! Sockets: what the kernel says of them, all for one network namespace.
//!
//! [`Tables`] is for listings: it reads a table of `/proc/PID/net` when a socket of its protocol is
//! first asked for; a source that asks sock_diag netlink takes its place behind the same
//! [`Tables::find`]. [`Diag`] asks netlink, and [`Netstat`] reads the counters of listeners: both
//! are for looking again and again, and open no further fd to do so.

mod diag;
mod netstat;
mod procnet;
mod protocol;

pub use diag::{Diag, ListeningSocket};
pub use netstat::{ListenCounters, Netstat};

use crate::model::{Family, Inode, Socket};
use procnet::{Listing, Table};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The sockets of one network namespace, as one of its processes sees them, read as they are
/// asked for.
#[derive(Clone, Debug)]
pub struct Tables {
    net: PathBuf,
    shared: Arc<Shared>,
}

/// What all processes of the namespace share.
#[derive(Debug, Default)]
struct Shared {
    read: Mutex<Vec<Listing>>,
    mptcp: OnceLock<bool>,
}

impl Tables {
    /// The sockets that `net`, a directory such as `/proc/PID/net`, lists.
    pub fn new(net: PathBuf) -> Self {
        Self { net, shared: Arc::default() }
    }

    /// The same for another process of the namespace, with its own `net`: the one before may have
    /// ended, and its directory with it.
    pub fn seen_from(&self, net: PathBuf) -> Self {
        Self { net, shared: Arc::clone(&self.shared) }
    }

    /// The socket `inode` with nothing but its family, where that can be told without reading a
    /// table.
    pub fn identify(&self, inode: Inode, protocol: impl FnOnce() -> Option<Vec<u8>>) -> Option<Socket> {
        let read = self.shared.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(socket) = read.iter().find_map(|listing| listing.find(inode)) {
            return Some(self.told_apart(socket, protocol));
        }
        protocol().map(|name| Socket::new(inode, protocol::family(&name)))
    }

    /// What is known of the socket `inode`. `protocol` gives the kernel's name of its protocol
    /// (`system.sockprotoname`); it is asked only where the tables read so far do not list it.
    pub fn find(&self, inode: Inode, protocol: impl FnOnce() -> Option<Vec<u8>>) -> Option<Socket> {
        let mut read = self.shared.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(socket) = read.iter().find_map(|listing| listing.find(inode)) {
            return Some(self.told_apart(socket, protocol));
        }
        let protocol = protocol();
        let family = protocol.as_deref().map(protocol::family);
        let tables = match family {
            Some(family) => Table::of(family),
            None => Table::ALL,
        };
        for &table in tables {
            if !read.iter().any(|listing| listing.table() == table) {
                // What cannot be read is asked for again: the process may have ended, and others
                // of the namespace have not.
                let Some(listing) = table.read(&self.net) else { continue };
                let socket = listing.find(inode);
                read.push(listing);
                if let Some(socket) = socket {
                    return Some(match family {
                        Some(family @ (Family::Mptcp | Family::Mptcp6)) => as_whole(socket, family),
                        _ => socket,
                    });
                }
            }
        }
        let family = family?;
        Some(Socket { protocol: protocol.filter(|_| family == Family::Other), ..Socket::new(inode, family) })
    }

    /// A multipath socket is listed as its first subflow, a TCP socket of the same inode.
    fn told_apart(&self, socket: Socket, protocol: impl FnOnce() -> Option<Vec<u8>>) -> Socket {
        if !matches!(socket.family, Family::Tcp | Family::Tcp6) || !self.has_multipath() {
            return socket;
        }
        match protocol().as_deref().map(protocol::family) {
            Some(family @ (Family::Mptcp | Family::Mptcp6)) => as_whole(socket, family),
            _ => socket,
        }
    }

    /// Whether there are multipath sockets at all, so that it need not be asked of each.
    fn has_multipath(&self) -> bool {
        let known = self.shared.mptcp.get().copied();
        known.or_else(|| procnet::has_multipath(&self.net)).is_some_and(|has| {
            // Whoever was first has said the same.
            let _ = self.shared.mptcp.set(has);
            has
        })
    }
}

/// A multipath socket by its first subflow: the address is its own, and so are the connections
/// that wait, but bytes are queued elsewhere.
fn as_whole(subflow: Socket, family: Family) -> Socket {
    let recv_queue = subflow.recv_queue.filter(|_| subflow.state == Some("listen"));
    Socket { family, recv_queue, send_queue: None, ..subflow }
}

#[cfg(test)]
mod tests {
    use super::Tables;
    use crate::model::{Family, Inode};
    use std::path::PathBuf;

    const TCP: &str = "heading\n\
        0: 0100007F:07E8 00000000:0000 0A 00000001:00000002 00:00000000 00000000     0        0 7 1 0\n";

    fn net(test: &str, files: &[(&str, &str)]) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("fdscope-net-{test}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        for (name, text) in files {
            std::fs::write(dir.join(name), text).unwrap();
        }
        dir
    }

    #[test]
    fn a_process_that_ended_leaves_the_others_their_sockets() {
        let dir = net("ended", &[("tcp", TCP)]);
        let protocol = || Some(b"TCP".to_vec());
        let first = Tables::new(dir.join("ended"));
        assert_eq!(first.find(Inode(7), protocol).unwrap().state, None);
        let second = first.seen_from(dir.clone());
        assert_eq!(second.find(Inode(7), protocol).unwrap().state, Some("listen"));
        // What was read is kept for all.
        assert_eq!(first.find(Inode(7), protocol).unwrap().state, Some("listen"));
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn a_multipath_listener_is_found_by_its_subflow_whatever_was_read_before() {
        let protocols = "protocol  size sockets  memory\nMPTCPv6   2064      0     183\nMPTCP 1936 1 183\n";
        let dir = net("multipath", &[("tcp", TCP), ("protocols", protocols)]);
        let multipath = || Some(b"MPTCP".to_vec());
        let check = |tables: &Tables| {
            let socket = tables.find(Inode(7), multipath).unwrap();
            assert_eq!((socket.family, socket.state), (Family::Mptcp, Some("listen")));
            assert_eq!(socket.local.unwrap().0.port(), 2024);
            assert_eq!((socket.recv_queue, socket.send_queue), (Some(2), None));
        };
        check(&Tables::new(dir.clone()));
        let tables = Tables::new(dir.clone());
        tables.find(Inode(8), || Some(b"TCP".to_vec()));
        check(&tables);
        assert_eq!(tables.identify(Inode(7), multipath).unwrap().family, Family::Mptcp);
        // A plain one stays one.
        assert_eq!(tables.find(Inode(7), || Some(b"TCP".to_vec())).unwrap().family, Family::Tcp);
        std::fs::remove_dir_all(dir).unwrap();
    }
}
