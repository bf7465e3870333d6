//! Multipath TCP, RFC 8684. /proc lists it as its first subflow: a TCP socket.

use super::{Kind, inet};
use crate::model::{Field, Type};

/// Bytes are queued in the whole and in every subflow: /proc does not tell how many in all.
const FIELDS: &[Field] = &[
    Field::new("mptcp.local", Type::Address, "own address"),
    Field::new("mptcp.local_port", Type::Integer, "own port"),
    Field::new("mptcp.remote", Type::Address, "address of the other end"),
    Field::new("mptcp.remote_port", Type::Integer, "port of the other end"),
    Field::new("mptcp.state", Type::String, "state of the first subflow; absent where no table lists it"),
    Field::new("mptcp.recv_queue", Type::Integer, "for a listener, connections not accepted yet"),
    Field::new("mptcp.backlog", Type::Integer, "for a listener, its backlog: it admits one connection more"),
];

pub(super) static MPTCP: Kind =
    inet::kind!("mptcp", "mptcp", &["socket", "inet"], Mptcp, "a multipath TCP socket over IPv4", FIELDS);
pub(super) static MPTCP6: Kind = inet::kind!(
    "mptcp6",
    "mptcp",
    &["mptcp", "socket", "inet"],
    Mptcp6,
    "a multipath TCP socket over IPv6",
    FIELDS
);
