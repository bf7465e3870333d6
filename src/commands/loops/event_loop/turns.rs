//! How a thread waits that gives its fds with each call, and which of its calls are the loop's.

use crate::model::{FdNum, Polled};
use crate::proc::Donor;
use std::collections::HashSet;
use std::time::Duration;

/// How often a thread must have come back to the same call before that is taken for a loop.
const TURNS: u32 = 2;

/// How a thread has waited.
#[derive(Debug, Default)]
pub(in crate::commands::loops) struct Turns {
    /// How often it was seen to come back.
    turns: u32,
    /// The CPU time that it had used when it was seen last, if it waited then.
    cpu: Option<Duration>,
    /// What it gave.
    pub(super) fds: Vec<Polled>,
    /// Those of them that listen.
    listeners: Vec<FdNum>,
    /// Other fds that it has waited for meanwhile: for a while, or from now on.
    other: Option<Box<Turns>>,
    /// Whether it was elsewhere before it was seen to come back.
    pub(super) unjudged: bool,
}

/// What a call gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Given {
    /// The fds of the loop, as before.
    Same,
    /// The fds of the loop, of which some are others now.
    Others,
    /// It is not the loop that waits: its thread is in a handler.
    Elsewhere,
}

impl Turns {
    /// Those of a thread that was seen to wait for these.
    fn of(fds: &[Polled], donor: &Donor) -> Self {
        let listeners = fds.iter().map(|polled| polled.fd).filter(|&fd| listens(donor, fd)).collect();
        Self { fds: fds.to_vec(), listeners, ..Self::default() }
    }

    /// Whether its thread was seen to come back to these fds.
    pub(super) fn is_loop(&self) -> bool {
        self.turns >= TURNS
    }

    /// Whether what its thread leaves waiting is of interest: it has come back, or has a listener, which
    /// nobody but a loop waits for so, and will come back.
    pub(super) fn may_be_judged(&self) -> bool {
        self.is_loop() || !self.listeners.is_empty()
    }

    /// Its thread does something else than to wait for fds.
    pub(super) fn leave(&mut self) {
        self.cpu = None;
        if let Some(other) = &mut self.other {
            other.cpu = None;
        }
    }

    /// Whether it is the loop that waits for these: handlers wait so, too, for a client or a database, or
    /// for time to go by. A call is the loop's if it has a listener of the loop. A server that has as many
    /// clients as it takes leaves that out: then all are fds of the loop, and are several. Where there is
    /// no listener, one fd that is the loop's is enough.
    pub(super) fn is_its(&self, fds: &[Polled]) -> bool {
        if self.fds == fds {
            return !fds.is_empty();
        }
        let own: HashSet<FdNum> = self.fds.iter().map(|polled| polled.fd).collect();
        let mut numbers = fds.iter().map(|polled| polled.fd);
        if self.listeners.is_empty() {
            return numbers.any(|fd| own.contains(&fd));
        }
        numbers.clone().any(|fd| self.listeners.contains(&fd))
            || fds.len() > 1 && numbers.all(|fd| own.contains(&fd))
    }

    /// Takes in that its thread waits for these, and has used so much CPU time.
    pub(super) fn take(&mut self, fds: &[Polled], cpu: Duration, donor: &Donor) -> Given {
        if !self.is_its(fds) {
            // It may have closed them.
            self.listeners.retain(|&fd| listens(donor, fd));
        }
        if self.is_its(fds) {
            self.other = None;
            self.count(cpu);
            if self.fds == fds && self.turns > 1 {
                return Given::Same;
            }
            self.fds = fds.to_vec();
            return Given::Others;
        }
        self.cpu = None;
        let known = self.other.take().filter(|other| other.is_its(fds));
        let mut other = known.unwrap_or_else(|| Box::new(Self::of(fds, donor)));
        other.count(cpu);
        // Who waits for one fd waits for that, and not for whatever comes: but for a listener.
        let may_be_loop = fds.len() > 1 || !other.listeners.is_empty();
        let replaces = self.listeners.is_empty() || !other.listeners.is_empty();
        let at_once = self.fds.is_empty() || !self.may_be_judged();
        if may_be_loop && replaces && (at_once || other.is_loop()) {
            // It has gone over to these.
            *self = Self { fds: fds.to_vec(), unjudged: self.unjudged, ..*other };
            return Given::Others;
        }
        self.other = Some(other);
        Given::Elsewhere
    }

    /// Its thread waits: it has come back, if it has used time since.
    fn count(&mut self, cpu: Duration) {
        let went_on = self.cpu.replace(cpu) != Some(cpu);
        self.turns = self.turns.saturating_add(u32::from(went_on));
    }
}

/// Whether an fd is a socket that listens.
pub(in crate::commands::loops) fn listens(donor: &Donor, fd: FdNum) -> bool {
    let duplicate = donor.duplicate(fd);
    duplicate.is_ok_and(|socket| rustix::net::sockopt::socket_acceptconn(&socket).unwrap_or(false))
}
