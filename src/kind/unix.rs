//! `unix(7)`.

use super::{Kind, Probe, ShapeKind, Tie, inet};
use crate::model::{Family, Fd, Field, Type, append, bytes};

pub(super) static KIND: Kind = Kind {
    name: "unix",
    help: "a unix-domain socket",
    groups: &["socket"],
    shape: ShapeKind::Socket,
    object: "unix",
    fields: &[
        Field::new("unix.type", Type::String, "stream, dgram or seqpacket"),
        Field::new("unix.path", Type::String, "bound path; an abstract name starts with @"),
        Field::new("unix.state", Type::String, "listen, connected, unconnected, connecting or disconnecting"),
        Field::new(
            "unix.peer",
            Type::Integer,
            "inode of the socket at the other end; 0 while nobody has accepted the connection, null once it is closed",
        ),
        Field::new(
            "unix.recv_queue",
            Type::Integer,
            "bytes not read yet, of datagrams those of the first; for a listener, connections not accepted yet",
        ),
        Field::new("unix.send_queue", Type::Size, "memory of what the other end has not read yet"),
        Field::new(
            "unix.backlog",
            Type::Integer,
            "for a listener, its backlog: it admits one connection more",
        ),
    ],
    needs_info: true,
    can_block: true,
    quiet_poll: true,
    claim: |p| inet::is(p, Family::Unix),
    decode,
    tie,
    ..Kind::DEFAULT
};

/// What is connected has another end, and so has what takes datagrams from whoever sends them.
fn tie(probe: &Probe<'_>) -> Option<Tie> {
    let socket = probe.socket?;
    if socket.listens() {
        return Some(Tie::Listener(socket.inode, socket.family));
    }
    let has_end = match (socket.state, socket.socket_type) {
        (Some("unconnected"), Some("dgram")) => socket.path.is_some(),
        (Some("unconnected"), _) => false,
        _ => true,
    };
    has_end.then_some(Tie::Socket(socket.inode, socket.family))
}

fn decode(probe: &Probe<'_>, fd: &mut Fd) {
    let Some(socket) = probe.socket else { return };
    let (type_, state) = (socket.socket_type.unwrap_or("socket"), socket.state);
    fd.name.extend_from_slice(type_.as_bytes());
    if let Some(path) = &socket.path {
        fd.name.push(b' ');
        fd.name.extend_from_slice(path);
    }
    if let Some(state) = state {
        append!(fd.name, " ", state);
    }
    if socket.listens() {
        inet::accept_queue(socket, fd);
    } else {
        if let Some(n) = socket.recv_queue.filter(|&n| n > 0) {
            append!(fd.name, ", ", bytes(n), " unread");
        }
        if let Some(n) = socket.send_queue.filter(|&n| n > 0) {
            append!(fd.name, ", unread there (", bytes(n), " of memory)");
        }
    }
    if socket.lost_its_peer() {
        fd.name.extend_from_slice(b", closed by the other end");
    }
    if probe.values {
        fd.put_some("type", socket.socket_type);
        fd.put_some("path", socket.path.clone());
        fd.put_some("state", state);
        if state == Some("connected") && socket.cookie.is_some() {
            fd.put("peer", socket.peer.map(|inode| inode.0));
        }
        fd.put_some("recv_queue", socket.recv_queue);
        fd.put_some("send_queue", socket.send_queue);
        fd.put_some("backlog", socket.queue.and_then(|queue| queue.max));
    }
}

#[cfg(test)]
mod tests {
    use crate::kind::testing::{Fixture, name, value};
    use crate::model::{AcceptQueue, Family, Inode, Socket, Value};

    fn socket(state: &'static str) -> Socket {
        let socket_type = Some("stream");
        Socket { socket_type, state: Some(state), cookie: Some(1), ..Socket::new(Inode(12), Family::Unix) }
    }

    fn decoded(socket: &Socket) -> crate::model::Fd {
        Fixture { link: b"socket:[12]", socket: Some(socket), ..Fixture::default() }.decode()
    }

    #[test]
    fn queues_of_a_connection() {
        let ends = Socket {
            recv_queue: Some(12),
            send_queue: Some(4096),
            peer: Some(Inode(13)),
            ..socket("connected")
        };
        let fd = decoded(&ends);
        assert_eq!(name(&fd), "stream connected, 12 unread, unread there (4K of memory)");
        assert_eq!(value(&fd, "peer"), &Value::Uint(13));
        let gone = Socket { peer: None, ..socket("connected") };
        let fd = decoded(&gone);
        assert_eq!(name(&fd), "stream connected, closed by the other end");
        assert_eq!(value(&fd, "peer"), &Value::Null);
    }

    #[test]
    fn the_queue_of_a_listener() {
        let queue = |waiting, max| Some(AcceptQueue { waiting, max, drops: None });
        let listener = |queue| Socket { queue, ..socket("listen") };
        assert_eq!(name(&decoded(&listener(queue(1, Some(4))))), "stream listen, queue 1 of 5");
        assert_eq!(name(&decoded(&listener(queue(5, Some(4))))), "stream listen, queue 5 of 5 (full)");
        assert_eq!(name(&decoded(&listener(queue(5, None)))), "stream listen, queue 5");
        assert_eq!(name(&decoded(&listener(None))), "stream listen");
    }
}
