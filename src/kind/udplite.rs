//! `udplite(7)`.

use super::{Kind, inet};

pub(super) static UDPLITE: Kind =
    inet::kind!("udplite", "udplite", &["socket", "inet"], Udplite, "a UDP-Lite socket over IPv4");
pub(super) static UDPLITE6: Kind = inet::kind!(
    "udplite6",
    "udplite",
    &["udplite", "socket", "inet"],
    Udplite6,
    "a UDP-Lite socket over IPv6"
);
