//! `udp(7)`.

use super::{Kind, inet};

pub(super) static UDP: Kind = inet::kind!("udp", "udp", &["socket", "inet"], Udp, "a UDP socket over IPv4");
pub(super) static UDP6: Kind =
    inet::kind!("udp6", "udp", &["udp", "socket", "inet"], Udp6, "a UDP socket over IPv6");
