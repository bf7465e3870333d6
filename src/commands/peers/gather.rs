//! Reading the fds that are ends of something, and following their peers.

use super::connection::Connection;
use crate::commands::list;
use crate::commands::listing::nothing_to_hold;
use crate::context::Context;
use crate::error::Error;
use crate::model::{Pid, Tally, quantity};
use crate::proc::{Filter, OpenError, Plan, ProcessDir, Scanner, Slice, System, Target, run_all};
use std::collections::BTreeSet;
use std::num::NonZero;

/// The kinds that can have another end.
const KINDS: &[&str] = &["pipe", "fifo", "socket", "pty", "eventfd", "mqueue"];

/// Reads processes, a level after the other.
pub(super) struct Gatherer<'g> {
    context: &'g Context,
    system: &'g System,
    plan: Plan,
    /// Whether the user named the processes of the first level.
    named: bool,
    /// Whether one of these could not be read.
    pub(super) failed: bool,
    tally: Tally,
}

/// What was read of a part of a process.
struct Part {
    pid: Pid,
    connections: Vec<Connection>,
    tally: Tally,
    failure: Option<OpenError>,
}

impl<'g> Gatherer<'g> {
    pub(super) fn new(context: &'g Context, system: &'g System, kinds: &[String], named: bool) -> Self {
        let kinds = match kinds {
            [] => KINDS.iter().map(|&kind| kind.to_owned()).collect(),
            kinds => kinds.to_vec(),
        };
        let plan = Plan {
            access: true,
            values: true,
            name: true,
            filter: Filter { kinds, ..Filter::default() },
            ..Plan::default()
        };
        Self { context, system, plan, named, failed: false, tally: Tally::default() }
    }

    /// The connections of the targets, of their peers, and so on, so many levels; or of all processes.
    pub(super) fn gather(
        &mut self,
        targets: &[Target],
        depth: NonZero<u32>,
    ) -> Result<Vec<Vec<Connection>>, Error> {
        let (mut slices, missing) = list::slices(targets, &self.plan, self.context)?;
        self.failed |= missing > 0;
        let mut seen: BTreeSet<Pid> = slices.iter().map(|slice| slice.pid).collect();
        // What fdscope itself has open is not what it was started with.
        seen.extend(self.context.root.own());
        let mut levels = Vec::new();
        let mut denied = 0;
        for level in 0..depth.get() {
            let named = self.named && level == 0;
            let found = self.level(&slices, named, &mut denied);
            let peers = found.iter().flat_map(|connection| connection.peers.known());
            let next: BTreeSet<Pid> =
                peers.map(|peer| peer.process.pid).filter(|pid| !seen.contains(pid)).collect();
            levels.push(found);
            if next.is_empty() {
                break;
            }
            seen.extend(&next);
            slices = next.into_iter().map(|pid| Slice::whole(pid, None)).collect();
        }
        self.tell(denied);
        Ok(levels)
    }

    /// Tells what could not be read.
    fn tell(&self, processes: usize) {
        let tell = |what: String| self.context.note(&format!("{what} could not be read: permission denied"));
        if processes > 0 {
            tell(quantity(processes, "process", "processes"));
        }
        if self.named {
            if self.system.has_missed_peers() {
                self.context.note("not all processes may be read, so that not every other end is known");
            }
        } else if let fds @ 1.. = self.tally.denied as usize - processes {
            tell(quantity(fds, "fd", "fds"));
        }
    }

    /// What could not be read, in all.
    pub(super) fn tally(&self) -> Tally {
        let mut tally = self.tally;
        if self.named {
            // Otherwise the same processes were counted already.
            tally.add(self.system.peers_left_out().unwrap_or_default());
        }
        tally
    }

    fn level(&mut self, slices: &[Slice], named: bool, denied: &mut usize) -> Vec<Connection> {
        let mut found = Vec::new();
        let mut failures: Vec<(Pid, OpenError)> = Vec::new();
        let mut empty: Vec<Pid> = Vec::new();
        let (system, plan) = (self.system, &self.plan);
        let mut tally = Tally::default();
        run_all(
            slices,
            || Scanner::new(system, plan),
            |scanner, slice| scan(scanner, system, slice, named),
            |part| {
                tally.add(part.tally);
                match part.failure {
                    // A large process comes in parts, none of which can be read.
                    Some(_) if failures.last().is_some_and(|(pid, _)| *pid == part.pid) => {}
                    Some(failure) => failures.push((part.pid, failure)),
                    None if part.connections.is_empty() => empty.push(part.pid),
                    None => {}
                }
                found.extend(part.connections);
            },
        );
        self.tally.add(tally);
        for pid in empty.into_iter().filter(|_| named) {
            if let Some(reason) = nothing_to_hold(system, pid) {
                self.context.note(&format!("process {pid} {reason}"));
            }
        }
        for (pid, failure) in failures {
            match failure {
                OpenError::Gone => self.tally.vanished += 1,
                OpenError::Denied | OpenError::Failed(_) => self.tally.denied += 1,
            }
            match failure {
                _ if named => self.complain(pid, failure),
                OpenError::Gone => {}
                OpenError::Denied | OpenError::Failed(_) => *denied += 1,
            }
        }
        found
    }

    /// Tells what went wrong with a process that the user named.
    fn complain(&mut self, pid: Pid, failure: OpenError) {
        self.failed = true;
        let complaint = match failure {
            OpenError::Gone => format!("process {pid} ended while it was read"),
            OpenError::Denied => format!("the fds of process {pid} may not be read: permission denied"),
            OpenError::Failed(e) => format!("the fds of process {pid} cannot be read: {e}"),
        };
        self.context.complain(&complaint);
    }
}

fn scan(scanner: &mut Scanner<'_>, system: &System, slice: &Slice, named: bool) -> Part {
    let mut part = Part { pid: slice.pid, connections: Vec::new(), tally: Tally::default(), failure: None };
    let dir = match ProcessDir::open(system.root(), slice.pid, system) {
        Ok(dir) => dir,
        Err(e) => return Part { failure: Some(e), ..part },
    };
    let connections = &mut part.connections;
    match scanner.scan(&dir, slice, &mut |row| connections.extend(Connection::of(row, named))) {
        Ok(tally) => part.tally = tally,
        // What belonged to a zombie's user belongs to root now; there is nothing in it.
        Err(OpenError::Denied) if dir.has_ended() => {}
        Err(e) => part.failure = Some(e),
    }
    part
}
