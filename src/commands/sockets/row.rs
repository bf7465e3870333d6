//! A socket as records have it.

use super::gather::Data;
use crate::kind::TcpFields;
use crate::model::{
    BitSet, Cell, Column, Emphasis, Escape, Family, Getter, Holder, Inode, Record, Socket, SocketDetail,
    SocketTimer, Value, column_table, escape,
};
use crate::proc::Network;
use crate::sock::is_pending;
use std::fmt::Write as _;
use std::sync::Arc;

/// A socket, and all that is told with it. One is used again for all rows.
pub(super) struct Row {
    data: Arc<Data>,
    place: usize,
    nth: usize,
    /// What stands for an address where there is no IP address.
    local: Vec<u8>,
    remote: Vec<u8>,
    /// Who holds the other end.
    pub(super) peers: Peers,
    pub(super) user: Option<String>,
    pub(super) cgroup: Option<Vec<u8>>,
    /// The fields `tcp.*`.
    tcp: Vec<(&'static str, Value)>,
    /// What people read in the place of numbers and lists.
    queue: String,
    holders: String,
    others: String,
}

/// Who is at the other end.
#[derive(Default)]
pub(super) struct Peers {
    /// Who holds it. Nothing where that cannot be known here: it is not of this machine, or of
    /// processes that may not be read.
    pub(super) holders: Option<Vec<Holder>>,
    /// Whether there is one on this machine at all.
    pub(super) here: bool,
    /// Whether nobody has accepted the connection yet; those who hold it hold the listener.
    pub(super) pending: bool,
    /// The name that the other end of a unix socket is bound to.
    pub(super) path: Option<Vec<u8>>,
}

impl Row {
    pub(super) fn new(data: &Arc<Data>) -> Self {
        Self {
            data: Arc::clone(data),
            place: 0,
            nth: 0,
            local: Vec::new(),
            remote: Vec::new(),
            peers: Peers::default(),
            user: None,
            cgroup: None,
            tcp: Vec::new(),
            queue: String::new(),
            holders: String::new(),
            others: String::new(),
        }
    }

    /// Makes it the row of another socket, for which the peers, the user and the cgroup are set
    /// anew by whoever wants them.
    pub(super) fn set(&mut self, place: usize, nth: usize, tcp: &TcpFields) {
        (self.place, self.nth) = (place, nth);
        let data = Arc::clone(&self.data);
        let socket = &data.sockets[place][nth];
        self.local.clear();
        self.tcp.clear();
        (self.user, self.cgroup) = (None, None);
        let protocol = || socket.protocol.clone().unwrap_or_default();
        match (socket.family, socket.vsock) {
            (_, Some((local, _))) => self.local.extend_from_slice(local.to_string().as_bytes()),
            (Family::Netlink, _) => {
                let port = match socket.port_id {
                    Some(0) | None => "kernel".to_owned(),
                    Some(id) => id.to_string(),
                };
                self.local = [&protocol()[..], b":", port.as_bytes()].concat();
            }
            (Family::Packet, _) => {
                let interface = match socket.interface {
                    Some(0) | None => "*".to_owned(),
                    Some(index) => format!("%{index}"),
                };
                self.local = [&protocol()[..], b":", interface.as_bytes()].concat();
            }
            _ => {}
        }
        if let Some(detail) = &socket.detail {
            tcp.put(detail, socket.listens(), &mut self.tcp);
        }
    }

    /// Completes it, once all else is set, in words for people too if that is wanted.
    pub(super) fn describe(&mut self, words: bool) {
        let data = Arc::clone(&self.data);
        let socket = &data.sockets[self.place][self.nth];
        self.remote.clear();
        match (socket.vsock, &self.peers.path) {
            (Some((_, remote)), _) if !remote.is_unset() => {
                self.remote.extend_from_slice(remote.to_string().as_bytes());
            }
            (None, Some(path)) => self.remote.extend_from_slice(path),
            _ => {}
        }
        if !words {
            return;
        }
        self.queue.clear();
        let _ = match (socket.queue, socket.recv_queue) {
            (Some(queue), _) => match queue.max {
                Some(max) => write!(self.queue, "{}/{max}", queue.waiting),
                None => write!(self.queue, "{}", queue.waiting),
            },
            (None, Some(n)) => write!(self.queue, "{n}"),
            (None, None) => write!(self.queue, "-"),
        };
        self.holders.clear();
        let owners = data.owners(socket.inode);
        if !owners.is_empty() {
            some(&mut self.holders, owners);
        } else if let Some(reason) = self.unowned() {
            self.holders.push_str(match reason {
                NOT_ACCEPTED => "not accepted yet",
                CLOSED => "closed by its owner",
                NO_FD => "no fd",
                other => other,
            });
        } else {
            self.holders.push('?');
        }
        self.others.clear();
        match &self.peers.holders {
            Some(holders) if !holders.is_empty() => {
                if self.peers.pending {
                    self.others.push_str("waiting at ");
                }
                some(&mut self.others, holders);
            }
            Some(_) => self.others.push_str("closed"),
            None => self.others.push_str(if self.peers.here { "?" } else { "-" }),
        }
    }

    pub(super) fn socket(&self) -> &Socket {
        &self.data.sockets[self.place][self.nth]
    }

    fn detail(&self) -> Option<&SocketDetail> {
        self.socket().detail.as_deref()
    }

    fn timer(&self) -> Option<SocketTimer> {
        self.detail()?.timer
    }

    fn memory(&self, nth: usize) -> Option<Cell<'_>> {
        self.detail()?.memory.map(|memory| Cell::Uint(memory[nth].into()))
    }

    pub(super) fn network(&self) -> &Network {
        &self.data.networks[self.place]
    }

    /// The fds that hold it.
    pub(super) fn owners(&self) -> &[Holder] {
        self.data.owners(self.socket().inode)
    }

    /// Why nobody holds it, if that is sure.
    pub(super) fn unowned(&self) -> Option<&'static str> {
        let socket = self.socket();
        if !self.owners().is_empty() {
            return None;
        }
        if socket.is_kernels() {
            return Some("kernel");
        }
        if socket.inode != Inode(0) {
            return (!self.data.may_hide_owners()).then_some(NO_FD);
        }
        Some(match socket.state {
            Some("time-wait") => "time-wait",
            Some("syn-recv") => "syn-recv",
            _ if is_pending(socket) => NOT_ACCEPTED,
            _ if socket.family.is_tcp() => CLOSED,
            _ => NO_FD,
        })
    }
}

const NOT_ACCEPTED: &str = "not-accepted";
const CLOSED: &str = "closed";
const NO_FD: &str = "no-fd";

/// How many fds of processes a cell names before it says how many more there are.
const SHOWN: usize = 2;

fn some(text: &mut String, holders: &[Holder]) {
    // Room for one more is room for its name.
    let shown = if holders.len() == SHOWN + 1 { SHOWN + 1 } else { SHOWN };
    for (nth, Holder { process, fd }) in holders.iter().take(shown).enumerate() {
        let comma = if nth == 0 { "" } else { ", " };
        let command = escape(&process.command, Escape::Table);
        let _ = write!(text, "{comma}{}/{command} {fd}", process.pid);
    }
    if holders.len() > shown {
        let _ = write!(text, " and {} more", holders.len() - shown);
    }
}

impl Record for Row {
    fn object(&self) -> Option<(&'static str, &[(&'static str, Value)])> {
        (!self.tcp.is_empty()).then_some(("tcp", &self.tcp[..]))
    }

    fn emphasis(&self) -> Emphasis {
        match self.socket().queue {
            Some(queue) if queue.is_full() => Emphasis::Alarm,
            Some(queue) if queue.waiting > 0 => Emphasis::Notice,
            _ => Emphasis::None,
        }
    }
}

/// `RCV_SHUTDOWN` and `SEND_SHUTDOWN`.
const SHUTDOWN: &[(u64, &str)] = &[(1, "receive"), (2, "send")];

/// The bits of `struct inet_diag_sockopt` of `linux/inet_diag.h` that are options of the user.
const OPTIONS: &[(u64, &str)] = &[
    (1, "recverr"),
    (1 << 2, "freebind"),
    (1 << 3, "hdrincl"),
    (1 << 4, "multicast-loop"),
    (1 << 5, "transparent"),
    (1 << 6, "multicast-all"),
    (1 << 7, "nodefrag"),
    (1 << 8, "bind-address-no-port"),
    (1 << 9, "recverr-rfc4884"),
    (1 << 10, "defer-connect"),
];
/// Of the protocol, not an option.
const IS_ICSK: u16 = 1 << 1;

fn text(bytes: &[u8]) -> Option<Cell<'_>> {
    (!bytes.is_empty()).then_some(Cell::Text(bytes))
}

fn number<'a>(n: Option<impl Into<u64>>) -> Option<Cell<'a>> {
    n.map(|n| Cell::Uint(n.into()))
}

fn local(row: &Row) -> Option<Cell<'_>> {
    let socket = row.socket();
    match (socket.local, &socket.path) {
        (Some(local), _) => Some(Cell::Address(local)),
        (None, Some(path)) => text(path),
        (None, None) => text(&row.local),
    }
}

fn remote(row: &Row) -> Option<Cell<'_>> {
    match row.socket().remote {
        Some(remote) if remote.is_unset() => None,
        Some(remote) => Some(Cell::Address(remote)),
        None => text(&row.remote),
    }
}

fn peers(row: &Row) -> Option<Cell<'_>> {
    match &row.peers.holders {
        Some(holders) => Some(Cell::Holders(holders)),
        None => row.peers.here.then_some(Cell::Null),
    }
}

fn owners(row: &Row) -> Option<Cell<'_>> {
    let owners = row.owners();
    if owners.is_empty() && row.unowned().is_none() {
        return Some(Cell::Null);
    }
    Some(Cell::Holders(owners))
}

/// The fields of `sockets` but for those of `tcp`, in the order of the manual.
const COLUMNS: &[Column<Row>] = column_table! {
    "family", String, "tcp, tcp6, udp, unix, netlink, ...; the same words as field kind of list",
        |r| Some(Cell::Text(r.socket().family.word().as_bytes()));
    "type", String, "stream, dgram, seqpacket or raw", |r| Some(Cell::Text(socket_type(r.socket()).as_bytes()));
    "state", String, "listen, established, time-wait, ...; of unix sockets connected, unconnected or listen",
        |r| r.socket().state.map(|s| Cell::Text(s.as_bytes()));
    "recv_queue", Integer, "bytes not read yet; of datagrams the memory that they take; of a listener, connections not accepted yet",
        |r| number(r.socket().recv_queue);
    "send_queue", Integer, "bytes not sent or not acknowledged yet; of datagrams and unix sockets, memory that they take until the other end has read them",
        |r| number(r.socket().send_queue);
    "listener.waiting", Integer, "connections that wait to be accepted", |r| number(r.socket().queue.map(|q| q.waiting));
    "listener.max", Integer, "the backlog: one connection more is admitted; absent where it is not known",
        |r| number(r.socket().queue.and_then(|q| q.max));
    "listener.drops", Integer, "connections that were refused a place, some counted twice",
        |r| number(r.socket().queue.and_then(|q| q.drops));
    "local", Address, "own address: IP and port, a path or @NAME, PROTOCOL:PORTID of netlink, CID:PORT of vsock", local;
    "local_port", Integer, "own port", |r| number(r.socket().port());
    "remote", Address, "address of the other end", remote;
    "remote_port", Integer, "port of the other end",
        |r| r.socket().port().and(r.socket().remote).filter(|e| !e.is_unset()).map(|e| Cell::Uint(e.0.port().into()));
    "owners", Records, "the fds that hold it: pid, command, fd; null where they may not be seen", owners;
    "unowned", String, "why nobody holds it: time-wait, syn-recv, not-accepted, closed (by its owner), kernel, no-fd",
        |r| r.unowned().map(|reason| Cell::Text(reason.as_bytes()));
    "peers", Records, "the fds that hold the other end, where that is on this machine; empty once it is closed, null where they may not be seen", peers;
    "pending", Bool, "whether the connection waits to be accepted, by a listener that the peers hold",
        |r| (r.peers.pending || is_pending(r.socket())).then_some(Cell::Bool(true));
    "netns", Integer, "network namespace, by its inode; null where that may not be read",
        |r| Some(r.network().id.map_or(Cell::Null, Cell::Uint));
    "netns_name", String, "its name: that of ip-netns(8), or of the container that it is of",
        |r| r.network().name.as_deref().map(Cell::Text);
    "inode", Integer, "inode of the socket, as links of fds name it; 0 where no file belongs to it",
        |r| Some(Cell::Uint(r.socket().inode.0));
    "cookie", Integer, "the kernel's number of the socket, which is not used again", |r| number(r.socket().cookie);
    "uid", Integer, "the user who made it, or to whom it was given with fchown(2)", |r| number(r.socket().uid);
    "user", String, "name of that user; the number where there is no name",
        |r| r.user.as_deref().map(|u| Cell::Text(u.as_bytes()));
    "drops", Integer, "datagrams and messages dropped, for want of room", |r| number(r.socket().drops);
    "shutdown", List, "directions that are shut down: receive, send",
        |r| r.socket().shutdown.map(|bits| Cell::Set(BitSet { bits: bits.into(), names: SHUTDOWN }));
    "protocol", String, "protocol of netlink and packet sockets", |r| r.socket().protocol.as_deref().map(Cell::Text);
    "groups", Integer, "multicast groups of a netlink socket, a mask", |r| number(r.socket().groups);
    "interface", Integer, "index of the interface that it is bound to", |r| number(r.socket().interface);
    "peer_inode", Integer, "inode of the socket at the other end of a unix socket",
        |r| r.socket().peer.filter(|inode| *inode != Inode(0)).map(|inode| Cell::Uint(inode.0));
    "cgroup", String, "the cgroup in which it was made", |r| r.cgroup.as_deref().map(Cell::Text);
    "cgroup_id", Integer, "id of that cgroup", |r| number(r.detail()?.cgroup);
    "timer.kind", String, "the timer that runs: retransmit, keepalive, time-wait or probe",
        |r| Some(Cell::Text(r.timer()?.kind.as_bytes()));
    "timer.expires", Duration, "time until it runs out", |r| Some(Cell::Float(f64::from(r.timer()?.expires) / 1e3));
    "timer.retransmits", Integer, "times that it ran out with no answer", |r| number(r.timer().map(|t| t.retransmits));
    "memory.received", Size, "memory that what is not read takes", |r| r.memory(0);
    "memory.receive_limit", Size, "the most of that (SO_RCVBUF)", |r| r.memory(1);
    "memory.sent", Size, "memory that what is given to the network takes", |r| r.memory(2);
    "memory.send_limit", Size, "the most that unsent data may take (SO_SNDBUF)", |r| r.memory(3);
    "memory.reserved", Size, "memory set aside and not used yet", |r| r.memory(4);
    "memory.queued", Size, "memory that the send queue takes", |r| r.memory(5);
    "memory.options", Size, "memory of socket options and filters", |r| r.memory(6);
    "memory.backlog", Size, "memory of packets that wait while the socket is in use", |r| r.memory(7);
    "options", List, "options in force: recverr, freebind, transparent, ...",
        |r| r.detail()?.options.map(|bits| Cell::Set(BitSet { bits: (bits & !IS_ICSK).into(), names: OPTIONS }));
    "v6_only", Bool, "whether a socket of IPv6 takes no IPv4", |r| r.detail()?.v6_only.map(Cell::Bool);
    "tos", Integer, "type of service of IPv4 (IP_TOS)", |r| number(r.detail()?.tos);
    "traffic_class", Integer, "traffic class of IPv6 (IPV6_TCLASS)", |r| number(r.detail()?.traffic_class);
    "mark", Integer, "SO_MARK; told only to CAP_NET_ADMIN", |r| number(r.detail()?.mark);
    "class", Integer, "class for traffic control", |r| number(r.detail()?.class);
    "upper", String, "protocol on top of TCP: tls, mptcp, ...", |r| r.detail()?.upper.as_deref().map(Cell::Text);
    "file_inode", Integer, "32 bits of the inode of the file that a unix socket is bound to",
        |r| number(r.detail()?.file.map(|(_, inode)| inode));
    "file_device", String, "device of the filesystem with that file",
        |r| r.detail()?.file.map(|(device, _)| Cell::Device(device));
    "source", String, "where this was read: netlink (sock_diag), or proc (/proc/PID/net), which tells less",
        |r| Some(Cell::Text(if r.data.is_from_table(r.place, r.socket().family) { b"proc" } else { b"netlink" }));
};

/// The same fields as people read them.
pub(super) const SHOWN_COLUMNS: &[Column<Row>] = column_table! {
    "recv_queue", Integer, "", |r| Some(Cell::Text(r.queue.as_bytes()));
    "owners", Records, "", |r| Some(Cell::Text(r.holders.as_bytes()));
    "netns", String, "", |r| match (&r.network().name, r.network().id) {
        (Some(name), _) => Some(Cell::Text(name)),
        _ if r.network().own => Some(Cell::Text(b"own")),
        (None, id) => id.map(Cell::Uint),
    };
    "peers", Records, "", |r| Some(Cell::Text(r.others.as_bytes()));
};

/// All fields.
pub(super) fn columns() -> Vec<Column<Row>> {
    let tcp = TcpFields::ALL.iter().filter_map(|field| {
        let (object, key) = field.name.split_once('.')?;
        Some(Column { field, get: Getter::Object { object, key } })
    });
    COLUMNS.iter().copied().chain(tcp).collect()
}

/// The fields that are filled in only where the kernel is asked for details.
pub(super) fn is_detail(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "cgroup",
        "cgroup_id",
        "options",
        "v6_only",
        "tos",
        "traffic_class",
        "mark",
        "class",
        "upper",
        "file_inode",
        "file_device",
    ];
    let objects = ["tcp.", "timer.", "memory."];
    NAMES.contains(&name) || objects.iter().any(|object| name.starts_with(object))
}

/// The type, which follows from the family where the kernel need not tell it.
fn socket_type(socket: &Socket) -> &'static str {
    socket.socket_type.unwrap_or(match socket.family {
        Family::Tcp | Family::Tcp6 | Family::Mptcp | Family::Mptcp6 => "stream",
        Family::Raw | Family::Raw6 => "raw",
        Family::Netlink => "raw",
        _ => "dgram",
    })
}

#[cfg(test)]
mod tests {
    use super::columns;
    use std::collections::HashSet;

    #[test]
    fn fields_are_unique() {
        let mut names = HashSet::new();
        for column in columns() {
            assert!(names.insert(column.field.name), "{}", column.field.name);
            assert!(!column.field.help.is_empty());
        }
    }
}
