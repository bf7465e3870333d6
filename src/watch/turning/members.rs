//! All that a loop watches, and what of it waits.

use super::member::{Look, Member, Shows, Sighting};
use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

/// The fds that were looked at, by a number each.
#[derive(Clone, Debug, Default)]
pub(super) struct Members {
    all: HashMap<usize, Member>,
    /// Those of them that wait.
    waits: BTreeSet<usize>,
}

impl Members {
    /// Takes a sighting of one in: what it shows, and the wait that is over, if one is.
    pub(super) fn see(&mut self, token: usize, sighting: Sighting, look: &Look) -> (Shows, Option<Duration>) {
        let member = self.all.entry(token).or_insert_with(Member::new);
        let shown = member.see(sighting, look);
        if member.since().is_some() {
            self.waits.insert(token);
        } else {
            self.waits.remove(&token);
        }
        shown
    }

    /// One waits no more. Gives for how long it has, for sure.
    pub(super) fn end(&mut self, token: usize, look: &Look) -> Option<Duration> {
        self.waits.remove(&token);
        self.all.get_mut(&token)?.end(look)
    }

    /// None waits any more. Gives for how long each has, for sure.
    pub(super) fn end_all(&mut self, look: &Look) -> impl Iterator<Item = Duration> {
        let waits = std::mem::take(&mut self.waits);
        waits.into_iter().filter_map(|token| self.all.get_mut(&token)?.end(look))
    }

    /// One that is watched no more.
    pub(super) fn remove(&mut self, token: usize) -> Option<Member> {
        self.waits.remove(&token);
        self.all.remove(&token)
    }

    /// It was told that the loop turns without serving this one.
    pub(super) fn tell(&mut self, token: usize) {
        if let Some(member) = self.all.get_mut(&token) {
            member.told = true;
        }
    }

    pub(super) fn get(&self, token: usize) -> Option<&Member> {
        self.all.get(&token)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (usize, &Member)> {
        self.all.iter().map(|(&token, member)| (token, member))
    }

    /// Those that wait, in the order of their numbers.
    pub(super) fn waiting(&self) -> impl Iterator<Item = (usize, &Member)> {
        self.waits.iter().filter_map(|token| Some((*token, self.all.get(token)?)))
    }

    /// Since when the one waits that waits longest.
    pub(super) fn waiting_since(&self) -> Option<Instant> {
        self.waiting().filter_map(|(_, member)| member.since()).min()
    }
}
