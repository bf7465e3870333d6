//! `raw(7)`: the port is the protocol number.

use super::{Kind, inet};

pub(super) static RAW: Kind = inet::kind!("raw", "raw", &["socket", "inet"], Raw, "a raw IPv4 socket");
pub(super) static RAW6: Kind =
    inet::kind!("raw6", "raw", &["raw", "socket", "inet"], Raw6, "a raw IPv6 socket");
