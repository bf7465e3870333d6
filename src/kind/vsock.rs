//! `vsock(7)`. /proc has no table of them: what is known comes from sock_diag, where the kernel has
//! that for them.

use super::{Kind, Probe, ShapeKind, Tie, inet};
use crate::model::{Family, Fd, Field, Type};
use std::io::Write as _;

pub(super) static KIND: Kind = Kind {
    name: "vsock",
    help: "a socket between a virtual machine and its host",
    groups: &["socket"],
    shape: ShapeKind::Socket,
    object: "vsock",
    fields: &[
        Field::new("vsock.local", Type::String, "own address, CID:PORT; * is any"),
        Field::new("vsock.remote", Type::String, "address of the other end"),
        Field::new("vsock.state", Type::String, "listen, established, ...; absent where nothing tells it"),
        Field::new("vsock.type", Type::String, "stream, dgram or seqpacket"),
    ],
    needs_info: true,
    can_block: true,
    quiet_poll: true,
    claim: |p| inet::is(p, Family::Vsock),
    decode,
    // It may well be on another machine: that is what they are for.
    tie: |p| p.socket.is_some_and(|s| s.state == Some("established")).then_some(Tie::Elsewhere),
    ..Kind::DEFAULT
};

fn decode(probe: &Probe<'_>, fd: &mut Fd) {
    let Some((local, remote)) = probe.socket.and_then(|socket| socket.vsock) else {
        return fd
            .name
            .extend_from_slice(b"not listed: unbound, closed, new, or by a kernel that lists none");
    };
    let socket = probe.socket;
    let state = socket.and_then(|socket| socket.state);
    drop(write!(fd.name, "{local}"));
    if !remote.is_unset() {
        drop(write!(fd.name, " → {remote}"));
    }
    if let Some(state) = state.filter(|&state| state != "established") {
        drop(write!(fd.name, " {state}"));
    }
    if probe.values {
        fd.put("local", local.to_string());
        fd.put("remote", remote.to_string());
        fd.put_some("state", state);
        fd.put_some("type", socket.and_then(|socket| socket.socket_type));
    }
}

#[cfg(test)]
mod tests {
    use crate::kind::testing::{Fixture, name, value};
    use crate::model::{Family, Inode, Socket, Value, VsockAddress};

    #[test]
    fn names() {
        let at = |cid, port| VsockAddress { cid, port };
        let any = u32::MAX;
        let decoded = |state, local, remote| {
            let vsock = Some((local, remote));
            let socket = Socket { vsock, state: Some(state), ..Socket::new(Inode(5), Family::Vsock) };
            Fixture { link: b"socket:[5]", socket: Some(&socket), ..Fixture::default() }.decode()
        };
        let listener = decoded("listen", at(any, 1024), at(any, any));
        assert_eq!(
            (name(&listener), value(&listener, "remote")),
            ("*:1024 listen", &Value::Text(b"*:*".to_vec()))
        );
        assert_eq!(name(&decoded("established", at(3, 5000), at(2, 1024))), "3:5000 → 2:1024");
        let unlisted = Socket::new(Inode(5), Family::Vsock);
        let fd = Fixture { link: b"socket:[5]", socket: Some(&unlisted), ..Fixture::default() }.decode();
        assert!(name(&fd).starts_with("not listed"));
    }
}
