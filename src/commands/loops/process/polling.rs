//! What may be polled, and what others serve, too.

use super::super::event_loop::Way;
use super::super::set::Watched;
use super::Process;
use super::names::Found;
use crate::model::{FdNum, Inode};
use crate::proc::{Sort, System};
use std::collections::HashMap;

/// How deep epoll fds watch one another at most: `EP_MAX_NESTS` of fs/eventpoll.c.
const NESTS: usize = 5;

impl Process {
    /// Works out of loops that are new which epoll fds may be polled, and which listeners several loops
    /// have.
    pub(in crate::commands::loops) fn settle(&mut self, system: &System, first: usize) {
        let pollers: Vec<usize> =
            (first..self.loops.len()).filter(|&l| matches!(self.loops[l].way, Way::Poll(_))).collect();
        self.identify(system, pollers);
        for index in first..self.loops.len() {
            self.check(system, index);
        }
        let mut listeners: HashMap<Inode, usize> = HashMap::new();
        for watched in self.loops.iter().flat_map(|l| l.set.iter()).map(|(_, watched)| watched) {
            if let Some(inode) = watched.registration.inode
                && watched.what.as_ref().is_some_and(|what| what.listens)
            {
                *listeners.entry(inode).or_default() += 1;
            }
        }
        self.shared.extend(listeners.into_iter().filter(|(_, loops)| *loops > 1).map(|(inode, _)| inode));
        self.mark_shared();
    }

    /// Works out whether an epoll fd may be polled.
    fn check(&mut self, system: &System, index: usize) {
        if let Some(epoll) = self.loops[index].epoll() {
            self.loops[index].untouchable = self.untouchable_in(system, epoll, NESTS);
        }
    }

    /// The same, if what has changed may have changed that. `gone` is whether something is not watched
    /// any more.
    pub(in crate::commands::loops) fn check_new(
        &mut self,
        system: &System,
        index: usize,
        new: &[usize],
        gone: bool,
    ) {
        let found = &self.loops[index];
        let strange = new.iter().filter_map(|&token| found.set.get(token)).any(|watched| {
            watched.what.as_ref().is_some_and(|what| what.kind == "epoll")
                || watched.sort == Some(Sort::Untouchable)
        });
        if strange || gone && !found.untouchable.is_empty() {
            self.check(system, index);
        }
    }

    /// Listeners of these inodes are served by others, too.
    pub(in crate::commands::loops) fn share(&mut self, inodes: impl IntoIterator<Item = Inode>) {
        self.shared.extend(inodes);
        self.mark_shared();
    }

    fn mark_shared(&mut self) {
        for watched in self.loops.iter_mut().flat_map(|l| l.set.iter_mut()).map(|(_, watched)| watched) {
            watched.shared |= watched.registration.inode.is_some_and(|inode| self.shared.contains(&inode))
                && watched.what.as_ref().is_some_and(|what| what.listens);
        }
    }

    /// The inodes of the listeners that its loops watch.
    pub(in crate::commands::loops) fn listeners(&self) -> impl Iterator<Item = Inode> {
        let watched = self.loops.iter().flat_map(|l| l.set.iter()).map(|(_, watched)| watched);
        let listens = watched.filter(|w| w.what.as_ref().is_some_and(|what| what.listens));
        listens.filter_map(|w| w.registration.inode)
    }

    /// What an epoll fd watches that must not be polled.
    fn untouchable_in(&self, system: &System, epoll: FdNum, nests: usize) -> Vec<(FdNum, String)> {
        let Ok(registrations) = self.dir.registrations(self.table.task(), epoll) else { return Vec::new() };
        // Sockets are looked at as such: those of a kind that must not be polled are rare.
        let known = self.loops.iter().find(|l| l.epoll() == Some(epoll));
        let mut found = Vec::new();
        let mut unknown = Vec::new();
        for registration in &registrations {
            let fd = registration.fd;
            let on_quiet = registration.device.is_some_and(|device| self.quiet.contains(&device));
            let of_loop = known.and_then(|l| l.set.find(registration));
            let stale = of_loop.map_or(registration.stale == Some(true), Watched::is_stale);
            match of_loop.and_then(|watched| watched.what.as_ref()) {
                _ if stale && on_quiet => {}
                // Whoever has it open still may have anything open there.
                _ if stale => found.push((fd, "closed".to_owned())),
                Some(what) if what.kind == "epoll" => {
                    found.extend(self.nested(system, fd, nests));
                }
                Some(what) if Sort::of_kind(&what.kind) == Some(Sort::Untouchable) => {
                    found.push((fd, what.kind.clone()));
                }
                Some(_) => {}
                None if on_quiet => {}
                None => unknown.push(fd),
            }
        }
        for (fd, Found { what, .. }) in self.whats(system, &unknown) {
            match Sort::of_kind(&what.kind) {
                _ if what.kind == "epoll" => found.extend(self.nested(system, fd, nests)),
                Some(Sort::Untouchable) => found.push((fd, what.kind.clone())),
                _ => {}
            }
        }
        found.sort();
        found
    }

    /// The same of an epoll fd that another one watches.
    fn nested(&self, system: &System, fd: FdNum, nests: usize) -> Option<(FdNum, String)> {
        let has = nests == 0 || !self.untouchable_in(system, fd, nests - 1).is_empty();
        has.then(|| (fd, "epoll".to_owned()))
    }
}
