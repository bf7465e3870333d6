//! `raw(7)`: what stands where other sockets have their port is the protocol.

use super::{Kind, Probe, inet};
use crate::model::{Fd, Field};
use std::io::Write as _;

const FIELDS: &[Field] = inet::datagram_fields!("raw", "no port, but the number of its protocol");

pub(super) static RAW: Kind = Kind {
    decode,
    ..inet::kind!(
        "raw",
        "raw",
        &["socket", "inet"],
        Raw,
        "a raw IPv4 socket; its protocol stands where others have their port",
        FIELDS
    )
};

pub(super) static RAW6: Kind = Kind {
    decode,
    ..inet::kind!(
        "raw6",
        "raw",
        &["raw", "socket", "inet"],
        Raw6,
        "a raw IPv6 socket; its protocol stands where others have their port",
        FIELDS
    )
};

/// `protocols(5)`: those that people open raw sockets for.
fn protocol(number: u16) -> Option<&'static str> {
    Some(match i32::from(number) {
        libc::IPPROTO_ICMP => "icmp",
        libc::IPPROTO_IGMP => "igmp",
        libc::IPPROTO_TCP => "tcp",
        libc::IPPROTO_UDP => "udp",
        libc::IPPROTO_GRE => "gre",
        libc::IPPROTO_ICMPV6 => "icmpv6",
        89 => "ospf",
        112 => "vrrp",
        libc::IPPROTO_RAW => "raw",
        _ => return None,
    })
}

fn decode(probe: &Probe<'_>, fd: &mut Fd) {
    let Some(socket) = probe.socket else { return };
    let Some(local) = socket.local else {
        inet::decode(probe, fd);
        return;
    };
    drop(write!(fd.name, "protocol {}", local.0.port()));
    if let Some(name) = protocol(local.0.port()) {
        drop(write!(fd.name, " ({name})"));
    }
    if !local.0.ip().is_unspecified() {
        drop(write!(fd.name, ", at {}", local.0.ip()));
    }
    if let Some(remote) = socket.remote.filter(|r| !r.0.ip().is_unspecified()) {
        drop(write!(fd.name, ", to {}", remote.0.ip()));
    }
    inet::unread_memory(fd, socket.recv_queue.unwrap_or(0));
    inet::values(probe, fd);
}

#[cfg(test)]
mod tests {
    use crate::kind::testing::{Fixture, name};
    use crate::model::{Endpoint, Family, Inode, Socket};

    #[test]
    fn the_port_is_the_protocol() {
        let shown = |local: &str, remote: &str| {
            let end = |text: &str| Some(Endpoint(text.parse().unwrap()));
            let socket = Socket {
                local: end(local),
                remote: end(remote),
                state: Some("unconnected"),
                ..Socket::new(Inode(1), Family::Raw)
            };
            name(&Fixture { link: b"socket:[1]", socket: Some(&socket), ..Fixture::default() }.decode())
                .to_owned()
        };
        assert_eq!(shown("0.0.0.0:1", "0.0.0.0:0"), "protocol 1 (icmp)");
        assert_eq!(shown("127.0.0.1:253", "127.0.0.2:0"), "protocol 253, at 127.0.0.1, to 127.0.0.2");
    }
}
