//! A thread that accepts and hands each connection to a thread or a process of its own, which
//! waits for it alone: `--model threads`, `--model processes`, `--exec`.

use super::accept::{Connection, Refusal, accept};
use super::children::Children;
use super::event_loop::PATIENCE;
use super::exchange::{Exchange, Progress, SCRATCH};
use super::open::Listener;
use super::policy::{Gate, Permission, Policy};
use super::report::{Accepted, Report};
use super::service::Service;
use mio::Waker;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::AsFd as _;
use rustix::io::Errno;
use std::io;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

/// Who serves a connection.
pub enum Server {
    /// A thread each.
    Threads(Service),
    /// A process each.
    Children(Arc<Children>),
}

/// The accepting thread, as others see it.
pub struct Acceptor {
    shared: Arc<Shared>,
}

/// What the accepting thread, those that serve and everybody else share.
struct Shared {
    gate: Mutex<Gate>,
    /// The gate may say something else now, or an fd is free.
    changed: Condvar,
    reports: Sender<Report>,
    waker: Waker,
}

impl Acceptor {
    /// Starts the thread. It sends what happened to `reports`, and wakes `waker`.
    pub fn start(
        listeners: Arc<[Listener]>,
        policy: Policy,
        server: Server,
        reports: Sender<Report>,
        waker: Waker,
    ) -> io::Result<Self> {
        let gate = Mutex::new(Gate::new(policy));
        let shared = Arc::new(Shared { gate, changed: Condvar::new(), reports, waker });
        let open = (0..listeners.len()).collect();
        let work = Work { shared: Arc::clone(&shared), listeners, open, last: 0, server, paused: false };
        thread::Builder::new().name("accept".to_owned()).spawn(move || work.run())?;
        Ok(Self { shared })
    }

    /// Changes the gate, which the thread then looks at again.
    pub fn change_gate(&self, change: impl FnOnce(&mut Gate)) {
        change(&mut self.shared.gate());
        self.shared.changed.notify_all();
    }

    /// Asks the gate something.
    pub fn ask_gate<T>(&self, ask: impl FnOnce(&Gate) -> T) -> T {
        ask(&self.shared.gate())
    }
}

impl Shared {
    fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn report(&self, report: Report) {
        // Whoever does not listen any more is about to end.
        let _ = self.reports.send(report);
        let _ = self.waker.wake();
    }

    fn end(&self) {
        self.gate().end();
        self.changed.notify_all();
        let _ = self.waker.wake();
    }

    /// Waits until something changes, but not for long.
    fn wait(&self) {
        let gate = self.gate();
        drop(self.changed.wait_timeout(gate, PATIENCE).unwrap_or_else(PoisonError::into_inner));
    }
}

/// The accepting thread's own.
struct Work {
    shared: Arc<Shared>,
    listeners: Arc<[Listener]>,
    /// Those that still accept.
    open: Vec<usize>,
    /// The one that accepted last: where few may be accepted, each has its share.
    last: usize,
    server: Server,
    paused: bool,
}

impl Work {
    fn run(mut self) {
        // One that blocks is waited for by accept itself.
        let mut polls = self.listeners.len() > 1 || self.shared.gate().delays();
        while let Some(&first) = self.open.first() {
            let mut listener = first;
            if polls {
                let Some(found) = self.wait_for_one() else { continue };
                listener = found;
                self.last = found;
                self.shared.gate().see(Instant::now());
            }
            if !self.pass() {
                return;
            }
            match accept(&self.listeners[listener], false) {
                Ok(connection) => self.serve(listener, connection),
                Err(Refusal::Empty) => {
                    // It does not block, or somebody else has taken the connection.
                    polls = true;
                    self.shared.gate().lose();
                    // An fd comes before a connection: there was one for it.
                    if std::mem::take(&mut self.paused) {
                        self.shared.report(Report::Resumed);
                    }
                }
                Err(Refusal::Passing) => {}
                Err(Refusal::Exhausted(errno)) => self.pause(errno),
                Err(Refusal::Final(errno)) => {
                    self.open.retain(|&i| i != listener);
                    self.shared.report(Report::Shut { listener, errno });
                }
            }
        }
    }

    /// Waits until a connection does, and gives its listener.
    fn wait_for_one(&self) -> Option<usize> {
        let fd = |&i: &usize| PollFd::new(&self.listeners[i].socket, PollFlags::IN);
        let mut fds: Vec<PollFd<'_>> = self.open.iter().map(fd).collect();
        match poll(&mut fds, None) {
            Ok(_) => {
                let is_ready = |(fd, _): &(&PollFd<'_>, &usize)| !fd.revents().is_empty();
                let mut ready = fds.iter().zip(&self.open).filter(is_ready).map(|(_, &listener)| listener);
                let first = ready.next()?;
                Some(if first > self.last { first } else { ready.find(|&l| l > self.last).unwrap_or(first) })
            }
            Err(Errno::INTR) => None,
            Err(_) => {
                self.shared.wait();
                None
            }
        }
    }

    /// Waits until a connection may be accepted; whether one may be at all.
    fn pass(&self) -> bool {
        let mut gate = self.shared.gate();
        loop {
            let now = Instant::now();
            gate = match gate.ask(now) {
                Permission::Now => return true,
                Permission::Never => return false,
                Permission::Later => self.shared.changed.wait(gate).unwrap_or_else(PoisonError::into_inner),
                Permission::At(at) => {
                    let wait = self.shared.changed.wait_timeout(gate, at - now);
                    wait.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// Something has run out: says so once, and waits.
    fn pause(&mut self, errno: Errno) {
        if !std::mem::replace(&mut self.paused, true) {
            self.shared.report(Report::Paused(errno));
        }
        self.shared.wait();
    }

    fn serve(&mut self, listener: usize, connection: Connection) {
        if std::mem::take(&mut self.paused) {
            self.shared.report(Report::Resumed);
        }
        // Before anybody can end it. Whoever sees at the gate that it was accepted finds the report.
        let mut gate = self.shared.gate();
        let number = gate.accept(Instant::now());
        self.shared.report(Report::Accepted(Accepted::new(listener, number, &connection)));
        drop(gate);
        let connection = Arc::new(connection);
        loop {
            let started = match &self.server {
                Server::Threads(service) => self.start_thread(service, number, &connection),
                Server::Children(children) => children.start(&connection),
            };
            match started {
                Ok(()) => break,
                // It was accepted, so it is served, once there is what it takes.
                Err(e) => self.pause(Errno::from_io_error(&e).unwrap_or(Errno::AGAIN)),
            }
        }
        if std::mem::take(&mut self.paused) {
            self.shared.report(Report::Resumed);
        }
    }

    fn start_thread(&self, service: &Service, number: u64, connection: &Arc<Connection>) -> io::Result<()> {
        let (service, connection) = (service.clone(), Arc::clone(connection));
        let shared = Arc::clone(&self.shared);
        let thread = thread::Builder::new().name(format!("serve {number}")).stack_size(64 * 1024);
        thread.spawn(move || {
            serve(&service, &connection);
            // The fd is free before that is told.
            drop(connection);
            shared.end();
        })?;
        Ok(())
    }
}

/// Serves a connection whose socket blocks, until its end.
fn serve(service: &Service, connection: &Connection) {
    if service.never_ends() {
        loop {
            thread::park();
        }
    }
    let mut scratch = vec![0; SCRATCH];
    let mut exchange = Exchange::new(service);
    while let Ok(Progress::More | Progress::Blocked) =
        exchange.advance(connection.socket.as_fd(), &mut scratch)
    {}
}
