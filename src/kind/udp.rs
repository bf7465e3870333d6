//! `udp(7)`.

use super::{Kind, inet};
use crate::model::Field;

const FIELDS: &[Field] = inet::datagram_fields!("udp");

pub(super) static UDP: Kind =
    inet::kind!("udp", "udp", &["socket", "inet"], Udp, "a UDP socket over IPv4", FIELDS);
pub(super) static UDP6: Kind =
    inet::kind!("udp6", "udp", &["udp", "socket", "inet"], Udp6, "a UDP socket over IPv6", FIELDS);
