//! Which sockets are shown, in which order, and with what beside them.

use super::gather::Data;
use super::pattern::{Pattern, Side};
use super::row::{Peers, Row};
use crate::kind::TcpFields;
use crate::model::{Family, FdRanges, Pid, Socket};
use crate::proc::System;
use crate::sock::Pairs;
use std::cmp::Reverse;
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
        let start = all.len();
        all.extend((0..sockets.len()).map(|nth| (place, nth)));
        all[start..].sort_by_cached_key(|&(_, nth)| {
            let socket = &sockets[nth];
            let port = |end: Option<crate::model::Endpoint>| end.map(|end| (end.0.port(), end.0.ip()));
            (
                Family::ALL.iter().position(|f| *f == socket.family),
                Reverse(socket.listens()),
                port(socket.local),
                port(socket.remote),
                socket.path.is_none(),
                socket.path.clone(),
                socket.inode,
            )
        });
    }
    all
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
            path: end.sockets.first().and_then(|other| other.path.clone()),
        };
        if peers.here {
            let mut holders: Vec<_> =
                end.sockets.iter().flat_map(|other| self.data.owners(other.inode)).cloned().collect();
            if end.sockets.len() > 1 {
                holders.sort_by_key(|holder| (holder.process.pid, holder.fd));
            }
            // Of nobody is sure only where everybody may be seen.
            let sure = !holders.is_empty() || end.closed || !(end.unseen || self.data.may_hide_owners());
            peers.holders = sure.then_some(holders);
        }
        peers
    }
}
