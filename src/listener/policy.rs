//! When the next connection may be accepted. No system calls: time comes from outside.

use std::time::{Duration, Instant};

/// What the user allows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Policy {
    /// How many connections in all; `None` for no limit.
    pub most: Option<u64>,
    /// The least time from one to the next.
    pub spacing: Option<Duration>,
    /// How long each waits, from when it is seen and the one before it was accepted.
    pub delay: Option<Duration>,
    /// Whether each takes a signal.
    pub on_signal: bool,
    /// How many may be served at a time.
    pub most_at_once: Option<u64>,
}

/// Whether the next connection may be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// Yes.
    Now,
    /// At this time.
    At(Instant),
    /// Once something happens: a signal, or the end of another connection.
    Later,
    /// No more.
    Never,
}

/// A policy, and what has happened under it.
#[derive(Debug)]
pub struct Gate {
    policy: Policy,
    accepted: u64,
    /// Connections that are being served.
    open: u64,
    /// Signals that no connection has used up.
    signals: u64,
    /// Not before this, for the spacing.
    next: Option<Instant>,
    /// When the next one was first seen to wait, for the delay.
    seen: Option<Instant>,
}

impl Gate {
    /// Nothing has happened yet.
    pub fn new(policy: Policy) -> Self {
        Self { policy, accepted: 0, open: 0, signals: 0, next: None, seen: None }
    }

    /// Whether the next connection may be accepted, as far as the number of them goes.
    pub fn is_over(&self) -> bool {
        self.policy.most.is_some_and(|most| self.accepted >= most)
    }

    /// Whether it matters when a connection is first seen.
    pub fn delays(&self) -> bool {
        self.policy.delay.is_some()
    }

    /// A connection waits.
    pub fn see(&mut self, now: Instant) {
        self.seen.get_or_insert(now);
    }

    /// Nothing waits any more, although something did: somebody else has it.
    pub fn lose(&mut self) {
        self.seen = None;
    }

    /// Whether a connection that waits may be accepted.
    pub fn ask(&self, now: Instant) -> Permission {
        let policy = &self.policy;
        if self.is_over() {
            return Permission::Never;
        }
        let crowded = policy.most_at_once.is_some_and(|most| self.open >= most);
        if crowded || (policy.on_signal && self.signals == 0) {
            return Permission::Later;
        }
        let delayed = policy.delay.map(|delay| self.seen.unwrap_or(now) + delay);
        match delayed.max(self.next) {
            Some(at) if at > now => Permission::At(at),
            _ => Permission::Now,
        }
    }

    /// A connection was accepted: its number, from 1.
    pub fn accept(&mut self, now: Instant) -> u64 {
        self.accepted += 1;
        self.open += 1;
        self.signals = self.signals.saturating_sub(1);
        self.seen = None;
        if let Some(spacing) = self.policy.spacing {
            // A late one does not put off those after it, but nothing is saved up either.
            let due = self.next.filter(|&due| now.saturating_duration_since(due) < spacing).unwrap_or(now);
            self.next = Some(due + spacing);
        }
        self.accepted
    }

    /// A connection has ended.
    pub fn end(&mut self) {
        self.open = self.open.saturating_sub(1);
    }

    /// A signal allows one more.
    pub fn signal(&mut self) {
        self.signals += 1;
    }

    /// How many connections are open.
    pub fn open(&self) -> u64 {
        self.open
    }
}

#[cfg(test)]
mod tests {
    use super::{Gate, Permission, Policy};
    use std::time::{Duration, Instant};

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn everything() {
        let mut gate = Gate::new(Policy::default());
        let now = Instant::now();
        assert_eq!(gate.ask(now), Permission::Now);
        assert_eq!(gate.accept(now), 1);
        assert_eq!(gate.ask(now), Permission::Now);
        assert_eq!(gate.accept(now), 2);
    }

    #[test]
    fn a_number_and_none() {
        let now = Instant::now();
        let gate = Gate::new(Policy { most: Some(0), ..Policy::default() });
        assert_eq!(gate.ask(now), Permission::Never);
        let mut gate = Gate::new(Policy { most: Some(1), ..Policy::default() });
        gate.accept(now);
        assert_eq!(gate.ask(now), Permission::Never);
    }

    #[test]
    fn a_rate_saves_nothing_up_and_loses_nothing() {
        let mut gate = Gate::new(Policy { spacing: Some(200 * MS), ..Policy::default() });
        let start = Instant::now();
        assert_eq!(gate.ask(start), Permission::Now);
        gate.accept(start);
        assert_eq!(gate.ask(start + MS), Permission::At(start + 200 * MS));
        // 3 ms late: the one after is due all the same.
        gate.accept(start + 203 * MS);
        assert_eq!(gate.ask(start + 210 * MS), Permission::At(start + 400 * MS));
        // Long after: one at once, the next not before its time.
        gate.accept(start + 2000 * MS);
        assert_eq!(gate.ask(start + 2000 * MS), Permission::At(start + 2200 * MS));
    }

    #[test]
    fn a_delay_counts_from_when_it_is_seen() {
        let mut gate = Gate::new(Policy { delay: Some(50 * MS), ..Policy::default() });
        let start = Instant::now();
        gate.see(start);
        gate.see(start + 20 * MS);
        assert_eq!(gate.ask(start + 20 * MS), Permission::At(start + 50 * MS));
        assert_eq!(gate.ask(start + 50 * MS), Permission::Now);
        gate.accept(start + 50 * MS);
        gate.see(start + 50 * MS);
        assert_eq!(gate.ask(start + 50 * MS), Permission::At(start + 100 * MS));
        gate.lose();
        assert_eq!(gate.ask(start + 200 * MS), Permission::At(start + 250 * MS));
    }

    #[test]
    fn signals_are_used_up() {
        let mut gate = Gate::new(Policy { on_signal: true, ..Policy::default() });
        let now = Instant::now();
        assert_eq!(gate.ask(now), Permission::Later);
        gate.signal();
        gate.signal();
        gate.accept(now);
        assert_eq!(gate.ask(now), Permission::Now);
        gate.accept(now);
        assert_eq!(gate.ask(now), Permission::Later);
    }

    #[test]
    fn so_many_at_once() {
        let mut gate = Gate::new(Policy { most_at_once: Some(1), ..Policy::default() });
        let now = Instant::now();
        gate.accept(now);
        assert_eq!(gate.ask(now), Permission::Later);
        gate.end();
        assert_eq!(gate.ask(now), Permission::Now);
    }
}
