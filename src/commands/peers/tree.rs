//! The graph for people: processes, below each its connections, below these the peers that were
//! followed.

use super::bundle::Bundle;
use super::connection::{Connection, Stuck};
use super::graph::{Graph, Node};
use crate::commands::words;
use crate::model::{Escape, Joint, Pid, Pile, bytes, escape, few_holders};
use anstyle::{AnsiColor, Style};
use std::io::{self, Write};
use std::time::Duration;
use unicode_width::UnicodeWidthStr as _;

/// The blanks by which a level is indented.
const STEP: usize = 6;

/// Writes it.
pub(super) fn write(
    graph: &Graph,
    color: bool,
    time: Option<Duration>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let tree = Tree { graph, color, time };
    for (nth, node) in graph.below(None).enumerate() {
        if nth > 0 {
            writeln!(out)?;
        }
        tree.node(node, 0, out)?;
    }
    out.flush()
}

struct Tree<'t> {
    graph: &'t Graph,
    color: bool,
    time: Option<Duration>,
}

/// A line, in the parts that stand in columns.
struct Line<'l> {
    bundle: Bundle<'l>,
    /// The fds, what they are, who has the other end.
    columns: [String; 3],
    rest: String,
}

impl Tree<'_> {
    /// A process and what hangs below it.
    fn node(&self, node: &Node, depth: usize, out: &mut dyn Write) -> io::Result<()> {
        let indent = STEP * depth;
        let command = escape(&node.process.command, Escape::Table);
        writeln!(
            out,
            "{:indent$}{}",
            "",
            self.paint(&format!("{}/{command}", node.process.pid), Style::new().bold())
        )?;
        let lines: Vec<Line<'_>> = Bundle::of(&node.connections).into_iter().map(|b| self.line(b)).collect();
        let width = |nth: usize| lines.iter().map(|line| line.columns[nth].width()).max().unwrap_or(0);
        let widths = [width(0), width(1), width(2).min(PEERS)];
        let mut below: Vec<&Node> = self.graph.below(Some(node.process.pid)).collect();
        for line in &lines {
            let first = line.bundle.first();
            let [fds, kind, peers] = &line.columns;
            let gap = |nth: usize| " ".repeat(widths[nth].saturating_sub(line.columns[nth].width()));
            let (fds, kind) = (format!("{}{fds}", gap(0)), format!("{kind}{}", gap(1)));
            let text = format!("{:indent$}  {fds}  {kind}  {peers}{}  {}", "", gap(2), line.rest);
            let style = first.stuck.map_or(Style::new(), |_| AnsiColor::Red.on_default());
            writeln!(out, "{}", self.paint(text.trim_end(), style))?;
            // A process hangs below the first connection that leads to it.
            let leads_to = |pid: Pid| {
                let known = line.bundle.all.iter().flat_map(|connection| connection.peers.known());
                known.into_iter().any(|peer| peer.process.pid == pid)
            };
            let (here, later): (Vec<_>, _) = below.into_iter().partition(|node| leads_to(node.process.pid));
            below = later;
            for node in here {
                self.node(node, depth + 1, out)?;
            }
        }
        for node in below {
            self.node(node, depth + 1, out)?;
        }
        Ok(())
    }

    fn line<'l>(&self, bundle: Bundle<'l>) -> Line<'l> {
        let first = bundle.first();
        let fds = match &bundle.all[..] {
            [one] => one.fd.to_string(),
            [one, .., last] => format!("{}..{}", one.fd, last.fd),
            [] => String::new(),
        };
        let (kind, label) = match bundle.all.len() {
            1 => (first.kind.to_string(), escape(&first.label, Escape::Table).into_owned()),
            many => (format!("{} ×{many}", first.kind), String::new()),
        };
        let parts = [self.waiting(&bundle), label];
        let rest: Vec<&str> = parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
        let rest = rest.join("  ");
        Line { columns: [fds, kind, peers(&bundle)], rest, bundle }
    }

    /// What waits to be read.
    fn waiting(&self, bundle: &Bundle<'_>) -> String {
        let first = bundle.first();
        let (unread, unsent) = bundle.bytes();
        let is_stuck = |is: fn(Stuck) -> bool| first.stuck.is_some_and(is);
        let here = self.pile(unread, "here", first.lying.unread, is_stuck(Stuck::is_own));
        let there = self.pile(unsent, "there", first.lying.unsent, is_stuck(Stuck::is_peer));
        let both: Vec<String> = [here, there].into_iter().flatten().collect();
        both.join(", ")
    }

    /// `64K unread there (full), nothing read in 2 s`.
    fn pile(&self, n: u64, place: &str, pile: Option<Pile>, stuck: bool) -> Option<String> {
        if n == 0 {
            return None;
        }
        let is_full = pile.is_some_and(|pile| pile.room.is_some_and(|room| pile.bytes >= room));
        let mut text = format!("{} unread {place}", bytes(n));
        if is_full {
            text.push_str(" (full)");
        }
        if let Some(time) = self.time.filter(|_| stuck) {
            text.push_str(&format!(", nothing read in {}", words::time(time)));
        }
        Some(text)
    }

    fn paint(&self, text: &str, style: Style) -> String {
        if self.color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

/// The most columns that are left for peers, so that few long ones do not push the rest far away.
const PEERS: usize = 44;

/// `to 4784/cat 0`, `nobody at the other end`.
fn peers(bundle: &Bundle<'_>) -> String {
    let first = bundle.first();
    let Some(_) = &first.peers.holders else {
        return match (first.peers.waiting, first.peers.unanswered) {
            (true, _) => "waiting to be accepted",
            (_, true) => "not answered",
            _ => "not known who",
        }
        .to_owned();
    };
    if first.peers.known().is_empty() {
        return "nobody at the other end".to_owned();
    }
    let word = match first.joint() {
        Joint::Waiting => "not accepted:",
        _ if first.peers.waiting => "waiting at",
        _ if first.peers.unanswered => "not answered by",
        Joint::From => "from",
        Joint::To => "to",
        Joint::With => "with",
        Joint::Shared => "shared with",
    };
    let mut all: Vec<_> = bundle.all.iter().flat_map(|c: &&Connection| c.peers.known()).cloned().collect();
    all.sort_by_key(|holder| (holder.process.pid, holder.fd));
    all.dedup_by_key(|holder| (holder.process.pid, holder.fd));
    let mut text = Vec::new();
    few_holders(&all, &mut text, |out, command| {
        out.extend_from_slice(escape(command, Escape::Table).as_bytes());
    });
    format!("{word} {}", String::from_utf8_lossy(&text))
}
