//! fdscope against other programs and bare loops over what the kernel has, as whole programs on the
//! same load.
//!
//! `cargo bench --bench peers -- [--runs N] [LOAD]...`, such as `-- --runs 9 tcp unix listeners`,
//! where LOAD is one of these, or all are taken:
//!
//! | load | what is held | what is asked |
//! | --- | --- | --- |
//! | `mixed` | 200 processes with 100 fds each | all fds, of fdscope, `lsof` and `lsfd` |
//! | `large` | one process with as many fds as its limit allows | the same |
//! | `many` | 1000 processes with 50 fds each | the same |
//! | `small` | one process with 100 fds: what a start costs | the same |
//! | `limits` | 1000 processes | how near each is to its limit of open files |
//! | `tcp` | both ends of 10,000 connections, of 10 processes | all, of fdscope, `ss` and `lsof` |
//! | `unix` | 10,000 pairs of unix sockets, of 5 processes | the same |
//! | `listeners` | the connections of `tcp`, and 50 listeners | those; and who has one port, of `fuser` too |
//!
//! First every program is checked to show each fd or socket that the load holds, sockets with the
//! right owner; then all take turns (A B C, A B C, ...), so that whatever else the machine does falls
//! on all alike. Only the ratios mean something. They are ratios of medians, against the first:
//! fdscope's table, if this fdscope has the subcommand.
//!
//! The `bare` loops that are shown with the sockets read the links of all fds of all processes
//! (`links`) and have the kernel dump sockets (`tcp`, `tcp-info`, `unix`, `listeners`), and make
//! nothing of it: what they take no program on as many threads can go below. Those that are shown with
//! lists of fds read links, and fdinfo of pipes, sockets and anonymous inodes, which a table takes, or of
//! `all` fds, as JSON and TSV do. With one fd or two they show what a program costs that does next to
//! nothing.
//!
//! The first look at fds that were just opened costs more, for the kernel makes an entry of /proc for
//! each. The check has looked at all, so that the figures are those of another look.
//!
//! Without cargo's `--bench` flag, as under `cargo test --benches`, it checks small loads and
//! runs each program once.
//!
//! The load and the programs run in a network namespace of their own, where that is allowed: the
//! cost of a socket table grows with all the sockets in it, whoever holds them. fdscope looks into
//! other namespaces too, so that elsewhere there should be few sockets.
//!
//! Peak memory is `ru_maxrss`, which counts what the process was before its exec too: about
//! 2 MiB, below which the figure says nothing.

#[allow(dead_code, reason = "no load is measured for a given time")]
#[path = "../support/arguments.rs"]
mod arguments;
mod bare;
mod contest;
mod holder;
#[path = "../support/installed.rs"]
mod installed;
mod load;
#[path = "../support/median.rs"]
mod median;
mod meter;
mod network;
mod program;
mod sockets;

use arguments::{Arguments, RUNS};
use load::Load;
use program::Program;
use sockets::Load as Sockets;
use std::error::Error;
use std::process::ExitCode;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A load, and the programs that are compared on it.
#[derive(Clone, Copy)]
enum Task {
    /// Lists of fds: so many processes with so many fds each; `None` is all that the limit allows.
    Fds(usize, Option<usize>),
    /// Limits of so many processes.
    Limits(usize),
    Sockets(sockets::Load),
}

/// Each load, and the same for a trial run.
const LOADS: &[(&str, Task, Task)] = &[
    ("mixed", Task::Fds(200, Some(100)), Task::Fds(3, Some(40))),
    ("many", Task::Fds(1000, Some(50)), Task::Fds(5, Some(20))),
    ("large", Task::Fds(1, None), Task::Fds(1, Some(3000))),
    ("small", Task::Fds(1, Some(100)), Task::Fds(1, Some(20))),
    ("limits", Task::Limits(1000), Task::Limits(5)),
    (
        "tcp",
        Task::Sockets(Sockets::Tcp { servers: 5, connections: 2000 }),
        Task::Sockets(Sockets::Tcp { servers: 2, connections: 20 }),
    ),
    (
        "unix",
        Task::Sockets(Sockets::Unix { processes: 5, pairs: 2000 }),
        Task::Sockets(Sockets::Unix { processes: 2, pairs: 20 }),
    ),
    (
        "listeners",
        Task::Sockets(Sockets::Listeners { servers: 5, listeners: 10, connections: 2000 }),
        Task::Sockets(Sockets::Listeners { servers: 2, listeners: 3, connections: 20 }),
    ),
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match words[..] {
        // The parts that this program plays when it starts itself.
        ["--hold", fds, address] => load::hold(fds, address),
        ["--meter", ref command @ ..] => meter::run(command),
        ["--bare", threads, ref pids @ ..] => bare::list(threads, false, pids),
        ["--bare-all", threads, ref pids @ ..] => bare::list(threads, true, pids),
        ["--bare-limits"] => bare::limits(),
        ["--bare-sockets", threads, ref parts @ ..] => bare::sockets(threads, parts),
        ["--tcp-server", address, listeners, connections] => sockets::serve(address, listeners, connections),
        ["--tcp-client", connections, ref addresses @ ..] => sockets::connect(connections, addresses),
        ["--unix", pairs] => sockets::pair(pairs),
        // cargo-nextest asks for tests: there are none.
        ["--list", ..] => Ok(()),
        _ => compare(&words),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("peers: {e}");
            ExitCode::FAILURE
        }
    }
}

fn compare(args: &[&str]) -> Result<()> {
    let names: Vec<&str> = LOADS.iter().map(|(name, ..)| *name).collect();
    let arguments = Arguments::parse(args, &[RUNS], ("load", &names))?;
    let runs = arguments.runs(15)?;
    network::isolate();
    for &(name, task, small) in LOADS.iter().filter(|(name, ..)| arguments.wants(name)) {
        match if arguments.trial { small } else { task } {
            Task::Fds(processes, fds) => list(name, &Load::start(processes, fds)?, runs)?,
            Task::Limits(processes) => limits(name, &Load::start(processes, Some(0))?, runs)?,
            Task::Sockets(load) => load.measure(name, runs)?,
        }
    }
    Ok(())
}

fn list(name: &str, load: &Load, runs: usize) -> Result<()> {
    let title = format!("{name}: {} processes, {} fds", load.pids.len(), load.fds.len());
    let programs = Program::installed();
    let contestants: Vec<_> = programs.iter().map(|program| program.on(load)).collect();
    contest::run(&title, &contestants, runs)
}

fn limits(name: &str, load: &Load, runs: usize) -> Result<()> {
    let programs = Program::of_limits();
    let contestants: Vec<_> = programs.iter().map(|program| program.on_all(load)).collect();
    contest::run(
        &format!("{name}: {} processes and those of the system", load.pids.len()),
        &contestants,
        runs,
    )
}
