//! Multipath TCP, RFC 8684. /proc lists its subflows as TCP, but not the socket itself.

use super::{Kind, inet};

pub(super) static MPTCP: Kind =
    inet::kind!("mptcp", "mptcp", &["socket", "inet"], Mptcp, "a multipath TCP socket over IPv4");
pub(super) static MPTCP6: Kind =
    inet::kind!("mptcp6", "mptcp", &["mptcp", "socket", "inet"], Mptcp6, "a multipath TCP socket over IPv6");
