//! `packet(7)`.

use super::{Kind, Probe, ShapeKind, inet};
use crate::model::{Family, Fd, Field, Type};

pub(super) static KIND: Kind = Kind {
    name: "packet",
    help: "a socket that sees frames of an interface",
    groups: &["socket"],
    shape: ShapeKind::Socket,
    object: "packet",
    fields: &[
        Field::new("packet.type", Type::String, "raw or dgram"),
        Field::new(
            "packet.protocol",
            Type::String,
            "ethernet protocol: all, ip, arp, ..., or its number in hex",
        ),
        Field::new("packet.interface", Type::String, "the interface; * for all"),
        Field::new("packet.recv_queue", Type::Size, "memory that frames not read yet take"),
    ],
    needs_info: true,
    can_block: true,
    quiet_poll: true,
    claim: |p| inet::is(p, Family::Packet),
    decode,
    ..Kind::DEFAULT
};

fn decode(probe: &Probe<'_>, fd: &mut Fd) {
    let Some(socket) = probe.socket else { return };
    let interface = match socket.interface {
        Some(0) => Some(b"*".to_vec()),
        Some(index) => probe.lookup.interface(index).or_else(|| Some(format!("index {index}").into_bytes())),
        None => None,
    };
    fd.name.extend_from_slice(socket.socket_type.unwrap_or("packet").as_bytes());
    if let Some(protocol) = &socket.protocol {
        fd.name.extend_from_slice(b", protocol ");
        fd.name.extend_from_slice(protocol);
    }
    if let Some(interface) = &interface {
        fd.name.extend_from_slice(b", interface ");
        fd.name.extend_from_slice(interface);
    }
    inet::unread_memory(fd, socket.recv_queue.unwrap_or(0));
    if probe.values {
        fd.put_some("type", socket.socket_type);
        fd.put_some("protocol", socket.protocol.clone());
        fd.put_some("interface", interface);
        fd.put_some("recv_queue", socket.recv_queue);
    }
}
