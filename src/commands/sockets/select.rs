//! Which sockets are shown, in which order, and with what beside them.

use super::gather::Data;
use super::pattern::{Pattern, Side};
use super::row::{Held, Peers, Row};
use crate::kind::TcpFields;
use crate::model::{Endpoint, Family, FdRanges, Pid, Socket};
use crate::proc::System;
use crate::sock::Pairs;
use std::cmp::Ordering;
use std::net::SocketAddr;
use std::sync::Arc;

/// What is asked for.
pub(super) struct Selection {
    pub(super) families: Vec<Family>,
    /// Whether those count that the kernel opened for itself, of which every namespace has the same.
    pub(super) kernels: bool,
    /// Words for states; none for all.
    pub(super) states: Vec<String>,
    /// Own ports.
    pub(super) ports: Vec<u16>,
    /// Of either end.
    pub(super) filters: Vec<Pattern>,
    /// Of the other end.
    pub(super) remotes: Vec<Pattern>,
    /// Processes with their fds, if it matters who holds it.
    pub(super) processes: Option<Vec<(Pid, Option<FdRanges>)>>,
    /// How many processes were named that are not there.
    pub(super) missing: u64,
}

impl Selection {
    /// Whether a socket can be meant at all, by what is known of it alone.
    pub(super) fn may_take(&self, socket: &Socket) -> bool {
        self.families.contains(&socket.family)
            && (self.kernels || !socket.is_kernels())
            && (self.states.is_empty() || socket.state.is_some_and(|s| self.states.iter().any(|w| w == s)))
            && (self.ports.is_empty() || socket.port().is_some_and(|port| self.ports.contains(&port)))
    }

    /// Whether it is, by who holds it and what is at its other end.
    pub(super) fn takes(&self, row: &Row) -> bool {
        let socket = row.socket();
        let path = row.peers.path.as_deref();
        let device = &row.interface;
        let remote = |pattern: &Pattern| pattern.matches(socket, Side::Remote, path, device);
        let either =
            |pattern: &Pattern| pattern.matches(socket, Side::Local, None, device) || remote(pattern);
        (self.filters.is_empty() || self.filters.iter().any(either))
            && (self.remotes.is_empty() || self.remotes.iter().any(remote))
            && self.processes.as_ref().is_none_or(|processes| {
                row.owners().iter().any(|holder| {
                    let is = |(pid, fds): &(Pid, Option<FdRanges>)| {
                        *pid == holder.process.pid && fds.as_ref().is_none_or(|fds| fds.contains(holder.fd))
                    };
                    processes.iter().any(is)
                })
            })
    }
}

/// All sockets of the namespaces that are meant, in the order in which they are shown: by namespace
/// and family, those that listen first, then by address.
pub(super) fn order(data: &Data) -> Vec<(usize, usize)> {
    let mut all = Vec::with_capacity(data.sockets.iter().map(Vec::len).sum());
    for (place, sockets) in data.sockets.iter().enumerate().filter(|(place, _)| data.meant[*place]) {
        let mut keys: Vec<(u128, u32)> =
            sockets.iter().enumerate().map(|(nth, socket)| (place_of(socket), nth as u32)).collect();
        keys.sort_unstable_by_key(|(key, _)| *key);
        for alike in keys.chunk_by_mut(|a, b| a.0 == b.0).filter(|alike| alike.len() > 1) {
            alike.sort_unstable_by(|(_, a), (_, b)| {
                within(&sockets[*a as usize], &sockets[*b as usize]).then(a.cmp(b))
            });
        }
        all.extend(keys.into_iter().map(|(_, nth)| (place, nth as usize)));
    }
    all
}

/// A number that orders sockets by family, listeners first, and then by both addresses as far as
/// these fit in: those of IPv4 do, of IPv6 only the port of its own. Most comparisons need no more.
fn place_of(socket: &Socket) -> u128 {
    /// Of each end, behind whether there is one: port, whether it is IPv6, address of IPv4.
    const END: u32 = 1 + 16 + 1 + 32;
    let end = |end: Option<Endpoint>| match end.map(|end| end.0) {
        None => 0,
        Some(SocketAddr::V4(v4)) => 1 << 49 | u128::from(v4.port()) << 33 | u128::from(v4.ip().to_bits()),
        Some(SocketAddr::V6(v6)) => 1 << 49 | u128::from(v6.port()) << 33 | 1 << 32,
    };
    let family = Family::ALL.iter().position(|f| *f == socket.family).map_or(0, |nth| nth as u128 + 1);
    // What comes behind an address that is not all there must not count.
    let remote = match socket.local {
        Some(Endpoint(SocketAddr::V6(_))) => 0,
        _ => end(socket.remote),
    };
    ((family << 1 | u128::from(!socket.listens())) << END | end(socket.local)) << END | remote
}

/// The order of sockets that [`place_of`] does not tell apart.
fn within(one: &Socket, other: &Socket) -> Ordering {
    let ip = |end: Option<Endpoint>| end.map(|end| end.0.ip());
    let remote = |socket: &Socket| socket.remote.map(|end| (end.0.port(), end.0.ip()));
    ip(one.local)
        .cmp(&ip(other.local))
        .then_with(|| remote(one).cmp(&remote(other)))
        .then_with(|| one.path.is_none().cmp(&other.path.is_none()))
        .then_with(|| one.path.cmp(&other.path))
        .then_with(|| one.inode.cmp(&other.inode))
}

/// Makes rows.
pub(super) struct Filler<'f> {
    pub(super) data: &'f Arc<Data>,
    pub(super) pairs: Option<&'f Pairs<'f>>,
    pub(super) tcp: &'f TcpFields,
    pub(super) system: &'f System,
    pub(super) wants_user: bool,
    pub(super) wants_cgroup: bool,
    /// Whether people will read it.
    pub(super) wants_words: bool,
}

impl Filler<'_> {
    /// Makes `row` that of a socket.
    pub(super) fn fill(&self, row: &mut Row, place: usize, nth: usize) {
        row.set(place, nth, self.tcp);
        let socket = &self.data.sockets[place][nth];
        row.peers = self.peers(place, socket);
        if self.wants_user {
            row.user = socket.uid.and_then(|uid| self.system.user_name(uid));
        }
        if self.wants_cgroup {
            let id = socket.detail.as_ref().and_then(|detail| detail.cgroup);
            row.cgroup = id.and_then(|id| self.system.cgroup_path(id));
        }
        row.describe(self.wants_words);
    }

    fn peers(&self, place: usize, socket: &Socket) -> Peers {
        let Some(pairs) = self.pairs else { return Peers::default() };
        if self.data.is_from_table(place, socket.family) && socket.family == Family::Unix {
            // The table does not tell it.
            return Peers { here: socket.state == Some("connected"), ..Peers::default() };
        }
        let end = pairs.other_end(place, socket);
        let mut peers = Peers {
            holders: None,
            here: !end.sockets.is_empty() || end.closed || end.unseen,
            pending: end.waiting,
            unanswered: end.unanswered,
            seen: !end.sockets.is_empty() || end.closed,
            path: end.sockets.first().and_then(|other| other.path.clone()),
        };
        if peers.here {
            let held = match end.sockets[..] {
                [other] => Held::One(self.data.range(other.inode)),
                ref others => {
                    let holders = others.iter().flat_map(|other| self.data.owners(other.inode));
                    let mut holders: Vec<_> = holders.cloned().collect();
                    holders.sort_by_key(|holder| (holder.process.pid, holder.fd));
                    Held::Several(holders)
                }
            };
            // Of nobody is sure only where everybody may be seen.
            let sure = !held.is_empty() || end.closed || !(end.unseen || self.data.may_hide_owners());
            peers.holders = sure.then_some(held);
        }
        peers
    }
}

#[cfg(test)]
mod tests {
    use super::{place_of, within};
    use crate::model::{Endpoint, Family, Inode, Socket};

    #[test]
    fn sockets_have_an_order() {
        let inet = |family, state, local: &str, remote: &str| {
            let [local, remote] = [local, remote].map(|end| end.parse().ok().map(Endpoint));
            Socket { state: Some(state), local, remote, ..Socket::new(Inode(7), family) }
        };
        let unix = |inode, path: Option<&[u8]>| Socket {
            state: Some("connected"),
            path: path.map(<[u8]>::to_vec),
            ..Socket::new(Inode(inode), Family::Unix)
        };
        let sorted = [
            inet(Family::Tcp, "listen", "0.0.0.0:9", "0.0.0.0:0"),
            inet(Family::Tcp, "established", "10.0.0.1:9", "1.1.1.1:1"),
            inet(Family::Tcp, "established", "10.0.0.1:9", "0.0.0.9:2"),
            inet(Family::Tcp, "established", "200.0.0.1:9", "0.0.0.0:1"),
            inet(Family::Tcp, "established", "9.0.0.1:1000", "0.0.0.0:0"),
            inet(Family::Tcp6, "listen", "[::]:9", "[::]:0"),
            inet(Family::Tcp6, "established", "[::1]:8", "[::1]:9"),
            inet(Family::Tcp6, "established", "[::2]:8", "[::1]:1"),
            inet(Family::Tcp6, "established", "[::2]:8", "[::]:2"),
            unix(9, Some(b"/a")),
            unix(8, Some(b"/b")),
            unix(8, None),
            unix(9, None),
        ];
        for (nth, one) in sorted.iter().enumerate() {
            for (behind, other) in sorted.iter().enumerate() {
                let order = place_of(one).cmp(&place_of(other)).then_with(|| within(one, other));
                assert_eq!(order, nth.cmp(&behind), "{one:?} {other:?}");
            }
        }
    }
}
