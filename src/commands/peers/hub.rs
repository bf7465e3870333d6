//! What many share at once, such as a pipe that all workers of a server write to: the ends of one such
//! thing are a node of its own in a picture, for an edge from each end to each other would be too many.

use super::connection::Connection;
use super::graph::Graph;
use crate::model::{FdNum, Joint, Pid, Tie};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// From how many edges on.
const MANY: usize = 16;

/// The fds of each process.
type Ends = BTreeMap<Pid, BTreeSet<FdNum>>;

/// One thing that many have.
#[derive(Debug, Default)]
pub(super) struct Hub {
    /// The kind of its fds.
    pub(super) kind: String,
    /// The fds of each process by which bytes go in.
    pub(super) into: Ends,
    /// Those by which they come out.
    pub(super) out: Ends,
    /// Whether there is but one end, which all have: they go in then.
    pub(super) is_shared: bool,
    /// Bytes that nobody has read yet.
    pub(super) unread: u64,
    /// Whether somebody reads nothing of them.
    pub(super) is_stuck: bool,
}

/// The hubs of a graph.
#[derive(Debug)]
pub(super) struct Hubs {
    numbers: HashMap<Tie, usize>,
    pub(super) all: Vec<Hub>,
}

impl Hubs {
    /// Those that have many edges.
    pub(super) fn of(graph: &Graph) -> Self {
        let connections = || graph.nodes.iter().flat_map(|node| &node.connections);
        let mut edges: HashMap<Tie, usize> = HashMap::new();
        for connection in connections() {
            *edges.entry(connection.tie).or_default() += connection.edges.len();
        }
        let mut hubs = Self { numbers: HashMap::new(), all: Vec::new() };
        for connection in connections() {
            let is_one =
                matches!(connection.tie, Tie::Pipe(_) | Tie::Fifo(..) | Tie::Eventfd(_) | Tie::Queue(..));
            if is_one && edges[&connection.tie] >= MANY {
                hubs.add(connection);
            }
        }
        hubs
    }

    /// Whether a connection is one of an end and a hub.
    pub(super) fn has(&self, connection: &Connection) -> bool {
        self.numbers.contains_key(&connection.tie)
    }

    fn add(&mut self, connection: &Connection) {
        let Self { numbers, all } = self;
        let number = *numbers.entry(connection.tie).or_insert_with(|| {
            all.push(Hub { kind: connection.kind.to_string(), ..Hub::default() });
            all.len() - 1
        });
        let hub = &mut all[number];
        let own = [(connection.process.pid, connection.fd)];
        let others = connection.edges.iter().map(|peer| (peer.process.pid, peer.fd));
        match connection.joint() {
            Joint::To => {
                add(&mut hub.into, own);
                add(&mut hub.out, others);
            }
            Joint::From => {
                add(&mut hub.out, own);
                add(&mut hub.into, others);
            }
            joint => {
                hub.is_shared |= joint == Joint::Shared;
                let ends: Vec<_> = others.chain(own).collect();
                if joint == Joint::With {
                    // It is open for both.
                    add(&mut hub.out, ends.iter().copied());
                }
                add(&mut hub.into, ends);
            }
        }
        let lying = &connection.lying;
        let unread = lying.unread.map_or(0, |pile| pile.bytes);
        hub.unread = hub.unread.max(unread).max(lying.unsent_bytes().unwrap_or(0));
        hub.is_stuck |= connection.stuck.is_some();
    }
}

fn add(ends: &mut Ends, more: impl IntoIterator<Item = (Pid, FdNum)>) {
    for (pid, fd) in more {
        ends.entry(pid).or_default().insert(fd);
    }
}
