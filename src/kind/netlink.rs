//! `netlink(7)`.

use super::{Kind, Probe, ShapeKind, inet};
use crate::model::{Family, Fd, Field, Type};
use std::io::Write as _;

pub(super) static KIND: Kind = Kind {
    name: "netlink",
    help: "a socket to the kernel",
    groups: &["socket"],
    shape: ShapeKind::Socket,
    object: "netlink",
    fields: &[
        Field::new("netlink.protocol", Type::String, "route, generic, kobject-uevent, audit, ..."),
        Field::new("netlink.port_id", Type::Integer, "the socket's address; often the pid"),
        Field::new("netlink.groups", Type::Integer, "multicast groups 1 to 32, as a mask"),
        Field::new("netlink.recv_queue", Type::Size, "memory that messages not read yet take"),
        Field::new("netlink.drops", Type::Integer, "messages dropped"),
    ],
    needs_info: true,
    can_block: true,
    quiet_poll: true,
    claim: |p| inet::is(p, Family::Netlink),
    decode,
    ..Kind::DEFAULT
};

fn decode(probe: &Probe<'_>, fd: &mut Fd) {
    let Some(socket) = probe.socket else { return };
    fd.name.extend_from_slice(socket.protocol.as_deref().unwrap_or(b"unbound"));
    if let Some(port) = socket.port_id {
        drop(write!(fd.name, ", port id {port}"));
    }
    inet::unread_memory(fd, socket.recv_queue.unwrap_or(0));
    if let Some(n) = socket.drops.filter(|&n| n > 0) {
        drop(write!(fd.name, ", {n} dropped"));
    }
    if probe.values {
        fd.put_some("protocol", socket.protocol.clone());
        fd.put_some("port_id", socket.port_id);
        fd.put_some("groups", socket.groups);
        fd.put_some("recv_queue", socket.recv_queue);
        fd.put_some("drops", socket.drops);
    }
}
