//! All connections on one thread, which waits for all of them at once: `--model event-loop`.

use super::accept::{Connection, Refusal, accept};
use super::exchange::{Exchange, Progress, SCRATCH};
use super::open::Listener;
use super::policy::{Gate, Permission, Policy};
use super::report::{Accepted, Report};
use super::service::Service;
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use rustix::io::retry_on_intr;
use slab::Slab;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long to wait for an fd to become free, if none of our own does.
pub(super) const PATIENCE: Duration = Duration::from_millis(100);

/// How many connections to accept before those that are there have their turn again.
const ROUND: usize = 64;

/// The loop's part of what a thread does for all it waits for: somebody else calls `epoll_wait(2)`
/// and tells it what happened.
pub struct EventLoop {
    listeners: Arc<[Listener]>,
    gate: Gate,
    service: Service,
    /// The token of the connection with key 0; that of key 1 comes next.
    first: usize,
    connections: Slab<Served>,
    /// Connections that have used up their share, and can go on.
    again: Vec<usize>,
    /// Listeners that have not said that their queue is empty.
    ready: Vec<bool>,
    /// Listeners that would wait, and the whole loop with them, if their queue were empty.
    blocking: Vec<bool>,
    /// The listener whose turn is first: where few may be accepted, each has its share.
    next: usize,
    /// Since accepting failed for want of something: when to try again.
    retry: Option<Instant>,
    scratch: Box<[u8]>,
    reports: Vec<Report>,
}

struct Served {
    socket: OwnedFd,
    exchange: Exchange,
}

impl EventLoop {
    /// Connections get tokens from `first` on.
    pub fn new(listeners: Arc<[Listener]>, policy: Policy, service: Service, first: usize) -> Self {
        Self {
            ready: vec![true; listeners.len()],
            blocking: listeners.iter().map(Listener::is_blocking).collect(),
            next: 0,
            listeners,
            gate: Gate::new(policy),
            service,
            first,
            connections: Slab::new(),
            again: Vec::new(),
            retry: None,
            scratch: vec![0; SCRATCH].into_boxed_slice(),
            reports: Vec::new(),
        }
    }

    /// The gate, to signal to it and to ask it.
    pub fn gate(&mut self) -> &mut Gate {
        &mut self.gate
    }

    /// A listener has a connection for us.
    pub fn listener_is_ready(&mut self, listener: usize) {
        self.ready[listener] = true;
    }

    /// A connection of ours, or one that is gone already, can go on.
    pub fn connection_is_ready(&mut self, token: Token) {
        if let Some(key) = token.0.checked_sub(self.first) {
            self.advance(key);
        }
    }

    /// Does what is due, and gives what happened.
    pub fn turn(&mut self, registry: &Registry, now: Instant) -> std::vec::Drain<'_, Report> {
        for key in std::mem::take(&mut self.again) {
            self.advance(key);
        }
        if self.retry.is_none_or(|at| at <= now) {
            let (listeners, next) = (self.listeners.len(), self.next);
            for listener in (next..listeners).chain(0..next) {
                self.accept(listener, registry, now);
            }
            if !self.ready.contains(&true) {
                self.gate.lose();
            }
        }
        self.reports.drain(..)
    }

    /// When [`EventLoop::turn`] is due, if nothing happens before.
    pub fn deadline(&self, now: Instant) -> Option<Instant> {
        if !self.again.is_empty() {
            return Some(now);
        }
        if !self.ready.contains(&true) {
            return None;
        }
        match self.gate.ask(now) {
            Permission::Now => self.retry.or(Some(now)),
            Permission::At(at) => self.retry.max(Some(at)),
            Permission::Later | Permission::Never => None,
        }
    }

    fn accept(&mut self, listener: usize, registry: &Registry, now: Instant) {
        for _ in 0..ROUND {
            if !self.ready[listener] {
                return;
            }
            if (self.gate.delays() || self.blocking[listener]) && !self.gate.is_over() {
                if !has_waiting(&self.listeners[listener]) {
                    self.ready[listener] = false;
                    return;
                }
                self.gate.see(now);
            }
            if self.gate.ask(now) != Permission::Now {
                return;
            }
            match accept(&self.listeners[listener], true) {
                Ok(connection) => self.serve(listener, connection, registry, now),
                Err(Refusal::Empty) => {
                    self.ready[listener] = false;
                    // An fd comes before a connection: there was one for it.
                    if self.retry.take().is_some() {
                        self.reports.push(Report::Resumed);
                    }
                }
                Err(Refusal::Passing) => {}
                Err(Refusal::Exhausted(errno)) => {
                    if self.retry.replace(now + PATIENCE).is_none() {
                        self.reports.push(Report::Paused(errno));
                    }
                    return;
                }
                Err(Refusal::Final(errno)) => {
                    self.ready[listener] = false;
                    self.reports.push(Report::Shut { listener, errno });
                }
            }
        }
    }

    fn serve(&mut self, listener: usize, connection: Connection, registry: &Registry, now: Instant) {
        if self.retry.take().is_some() {
            self.reports.push(Report::Resumed);
        }
        let number = self.gate.accept(now);
        self.next = (listener + 1) % self.listeners.len();
        self.reports.push(Report::Accepted(Accepted::new(listener, number, &connection)));
        let served = Served { socket: connection.socket, exchange: Exchange::new(&self.service) };
        let entry = self.connections.vacant_entry();
        let key = entry.key();
        let served = entry.insert(served);
        if self.service.never_ends() {
            return;
        }
        let interest = Interest::READABLE | Interest::WRITABLE;
        let token = Token(self.first + key);
        match registry.register(&mut SourceFd(&served.socket.as_raw_fd()), token, interest) {
            Ok(()) => self.advance(key),
            // Out of registrations (fs.epoll.max_user_watches), or of memory: it is not served.
            Err(_) => self.end(key),
        }
    }

    fn advance(&mut self, key: usize) {
        let Some(served) = self.connections.get_mut(key) else { return };
        match served.exchange.advance(served.socket.as_fd(), &mut self.scratch) {
            Ok(Progress::Blocked) => {}
            Ok(Progress::More) => self.again.push(key),
            Ok(Progress::Done) | Err(_) => self.end(key),
        }
    }

    /// Closes a connection, which also takes it out of the selector.
    fn end(&mut self, key: usize) {
        self.connections.remove(key);
        self.gate.end();
        if let Some(at) = &mut self.retry {
            // There is an fd again.
            *at = Instant::now();
        }
    }
}

/// Whether a connection waits.
fn has_waiting(listener: &Listener) -> bool {
    let mut fd = [PollFd::new(&listener.socket, PollFlags::IN)];
    retry_on_intr(|| poll(&mut fd, Some(&Timespec::default()))).is_ok_and(|ready| ready > 0)
}
