//! `fdscope loops` on real servers: whether it finds stalls, whether it takes a healthy one for
//! stalled, and what it costs.
//!
//! `cargo bench --bench loops -- [--runs N] [--seconds S] [--server PART-OF-A-NAME]
//! [--program COMMAND]... [PART]...`, where PART is `healthy`, `stalls` or `cost`. The servers are those
//! that this machine has, of asyncio, uvloop, a Python server with a thread a connection, one with four
//! processes, node, nginx, redis, and a program with mio, which is this one. With `--program` it is that
//! one alone: it must listen by itself, answer any request, and sleep or compute for requests of `/sleep/S`
//! and `/spin/S`.
//!
//! In `healthy`, 8 clients ask each server as fast as they can, over kept connections, for S seconds, and
//! then with a connection for each request; whatever `loops` calls a stall is shown, with what the
//! thread did. On a machine that is busy otherwise, waiting for a CPU is one.
//!
//! In `stalls`, each server is held up 5 N times for 300 to 1500 ms, by what holds such a server up: a
//! handler that sleeps or computes, or sleeps while it has the lock of the Python interpreter, `DEBUG
//! SLEEP`, SIGSTOP. Of several processes, each is. Before and meanwhile others ask it now and then. A stall
//! counts as found if `loops` tells of one of that process in that time, with the right thread and with
//! something that waits.
//!
//! In `cost`, N servers are asked over the same connections alone and while they are looked at, in turn,
//! for S seconds each; the change is that of such pairs. The last rows are what `loops` itself uses of
//! idle loops.
//!
//! Without cargo's `--bench` flag, as under `cargo test --benches`, each is tried for a moment.

#[path = "../support/arguments.rs"]
mod arguments;
#[path = "../support/child.rs"]
mod child;
#[allow(dead_code, reason = "benches/load does more with it")]
#[path = "../support/client.rs"]
mod client;
mod cost;
mod fdscope;
mod healthy;
#[path = "../support/installed.rs"]
mod installed;
#[path = "../support/median.rs"]
mod median;
mod mio_server;
#[path = "../support/nginx.rs"]
mod nginx;
#[path = "../support/server.rs"]
mod server;
mod servers;
mod stalls;
#[allow(dead_code, reason = "benches/load does more with it")]
#[path = "../support/usage.rs"]
mod usage;

use arguments::{Arguments, Choice, RUNS, SECONDS};
use servers::Server;
use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Which of the servers are taken, and which instead of them.
const SERVER: Choice = ("--server", "a part of a name");
const PROGRAM: Choice = ("--program", "a command");

/// How much is measured.
#[derive(Clone, Copy)]
pub(crate) struct Extent {
    pub(crate) runs: usize,
    pub(crate) time: Duration,
    /// Whether it is only to see that all work.
    pub(crate) trial: bool,
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match words[..] {
        // The part that this program plays when it starts itself.
        ["--serve"] => mio_server::serve(),
        // cargo-nextest asks for tests: there are none.
        ["--list", ..] => Ok(()),
        _ => run(&words),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("loops: {e}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[&str]) -> Result<()> {
    let options = [RUNS, SECONDS, SERVER, PROGRAM];
    let arguments = Arguments::parse(args, &options, ("part", &["healthy", "stalls", "cost"]))?;
    let trial = arguments.trial;
    let time = arguments.time(Duration::from_millis(if trial { 300 } else { 5000 }))?;
    let extent = Extent { runs: arguments.runs(5)?, time, trial };
    let dir = tempfile::tempdir()?;
    let mut servers: Vec<Server> = arguments.all(PROGRAM.0).flat_map(Server::given).collect();
    if servers.is_empty() {
        servers = Server::installed(arguments.all(SERVER.0).next_back().unwrap_or_default());
    }
    if arguments.wants("healthy") {
        healthy::measure(dir.path(), &servers, extent)?;
    }
    if arguments.wants("stalls") {
        stalls::measure(dir.path(), &servers, extent)?;
    }
    if arguments.wants("cost") {
        cost::measure(dir.path(), &servers, extent)?;
    }
    Ok(())
}
