//! Multipath TCP, RFC 8684. /proc lists its subflows as TCP, but not the socket itself: addresses
//! come with sock_diag.

use super::{Kind, ShapeKind, inet};
use crate::model::Family;

pub(super) static MPTCP: Kind = Kind {
    name: "mptcp",
    help: "a multipath TCP socket over IPv4",
    groups: &["socket", "inet"],
    claim: |p| inet::is(p, Family::Mptcp),
    ..UNLISTED
};

pub(super) static MPTCP6: Kind = Kind {
    name: "mptcp6",
    help: "a multipath TCP socket over IPv6",
    groups: &["mptcp", "socket", "inet"],
    claim: |p| inet::is(p, Family::Mptcp6),
    ..UNLISTED
};

const UNLISTED: Kind = Kind {
    shape: ShapeKind::Socket,
    needs_info: true,
    can_block: true,
    decode: |_, fd| fd.name.extend_from_slice(b"not listed in /proc"),
    ..Kind::DEFAULT
};
