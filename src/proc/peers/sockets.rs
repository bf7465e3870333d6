//! Which sockets are the ends of one connection, over all network namespaces.

use crate::model::{Family, Inode, Lying, Pile, Socket, Taken};
use crate::proc::networks::networks;
use crate::proc::system::System;
use crate::sock::{OtherEnd, Pairs, Request};
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
            family if family.is_udp() => Self::Udp,
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
    /// Whether it has asked to be connected, and nobody has answered.
    pub(super) unanswered: bool,
    pub(super) closed: bool,
    /// What lies unread between the two.
    pub(super) lying: Lying,
}

/// Other ends by socket.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    ends: HashMap<Inode, End>,
    /// Sockets that wait to be accepted, by the listener.
    waiting: HashMap<Inode, Vec<Inode>>,
}

impl Sockets {
    /// With `detail`, how much was read of TCP connections is known too.
    pub(super) fn read(system: &System, group: Group, detail: bool) -> Self {
        let Ok(places) = networks(system) else { return Self::default() };
        // Which sockets of IPv6 take IPv4 as well is a detail.
        let detail = group == Group::Udp || detail && group == Group::Tcp;
        let request = Request { detail, ..Request::all(group.families()) };
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
                    unanswered: other.unanswered,
                    closed: other.closed && complete[place],
                    lying: lying(socket, &other),
                };
                // A multipath connection has the inode of its first subflow.
                let known = ends.entry(socket.inode).or_default();
                if known.sockets.is_empty() && !known.closed {
                    *known = end;
                }
            }
        }
        let mut waiting: HashMap<Inode, Vec<Inode>> = HashMap::new();
        for (&client, end) in ends.iter().filter(|(_, end)| end.waiting) {
            for &listener in &end.sockets {
                waiting.entry(listener).or_default().push(client);
            }
        }
        Self { ends, waiting }
    }

    /// What those have sent who wait to be accepted by a listener.
    pub(super) fn sent_early(&self, listener: Inode) -> Option<Pile> {
        let waiting = self.waiting.get(&listener)?;
        // Of one of which it is not known, the sum is not either.
        let sent = waiting.iter().map(|client| Some(self.end(*client)?.lying.unsent?.bytes));
        Some(pile(sent.sum::<Option<u64>>()?, Taken::BySize))
    }

    /// The sockets that wait to be accepted by a listener.
    pub(super) fn waiting(&self, listener: Inode) -> &[Inode] {
        self.waiting.get(&listener).map_or(&[], Vec::as_slice)
    }

    /// The other end of a socket, if it was there when sockets were read.
    pub(super) fn end(&self, inode: Inode) -> Option<&End> {
        self.ends.get(&inode)
    }
}

/// What lies unread in a connection. At the other end it is known if there is but one socket.
fn lying(socket: &Socket, other: &OtherEnd<'_>) -> Lying {
    let is_datagrams = socket.family == Family::Unix && socket.socket_type == Some("dgram");
    let waits = socket.family == Family::Unix && other.waiting;
    let unsent = match (other.half, &other.sockets[..]) {
        // It has nowhere to be yet.
        _ if socket.state == Some("syn-sent") => Some(pile(0, Taken::BySize)),
        // Others may send there too: what is ours, the kernel counts here. So it does where the other half
        // is not listed.
        _ if is_datagrams || waits => {
            socket.peer.and(socket.send_queue).map(|bytes| pile(bytes, Taken::BySize))
        }
        (Some(half), _) => unread(half),
        (None, [only]) if Group::of(socket.family) != Some(Group::Udp) => unread(only),
        (None, [only]) if only.remote.is_some_and(|remote| !remote.is_unset()) => unread(only),
        _ => None,
    };
    let under_way = socket.unsent().filter(|_| socket.family.is_tcp()).unwrap_or(0);
    Lying { unread: unread(socket), unsent, under_way }
}

fn pile(bytes: u64, taken: Taken) -> Pile {
    Pile { bytes, room: None, taken }
}

/// What a socket has not read.
fn unread(socket: &Socket) -> Option<Pile> {
    if socket.listens() {
        return None;
    }
    let bytes = socket.unread()?;
    let taken = match socket.family {
        Family::Unix if socket.socket_type == Some("dgram") => Taken::Untold,
        Family::Unix => Taken::BySize,
        family if family.is_tcp() => {
            let received = socket.detail.as_ref().and_then(|detail| detail.bytes_received());
            received.map_or(Taken::BySize, |received| Taken::Exactly(received.saturating_sub(bytes)))
        }
        _ => Taken::Untold,
    };
    Some(pile(bytes, taken))
}

#[cfg(test)]
mod tests {
    use super::{lying, unread};
    use crate::model::{Family, Inode, Lying, Socket, SocketDetail, Taken};
    use crate::sock::OtherEnd;

    fn tcp(unread: u64, unsent: u64, received: u64) -> Socket {
        let mut info = vec![0; 136];
        info[128..].copy_from_slice(&received.to_ne_bytes());
        let detail = SocketDetail { tcp_info: Some(info.into()), ..SocketDetail::default() };
        Socket {
            state: Some("established"),
            recv_queue: Some(unread),
            send_queue: Some(unsent),
            detail: Some(Box::new(detail)),
            ..Socket::new(Inode(1), Family::Tcp)
        }
    }

    #[test]
    fn tcp_tells_how_much_was_read() {
        let (here, there) = (tcp(10, 3, 100), tcp(20, 0, 50));
        let end = OtherEnd { sockets: vec![&there], ..OtherEnd::default() };
        let seen = lying(&here, &end);
        assert_eq!(seen.unread.map(|pile| (pile.bytes, pile.taken)), Some((10, Taken::Exactly(90))));
        assert_eq!(seen.unsent.map(|pile| (pile.bytes, pile.taken)), Some((20, Taken::Exactly(30))));
        assert_eq!(seen.unsent_bytes(), Some(23));
        // On another machine only what is under way is known.
        assert_eq!(lying(&here, &OtherEnd::default()).unsent_bytes(), Some(3));
        assert_eq!(lying(&there, &OtherEnd::default()).unsent_bytes(), None);
        let ended = Socket { state: Some("close-wait"), ..tcp(1, 0, 7) };
        assert_eq!(unread(&ended).map(|pile| pile.bytes), Some(0), "the FIN is no data");
        let listener = Socket { state: Some("listen"), ..tcp(1, 0, 0) };
        assert_eq!(lying(&listener, &OtherEnd::default()), Lying::default());
    }

    #[test]
    fn what_one_of_many_has_sent() {
        let dgram = |unread, unsent, peer: Option<u64>| Socket {
            socket_type: Some("dgram"),
            recv_queue: Some(unread),
            send_queue: Some(unsent),
            peer: peer.map(Inode),
            ..Socket::new(Inode(1), Family::Unix)
        };
        let (client, server) = (dgram(0, 768, Some(2)), dgram(50, 0, None));
        let end = OtherEnd { sockets: vec![&server], ..OtherEnd::default() };
        assert_eq!(
            lying(&client, &end).unsent.map(|pile| (pile.bytes, pile.taken)),
            Some((768, Taken::BySize))
        );
        let end = OtherEnd { sockets: vec![&client], ..OtherEnd::default() };
        let seen = lying(&server, &end);
        assert_eq!(seen.unread.map(|pile| (pile.bytes, pile.taken)), Some((50, Taken::Untold)));
        assert_eq!(seen.unsent, None);
    }
}
