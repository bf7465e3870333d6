//! What internet sockets have in common.

use super::{Probe, TcpFields, Tie};
use crate::model::{Endpoint, Escape, Family, Fd, Socket, append, bytes, escape};
use std::net::IpAddr;

/// The fields of an internet socket, named for `$object`, and those that come on top.
macro_rules! fields {
    ($object:literal, $state:literal, $recv:literal, $send:literal $(, $more:expr)*) => {
        crate::kind::inet::fields!(@ $object, "own port", $state, $recv, $send $(, $more)*)
    };
    (@ $object:literal, $port:literal, $state:literal, $recv:literal, $send:literal $(, $more:expr)*) => {{
        use crate::model::{Field, Type};
        &[
            Field::new(concat!($object, ".local"), Type::Address, "own address"),
            Field::new(concat!($object, ".local_port"), Type::Integer, $port),
            Field::new(concat!($object, ".remote"), Type::Address, "address of the other end; absent where there is none"),
            Field::new(concat!($object, ".remote_port"), Type::Integer, "port of the other end; absent where there is none"),
            Field::new(
                concat!($object, ".interface"),
                Type::String,
                "the interface that it is bound to: its name, or its index in another network namespace"
            ),
            Field::new(concat!($object, ".state"), Type::String, $state),
            Field::new(concat!($object, ".recv_queue"), Type::Integer, $recv),
            Field::new(concat!($object, ".send_queue"), Type::Size, $send),
            $($more),*
        ]
    }};
}
pub(super) use fields;

/// The fields of a socket for datagrams.
macro_rules! datagram_fields {
    ($object:literal) => {
        crate::kind::inet::datagram_fields!($object, "own port")
    };
    ($object:literal, $port:literal) => {
        crate::kind::inet::fields!(
            @ $object,
            $port,
            "established or unconnected; absent where no table lists the socket",
            "memory that datagrams not read yet take, in bytes",
            "memory that datagrams not sent yet take",
            Field::new(concat!($object, ".drops"), Type::Integer, "datagrams dropped, for want of room")
        )
    };
}
pub(super) use datagram_fields;

/// A kind of internet socket.
macro_rules! kind {
    ($name:literal, $object:literal, $groups:expr, $family:ident, $help:literal, $fields:expr) => {
        crate::kind::Kind {
            name: $name,
            help: $help,
            groups: $groups,
            shape: crate::kind::ShapeKind::Socket,
            object: $object,
            fields: $fields,
            needs_info: true,
            can_block: true,
            quiet_poll: true,
            claim: |p| crate::kind::inet::is(p, crate::model::Family::$family),
            decode: crate::kind::inet::decode,
            tie: crate::kind::inet::tie,
            ..crate::kind::Kind::DEFAULT
        }
    };
}
pub(super) use kind;

pub(super) fn is(probe: &Probe<'_>, family: Family) -> bool {
    probe.socket.is_some_and(|s| s.family == family)
}

/// What is connected has another end, and so has what takes datagrams from whoever sends them; the
/// port of raw sockets and echo requests is none.
pub(super) fn tie(probe: &Probe<'_>) -> Option<Tie> {
    let socket = probe.socket?;
    if socket.listens() {
        return Some(Tie::Listener(socket.inode, socket.family));
    }
    let has_end = match socket.family {
        Family::Raw | Family::Raw6 | Family::Ping | Family::Ping6 => false,
        family if family.is_tcp() => socket.remote.is_some_and(|remote| !remote.is_unset()),
        _ => socket.local.is_some_and(|local| !local.is_unset()),
    };
    has_end.then_some(Tie::Socket(socket.inode, socket.family))
}

/// NAME as `own → other`, with the state where the arrow does not say it, and the fields.
pub(super) fn decode(probe: &Probe<'_>, fd: &mut Fd) {
    let Some(socket) = probe.socket else { return };
    // The tables list what is bound, in the namespace of the process: no new or closed socket.
    let state = socket.state.unwrap_or("not listed: unbound, closed, new, or of another namespace");
    let interface = interface(probe);
    let at = interface.as_deref();
    match (socket.local, socket.remote) {
        // An arrow says that it is connected, and leaves room for two long addresses.
        (Some(local), Some(remote)) if !remote.is_unset() => {
            show(local, at, &mut fd.name);
            append!(fd.name, " → ");
            show(remote, None, &mut fd.name);
            if state != "established" {
                append!(fd.name, " ", state);
            }
        }
        (Some(local), _) if !local.is_unset() => {
            show(local, at, &mut fd.name);
            append!(fd.name, " ", state);
        }
        _ => append!(fd.name, state),
    }
    let listens = state == "listen";
    let stream = matches!(socket.family, Family::Tcp | Family::Tcp6);
    match socket.recv_queue {
        Some(_) if listens => accept_queue(socket, fd),
        Some(n) if n > 0 && stream => match socket.unread() {
            Some(0) => fd.name.extend_from_slice(b", end not read"),
            unread => append!(fd.name, ", ", bytes(unread.unwrap_or(n)), " unread"),
        },
        Some(n) => unread_memory(fd, n),
        None => {}
    }
    if let Some(n) = socket.unsent().filter(|&n| n > 0 && !listens) {
        append!(fd.name, ", ", bytes(n), " unsent");
    }
    if let Some(n) = socket.drops.filter(|&n| n > 0) {
        append!(fd.name, ", ", n, " dropped");
    }
    values(probe, fd);
}

/// The fields.
pub(super) fn values(probe: &Probe<'_>, fd: &mut Fd) {
    let Some(socket) = probe.socket.filter(|_| probe.values) else { return };
    let port = |e: Endpoint| u32::from(e.0.port());
    fd.put_some("local", socket.local.map(text));
    fd.put_some("local_port", socket.local.map(port));
    let remote = socket.remote.filter(|remote| !remote.is_unset());
    fd.put_some("remote", remote.map(text));
    fd.put_some("remote_port", remote.map(port));
    fd.put_some("interface", interface(probe));
    fd.put_some("state", socket.state);
    fd.put_some("recv_queue", socket.recv_queue);
    fd.put_some("send_queue", socket.send_queue);
    fd.put_some("drops", socket.drops);
    fd.put_some("backlog", socket.queue.and_then(|queue| queue.max));
    if let Some(detail) = &socket.detail {
        TcpFields::new(|_| true).put(detail, socket.listens(), &mut fd.values);
    }
}

/// How many connections wait, and how many may.
pub(super) fn accept_queue(socket: &Socket, fd: &mut Fd) {
    let Some(queue) = socket.queue else { return };
    append!(fd.name, ", queue ", queue.waiting);
    if let Some(admits) = queue.admits() {
        append!(fd.name, " of ", admits, if queue.is_full() { " (full)" } else { "" });
    }
}

/// Of datagrams and messages the kernel tells the memory that they take, not the bytes in them.
pub(super) fn unread_memory(fd: &mut Fd, n: u64) {
    if n > 0 {
        append!(fd.name, ", unread (", bytes(n), " of memory)");
    }
}

/// The interface that a socket is bound to.
fn interface(probe: &Probe<'_>) -> Option<Vec<u8>> {
    let index = probe.socket?.interface?;
    Some(probe.lookup.interface(index).unwrap_or_else(|| index.to_string().into_bytes()))
}

/// An address as people write it: the wildcard as a star, and the interface that it is bound to.
fn show(endpoint: Endpoint, interface: Option<&[u8]>, out: &mut Vec<u8>) {
    let (ip, port) = (endpoint.0.ip(), endpoint.0.port());
    match ip {
        IpAddr::V4(ip) if ip.is_unspecified() => append!(*out, "*"),
        IpAddr::V4(_) => append!(*out, ip),
        IpAddr::V6(_) => append!(*out, "[", ip),
    }
    if let Some(name) = interface {
        append!(*out, "%", &*escape(name, Escape::Table));
    }
    append!(*out, if ip.is_ipv6() { "]:" } else { ":" }, port);
}

fn text(endpoint: Endpoint) -> Vec<u8> {
    let mut text = Vec::with_capacity("255.255.255.255:65535".len());
    append!(text, endpoint);
    text
}
