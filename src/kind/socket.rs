//! Sockets of any other protocol, under the kernel's own name for it.

use super::{Kind, Probe, ShapeKind};
use crate::model::{Fd, Field, Type};

pub(super) static KIND: Kind = Kind {
    name: "socket",
    help: "a socket of another protocol; kind is then the protocol's name",
    shape: ShapeKind::Socket,
    object: "socket",
    fields: &[Field::new("socket.protocol", Type::String, "the kernel's name of the protocol")],
    needs_info: true,
    can_block: true,
    claim: |_| true,
    decode,
    ..Kind::DEFAULT
};

fn decode(probe: &Probe<'_>, fd: &mut Fd) {
    match probe.socket.and_then(|s| s.protocol.as_deref()) {
        Some(protocol) => {
            fd.kind = String::from_utf8_lossy(protocol).to_ascii_lowercase().into();
            fd.name.extend_from_slice(protocol);
            fd.name.extend_from_slice(b" socket");
            if probe.values {
                fd.put("protocol", protocol);
            }
        }
        None => fd.name.extend_from_slice(b"protocol not known"),
    }
}

#[cfg(test)]
mod tests {
    use crate::kind::testing::{Fixture, name};
    use crate::model::{Family, Inode, Socket};

    #[test]
    fn kind_is_the_protocol() {
        let socket = Socket { protocol: Some(b"XDP".to_vec()), ..Socket::new(Inode(1), Family::Other) };
        let fd = Fixture { link: b"socket:[1]", socket: Some(&socket), ..Fixture::default() }.decode();
        assert_eq!((fd.kind.as_ref(), name(&fd)), ("xdp", "XDP socket"));
    }
}
