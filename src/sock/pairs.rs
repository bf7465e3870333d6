//! Which sockets of this machine are the two ends of one connection.

use crate::model::{Endpoint, Family, Inode, Socket};
use hashbrown::{DefaultHashBuilder, HashMap, HashSet, HashTable};
use std::hash::BuildHasher as _;
use std::net::{IpAddr, SocketAddr};
use std::sync::OnceLock;

/// Where a socket is: which namespace, and which of its sockets.
type At = (u32, u32);

/// An index over the sockets of all network namespaces that could be asked.
#[derive(Debug)]
pub struct Pairs<'s> {
    /// The sockets, by namespace.
    sockets: &'s [Vec<Socket>],
    hasher: DefaultHashBuilder,
    /// Connected internet sockets by [`Tuple`]: there may be very many, so that no more is kept than
    /// where they are.
    connected: HashTable<At>,
    /// Listeners, and sockets for datagrams that are bound and not connected, by namespace,
    /// protocol and port.
    bound: HashMap<(u32, Protocol, u16), Vec<At>>,
    /// Unix sockets by inode, which is one number for all namespaces.
    unix: HashMap<Inode, At>,
    /// Sockets whose other end does not know of them: datagrams are sent there by many.
    senders: HashMap<At, Vec<At>>,
    /// Listeners by the inodes of the clients that wait there.
    waiting: HashMap<Inode, At>,
    /// Own and other addresses, each for itself, of connected sockets that no other belongs to, once
    /// they were asked for.
    alone: OnceLock<[HashSet<(u32, Protocol, Address)>; 2]>,
}

/// An address and a port; one of IPv4 in IPv6 is the same to the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Address {
    high: u64,
    low: u64,
    port: u16,
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        let bits = match address.ip() {
            IpAddr::V4(ip) => ip.to_ipv6_mapped(),
            IpAddr::V6(ip) => ip,
        }
        .to_bits();
        Self { high: (bits >> 64) as u64, low: bits as u64, port: address.port() }
    }
}

/// A connection as one end has it: own and other address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Tuple {
    protocol: Protocol,
    local: Address,
    remote: Address,
}

impl Tuple {
    /// That of a connected internet socket.
    fn of(socket: &Socket) -> Option<Self> {
        let (local, remote) = (socket.local?.0.into(), socket.remote?.0.into());
        Some(Self { protocol: protocol(socket)?, local, remote })
    }

    /// As the other end has it.
    fn reversed(self) -> Self {
        Self { local: self.remote, remote: self.local, ..self }
    }
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
    /// The sockets there; of a client that waits to be accepted, or for an answer, the listener. Several where
    /// datagrams come from many, or where any of several may take them.
    pub sockets: Vec<&'s Socket>,
    /// Whether nobody has accepted the connection yet.
    pub waiting: bool,
    /// Whether the listener has not answered at all: its queue is full, mostly, and the connection is
    /// not in it.
    pub unanswered: bool,
    /// The other half of the connection, which is nobody's until it is accepted; that of a unix socket
    /// is not listed.
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
            hasher: DefaultHashBuilder::default(),
            connected: HashTable::with_capacity(sockets.iter().map(|list| connected(list)).sum()),
            bound: HashMap::new(),
            unix: HashMap::new(),
            senders: HashMap::new(),
            waiting: HashMap::new(),
            alone: OnceLock::new(),
        };
        for (place, sockets) in sockets.iter().enumerate() {
            for (nth, socket) in sockets.iter().enumerate() {
                pairs.add((place as u32, nth as u32), socket);
            }
        }
        pairs.find_senders();
        pairs
    }

    fn add(&mut self, at: At, socket: &Socket) {
        if socket.family == Family::Unix {
            // The half of one that nobody has accepted has no inode, and the kernel does not list it.
            if socket.inode != Inode(0) {
                self.unix.insert(socket.inode, at);
            }
            self.waiting.extend(socket.waiting.iter().map(|&client| (client, at)));
            return;
        }
        let (Some(protocol), Some(local), Some(remote)) = (protocol(socket), socket.local, socket.remote)
        else {
            return;
        };
        if !is_connected(remote) {
            let receives = socket.listens() || socket.state == Some("unconnected");
            if receives && local.0.port() != 0 {
                self.bound.entry((at.0, protocol, local.0.port())).or_default().push(at);
            }
        } else {
            let tuple = Tuple { protocol, local: local.0.into(), remote: remote.0.into() };
            let Self { sockets, hasher, connected, .. } = self;
            let again = |at: &At| hasher.hash_one(Tuple::of(at_of(sockets, *at)));
            connected.insert_unique(hasher.hash_one(Some(tuple)), at, again);
        }
    }

    /// The connected sockets of a tuple: one, but for sockets that share an address and those of
    /// several namespaces.
    fn connected(&self, tuple: Tuple) -> impl Iterator<Item = At> {
        let tuple = Some(tuple);
        let all = self.connected.iter_hash(self.hasher.hash_one(tuple)).copied();
        all.filter(move |&at| Tuple::of(self.socket(at)) == tuple)
    }

    /// Notes where datagrams go whose receiver is not connected back.
    fn find_senders(&mut self) {
        let mut senders: HashMap<At, Vec<At>> = HashMap::new();
        for (place, sockets) in self.sockets.iter().enumerate() {
            for (nth, socket) in sockets.iter().enumerate() {
                let targets = match (socket.family, socket.peer) {
                    (Family::Unix, _) if socket.inode == Inode(0) => Vec::new(),
                    (Family::Unix, Some(peer)) => self.unix.get(&peer).copied().into_iter().collect(),
                    (family, _) if family.is_udp() => self.receivers(place as u32, socket),
                    _ => Vec::new(),
                };
                for target in targets {
                    let knows = self.socket(target).peer == Some(socket.inode);
                    if !knows {
                        senders.entry(target).or_default().push((place as u32, nth as u32));
                    }
                }
            }
        }
        self.senders = senders;
    }

    fn socket(&self, at: At) -> &'s Socket {
        at_of(self.sockets, at)
    }

    /// The other end of `socket`, which is in the namespace of this number.
    pub fn other_end(&self, place: usize, socket: &Socket) -> OtherEnd<'s> {
        let place = place as u32;
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
        let (local, remote) = (local.0, remote.0);
        let tuple = Tuple { protocol, local: local.into(), remote: remote.into() }.reversed();
        // The first in the order of the kernel.
        let mut end = self.connected(tuple).filter(|at| at.0 == place).min();
        if end.is_none() && !remote.ip().to_canonical().is_loopback() {
            // In another namespace: two that have the same addresses cannot be told apart.
            let mut elsewhere = self.connected(tuple);
            end = elsewhere.next().filter(|_| elsewhere.next().is_none());
        }
        let Some(end) = end else {
            if matches!(protocol, Protocol::Tcp | Protocol::Mptcp) {
                return self.alone(place, protocol, socket, canonical(local), canonical(remote));
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
        place: u32,
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
                OtherEnd { unanswered: !sockets.is_empty(), sockets, ..OtherEnd::default() }
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
        place: u32,
        protocol: Protocol,
        local: SocketAddr,
        remote: SocketAddr,
    ) -> bool {
        let [locals, remotes] = self.alone.get_or_init(|| {
            let mut sets = [HashSet::new(), HashSet::new()];
            for &at in &self.connected {
                let Some(tuple) = Tuple::of(self.socket(at)) else { continue };
                if self.connected(tuple.reversed()).next().is_none() {
                    sets[0].insert((at.0, tuple.protocol, tuple.local));
                    sets[1].insert((at.0, tuple.protocol, tuple.remote));
                }
            }
            sets
        });
        let listens = |address: SocketAddr| self.bound.contains_key(&(place, protocol, address.port()));
        let client_there = || locals.contains(&(place, protocol, remote.into()));
        let server_there = || remotes.contains(&(place, protocol, local.into()));
        match (listens(local), listens(remote)) {
            (true, false) => client_there(),
            (false, true) => server_there(),
            _ => client_there() || server_there(),
        }
    }

    fn unix_end(&self, place: u32, socket: &Socket) -> OtherEnd<'s> {
        let mut end = self.sent_by(place, socket);
        // One that shut itself down while it waits looks as if it had lost its peer.
        if let Some(&listener) = self.waiting.get(&socket.inode) {
            end.sockets.push(self.socket(listener));
            end.waiting = true;
            return end;
        }
        match socket.peer {
            Some(peer) => end.sockets.extend(self.unix.get(&peer).map(|&at| self.socket(at))),
            None => end.closed = socket.lost_its_peer(),
        }
        end
    }

    /// Whoever sends here without being known here.
    fn sent_by(&self, place: u32, socket: &Socket) -> OtherEnd<'s> {
        let own = self.find(place, socket);
        let senders = own.and_then(|at| self.senders.get(&at)).map_or(&[][..], Vec::as_slice);
        let sockets = senders.iter().map(|&at| self.socket(at)).collect();
        OtherEnd { sockets, ..OtherEnd::default() }
    }

    /// Where a socket is in the index.
    fn find(&self, place: u32, socket: &Socket) -> Option<At> {
        if socket.family == Family::Unix {
            return self.unix.get(&socket.inode).copied();
        }
        let key = (place, protocol(socket)?, socket.local?.0.port());
        let bound = self.bound.get(&key)?;
        bound.iter().copied().find(|&at| self.socket(at).inode == socket.inode)
    }

    /// The sockets that take the datagrams of a connected one whose other end is not connected
    /// back: those bound to that very address, or else, where it can only be of this namespace, those
    /// bound to all. So it is where both ends have one address: the kernel takes an own one for both.
    fn receivers(&self, place: u32, socket: &Socket) -> Vec<At> {
        let (Some(protocol), Some(local), Some(remote)) = (protocol(socket), socket.local, socket.remote)
        else {
            return Vec::new();
        };
        if remote.is_unset() || matches!(protocol, Protocol::Tcp | Protocol::Mptcp) {
            return Vec::new();
        }
        let tuple = Tuple { protocol, local: local.0.into(), remote: remote.0.into() }.reversed();
        if self.connected(tuple).any(|at| at.0 == place) {
            return Vec::new();
        }
        let (local, remote) = (canonical(local.0), canonical(remote.0));
        let is_here = remote.ip().is_loopback() || local.ip() == remote.ip();
        self.bound_to(place, protocol, remote, is_here)
    }

    /// The listeners in whose queue a connection waits.
    fn listeners(&self, place: u32, pending: &Socket) -> Vec<At> {
        let (Some(protocol), Some(local)) = (protocol(pending), pending.local) else { return Vec::new() };
        self.bound_to(place, protocol, canonical(local.0), true)
    }

    fn bound_to(&self, place: u32, protocol: Protocol, address: SocketAddr, or_any: bool) -> Vec<At> {
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

fn at_of(sockets: &[Vec<Socket>], at: At) -> &Socket {
    &sockets[at.0 as usize][at.1 as usize]
}

/// How many of them are connected.
fn connected(sockets: &[Socket]) -> usize {
    sockets.iter().filter(|socket| socket.remote.is_some_and(is_connected)).count()
}

/// Whether an address of the other end tells that there is one.
fn is_connected(remote: Endpoint) -> bool {
    !remote.is_unset() && remote.0.port() != 0
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
mod tests;
