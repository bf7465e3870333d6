//! The fields of `sockets`.

use super::row::Row;
use crate::kind::TcpFields;
use crate::model::{BitSet, Cell, Column, Family, Getter, HOLDER_MEMBERS, Inode, Socket, column_table};
use crate::sock::is_pending;

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
    match row.peers() {
        Some(holders) => Some(Cell::Holders(holders)),
        None => row.peers.here.then_some(Cell::Null),
    }
}

fn pending(row: &Row) -> Option<Cell<'_>> {
    match &row.peers {
        peers if peers.pending || is_pending(row.socket()) => Some(Cell::Bool(true)),
        peers if peers.seen => Some(Cell::Bool(false)),
        peers => peers.here.then_some(Cell::Null),
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
    "recv_queue", Integer, "bytes not read yet, the end of the data being one; of UDP, raw, netlink, packet and mptcp sockets the memory that they take; of unix datagrams the bytes of the first; of a listener, connections not accepted yet",
        |r| number(r.socket().recv_queue);
    "send_queue", Integer, "bytes not sent or not acknowledged yet, a SYN or FIN being one; of datagrams, mptcp and unix sockets, memory that they take until the other end has read them",
        |r| number(r.socket().send_queue);
    "listener.waiting", Integer, "connections that wait to be accepted", |r| number(r.socket().queue.map(|q| q.waiting));
    "listener.max", Integer, "the backlog: one connection more is admitted; absent where it is not known",
        |r| number(r.socket().queue.and_then(|q| q.max));
    "listener.drops", Integer, "connections that were refused a place, some counted twice",
        |r| number(r.socket().queue.and_then(|q| q.drops));
    "local", Address, "own address: IP and port, a path or @NAME, PROTOCOL:PORTID of netlink, CID:PORT of vsock", local;
    "local_port", Integer, "own port; absent of raw and ping sockets, which have none", |r| number(r.socket().port());
    "remote", Address, "address of the other end", remote;
    "remote_port", Integer, "port of the other end",
        |r| r.socket().port().and(r.socket().remote).filter(|e| !e.is_unset()).map(|e| Cell::Uint(e.0.port().into()));
    "owners", Records[HOLDER_MEMBERS], "the fds that hold it: pid, command, fd; null where they may not be seen", owners;
    "unowned", String, "why nobody holds it: time-wait, syn-recv, not-accepted, closed (by its owner), kernel, no-fd",
        |r| r.unowned().map(|reason| Cell::Text(reason.as_bytes()));
    "peers", Records[HOLDER_MEMBERS], "the fds that hold the other end, where that is on this machine; of syn-sent over loopback, the listener that does not answer; empty once it is closed, null where they may not be seen or came or went meanwhile", peers;
    "pending", Bool, "whether the connection waits to be accepted, by a listener that the peers hold; as peers, absent where the other end is not on this machine, and null where it was not seen", pending;
    "netns", Integer, "network namespace, by its inode; null where that may not be read",
        |r| Some(r.network().id.map_or(Cell::Null, Cell::Uint));
    "netns_name", String, "its name: that of ip-netns(8), or of the container that it is of",
        |r| r.network().name.as_deref().map(Cell::Text);
    "inode", Integer, "inode of the socket, as links of fds name it; 0 where no file belongs to it",
        |r| Some(Cell::Uint(r.socket().inode.0));
    "cookie", Integer, "the kernel's number of the socket, which is not used again", |r| number(r.socket().cookie);
    "uid", Integer, "the user who made it, or to whom it was given with fchown(2); absent where no file belongs to it", |r| number(r.socket().uid);
    "user", String, "name of that user; the number where there is no name",
        |r| r.user.as_deref().map(|u| Cell::Text(u.as_bytes()));
    "drops", Integer, "datagrams and messages dropped, for want of room", |r| number(r.socket().drops);
    "shutdown", List, "directions that are shut down: receive, send",
        |r| r.socket().shutdown.map(|bits| Cell::Set(BitSet { bits: bits.into(), names: SHUTDOWN }));
    "protocol", String, "protocol of netlink and packet sockets", |r| r.socket().protocol.as_deref().map(Cell::Text);
    "groups", Integer, "multicast groups of a netlink socket, a mask", |r| number(r.socket().groups);
    "interface", String, "interface that it is bound to: its name, or its index where that is not known; * of a packet socket for all",
        |r| text(&r.interface);
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
pub(super) const SHOWN: &[Column<Row>] = column_table! {
    "recv_queue", Integer, "", |r| Some(Cell::Text(r.queue.as_bytes()));
    "local", Address, "", |r| text(&r.local).or_else(|| local(r));
    "owners", Records, "", |r| Some(Cell::Text(&r.holders));
    "netns", String, "", |r| match (&r.network().name, r.network().id) {
        (Some(name), _) => Some(Cell::Text(name)),
        _ if r.network().own => Some(Cell::Text(b"own")),
        (None, id) => id.map(Cell::Uint),
    };
    "peers", Records, "", |r| Some(Cell::Text(&r.others));
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
