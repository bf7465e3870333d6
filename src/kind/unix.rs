//! `unix(7)`.

use super::{Kind, Probe, ShapeKind, inet};
use crate::model::{Family, Fd, Field, Type};
use std::io::Write as _;

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
    ],
    needs_info: true,
    can_block: true,
    quiet_poll: true,
    claim: |p| inet::is(p, Family::Unix),
    decode,
    ..Kind::DEFAULT
};

fn decode(probe: &Probe<'_>, fd: &mut Fd) {
    let Some(socket) = probe.socket else { return };
    let (type_, state) = (socket.socket_type.unwrap_or("socket"), socket.state);
    fd.name.extend_from_slice(type_.as_bytes());
    if let Some(path) = &socket.path {
        fd.name.push(b' ');
        fd.name.extend_from_slice(path);
    }
    if let Some(state) = state {
        drop(write!(fd.name, " {state}"));
    }
    if probe.values {
        fd.put_some("type", socket.socket_type);
        fd.put_some("path", socket.path.clone());
        fd.put_some("state", state);
    }
}
