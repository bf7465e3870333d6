//! The kernel's names of protocols and states.

use crate::model::Family;

/// The family that `system.sockprotoname` names.
pub(super) fn family(protocol: &[u8]) -> Family {
    match protocol {
        b"TCP" => Family::Tcp,
        b"TCPv6" => Family::Tcp6,
        b"UDP" => Family::Udp,
        b"UDPv6" => Family::Udp6,
        b"UDP-Lite" => Family::Udplite,
        b"UDPLITEv6" => Family::Udplite6,
        b"RAW" => Family::Raw,
        b"RAWv6" => Family::Raw6,
        b"PING" => Family::Ping,
        b"PINGv6" => Family::Ping6,
        b"UNIX" | b"UNIX-STREAM" | b"UNIX-DGRAM" => Family::Unix,
        b"NETLINK" => Family::Netlink,
        b"PACKET" => Family::Packet,
        b"AF_VSOCK" => Family::Vsock,
        b"MPTCP" => Family::Mptcp,
        b"MPTCPv6" => Family::Mptcp6,
        _ => Family::Other,
    }
}

/// `include/net/tcp_states.h`; UDP and raw sockets use the same numbers.
pub(super) fn tcp_state(number: u64) -> &'static str {
    match number {
        1 => "established",
        2 => "syn-sent",
        3 => "syn-recv",
        4 => "fin-wait-1",
        5 => "fin-wait-2",
        6 => "time-wait",
        7 => "close",
        8 => "close-wait",
        9 => "last-ack",
        10 => "listen",
        11 => "closing",
        // A request that has no socket yet, and a socket that is bound and no more: what they are
        // called elsewhere.
        12 => "syn-recv",
        13 => "close",
        _ => "unknown",
    }
}

/// A socket without connections is bound and unconnected, or has fixed its other end.
pub(super) fn datagram_state(number: u64) -> &'static str {
    match number {
        1 => "established",
        7 => "unconnected",
        _ => "unknown",
    }
}

/// `socket_state` of `linux/net.h`, with the flag that marks a listener.
pub(super) fn unix_state(number: u64, accepts: bool) -> &'static str {
    match number {
        1 if accepts => "listen",
        1 => "unconnected",
        2 => "connecting",
        3 => "connected",
        4 => "disconnecting",
        _ => "unknown",
    }
}

/// The state in which sock_diag has a unix socket, in the words of the table.
pub(super) fn unix_diag_state(number: u8, has_peer: bool) -> &'static str {
    match number {
        10 => "listen",
        // Connecting to a socket for datagrams puts that one into this state too.
        1 if has_peer => "connected",
        1 | 7 => "unconnected",
        2 => "connecting",
        _ => "unknown",
    }
}

/// `SOCK_*` of `socket(2)`.
pub(super) fn socket_type(number: u64) -> Option<&'static str> {
    Some(match number as i32 {
        libc::SOCK_STREAM => "stream",
        libc::SOCK_DGRAM => "dgram",
        libc::SOCK_RAW => "raw",
        libc::SOCK_SEQPACKET => "seqpacket",
        _ => return None,
    })
}

/// `netlink(7)`.
pub(super) fn netlink(number: u64) -> String {
    const NAMES: &[&str] = &[
        "route",
        "unused",
        "usersock",
        "firewall",
        "sock-diag",
        "nflog",
        "xfrm",
        "selinux",
        "iscsi",
        "audit",
        "fib-lookup",
        "connector",
        "netfilter",
        "ip6-fw",
        "dnrtmsg",
        "kobject-uevent",
        "generic",
        "dm",
        "scsitransport",
        "ecryptfs",
        "rdma",
        "crypto",
        "smc",
    ];
    NAMES.get(number as usize).map_or_else(|| format!("protocol {number}"), |&n| n.to_owned())
}

/// `ETH_P_*` of `linux/if_ether.h`: the ones that people listen for.
pub(super) fn ethernet(number: u64) -> String {
    match number {
        0x0003 => "all".to_owned(),
        0x0800 => "ip".to_owned(),
        0x0806 => "arp".to_owned(),
        0x8100 => "802.1q".to_owned(),
        0x86dd => "ipv6".to_owned(),
        0x888e => "pae".to_owned(),
        0x88cc => "lldp".to_owned(),
        n => format!("{n:#06x}"),
    }
}
