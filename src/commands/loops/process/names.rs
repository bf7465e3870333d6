//! What the fds of a process are, and what its threads do, in words.

use super::super::set::What;
use super::Process;
use crate::commands::threads::in_words;
use crate::kind::Shape;
use crate::model::{Assoc, Fd, FdNum, Inode, Thread, Value};
use crate::proc::{Plan, ProcessDir, Scanner, Sort, System};
use std::collections::HashMap;
use std::rc::Rc;

/// How many fds of one loop are named at once, before anybody asks for their names.
const NAMES: usize = 4096;

/// What is read to say what fds are.
fn plan() -> Plan {
    Plan { access: true, name: true, values: true, ..Plan::default() }
}

impl Process {
    /// Finds out what of what some loops watch is, as far as it is not known.
    pub(in crate::commands::loops) fn identify(
        &mut self,
        system: &System,
        loops: impl IntoIterator<Item = usize>,
    ) {
        let mut wanted = Vec::new();
        for index in loops {
            let set = &self.loops[index].set;
            let unknown = set.iter().filter(|(_, watched)| watched.what.is_none() && !watched.is_stale());
            let tokens: Vec<usize> = unknown.map(|(token, _)| token).collect();
            if tokens.len() > NAMES {
                wanted.extend(self.strange(index, &tokens));
            } else {
                wanted.extend(tokens.into_iter().map(|token| (index, token)));
            }
        }
        self.learn(system, &wanted);
    }

    /// The same of what is new in one, as far as it matters how it is looked at.
    pub(in crate::commands::loops) fn identify_new(&mut self, system: &System, index: usize, new: &[usize]) {
        let wanted = self.strange(index, new);
        self.learn(system, &wanted);
    }

    /// Has names for some of what a loop watches.
    pub(in crate::commands::loops) fn name(&mut self, system: &System, index: usize, tokens: &[usize]) {
        let set = &self.loops[index].set;
        let is_unnamed = |token: &&usize| set.get(**token).is_some_and(|w| w.what.is_none() && !w.is_stale());
        let wanted: Vec<(usize, usize)> =
            tokens.iter().filter(is_unnamed).map(|&token| (index, token)).collect();
        self.learn(system, &wanted);
    }

    /// Those that are neither sockets nor pipes: these tell themselves how they can be asked.
    fn strange(&self, index: usize, tokens: &[usize]) -> Vec<(usize, usize)> {
        let set = &self.loops[index].set;
        let is_strange = |token: &&usize| {
            let fd =
                set.get(**token).filter(|watched| !watched.is_stale()).map(|watched| watched.registration.fd);
            let link = fd.and_then(|fd| self.link(fd));
            link.is_some_and(|link| !link.starts_with(b"socket:") && !link.starts_with(b"pipe:"))
        };
        tokens.iter().filter(is_strange).map(|&token| (index, token)).collect()
    }

    /// Reads what these are, by loop and token.
    fn learn(&mut self, system: &System, wanted: &[(usize, usize)]) {
        let fd = |&(index, token): &(usize, usize)| Some(self.loops[index].set.get(token)?.registration.fd);
        let mut fds: Vec<FdNum> = wanted.iter().filter_map(fd).collect();
        fds.sort_unstable();
        fds.dedup();
        let whats = self.whats(system, &fds);
        for &(index, token) in wanted {
            let Some(watched) = self.loops[index].set.get_mut(token) else { continue };
            if let Some(found) = whats.get(&watched.registration.fd) {
                watched.sort = Sort::of_kind(&found.what.kind).or(watched.sort);
                watched.what = Some(Rc::clone(&found.what));
                watched.shared |= found.listener.is_some_and(|inode| self.shared.contains(&inode));
            }
        }
    }

    /// What fds are, for the cost of reading them now.
    pub(super) fn whats(&self, system: &System, fds: &[FdNum]) -> HashMap<FdNum, Found> {
        let mut whats = HashMap::new();
        if fds.is_empty() {
            return whats;
        }
        // What these know of sockets is from when they first were asked.
        let system = System::new(system.root().clone(), false);
        let Ok(dir) = ProcessDir::open(system.root(), self.pid(), &system) else { return whats };
        let plan = plan();
        let _ = Scanner::new(&system, &plan).some(&dir, self.table.task(), fds, &mut |row: &Fd| {
            if let Assoc::Fd(fd) = row.assoc {
                whats.insert(fd, Found::of(row));
            }
        });
        whats
    }

    /// What a thread does, in words, or did.
    pub(in crate::commands::loops) fn in_words(
        &self,
        system: &System,
        thread: &Thread,
        is_now: bool,
    ) -> Vec<u8> {
        let system = System::new(system.root().clone(), false);
        match ProcessDir::open(system.root(), self.pid(), &system) {
            Ok(dir) => in_words(&system, &dir, thread, is_now),
            Err(_) => in_words(&system, &self.dir, thread, is_now),
        }
    }
}

/// What an fd is.
pub(super) struct Found {
    pub(super) what: Rc<What>,
    /// Its inode, of a socket that listens.
    listener: Option<Inode>,
}

impl Found {
    fn of(row: &Fd) -> Self {
        let listens =
            row.values.iter().any(|(key, value)| *key == "state" && *value == Value::Word("listen"));
        let what = What { kind: row.kind.to_string(), name: row.name.clone(), listens };
        let inode = match Shape::of(&row.link) {
            Shape::Numbered(_, inode) => Some(inode),
            _ => row.inode,
        };
        Self { what: Rc::new(what), listener: inode.filter(|_| listens) }
    }
}
