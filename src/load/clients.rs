//! All clients of a load, and what they are to do.

use super::answers::Answers;
use super::protocol::Protocol;
use super::worker::Worker;
use rustix::fd::BorrowedFd;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::AtomicU64;
use std::thread;
use std::time::Duration;

/// Whether a connection serves for all questions, or for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// For all.
    Kept,
    /// For one: each question has a connection of its own.
    Renewed,
}

/// How many clients there are.
#[derive(Clone, Copy, Debug)]
pub struct Crowd {
    /// How many connections.
    pub connections: usize,
    /// How many of them ask: the first ones.
    pub busy: usize,
    /// Whether they are kept.
    pub mode: Mode,
    /// How many threads they share.
    pub threads: usize,
}

/// How long to go on, whichever comes first.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// For so long.
    pub time: Duration,
    /// With so many questions.
    pub questions: u64,
}

/// Why a load did not come to its end.
#[derive(Debug)]
pub enum Failure {
    /// It was told to stop.
    Interrupted,
    /// A call failed, or a connection.
    Io(io::Error),
    /// An answer is not the right one.
    Wrong(String),
    /// So many answers did not come for so long.
    Silent(usize, Duration),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interrupted => f.write_str("interrupted"),
            Self::Io(e) => e.fmt(f),
            Self::Wrong(text) => f.write_str(text),
            Self::Silent(number, time) => {
                write!(f, "{number} connections had no answer for {} s", time.as_secs())
            }
        }
    }
}

/// Clients of a server.
pub struct Clients<P> {
    workers: Vec<Worker>,
    protocol: P,
}

impl<P: Protocol> Clients<P> {
    /// Clients that are not connected yet. They stop as soon as `stop` is readable.
    ///
    /// # Errors
    ///
    /// There is no fd left to wait with.
    pub fn new(
        server: SocketAddr,
        protocol: P,
        crowd: Crowd,
        stop: Option<BorrowedFd<'_>>,
    ) -> io::Result<Self> {
        let threads = crowd.threads.clamp(1, crowd.busy.max(1));
        // Those that ask come first, so that all threads have their share of them.
        let worker = |first: usize| {
            let numbers = (first..crowd.connections).step_by(threads);
            let busy = (first..crowd.busy.min(crowd.connections)).step_by(threads).count();
            Worker::new(server, numbers, busy, crowd.mode, stop)
        };
        Ok(Self { workers: (0..threads).map(worker).collect::<io::Result<_>>()?, protocol })
    }

    /// Connects all that are to be kept, and has each of them ask once. `told` hears how many have
    /// their answer.
    ///
    /// # Errors
    ///
    /// A connection failed, or had no answer for long.
    pub fn open(&mut self, told: &mut dyn FnMut(usize)) -> Result<(), Failure> {
        let mut opened = 0;
        for worker in &mut self.workers {
            worker.open(&self.protocol, &mut |n| told(opened + n))?;
            opened += worker.connections();
        }
        Ok(())
    }

    /// Has the busy ones ask, and waits for the answers to all that was asked.
    ///
    /// # Errors
    ///
    /// An answer was wrong, or did not come for long.
    pub fn run(&mut self, bounds: Bounds) -> Result<Answers, Failure> {
        let left = AtomicU64::new(bounds.questions);
        let protocol = &self.protocol;
        let results: Vec<Result<Answers, Failure>> = match &mut self.workers[..] {
            [one] => vec![one.run(protocol, bounds.time, &left)],
            several => thread::scope(|scope| {
                let left = &left;
                let start = |worker| scope.spawn(move || Worker::run(worker, protocol, bounds.time, left));
                let threads: Vec<_> = several.iter_mut().map(start).collect();
                let end = |thread: thread::ScopedJoinHandle<'_, _>| {
                    thread.join().unwrap_or_else(|_| Err(Failure::Wrong("a client panicked".to_owned())))
                };
                threads.into_iter().map(end).collect()
            }),
        };
        let mut answers = Answers::default();
        for result in results {
            answers.join(&result?);
        }
        Ok(answers)
    }
}
