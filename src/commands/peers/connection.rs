//! One end of a connection.

use crate::model::{Access, Assoc, Fd, FdNum, Holder, Joint, Lying, Peers, Process, Tie, Value};
use crate::proc::Asked;
use std::borrow::Cow;
use std::sync::Arc;

/// An fd of a process, and who has the other end.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    pub(super) process: Arc<Process>,
    pub(super) fd: FdNum,
    pub(super) kind: Cow<'static, str>,
    /// As in a listing.
    pub(super) name: Vec<u8>,
    /// Which it is, without what it does: addresses, a path.
    pub(super) label: Vec<u8>,
    pub(super) tie: Tie,
    pub(super) access: Option<Access>,
    /// Who has the other end.
    pub(super) peers: Peers,
    /// Those of them to whom no connection before it leads back.
    pub(super) edges: Vec<Holder>,
    /// The address of another machine.
    pub(super) remote: Option<Vec<u8>>,
    pub(super) lying: Lying,
    pub(super) stuck: Option<Stuck>,
}

/// Who reads nothing of what lies there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stuck {
    /// The process itself.
    Own,
    /// The other end.
    Peer,
    /// Both.
    Both,
}

impl Stuck {
    pub(super) fn of(own: bool, peer: bool) -> Option<Self> {
        match (own, peer) {
            (true, true) => Some(Self::Both),
            (true, false) => Some(Self::Own),
            (false, true) => Some(Self::Peer),
            (false, false) => None,
        }
    }

    /// The word in every output.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Own => "self",
            Self::Peer => "peer",
            Self::Both => "both",
        }
    }

    pub(super) fn is_own(self) -> bool {
        matches!(self, Self::Own | Self::Both)
    }

    pub(super) fn is_peer(self) -> bool {
        matches!(self, Self::Peer | Self::Both)
    }
}

impl Connection {
    /// The fd of a row, if it is an end that is worth showing.
    pub(super) fn of(row: &Fd, named: bool) -> Option<Self> {
        let Assoc::Fd(fd) = row.assoc else { return None };
        let (tie, peers) = (row.tie?, row.peers.as_ref()?);
        let is_shared = tie.joint(row.access) == Joint::Shared;
        let remote = text(row, "remote").filter(|_| text(row, "state") != Some(b"unconnected"));
        let is_worth = match &peers.holders {
            // That nobody shares it is how most are.
            Some(holders) => !holders.is_empty() || !is_shared,
            // What leads to other machines is of interest where somebody asks for it.
            None => peers.waiting || peers.unanswered || named && !is_shared && is_connected(row, tie),
        };
        is_worth.then(|| Self {
            process: Arc::clone(&row.process),
            fd,
            kind: row.kind.clone(),
            name: row.name.clone(),
            label: label(row, tie),
            tie,
            access: row.access,
            peers: peers.clone(),
            edges: Vec::new(),
            remote: remote.map(<[u8]>::to_vec),
            lying: Lying::default(),
            stuck: None,
        })
    }

    pub(super) fn joint(&self) -> Joint {
        self.tie.joint(self.access)
    }

    pub(super) fn asked(&self) -> Asked {
        Asked { pid: self.process.pid, fd: self.fd, tie: self.tie, access: self.access }
    }
}

/// Sockets for datagrams may have no other end, or any.
fn is_connected(row: &Fd, tie: Tie) -> bool {
    !matches!(tie, Tie::Socket(..)) || text(row, "state") != Some(b"unconnected")
}

fn text<'r>(row: &'r Fd, key: &str) -> Option<&'r [u8]> {
    match row.values.iter().find(|(k, _)| *k == key).map(|(_, value)| value) {
        Some(Value::Text(text)) => Some(text),
        Some(Value::Word(word)) => Some(word.as_bytes()),
        _ => None,
    }
}

fn label(row: &Fd, tie: Tie) -> Vec<u8> {
    let local = text(row, "local");
    match (tie, local, text(row, "remote")) {
        (Tie::Listener(..), Some(local), _) => [local, b" listen"].concat(),
        (_, Some(local), Some(remote)) if text(row, "state") != Some(b"unconnected") => {
            [local, " → ".as_bytes(), remote].concat()
        }
        (_, Some(local), _) => local.to_vec(),
        (Tie::Eventfd(id), ..) => format!("id {id}").into_bytes(),
        _ => {
            let path = text(row, "path").or(row.path()).unwrap_or_default().to_vec();
            if matches!(tie, Tie::Listener(..)) { [&path, &b" listen"[..]].concat() } else { path }
        }
    }
}
