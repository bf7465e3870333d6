//! Echo requests without privilege: `icmp(7)`. The port is the identifier of the requests.

use super::{Kind, inet};
use crate::model::Field;

const FIELDS: &[Field] = inet::datagram_fields!("ping", "no port, but the identifier of its echo requests");

pub(super) static PING: Kind =
    inet::kind!("ping", "ping", &["socket", "inet"], Ping, "an unprivileged ICMP echo socket", FIELDS);
pub(super) static PING6: Kind = inet::kind!(
    "ping6",
    "ping",
    &["ping", "socket", "inet"],
    Ping6,
    "an unprivileged ICMPv6 echo socket",
    FIELDS
);
