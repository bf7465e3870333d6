//! `raw(7)`: the port is the protocol number.

use super::{Kind, inet};
use crate::model::Field;

const FIELDS: &[Field] = inet::datagram_fields!("raw");

pub(super) static RAW: Kind = inet::kind!(
    "raw",
    "raw",
    &["socket", "inet"],
    Raw,
    "a raw IPv4 socket; its port is the protocol",
    FIELDS
);
pub(super) static RAW6: Kind = inet::kind!(
    "raw6",
    "raw",
    &["raw", "socket", "inet"],
    Raw6,
    "a raw IPv6 socket; its port is the protocol",
    FIELDS
);
