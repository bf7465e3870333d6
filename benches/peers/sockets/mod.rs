//! Loads of sockets, and the programs that show them with their owners.
//!
//! `bare` is this program itself: see [`crate::bare::sockets`] for its words.

mod dump;
mod held;
mod question;
mod row;
mod socket;
mod tcp;
mod unix;

pub(crate) use dump::Dump;
pub(crate) use tcp::{connect, serve};
pub(crate) use unix::pair;

use crate::holder::Holder;
use crate::{Result, contest};
use held::Held;
use question::Shows::{Counts, Pids, Rows};
use question::{Case, Question};
use socket::Socket;

/// A load, and what is asked about it.
#[derive(Clone, Copy)]
pub(crate) enum Load {
    /// All TCP sockets: both ends of so many connections to each server.
    Tcp { servers: usize, connections: usize },
    /// All unix sockets: so many pairs in each process.
    Unix { processes: usize, pairs: usize },
    /// The listeners among the TCP sockets, so many of each server; and who has one port.
    Listeners { servers: usize, listeners: usize, connections: usize },
}

const TCP: &[Case] = &[
    ("fdscope sockets --family tcp", Rows(row::table)),
    ("fdscope sockets --family tcp --jsonl", Rows(row::json)),
    ("fdscope list --kind tcp", Rows(row::table)),
    ("fdscope list --kind tcp --jsonl", Rows(row::json)),
    ("ss -tanp", Rows(row::ss_tcp)),
    // With what the JSON records have.
    ("ss -tanpiemo", Rows(row::ss_tcp)),
    ("lsof -nPi TCP", Rows(row::lsof_tcp)),
    ("bare tcp links", Counts),
    ("bare tcp-info links", Counts),
    ("bare tcp", Counts),
    ("bare links", Counts),
];

const UNIX: &[Case] = &[
    ("fdscope sockets --family unix", Rows(row::table)),
    ("fdscope sockets --family unix --jsonl", Rows(row::json)),
    ("fdscope list --kind unix", Rows(row::table)),
    ("fdscope list --kind unix --jsonl", Rows(row::json)),
    ("ss -xap", Rows(row::ss_unix)),
    ("lsof -nPU", Rows(row::lsof_unix)),
    ("bare unix links", Counts),
    ("bare unix", Counts),
    ("bare links", Counts),
];

const LISTENERS: &[Case] = &[
    ("fdscope sockets --listening --family tcp", Rows(row::table)),
    ("fdscope sockets --listening --family tcp --jsonl", Rows(row::json)),
    ("ss -ltnp", Rows(row::ss_tcp)),
    ("lsof -nPi TCP -sTCP:LISTEN", Rows(row::lsof_tcp)),
    ("bare listeners links", Counts),
    ("bare listeners", Counts),
];

const PORT: &[Case] = &[
    ("fdscope list --port PORT --pids", Pids),
    ("fuser PORT/tcp", Pids),
    ("lsof -ti :PORT -sTCP:LISTEN", Pids),
    ("bare listeners:PORT links", Counts),
];

impl Load {
    /// Makes the load and compares the programs on it.
    pub(crate) fn measure(self, name: &str, runs: usize) -> Result<()> {
        let held = Held::by(self.start()?)?;
        let title = format!("{name}: {} sockets of {} processes", held.sockets.len(), held.holders.len());
        let all = |cases| {
            let question = Question { held: &held, wanted: &|_| true };
            contest::run(&title, &question.contestants(cases, 0)?, runs)
        };
        match self {
            Self::Tcp { .. } => all(TCP),
            Self::Unix { .. } => all(UNIX),
            Self::Listeners { .. } => {
                let listeners: Vec<_> = held.sockets.iter().filter(|s| s.is_listener()).collect();
                let question = Question { held: &held, wanted: &Socket::is_listener };
                let title = format!("{title}, {} of them listeners", listeners.len());
                contest::run(&title, &question.contestants(LISTENERS, 0)?, runs)?;
                let one = listeners[listeners.len() / 2];
                let question = Question { held: &held, wanted: &|socket| socket.inode == one.inode };
                let title = format!("{title}: who has one port");
                contest::run(&title, &question.contestants(PORT, one.local_port())?, runs)
            }
        }
    }

    fn start(self) -> Result<Vec<Holder>> {
        match self {
            Self::Tcp { servers, connections } => tcp::start(servers, 1, connections),
            Self::Unix { processes, pairs } => unix::start(processes, pairs),
            Self::Listeners { servers, listeners, connections } => {
                tcp::start(servers, listeners, connections)
            }
        }
    }
}
