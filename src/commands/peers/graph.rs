//! Who is connected with whom: each edge once.

use super::connection::Connection;
use crate::model::{FdNum, Holder, Pid, Process};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The processes that have connections to show, in the order in which they were found.
pub(super) struct Graph {
    pub(super) nodes: Vec<Node>,
}

/// A process.
pub(super) struct Node {
    pub(super) process: Arc<Process>,
    /// Those of which not every edge was shown before.
    pub(super) connections: Vec<Connection>,
    /// The process through which it was reached.
    parent: Option<Pid>,
}

/// An fd of a process.
type End = (Pid, FdNum);

impl Graph {
    /// Takes connections level by level: those of the processes that were asked for, of their peers,
    /// and so on. An edge stays with the first that has it.
    pub(super) fn new(levels: Vec<Vec<Connection>>) -> Self {
        let mut edges: HashSet<(End, End)> = HashSet::new();
        let mut reached: HashMap<Pid, Pid> = HashMap::new();
        let mut nodes = Vec::new();
        for level in levels {
            let mut next: HashMap<Pid, Pid> = HashMap::new();
            for connections in by_process(level) {
                let process = Arc::clone(&connections[0].process);
                let pid = process.pid;
                let peers = connections.iter().flat_map(|connection| connection.peers.known());
                for peer in peers {
                    next.entry(peer.process.pid).or_insert(pid);
                }
                let connections: Vec<Connection> =
                    connections.into_iter().filter_map(|connection| unseen(connection, &mut edges)).collect();
                if !connections.is_empty() {
                    nodes.push(Node { process, connections, parent: reached.get(&pid).copied() });
                }
            }
            reached = next;
        }
        Self { nodes }
    }

    /// Leaves only these connections, and processes that have one.
    pub(super) fn retain(&mut self, wanted: impl Fn(&Connection) -> bool) {
        for node in &mut self.nodes {
            node.connections.retain(&wanted);
        }
        self.nodes.retain(|node| !node.connections.is_empty());
    }

    /// The processes that hang below a connection's process, or below none that is shown.
    pub(super) fn below(&self, parent: Option<Pid>) -> impl Iterator<Item = &Node> {
        let is_shown = |pid: Pid| self.nodes.iter().any(|node| node.process.pid == pid);
        self.nodes.iter().filter(move |node| node.parent.filter(|&pid| is_shown(pid)) == parent)
    }
}

/// The connections of each process, which come one after the other.
fn by_process(level: Vec<Connection>) -> Vec<Vec<Connection>> {
    let mut groups: Vec<Vec<Connection>> = Vec::new();
    for connection in level {
        match groups.last_mut() {
            Some(group) if group[0].process.pid == connection.process.pid => group.push(connection),
            _ => groups.push(vec![connection]),
        }
    }
    groups
}

/// The connection with its edges that no other has, unless all were seen already.
fn unseen(mut connection: Connection, edges: &mut HashSet<(End, End)>) -> Option<Connection> {
    let own = (connection.process.pid, connection.fd);
    let is_new = |holder: &&Holder| {
        let other = (holder.process.pid, holder.fd);
        edges.insert((own.min(other), own.max(other)))
    };
    let known = connection.peers.known();
    let new: Vec<Holder> = known.iter().filter(is_new).cloned().collect();
    if new.is_empty() && !known.is_empty() {
        return None;
    }
    connection.edges = new;
    Some(connection)
}
