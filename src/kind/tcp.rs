//! `tcp(7)`.

use super::{Kind, inet};
use crate::model::Field;

const FIELDS: &[Field] = inet::fields!(
    "tcp",
    "established, listen, close-wait, syn-sent, ...; absent where no table lists the socket",
    "bytes not read yet; for a listener, connections not accepted yet"
);

pub(super) static TCP: Kind =
    inet::kind!("tcp", "tcp", &["socket", "inet"], Tcp, "a TCP socket over IPv4", FIELDS);
pub(super) static TCP6: Kind =
    inet::kind!("tcp6", "tcp", &["tcp", "socket", "inet"], Tcp6, "a TCP socket over IPv6", FIELDS);
