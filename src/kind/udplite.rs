//! `udplite(7)`.

use super::{Kind, inet};
use crate::model::Field;

const FIELDS: &[Field] = inet::datagram_fields!("udplite");

pub(super) static UDPLITE: Kind =
    inet::kind!("udplite", "udplite", &["socket", "inet"], Udplite, "a UDP-Lite socket over IPv4", FIELDS);
pub(super) static UDPLITE6: Kind = inet::kind!(
    "udplite6",
    "udplite",
    &["udplite", "socket", "inet"],
    Udplite6,
    "a UDP-Lite socket over IPv6",
    FIELDS
);
