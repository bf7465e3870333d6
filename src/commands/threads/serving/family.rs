//! Processes next to one: those that serve the same listener, and those that it started.

use super::facts::{Facts, Listening};
use super::{Model, Seat, Serving};
use crate::commands::threads::look::Look;
use crate::model::{Fd, Inode, Pid, Value, quantity};
use crate::proc::{Plan, ProcessDir, Relatives, Scanner, Slice, System, command_of};
use std::collections::{BTreeMap, BTreeSet};

/// How many relatives are looked at: more would not change the answer.
const MOST: usize = 256;

/// What the processes next to one say of how it serves, beside what it shows by itself.
pub(in crate::commands::threads) fn with_family(
    system: &System,
    dir: &ProcessDir,
    facts: &Facts,
    alone: Serving,
) -> Serving {
    let serves =
        !facts.listeners.is_empty() || alone.model == Model::Unknown || !facts.connections.is_empty();
    if !serves {
        return alone;
    }
    let family = Relatives::of(system.root(), dir.pid());
    if let Some(serving) = by_processes(system, &family, dir, facts) {
        return serving;
    }
    let mut own = facts.listeners.clone();
    let waits = !own.is_empty();
    if !waits && alone.model == Model::Unknown {
        // The parent of those that serve holds their listener, and waits for other things.
        let listening = Listening::new(system, dir);
        let name = |inode: &u64| listening.get().sockets.get(&Inode(*inode)).map(|(name, _)| name.clone());
        let held = sockets(system, dir).into_iter();
        own = held.filter_map(|inode| Some((inode, name(&inode)?))).collect();
    }
    prefork(system, &family, dir, &own, waits, &alone).unwrap_or(alone)
}

/// Whether others of the family hold a listener that it holds too.
fn prefork(
    system: &System,
    family: &Relatives,
    dir: &ProcessDir,
    own: &BTreeMap<u64, String>,
    waits: bool,
    alone: &Serving,
) -> Option<Serving> {
    let listener = format!("the listener {}", own.values().next()?);
    let holds = |pid: &&Pid| {
        let other = ProcessDir::open(system.root(), **pid, system).ok();
        other.is_some_and(|other| sockets(system, &other).iter().any(|socket| own.contains_key(socket)))
    };
    let siblings = family.siblings.iter().take(MOST).filter(holds).count();
    let children = family.children.iter().take(MOST).filter(holds).count();
    // A parent that holds it alone gave it on: to a program that it started, and serves by itself.
    let parent = family.parent.as_ref().filter(holds);
    if siblings == 0 && (children == 0 || waits && !have_waiters(system, family, own)) {
        return None;
    }
    let mut evidence = Vec::new();
    if siblings > 0 {
        let also = if parent.is_some() { ", which holds it too" } else { "" };
        evidence.push(format!(
            "{listener} is held by {} of {}{also}",
            quantity(siblings, "other child", "other children"),
            family.parent.map_or_else(|| "its parent".to_owned(), |pid| named_process(system, pid)),
        ));
    }
    if children > 0 {
        evidence.push(format!(
            "{listener} is held by {} of {}",
            quantity(children, "child", "children"),
            named_process(system, dir.pid())
        ));
    }
    let evidence = evidence.into_iter().map(Value::from);
    let rest = alone.evidence.iter().filter(|_| alone.model != Model::Unknown || waits).cloned();
    Some(Serving { model: Model::Prefork, likely: false, evidence: evidence.chain(rest).collect() })
}

/// Whether a child waits for one of the listeners: one that is only inherited is no server.
fn have_waiters(system: &System, family: &Relatives, own: &BTreeMap<u64, String>) -> bool {
    family.children.iter().take(MOST).any(|pid| {
        facts_of(system, *pid)
            .is_some_and(|facts| facts.listeners.keys().any(|socket| own.contains_key(socket)))
    })
}

/// Whether it accepts and its children serve, or it serves and its parent accepts.
fn by_processes(system: &System, family: &Relatives, dir: &ProcessDir, facts: &Facts) -> Option<Serving> {
    let model = Model::ProcessPerConnection;
    let same = |listening: &[Value], ports: &[Value]| ports.iter().any(|port| listening.contains(port));
    if !facts.listening.is_empty() && facts.connections.is_empty() {
        let children = family.children.iter().take(MOST).filter_map(|pid| facts_of(system, *pid));
        let children: Vec<Facts> = children.collect();
        if children.iter().any(|child| !child.listening.is_empty()) {
            return None;
        }
        let children = children.iter().filter(|child| same(&facts.listening, &child.ports)).count();
        let evidence = format!(
            "it waits for a listener, and {} for a connection of the same port each",
            match children {
                1 => "one child".to_owned(),
                n => format!("{n} children"),
            }
        );
        return (children > 0).then(|| Serving::seen(model, [evidence]));
    }
    let parent = family.parent.filter(|_| facts.listeners.is_empty() && !facts.connections.is_empty())?;
    let of_parent = facts_of(system, parent)?;
    let same = same(&of_parent.listening, &facts.ports);
    let evidence = format!(
        "{} waits for one connection, and its parent {} for the listener of that port",
        named_process(system, dir.pid()),
        named_process(system, parent)
    );
    same.then(|| Serving::seen(model, [evidence]))
}

/// `4240 (nginx)`.
fn named_process(system: &System, pid: Pid) -> String {
    match command_of(system.root(), pid) {
        Some(command) => format!("{pid} ({})", String::from_utf8_lossy(&command).escape_debug()),
        None => pid.to_string(),
    }
}

fn facts_of(system: &System, pid: Pid) -> Option<Facts> {
    let dir = ProcessDir::open(system.root(), pid, system).ok()?;
    let plan = crate::commands::threads::held::plan();
    let mut scanner = Scanner::new(system, &plan);
    let look = Look::at(system, &mut scanner, &dir).ok()?;
    let call = |thread: &'_ crate::model::Thread| thread.doing.call().cloned().map(|call| (thread.tid, call));
    let calls: Vec<_> = look.threads.iter().filter_map(call).collect();
    let seats: Vec<Seat<'_>> =
        calls.iter().map(|(tid, call)| Seat { tid: *tid, call, mostly: true }).collect();
    Some(Facts::of(system, &mut scanner, &dir, &seats, &look.held))
}

/// The inodes of the sockets that a process holds.
fn sockets(system: &System, dir: &ProcessDir) -> BTreeSet<u64> {
    let plan = Plan { identity: true, ..Plan::default() };
    let mut found = BTreeSet::new();
    let mut each = |row: &Fd| {
        let inode = row.link.strip_prefix(b"socket:[").and_then(|rest| rest.strip_suffix(b"]"));
        found.extend(inode.and_then(crate::model::decimal));
    };
    // Of those that may not be read it is not known.
    let _ = Scanner::new(system, &plan).scan(dir, &Slice::whole(dir.pid(), None), &mut each);
    found
}
