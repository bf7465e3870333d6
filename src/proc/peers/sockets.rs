//! Which sockets are the ends of one connection, over all network namespaces.

use crate::model::{Family, Inode, Socket};
use crate::proc::networks::networks;
use crate::proc::system::System;
use crate::sock::{Pairs, Request};
use std::collections::HashMap;

/// Families whose sockets can be connected with one another, and are read together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    Unix,
    Tcp,
    Udp,
}

impl Group {
    /// How many there are.
    pub(super) const COUNT: usize = 3;

    /// The group of a family.
    pub(super) fn of(family: Family) -> Option<Self> {
        Some(match family {
            Family::Unix => Self::Unix,
            Family::Udp | Family::Udp6 | Family::Udplite | Family::Udplite6 => Self::Udp,
            family if family.is_tcp() => Self::Tcp,
            _ => return None,
        })
    }

    fn families(self) -> &'static [Family] {
        match self {
            Self::Unix => &[Family::Unix],
            Self::Tcp => &[Family::Tcp, Family::Tcp6, Family::Mptcp, Family::Mptcp6],
            Self::Udp => &[Family::Udp, Family::Udp6, Family::Udplite, Family::Udplite6],
        }
    }
}

/// The other end of a socket.
#[derive(Clone, Debug, Default)]
pub(super) struct End {
    /// The sockets there.
    pub(super) sockets: Vec<Inode>,
    pub(super) waiting: bool,
    pub(super) closed: bool,
}

/// Other ends by socket.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    ends: HashMap<Inode, End>,
}

impl Sockets {
    pub(super) fn read(system: &System, group: Group) -> Self {
        let Ok(places) = networks(system) else { return Self::default() };
        // Which sockets of IPv6 take IPv4 as well is a detail.
        let request = Request { detail: group == Group::Udp, ..Request::all(group.families()) };
        let mut complete = Vec::with_capacity(places.len());
        let sockets: Vec<Vec<Socket>> = places
            .iter()
            .map(|place| {
                // One that is gone has no sockets.
                let found = place.open().map(|mut net| net.sockets(&request)).unwrap_or_default();
                complete.push(found.unread.is_empty());
                found.sockets
            })
            .collect();
        let pairs = Pairs::new(&sockets);
        let mut ends: HashMap<Inode, End> = HashMap::new();
        for (place, sockets) in sockets.iter().enumerate() {
            for socket in sockets.iter().filter(|socket| socket.inode != Inode(0)) {
                let other = pairs.other_end(place, socket);
                let inodes = other.sockets.iter().map(|socket| socket.inode);
                let end = End {
                    sockets: inodes.filter(|&inode| inode != Inode(0)).collect(),
                    waiting: other.waiting,
                    closed: other.closed && complete[place],
                };
                // A multipath connection has the inode of its first subflow.
                let known = ends.entry(socket.inode).or_default();
                if known.sockets.is_empty() && !known.closed {
                    *known = end;
                }
            }
        }
        Self { ends }
    }

    /// The other end of a socket, if it was there when sockets were read.
    pub(super) fn end(&self, inode: Inode) -> Option<&End> {
        self.ends.get(&inode)
    }
}
