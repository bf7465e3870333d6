//! Connections that differ in nothing but the fds: people see them as one.

use super::connection::{Connection, Stuck};
use crate::model::{Joint, Pid};

/// Connections of one process.
pub(super) struct Bundle<'c> {
    pub(super) all: Vec<&'c Connection>,
}

/// From how many on they are put together.
const MANY: usize = 4;

impl<'c> Bundle<'c> {
    /// Puts those together that are many and alike, each where its first one stands.
    pub(super) fn of(connections: impl IntoIterator<Item = &'c Connection>) -> Vec<Self> {
        let mut bundles: Vec<Self> = Vec::new();
        let mut keys = Vec::new();
        for connection in connections {
            let key = key(connection);
            match keys.iter().position(|k| *k == key) {
                Some(nth) => bundles[nth].all.push(connection),
                None => {
                    keys.push(key);
                    bundles.push(Self { all: vec![connection] });
                }
            }
        }
        let alone = |bundle: Self| match bundle.all.len() {
            MANY.. => vec![bundle],
            _ => bundle.all.into_iter().map(|connection| Self { all: vec![connection] }).collect(),
        };
        let mut bundles: Vec<Self> = bundles.into_iter().flat_map(alone).collect();
        bundles.sort_by_key(|bundle| bundle.first().fd);
        bundles
    }

    pub(super) fn first(&self) -> &'c Connection {
        self.all[0]
    }

    /// Bytes that wait here and there, in all.
    pub(super) fn bytes(&self) -> (u64, u64) {
        let unread = |connection: &&Connection| connection.lying.unread.map_or(0, |pile| pile.bytes);
        let unsent = |connection: &&Connection| connection.lying.unsent_bytes().unwrap_or(0);
        (self.all.iter().map(unread).sum(), self.all.iter().map(unsent).sum())
    }
}

/// What connections of a process have to have in common.
type Key<'c> = (&'c str, Joint, Option<Vec<Pid>>, bool, Option<Stuck>, Option<&'c [u8]>);

fn key(connection: &Connection) -> Key<'_> {
    let Connection { kind, peers, stuck, remote, .. } = connection;
    let pids = peers.holders.as_ref().map(|holders| {
        let mut pids: Vec<Pid> = holders.iter().map(|holder| holder.process.pid).collect();
        pids.dedup();
        pids
    });
    let known = peers.holders.is_some();
    (kind, connection.joint(), pids, peers.waiting, *stuck, remote.as_deref().filter(|_| !known))
}
