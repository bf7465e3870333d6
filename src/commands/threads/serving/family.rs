//! Processes next to one: those that serve the same listener, and those that it started.

use super::facts::{Facts, Listening, sockets};
use super::{Model, Seat, Serving};
use crate::commands::threads::look::{Depth, Look};
use crate::model::{Inode, Pid, Value, quantity};
use crate::proc::{Parents, ProcessDir, Relatives, Scanner, System, command_of};
use std::collections::BTreeMap;

/// How many relatives are looked at: more would not change the answer.
const MOST: usize = 256;

/// What the processes next to one say of how it serves, beside what it shows by itself.
pub(in crate::commands::threads) fn with_family(
    system: &System,
    parents: &Parents,
    dir: &ProcessDir,
    facts: &Facts,
    alone: Serving,
) -> Serving {
    let serves =
        !facts.listeners.is_empty() || alone.model == Model::Unknown || !facts.connections.is_empty();
    if !serves {
        return alone;
    }
    let family = parents.relatives(dir.pid());
    if let Some(serving) = by_processes(system, &family, dir, facts) {
        return serving;
    }
    let listening = Listening::new(system, dir);
    let waits = !facts.listeners.is_empty();
    // The parent of those that serve holds their listener, and waits for other things; and one of
    // them that serves a client waits for that.
    let held = if waits { facts.listeners.keys().copied().collect() } else { sockets(system, dir) };
    let own = held.into_iter().filter_map(|inode| Some((inode, listening.get().sockets.get(&Inode(inode))?)));
    let own: Own<'_> = own.collect();
    prefork(system, &family, dir, facts, &own, &alone).unwrap_or(alone)
}

/// Listeners by inode, with their names, and ports or paths.
type Own<'l> = BTreeMap<u64, &'l (String, Option<Value>)>;

/// Whether a process waits for one of these listeners, or for a connection that came by one.
fn serves(facts: &Facts, own: &Own<'_>) -> bool {
    let has_port = |port: &Value| own.values().any(|(_, known)| known.as_ref() == Some(port));
    facts.listeners.keys().any(|socket| own.contains_key(socket)) || facts.ports.iter().any(has_port)
}

/// Whether several of the family serve one listener. To hold it is not enough: that is inherited
/// easily.
fn prefork(
    system: &System,
    family: &Relatives,
    dir: &ProcessDir,
    facts: &Facts,
    own: &Own<'_>,
    alone: &Serving,
) -> Option<Serving> {
    let (listener, _) = own.values().next()?;
    let holds = |pid: &&Pid| {
        let other = ProcessDir::open(system.root(), **pid, system).ok();
        other.is_some_and(|other| sockets(system, &other).iter().any(|socket| own.contains_key(socket)))
    };
    let holders = |pids: &[Pid]| pids.iter().take(MOST).filter(holds).copied().collect::<Vec<_>>();
    let serving = |pids: &[Pid]| {
        let serves = |pid: &&Pid| facts_of(system, **pid).is_some_and(|facts| serves(&facts, own));
        pids.iter().filter(serves).count()
    };
    let itself = usize::from(serves(facts, own));
    let (siblings, children) = (holders(&family.siblings), holders(&family.children));
    let (of_siblings, of_children) = (serving(&siblings), serving(&children));
    let mut evidence = Vec::new();
    if of_siblings > 0 {
        evidence.push(format!(
            "the listener {listener} is held by {} of {}, of which {} for it or its connections",
            quantity(siblings.len(), "other child", "other children"),
            family.parent.map_or_else(|| "its parent".to_owned(), |pid| named_process(system, pid)),
            wait(of_siblings),
        ));
    }
    if of_children > 0 {
        evidence.push(format!(
            "the listener {listener} is held by {} of {}, of which {} for it or its connections",
            quantity(children.len(), "child", "children"),
            named_process(system, dir.pid()),
            wait(of_children),
        ));
    }
    if evidence.is_empty() {
        return None;
    }
    let likely = itself + of_siblings < 2 && itself + of_children < 2;
    let rest = alone.evidence.iter().filter(|_| alone.model != Model::Unknown).cloned();
    let evidence = evidence.into_iter().map(Value::from).chain(rest).collect();
    Some(Serving { model: Model::Prefork, likely, evidence })
}

/// `1 waits`, `2 wait`.
fn wait(n: usize) -> String {
    format!("{n} {}", if n == 1 { "waits" } else { "wait" })
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
    let plan = crate::commands::threads::held::plan(false);
    let mut scanner = Scanner::new(system, &plan);
    let look = Look::at(system, &mut scanner, &dir, Depth::Calls).ok()?;
    let call = |thread: &'_ crate::model::Thread| thread.doing.call().cloned().map(|call| (thread.tid, call));
    let calls: Vec<_> = look.threads.iter().filter_map(call).collect();
    let seats: Vec<Seat<'_>> =
        calls.iter().map(|(tid, call)| Seat { tid: *tid, call, mostly: true }).collect();
    Some(Facts::of(system, &mut scanner, &dir, &seats, &look.held))
}
