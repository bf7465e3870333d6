//! Which sockets of this machine are the two ends of one connection.

use crate::model::{Family, Inode, Socket};
use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::OnceLock;

/// Where a socket is: which namespace, and which of its sockets.
type At = (usize, usize);

/// An index over the sockets of all network namespaces that could be asked.
#[derive(Debug)]
pub struct Pairs<'s> {
    /// The sockets, by namespace.
    sockets: &'s [Vec<Socket>],
    /// Connected internet sockets by protocol, own and other address.
    connected: HashMap<(Protocol, SocketAddr, SocketAddr), Vec<At>>,
    /// Listeners, and sockets for datagrams that are bound and not connected, by namespace,
    /// protocol and port.
    bound: HashMap<(usize, Protocol, u16), Vec<At>>,
    /// Unix sockets by inode, which is one number for all namespaces.
    unix: HashMap<Inode, At>,
    /// Sockets whose other end does not know of them: datagrams are sent there by many.
    senders: HashMap<At, Vec<At>>,
    /// Listeners by the inodes of the clients that wait there.
    waiting: HashMap<Inode, At>,
    /// The other halves of their connections, which have no inode yet.
    halves: HashMap<Inode, At>,
    /// Own and other addresses, each for itself, of connected sockets that no other belongs to, once
    /// they were asked for.
    alone: OnceLock<[HashSet<(usize, Protocol, SocketAddr)>; 2]>,
}

/// What an address belongs to: a port of one is not that of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Protocol {
    Tcp,
    Mptcp,
    Udp,
    Udplite,
}

/// What is at the other end of a socket.
#[derive(Clone, Debug, Default)]
pub struct OtherEnd<'s> {
    /// The sockets there; of a client that waits to be accepted, the listener. Several where
    /// datagrams come from many, or where any of several may take them.
    pub sockets: Vec<&'s Socket>,
    /// Whether nobody has accepted the connection yet.
    pub waiting: bool,
    /// The other half of the connection, which is nobody's until it is accepted.
    pub half: Option<&'s Socket>,
    /// Whether the other end is of this machine and has been closed by all who had it.
    pub closed: bool,
    /// Whether it is of this machine and was not seen: it came or went while sockets were listed.
    pub unseen: bool,
}

impl<'s> Pairs<'s> {
    /// An index over these sockets, a list for each namespace.
    pub fn new(sockets: &'s [Vec<Socket>]) -> Self {
        let mut pairs = Self {
            sockets,
            connected: HashMap::new(),
            bound: HashMap::new(),
            unix: HashMap::new(),
            senders: HashMap::new(),
            waiting: HashMap::new(),
            halves: HashMap::new(),
            alone: OnceLock::new(),
        };
        for (place, sockets) in sockets.iter().enumerate() {
            for (nth, socket) in sockets.iter().enumerate() {
                pairs.add((place, nth), socket);
            }
        }
        pairs.find_senders();
        pairs
    }

    fn add(&mut self, at: At, socket: &Socket) {
        if socket.family == Family::Unix {
            match (socket.inode, socket.peer) {
                // One that nobody has accepted.
                (Inode(0), Some(peer)) => drop(self.halves.insert(peer, at)),
                (Inode(0), None) => {}
                (inode, _) => drop(self.unix.insert(inode, at)),
            }
            self.waiting.extend(socket.waiting.iter().map(|&client| (client, at)));
            return;
        }
        let (Some(protocol), Some(local), Some(remote)) = (protocol(socket), socket.local, socket.remote)
        else {
            return;
        };
        if remote.is_unset() || remote.0.port() == 0 {
            let receives = socket.listens() || socket.state == Some("unconnected");
            if receives && local.0.port() != 0 {
                self.bound.entry((at.0, protocol, local.0.port())).or_default().push(at);
            }
        } else {
            let tuple = (protocol, canonical(local.0), canonical(remote.0));
            self.connected.entry(tuple).or_default().push(at);
        }
    }

    /// Notes where datagrams go whose receiver is not connected back.
    fn find_senders(&mut self) {
        let mut senders: HashMap<At, Vec<At>> = HashMap::new();
        for (place, sockets) in self.sockets.iter().enumerate() {
            for (nth, socket) in sockets.iter().enumerate() {
                let targets = match (socket.family, socket.peer) {
                    (Family::Unix, _) if socket.inode == Inode(0) => Vec::new(),
                    (Family::Unix, Some(peer)) => self.unix.get(&peer).copied().into_iter().collect(),
                    (Family::Udp | Family::Udp6 | Family::Udplite | Family::Udplite6, _) => {
                        self.receivers(place, socket)
                    }
                    _ => Vec::new(),
                };
                for target in targets {
                    let knows = self.socket(target).peer == Some(socket.inode);
                    if !knows {
                        senders.entry(target).or_default().push((place, nth));
                    }
                }
            }
        }
        self.senders = senders;
    }

    fn socket(&self, at: At) -> &'s Socket {
        &self.sockets[at.0][at.1]
    }

    /// The other end of `socket`, which is in the namespace of this number.
    pub fn other_end(&self, place: usize, socket: &Socket) -> OtherEnd<'s> {
        if socket.family == Family::Unix {
            return self.unix_end(place, socket);
        }
        let (Some(protocol), Some(local), Some(remote)) = (protocol(socket), socket.local, socket.remote)
        else {
            return OtherEnd::default();
        };
        if remote.is_unset() {
            return self.sent_by(place, socket);
        }
        let tuple = (protocol, canonical(remote.0), canonical(local.0));
        let candidates = self.connected.get(&tuple).map_or(&[][..], Vec::as_slice);
        let here = candidates.iter().copied().filter(|at| at.0 == place);
        let mut ends: Vec<At> = here.collect();
        if ends.is_empty() && !remote.0.ip().to_canonical().is_loopback() {
            // In another namespace: two that have the same addresses cannot be told apart.
            ends = match candidates {
                [only] => vec![*only],
                _ => Vec::new(),
            };
        }
        let Some(&end) = ends.first() else {
            if matches!(protocol, Protocol::Tcp | Protocol::Mptcp) {
                return self.alone(place, protocol, socket, canonical(local.0), canonical(remote.0));
            }
            let sockets = self.receivers(place, socket).into_iter().map(|at| self.socket(at)).collect();
            return OtherEnd { sockets, ..OtherEnd::default() };
        };
        let other = self.socket(end);
        if other.inode != Inode(0) {
            return OtherEnd { sockets: vec![other], ..OtherEnd::default() };
        }
        // With a full queue a connection stays half open here, and its client takes it for made.
        if is_pending(other) || other.state == Some("syn-recv") {
            let sockets = self.listeners(end.0, other).into_iter().map(|at| self.socket(at)).collect();
            return OtherEnd { sockets, waiting: true, half: Some(other), ..OtherEnd::default() };
        }
        OtherEnd { closed: true, ..OtherEnd::default() }
    }

    /// The other end of a TCP socket to which no other belongs. Only over loopback is it sure that it
    /// would have to be seen.
    fn alone(
        &self,
        place: usize,
        protocol: Protocol,
        socket: &Socket,
        local: SocketAddr,
        remote: SocketAddr,
    ) -> OtherEnd<'s> {
        if !remote.ip().is_loopback() {
            return OtherEnd::default();
        }
        match socket.state {
            Some("syn-sent") => {
                let listeners = self.bound_to(place, protocol, remote, true);
                let sockets: Vec<_> = listeners.into_iter().map(|at| self.socket(at)).collect();
                OtherEnd { waiting: !sockets.is_empty(), sockets, ..OtherEnd::default() }
            }
            // It has sent its FIN, so that it was closed, unless only one direction was.
            Some("close-wait" | "last-ack" | "closing") => {
                let closed = !self.may_be_redirected(place, protocol, local, remote);
                OtherEnd { closed, ..OtherEnd::default() }
            }
            Some("established" | "fin-wait-1" | "fin-wait-2") => {
                OtherEnd { unseen: true, ..OtherEnd::default() }
            }
            _ => OtherEnd::default(),
        }
    }

    /// Whether a packet filter may have changed the address of the server, so that the other end is
    /// there, under an address that does not belong to this one's. That of the client stays.
    fn may_be_redirected(
        &self,
        place: usize,
        protocol: Protocol,
        local: SocketAddr,
        remote: SocketAddr,
    ) -> bool {
        let [locals, remotes] = self.alone.get_or_init(|| {
            let mut sets = [HashSet::new(), HashSet::new()];
            let has_other = |&(protocol, local, remote): &(Protocol, SocketAddr, SocketAddr)| {
                self.connected.contains_key(&(protocol, remote, local))
            };
            for (tuple, ends) in self.connected.iter().filter(|(tuple, _)| !has_other(tuple)) {
                for at in ends {
                    sets[0].insert((at.0, tuple.0, tuple.1));
                    sets[1].insert((at.0, tuple.0, tuple.2));
                }
            }
            sets
        });
        let listens = |address: SocketAddr| self.bound.contains_key(&(place, protocol, address.port()));
        let client_there = || locals.contains(&(place, protocol, remote));
        let server_there = || remotes.contains(&(place, protocol, local));
        match (listens(local), listens(remote)) {
            (true, false) => client_there(),
            (false, true) => server_there(),
            _ => client_there() || server_there(),
        }
    }

    fn unix_end(&self, place: usize, socket: &Socket) -> OtherEnd<'s> {
        let mut end = self.sent_by(place, socket);
        // One that shut itself down while it waits looks as if it had lost its peer.
        if let Some(&listener) = self.waiting.get(&socket.inode) {
            end.sockets.push(self.socket(listener));
            end.waiting = true;
            end.half = self.halves.get(&socket.inode).map(|&at| self.socket(at));
            return end;
        }
        match socket.peer {
            Some(peer) => end.sockets.extend(self.unix.get(&peer).map(|&at| self.socket(at))),
            None => end.closed = socket.lost_its_peer(),
        }
        end
    }

    /// Whoever sends here without being known here.
    fn sent_by(&self, place: usize, socket: &Socket) -> OtherEnd<'s> {
        let own = self.find(place, socket);
        let senders = own.and_then(|at| self.senders.get(&at)).map_or(&[][..], Vec::as_slice);
        let sockets = senders.iter().map(|&at| self.socket(at)).collect();
        OtherEnd { sockets, ..OtherEnd::default() }
    }

    /// Where a socket is in the index.
    fn find(&self, place: usize, socket: &Socket) -> Option<At> {
        if socket.family == Family::Unix {
            return self.unix.get(&socket.inode).copied();
        }
        let key = (place, protocol(socket)?, socket.local?.0.port());
        let bound = self.bound.get(&key)?;
        bound.iter().copied().find(|&at| self.socket(at).inode == socket.inode)
    }

    /// The sockets that take the datagrams of a connected one whose other end is not connected
    /// back: those bound to that very address, or else, where it can only be of this machine, those
    /// bound to all.
    fn receivers(&self, place: usize, socket: &Socket) -> Vec<At> {
        let (Some(protocol), Some(local), Some(remote)) = (protocol(socket), socket.local, socket.remote)
        else {
            return Vec::new();
        };
        if remote.is_unset() || matches!(protocol, Protocol::Tcp | Protocol::Mptcp) {
            return Vec::new();
        }
        let tuple = (protocol, canonical(remote.0), canonical(local.0));
        let connected_back = |at: &At| at.0 == place;
        if self.connected.get(&tuple).is_some_and(|ends| ends.iter().any(connected_back)) {
            return Vec::new();
        }
        self.bound_to(place, protocol, canonical(remote.0), canonical(remote.0).ip().is_loopback())
    }

    /// The listeners in whose queue a connection waits.
    fn listeners(&self, place: usize, pending: &Socket) -> Vec<At> {
        let (Some(protocol), Some(local)) = (protocol(pending), pending.local) else { return Vec::new() };
        self.bound_to(place, protocol, canonical(local.0), true)
    }

    fn bound_to(&self, place: usize, protocol: Protocol, address: SocketAddr, or_any: bool) -> Vec<At> {
        let Some(bound) = self.bound.get(&(place, protocol, address.port())) else { return Vec::new() };
        let of = |wanted: &dyn Fn(&Socket, SocketAddr) -> bool| -> Vec<At> {
            let is = |at: &At| {
                let socket = self.socket(*at);
                socket.local.is_some_and(|local| wanted(socket, canonical(local.0)))
            };
            bound.iter().copied().filter(is).collect()
        };
        let exact = of(&|_, local| local.ip() == address.ip());
        if !exact.is_empty() || !or_any {
            return exact;
        }
        // A socket bound to all addresses of its own family, before one of IPv6 that takes both.
        let same = of(&|_, local| local.ip().is_unspecified() && local.is_ipv4() == address.is_ipv4());
        if !same.is_empty() {
            return same;
        }
        of(&|socket, local| {
            let v6_only = socket.detail.as_ref().and_then(|detail| detail.v6_only).unwrap_or(false);
            local.ip().is_unspecified() && local.is_ipv6() && !v6_only
        })
    }
}

fn protocol(socket: &Socket) -> Option<Protocol> {
    Some(match socket.family {
        Family::Tcp | Family::Tcp6 => Protocol::Tcp,
        Family::Mptcp | Family::Mptcp6 => Protocol::Mptcp,
        Family::Udp | Family::Udp6 => Protocol::Udp,
        Family::Udplite | Family::Udplite6 => Protocol::Udplite,
        _ => return None,
    })
}

/// An IPv4 address in IPv6 is the same to the other end.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// Whether a TCP socket that belongs to nobody is in an accept queue. One that was closed has sent
/// its FIN, and so is in another state.
pub fn is_pending(socket: &Socket) -> bool {
    socket.inode == Inode(0)
        && socket.family.is_tcp()
        && matches!(socket.state, Some("established" | "close-wait"))
}

#[cfg(test)]
mod tests {
    use super::{OtherEnd, Pairs};
    use crate::model::{Endpoint, Family, Inode, Socket};

    fn inet(inode: u64, family: Family, state: &'static str, local: &str, remote: &str) -> Socket {
        let endpoint = |text: &str| Some(Endpoint(text.parse().unwrap()));
        let (local, remote) = (endpoint(local), endpoint(remote));
        Socket { state: Some(state), local, remote, ..Socket::new(Inode(inode), family) }
    }

    fn unix(inode: u64, state: &'static str, peer: Option<u64>) -> Socket {
        let cookie = Some(inode);
        Socket {
            state: Some(state),
            peer: peer.map(Inode),
            cookie,
            ..Socket::new(Inode(inode), Family::Unix)
        }
    }

    /// The inodes at the other end of the socket `inode`.
    fn ends(sockets: &[Vec<Socket>], inode: u64) -> (Vec<u64>, OtherEnd<'_>) {
        let pairs = Pairs::new(sockets);
        let find = |list: &Vec<Socket>| list.iter().position(|s| s.inode == Inode(inode));
        let (place, nth) =
            sockets.iter().enumerate().find_map(|(place, list)| Some((place, find(list)?))).unwrap();
        let end = pairs.other_end(place, &sockets[place][nth]);
        (end.sockets.iter().map(|s| s.inode.0).collect(), end)
    }

    #[test]
    fn tcp_by_the_reversed_addresses_in_one_namespace() {
        let of = |client, server| {
            vec![
                inet(client, Family::Tcp, "established", "127.0.0.1:5000", "127.0.0.1:80"),
                inet(server, Family::Tcp6, "established", "[::ffff:127.0.0.1]:80", "[::ffff:127.0.0.1]:5000"),
            ]
        };
        let sockets = [of(1, 2), of(3, 4)];
        for (one, other) in [(1, 2), (2, 1), (3, 4), (4, 3)] {
            assert_eq!(ends(&sockets, one).0, [other]);
        }
        let apart = [vec![of(1, 2).remove(0)], vec![of(1, 2).remove(1)]];
        assert_eq!(ends(&apart, 1).0, [0; 0], "loopback does not lead to another namespace");
    }

    #[test]
    fn tcp_across_namespaces_where_it_is_sure() {
        let one = |inode| vec![inet(inode, Family::Tcp, "established", "10.0.0.1:5000", "10.0.0.2:80")];
        let two = |inode| vec![inet(inode, Family::Tcp, "established", "10.0.0.2:80", "10.0.0.1:5000")];
        assert_eq!(ends(&[one(1), two(2)], 1).0, [2]);
        assert_eq!(ends(&[one(1), two(2), two(3)], 1).0, [0; 0]);
    }

    #[test]
    fn a_connection_that_nobody_accepted_is_at_its_listener() {
        let sockets = [vec![
            inet(1, Family::Tcp, "established", "127.0.0.1:5000", "127.0.0.1:80"),
            inet(0, Family::Tcp, "established", "127.0.0.1:80", "127.0.0.1:5000"),
            inet(2, Family::Tcp6, "listen", "[::]:80", "[::]:0"),
            inet(3, Family::Tcp, "listen", "127.0.0.2:80", "0.0.0.0:0"),
        ]];
        for state in ["established", "close-wait", "syn-recv"] {
            let mut sockets = sockets.clone();
            sockets[0][1].state = Some(state);
            let (inodes, end) = ends(&sockets, 1);
            assert_eq!((inodes, end.waiting, end.closed), (vec![2], true, false), "{state}");
        }
    }

    /// The server waits for data (`TCP_DEFER_ACCEPT`), or the last acknowledgement was lost.
    #[test]
    fn a_handshake_that_is_not_over_is_at_its_listener() {
        let sockets = [vec![
            inet(1, Family::Tcp, "established", "127.0.0.1:5000", "127.0.0.1:80"),
            inet(0, Family::Tcp, "syn-recv", "127.0.0.1:80", "127.0.0.1:5000"),
            inet(2, Family::Tcp, "listen", "127.0.0.1:80", "0.0.0.0:0"),
        ]];
        let (inodes, end) = ends(&sockets, 1);
        assert_eq!((inodes, end.waiting, end.closed), (vec![2], true, false));
    }

    #[test]
    fn what_cannot_be_elsewhere_is_closed_or_was_not_seen() {
        let of = |state, remote: &str| {
            let sockets = [vec![inet(1, Family::Tcp, state, "127.0.0.1:80", remote)]];
            let (inodes, end) = ends(&sockets, 1);
            (inodes.len(), end.closed, end.unseen)
        };
        assert_eq!(of("close-wait", "127.0.0.1:5000"), (0, true, false));
        assert_eq!(of("established", "[::ffff:127.0.0.1]:5000"), (0, false, true));
        assert_eq!(of("syn-sent", "127.0.0.1:5000"), (0, false, false));
        assert_eq!(of("close-wait", "10.0.0.1:5000"), (0, false, false));
    }

    #[test]
    fn what_was_closed_belongs_to_nobody() {
        let sockets = [vec![
            inet(1, Family::Tcp, "close-wait", "127.0.0.1:80", "127.0.0.1:5000"),
            inet(0, Family::Tcp, "fin-wait-2", "127.0.0.1:5000", "127.0.0.1:80"),
        ]];
        let (inodes, end) = ends(&sockets, 1);
        assert_eq!((inodes, end.waiting, end.closed), (vec![], false, true));
    }

    #[test]
    fn an_end_that_is_gone_altogether_was_closed() {
        let mut sockets = [vec![
            inet(1, Family::Tcp, "close-wait", "127.0.0.1:80", "127.0.0.1:5000"),
            inet(2, Family::Tcp, "listen", "127.0.0.1:80", "0.0.0.0:0"),
            inet(3, Family::Tcp, "established", "127.0.0.1:5001", "127.0.0.1:80"),
            inet(4, Family::Tcp, "established", "127.0.0.1:5002", "127.0.0.1:80"),
            inet(5, Family::Tcp, "close-wait", "10.0.0.1:5003", "10.0.0.2:80"),
        ]];
        let closed = |sockets: &[Vec<Socket>; 1], inode| ends(sockets, inode).1.closed;
        assert!(closed(&sockets, 1));
        // The client's port is used again, for another connection.
        sockets[0].push(inet(7, Family::Tcp, "established", "127.0.0.1:5000", "127.0.0.1:81"));
        sockets[0].push(inet(8, Family::Tcp, "established", "127.0.0.1:81", "127.0.0.1:5000"));
        assert!(closed(&sockets, 1));
        assert!(!closed(&sockets, 4), "it was not told so");
        assert!(!closed(&sockets, 5), "it may be on another machine");
        // A client that was redirected here.
        sockets[0].push(inet(6, Family::Tcp, "fin-wait-2", "127.0.0.1:5000", "127.0.0.1:8080"));
        assert!(!closed(&sockets, 1));
    }

    #[test]
    fn who_asks_to_be_connected_waits_at_the_listener() {
        let sockets = [vec![
            inet(1, Family::Tcp, "syn-sent", "127.0.0.1:5000", "127.0.0.1:80"),
            inet(2, Family::Tcp, "listen", "0.0.0.0:80", "0.0.0.0:0"),
            inet(3, Family::Tcp, "syn-sent", "127.0.0.1:5001", "127.0.0.1:81"),
        ]];
        let (inodes, end) = ends(&sockets, 1);
        assert_eq!((inodes, end.waiting), (vec![2], true));
        assert!(!ends(&sockets, 3).1.waiting);
    }

    #[test]
    fn datagrams_go_to_who_is_bound_there() {
        let sockets = [vec![
            inet(1, Family::Udp, "established", "127.0.0.1:5000", "127.0.0.1:53"),
            inet(2, Family::Udp, "unconnected", "127.0.0.1:53", "0.0.0.0:0"),
            inet(3, Family::Udp, "unconnected", "0.0.0.0:53", "0.0.0.0:0"),
            inet(4, Family::Udp, "established", "10.0.0.1:5001", "8.8.8.8:53"),
            inet(5, Family::Udp, "established", "127.0.0.1:7000", "127.0.0.1:7001"),
            inet(6, Family::Udp, "established", "127.0.0.1:7001", "127.0.0.1:7000"),
        ]];
        let of = |inode| ends(&sockets, inode).0;
        assert_eq!((of(1), of(2), of(3), of(4)), (vec![2], vec![1], vec![], vec![]));
        assert_eq!((of(5), of(6)), (vec![6], vec![5]));
    }

    #[test]
    fn unix_sockets_by_inode() {
        let listener = Socket { waiting: vec![Inode(8)], ..unix(7, "listen", None) };
        let sockets = [
            vec![unix(1, "connected", Some(2)), unix(2, "connected", Some(1)), unix(3, "connected", None)],
            vec![listener, unix(8, "connected", Some(0))],
            vec![
                unix(20, "unconnected", None),
                unix(21, "connected", Some(20)),
                unix(22, "connected", Some(20)),
            ],
        ];
        let of = |inode| ends(&sockets, inode).0;
        assert_eq!((of(1), of(2), of(3)), (vec![2], vec![1], vec![]));
        assert!(ends(&sockets, 3).1.closed);
        let (inodes, end) = ends(&sockets, 8);
        assert_eq!((inodes, end.waiting), (vec![7], true));
        let told_by_tables = [vec![Socket { cookie: None, ..unix(3, "connected", None) }]];
        assert!(!ends(&told_by_tables, 3).1.closed);
        assert_eq!((of(20), of(21)), (vec![21, 22], vec![20]));
    }
}
