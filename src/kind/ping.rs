//! Echo requests without privilege: `icmp(7)`.

use super::{Kind, inet};

pub(super) static PING: Kind =
    inet::kind!("ping", "ping", &["socket", "inet"], Ping, "an unprivileged ICMP echo socket");
pub(super) static PING6: Kind =
    inet::kind!("ping6", "ping", &["ping", "socket", "inet"], Ping6, "an unprivileged ICMPv6 echo socket");
