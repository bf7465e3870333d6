//! Connections as records.

use super::connection::{Connection, Stuck};
use crate::model::{Cell, Column, Emphasis, Record, column_table};

impl Record for Connection {
    fn emphasis(&self) -> Emphasis {
        if self.stuck.is_some() { Emphasis::Alarm } else { Emphasis::None }
    }
}

/// The fields.
pub(super) const COLUMNS: &[Column<Connection>] = column_table! {
    "pid", Integer, "process id", |c| Some(Cell::Int(c.process.pid.0.into()));
    "command", String, "command name of the process, at most 15 bytes",
        |c| Some(Cell::Text(&c.process.command));
    "fd", Integer, "number of the fd", |c| Some(Cell::Int(c.fd.0.into()));
    "kind", String, "what it is: pipe, unix, tcp, ..., as in fdscope list",
        |c| Some(Cell::Text(c.kind.as_bytes()));
    "name", String, "the most useful thing about it, in a few words", |c| Some(Cell::Text(&c.name));
    "peers", Records,
        "who is at the other end: fds of processes; empty if nobody is, null if it cannot be known",
        |c| Some(c.peers.holders.as_deref().map_or(Cell::Null, Cell::Holders));
    "pending", Bool,
        "whether nobody has accepted the connection yet: peers listen, or wait at this listener",
        |c| Some(Cell::Bool(c.peers.waiting));
    "unread", Size, "bytes that came from the other end and that this process has not read",
        |c| c.lying.unread.map(|pile| Cell::Uint(pile.bytes));
    "unsent", Size, "bytes that this process has sent and that the other end has not read",
        |c| c.lying.unsent_bytes().map(Cell::Uint);
    "stuck", String,
        "who has read nothing of what lay there in the time of --for: self, peer or both; absent if nobody is known to",
        |c| c.stuck.map(Stuck::word).map(|word| Cell::Text(word.as_bytes()));
};
