//! The graph in the language of graphviz: `dot(1)`.

use super::bundle::Bundle;
use super::connection::{Connection, Stuck};
use super::graph::Graph;
use super::hub::{Hub, Hubs};
use crate::model::{Escape, FdNum, Holder, Joint, Pid, bytes, escape};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{self, Write};

/// Writes it: a node for each process, an edge for each connection of two, and a node for what many
/// share.
pub(super) fn write(graph: &Graph, out: &mut dyn Write) -> io::Result<()> {
    let mut nodes: BTreeMap<Pid, Vec<u8>> = BTreeMap::new();
    let mut far: BTreeSet<&[u8]> = BTreeSet::new();
    let mut edges = String::new();
    let mut nobody = 0;
    let hubs = Hubs::of(graph);
    for node in &graph.nodes {
        nodes.insert(node.process.pid, node.process.command.clone());
        for peer in node.connections.iter().flat_map(|connection| connection.peers.known()) {
            nodes.entry(peer.process.pid).or_insert_with(|| peer.process.command.clone());
        }
        for bundle in Bundle::of(node.connections.iter().filter(|connection| !hubs.has(connection))) {
            let first = bundle.first();
            let to = match (&first.peers.holders, &first.remote) {
                (Some(holders), _) if !holders.is_empty() => {
                    edge_to_each(&mut edges, &bundle);
                    continue;
                }
                (None, Some(remote)) => {
                    far.insert(remote);
                    quoted(&format!("at {}", text(remote)))
                }
                (holders, _) => {
                    nobody += 1;
                    let name = format!("none{nobody}");
                    let (label, shape) = if holders.is_some() { ("nobody", "plain") } else { ("?", "plain") };
                    let _ = writeln!(edges, "  {name} [label={}, shape={shape}];", quoted(label));
                    name
                }
            };
            edge(&mut edges, &bundle, &to, &[]);
        }
    }
    writeln!(out, "digraph peers {{")?;
    writeln!(out, "  rankdir=LR;")?;
    writeln!(out, "  node [shape=box, style=rounded, fontname=\"sans-serif\"];")?;
    writeln!(out, "  edge [fontname=\"sans-serif\", fontsize=10];")?;
    for (pid, command) in &nodes {
        writeln!(out, "  {} [label={}];", id(*pid), quoted(&format!("{}\n{pid}", text(command))))?;
    }
    for remote in far {
        let name = quoted(&format!("at {}", text(remote)));
        writeln!(out, "  {name} [label={}, style=dashed];", quoted(&text(remote)))?;
    }
    for (nth, hub) in hubs.all.iter().enumerate() {
        spokes(&mut edges, nth, hub);
    }
    out.write_all(edges.as_bytes())?;
    writeln!(out, "}}")?;
    out.flush()
}

/// The node of what many share, and an edge for each process that has an end of it.
fn spokes(out: &mut String, nth: usize, hub: &Hub) {
    let mut label = hub.kind.clone();
    if hub.unread > 0 {
        let nothing = if hub.is_stuck { ", nothing is read" } else { "" };
        let _ = write!(label, "\n{} unread{nothing}", bytes(hub.unread));
    }
    let color = if hub.is_stuck { ", color=red, fontcolor=red, penwidth=2" } else { "" };
    let _ = writeln!(out, "  hub{nth} [label={}, shape=ellipse{color}];", quoted(&label));
    let direction = if hub.is_shared { "none" } else { "forward" };
    for (ends, goes_in) in [(&hub.into, true), (&hub.out, false)] {
        for (pid, fds) in ends {
            let (own, hub) = (id(*pid), format!("hub{nth}"));
            let (from, to) = if goes_in { (own, hub) } else { (hub, own) };
            let fds: Vec<String> = fds.iter().map(FdNum::to_string).collect();
            let label = quoted(&fds.join(","));
            let _ = writeln!(out, "  {from} -> {to} [dir={direction}, label={label}];");
        }
    }
}

/// An edge to each process that has the other end, and to which none was drawn yet.
fn edge_to_each(out: &mut String, bundle: &Bundle<'_>) {
    let mut ends: BTreeMap<Pid, Vec<&Holder>> = BTreeMap::new();
    for holder in bundle.all.iter().flat_map(|connection| &connection.edges) {
        ends.entry(holder.process.pid).or_default().push(holder);
    }
    for (pid, holders) in ends {
        edge(out, bundle, &id(pid), &holders);
    }
}

fn edge(out: &mut String, bundle: &Bundle<'_>, to: &str, ends: &[&Holder]) {
    let first = bundle.first();
    let from = id(first.process.pid);
    let (from, to) = match first.joint() {
        // Bytes go along the arrow, and who waits comes to who listens.
        Joint::From | Joint::Waiting => (to, from.as_str()),
        _ => (from.as_str(), to),
    };
    let direction = match first.joint() {
        Joint::From | Joint::To | Joint::Waiting => "forward",
        _ if first.peers.waiting => "forward",
        Joint::With => "both",
        Joint::Shared => "none",
    };
    let color = if first.stuck.is_some() { ", color=red, fontcolor=red, penwidth=2" } else { "" };
    let style = if first.peers.waiting { ", style=dashed" } else { "" };
    let label = quoted(&label(bundle, ends));
    let _ = writeln!(out, "  {from} -> {to} [dir={direction}, label={label}{color}{style}];");
}

/// The kind, the two fds, what waits and who does not read it.
fn label(bundle: &Bundle<'_>, ends: &[&Holder]) -> String {
    let first: &Connection = bundle.first();
    let own = first.fd;
    let there: Vec<String> = ends.iter().map(|end| end.fd.to_string()).collect();
    let there = there.join(",");
    let mut label = match (bundle.all.len(), first.joint()) {
        (1, _) if ends.is_empty() => format!("{} {own}", first.kind),
        (1, Joint::From | Joint::Waiting) => format!("{} {there} → {own}", first.kind),
        (1, Joint::To) => format!("{} {own} → {there}", first.kind),
        (1, _) if first.peers.waiting => format!("{} {own} → {there}", first.kind),
        (1, _) => format!("{} {own} – {there}", first.kind),
        (many, _) => format!("{many} × {}", first.kind),
    };
    if first.peers.waiting {
        label.push_str("\nnot accepted");
    }
    let (unread, unsent) = bundle.bytes();
    let pid = first.process.pid;
    let nothing = |stuck: bool| if stuck { ", nothing is read" } else { "" };
    if unread > 0 {
        let own = first.stuck.is_some_and(Stuck::is_own);
        let _ = write!(label, "\n{} unread by {pid}{}", bytes(unread), nothing(own));
    }
    if unsent > 0 {
        let peer = first.stuck.is_some_and(Stuck::is_peer);
        let _ = write!(label, "\n{} from {pid} unread{}", bytes(unsent), nothing(peer));
    }
    label
}

fn id(pid: Pid) -> String {
    format!("p{pid}")
}

fn text(bytes: &[u8]) -> String {
    escape(bytes, Escape::Table).into_owned()
}

/// A string: in one, graphviz takes a backslash for the start of an escape of its own.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::{quoted, text};

    #[test]
    fn nothing_ends_a_string_early() {
        assert_eq!(quoted("a\nb"), r#""a\nb""#);
        assert_eq!(quoted(&text(b"a\"];\n\\N\xff\x1b")), r#""a\"];\\n\\\\N\\xff\\x1b""#);
    }
}
