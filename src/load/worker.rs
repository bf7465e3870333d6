//! One thread of clients: an event loop over its share of the connections.

use super::answers::Answers;
use super::clients::{Failure, Mode};
use super::connection::{Connection, Trouble};
use super::protocol::Protocol;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use rustix::fd::{AsRawFd as _, BorrowedFd};
use rustix::time::{ClockId, clock_gettime};
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long to wait for an answer before it is said that there is none.
const PATIENCE: Duration = Duration::from_secs(20);
/// How many connections are made at a time: a queue of 128, as old kernels have it, is enough.
const WINDOW: usize = 64;
/// What the loop is told to stop by.
const STOP: Token = Token(usize::MAX - 1);

/// One thread's share.
pub(super) struct Worker {
    poll: Poll,
    events: Events,
    server: SocketAddr,
    mode: Mode,
    connections: Vec<Connection>,
    /// How many of them ask: the first ones.
    busy: usize,
    buffer: Box<[u8]>,
}

impl Worker {
    pub(super) fn new(
        server: SocketAddr,
        numbers: impl Iterator<Item = usize>,
        busy: usize,
        mode: Mode,
        stop: Option<BorrowedFd<'_>>,
    ) -> io::Result<Self> {
        let poll = Poll::new()?;
        if let Some(fd) = stop {
            poll.registry().register(&mut SourceFd(&fd.as_raw_fd()), STOP, Interest::READABLE)?;
        }
        Ok(Self {
            poll,
            events: Events::with_capacity(1024),
            server,
            mode,
            connections: numbers.map(Connection::new).collect(),
            busy,
            buffer: vec![0; 1 << 14].into_boxed_slice(),
        })
    }

    /// How many connections are its own.
    pub(super) fn connections(&self) -> usize {
        self.connections.len()
    }

    /// Has each connection that is kept ask once. `told` hears how many have their answer.
    pub(super) fn open(
        &mut self,
        protocol: &impl Protocol,
        told: &mut dyn FnMut(usize),
    ) -> Result<(), Failure> {
        if self.mode == Mode::Renewed {
            return Ok(());
        }
        let all = self.connections.len();
        let (mut asked, mut answered) = (0, 0);
        while answered < all {
            while asked < all && asked - answered < WINDOW {
                self.ask(asked, protocol)?;
                asked += 1;
            }
            answered += self.turn(asked - answered, protocol, &mut |_, _| false)?;
            told(answered);
        }
        Ok(())
    }

    /// Has the busy ones ask for so long, or until nothing is `left` to ask.
    pub(super) fn run(
        &mut self,
        protocol: &impl Protocol,
        time: Duration,
        left: &AtomicU64,
    ) -> Result<Answers, Failure> {
        let mut answers = Answers::default();
        let (start, ran) = (Instant::now(), ran());
        let deadline = start + time;
        let may_ask = |now| {
            let one_less = |left: u64| left.checked_sub(1);
            now < deadline && left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok()
        };
        let mut outstanding = 0;
        for key in 0..self.busy {
            if may_ask(start) {
                self.ask(key, protocol)?;
                outstanding += 1;
            }
        }
        let mut last = start;
        while outstanding > 0 {
            let ended = self.turn(outstanding, protocol, &mut |number, since| {
                let now = Instant::now();
                last = now;
                let in_time = u64::from(now <= deadline);
                if protocol.is_heavy(number) {
                    answers.heavy += 1;
                    answers.heavy_in_time += in_time;
                } else {
                    answers.usual.record(now - since);
                    answers.in_time += in_time;
                }
                may_ask(now)
            })?;
            outstanding -= ended;
        }
        answers.time = last.min(deadline) - start;
        answers.busy = (self::ran() - ran).as_secs_f64() / (last - start).as_secs_f64().max(1e-9);
        Ok(answers)
    }

    fn ask(&mut self, key: usize, protocol: &impl Protocol) -> Result<(), Failure> {
        self.connections[key].ask(protocol, self.server, (self.poll.registry(), Token(key)))?;
        Ok(())
    }

    /// Waits for events, and acts on them. `answered` is told of each connection whose answer is
    /// there, with when it has asked, and says whether it asks again; the number of those that do
    /// not is returned. `outstanding` answers are waited for.
    fn turn(
        &mut self,
        outstanding: usize,
        protocol: &impl Protocol,
        answered: &mut dyn FnMut(usize, Instant) -> bool,
    ) -> Result<usize, Failure> {
        match self.poll.poll(&mut self.events, Some(PATIENCE)) {
            Err(e) if e.kind() != io::ErrorKind::Interrupted => return Err(e.into()),
            Err(_) => return Ok(0),
            Ok(()) if self.events.is_empty() => return Err(Failure::Silent(outstanding, PATIENCE)),
            Ok(()) => {}
        }
        let mut ended = 0;
        for event in &self.events {
            if event.token() == STOP {
                return Err(Failure::Interrupted);
            }
            let Token(key) = event.token();
            let connection = &mut self.connections[key];
            let Some(since) = connection.go_on(protocol, &mut self.buffer)? else { continue };
            if self.mode == Mode::Renewed {
                connection.close();
            }
            if answered(connection.number, since) {
                connection.ask(protocol, self.server, (self.poll.registry(), Token(key)))?;
            } else {
                ended += 1;
            }
        }
        Ok(ended)
    }
}

/// For how long this thread has run.
fn ran() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Io(e) => Self::Io(e),
            Trouble::Wrong(text) => Self::Wrong(text),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
