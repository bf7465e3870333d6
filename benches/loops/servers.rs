//! The servers, as far as this machine has them.

use crate::Result;
use crate::client::Service;
use crate::installed::is_installed;
use crate::nginx;
use crate::server::{Output, Running, free_port};
use crate::usage;
use std::path::Path;
use std::process::{Command, Stdio};

/// A kind of server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) name: &'static str,
    program: Program,
    /// How it is held up.
    pub(crate) holdup: Holdup,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Program {
    Asyncio,
    Uvloop,
    Threads,
    Prefork,
    Node,
    Nginx,
    Redis,
    Mio,
    /// What the command line names.
    Given(&'static str),
}

/// What holds a server up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holdup {
    /// A request for this path and a number of seconds.
    Path(&'static str),
    /// The same, once for each process, which says which it is before it sleeps.
    PathEach,
    /// `DEBUG SLEEP`.
    Redis,
    /// SIGSTOP to all that serve.
    Stop,
}

const SERVERS: &[Server] = &[
    Server { name: "asyncio, sleeping", program: Program::Asyncio, holdup: Holdup::Path("sleep") },
    Server { name: "asyncio, computing", program: Program::Asyncio, holdup: Holdup::Path("spin") },
    Server { name: "uvloop, sleeping", program: Program::Uvloop, holdup: Holdup::Path("sleep") },
    Server { name: "uvloop, computing", program: Program::Uvloop, holdup: Holdup::Path("spin") },
    Server { name: "python threads, GIL kept", program: Program::Threads, holdup: Holdup::Path("sleep") },
    Server { name: "python prefork, sleeping", program: Program::Prefork, holdup: Holdup::PathEach },
    Server { name: "node, computing", program: Program::Node, holdup: Holdup::Path("spin") },
    Server { name: "nginx, stopped", program: Program::Nginx, holdup: Holdup::Stop },
    Server { name: "redis, DEBUG SLEEP", program: Program::Redis, holdup: Holdup::Redis },
    Server { name: "mio, sleeping", program: Program::Mio, holdup: Holdup::Path("sleep") },
    Server { name: "mio, computing", program: Program::Mio, holdup: Holdup::Path("spin") },
];

const ASYNCIO: &str = include_str!("programs/asyncio.py");
const THREADS: &str = include_str!("programs/threads.py");
const PREFORK: &str = include_str!("programs/prefork.py");
const NODE: &str = include_str!("programs/node.js");

impl Server {
    /// Those that this machine has, and whose names have this in them.
    pub(crate) fn installed(part: &str) -> Vec<Self> {
        let chosen = SERVERS.iter().copied().filter(|server| server.name.contains(part));
        chosen.filter(|server| server.program.is_installed()).collect()
    }

    /// A program of the user's own, held up in both ways.
    pub(crate) fn given(command: &str) -> [Self; 2] {
        // It is needed until the end, and there are few.
        let leak = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
        let program = Program::Given(leak(command.to_owned()));
        let base = command.split(' ').next().and_then(|word| word.rsplit('/').next()).unwrap_or_default();
        [("sleep", "sleeping"), ("spin", "computing")].map(|(path, how)| Self {
            name: leak(format!("{base}, {how}")),
            program,
            holdup: Holdup::Path(path),
        })
    }

    /// Those, each once, however it may be held up.
    pub(crate) fn kinds(servers: &[Self]) -> Vec<Self> {
        let mut kinds = servers.to_vec();
        kinds.dedup_by_key(|server| server.program);
        kinds
    }

    /// Its name, without how it is held up.
    pub(crate) fn kind(&self) -> &'static str {
        self.name.split(',').next().unwrap_or_default()
    }

    /// What it is asked.
    pub(crate) fn service(&self) -> Service {
        match self.program {
            Program::Redis => Service::Fixed { ask: b"PING\r\n", answer: b"+PONG\r\n" },
            _ => Service::Http,
        }
    }

    /// Whether its first thread serves, as far as is known.
    pub(crate) fn serves_by_first_thread(&self) -> bool {
        !matches!(self.program, Program::Given(_))
    }

    /// Starts one.
    pub(crate) fn start(&self, dir: &Path) -> Result<Running> {
        let owned = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<String>>();
        let python = |text: &str| owned(&["python3", "-c", text]);
        let words = match self.program {
            Program::Asyncio => python(ASYNCIO),
            Program::Uvloop => owned(&["python3", "-c", ASYNCIO, "uvloop"]),
            Program::Threads => python(THREADS),
            Program::Prefork => python(PREFORK),
            Program::Node => owned(&["node", "-e", NODE]),
            Program::Nginx => {
                nginx::configure(dir, free_port()?, 2)?;
                owned(&["nginx", "-c", &nginx::configuration(dir).display().to_string()])
            }
            Program::Redis => {
                let port = free_port()?.to_string();
                let words = ["redis-server", "--port", &port, "--bind", "127.0.0.1", "--save", ""];
                let more = ["--enable-debug-command", "local", "--dir", &dir.display().to_string()];
                owned(&[&words[..], &more[..]].concat())
            }
            Program::Mio => owned(&[&std::env::current_exe()?.display().to_string(), "--serve"]),
            Program::Given(command) => owned(&command.split_whitespace().collect::<Vec<_>>()),
        };
        Running::start(&words, Output::Null)
    }

    /// The processes of one that serve, once they are there.
    pub(crate) fn workers(&self, server: &Running) -> Vec<u32> {
        let children = match self.program {
            Program::Prefork => 4,
            Program::Nginx => 2,
            _ => return vec![server.pid()],
        };
        loop {
            let tree = usage::tree(server.pid());
            if tree.len() > children {
                return tree[1..].to_vec();
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
}

impl Program {
    /// Whether it is there; says so if not.
    fn is_installed(self) -> bool {
        let program = match self {
            Self::Asyncio | Self::Uvloop | Self::Threads | Self::Prefork => "python3",
            Self::Node => "node",
            Self::Nginx => "nginx",
            Self::Redis => "redis-server",
            Self::Mio | Self::Given(_) => return true,
        };
        is_installed(program, program) && (self != Self::Uvloop || has_uvloop())
    }
}

/// Whether Python has this module; says so if not.
fn has_uvloop() -> bool {
    let there = Command::new("python3").args(["-c", "import uvloop"]).stderr(Stdio::null()).status();
    let there = there.is_ok_and(|status| status.success());
    if !there {
        eprintln!("skipped: uvloop, because it is not installed");
    }
    there
}
