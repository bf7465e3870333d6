//! fdscope against `lsof`, `lsfd` and a bare loop over /proc, as whole programs on the same load.
//!
//! `cargo bench --bench peers -- [--runs N] [LOAD]...`, where LOAD is `mixed` (200 processes with
//! 100 fds each), `large` (one process with as many fds as its limit allows) or `small` (one with
//! 100: what a start costs). First every program is checked to list each fd that the load holds;
//! then all take turns (A B C, A B C, ...), so that whatever else the machine does falls on all
//! alike. Only the ratios mean something. They are ratios of medians, against fdscope's table.
//!
//! Without cargo's `--bench` flag, as under `cargo test --benches`, it checks small loads and
//! runs each program once.
//!
//! The load and the programs run in a network namespace of their own, where that is allowed: the
//! cost of a socket table grows with all the sockets in it, whoever holds them.
//!
//! Peak memory is `ru_maxrss`, which counts what the process was before its exec too: about
//! 2 MiB, below which the figure says nothing.

mod bare;
mod load;
mod meter;
mod program;

use load::Load;
use meter::Cost;
use program::Program;
use std::error::Error;
use std::process::ExitCode;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The load's programs take these numbers of processes and fds; `None` is all that the limit
/// allows.
const LOADS: &[(&str, usize, Option<usize>)] =
    &[("mixed", 200, Some(100)), ("large", 1, None), ("small", 1, Some(100))];

/// The same for a trial run.
const TRIAL: &[(&str, usize, Option<usize>)] =
    &[("mixed", 3, Some(40)), ("large", 1, Some(3000)), ("small", 1, Some(20))];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match words[..] {
        // The parts that this program plays when it starts itself.
        ["--hold", fds, address] => load::hold(fds, address),
        ["--meter", ref command @ ..] => meter::run(command),
        ["--bare", threads, ref pids @ ..] => bare::run(threads, pids),
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
    let trial = args.contains(&"--test") || !args.contains(&"--bench");
    let mut runs = if trial { 1 } else { 15 };
    let mut chosen = Vec::new();
    let mut args = args.iter().filter(|a| !matches!(**a, "--bench" | "--test"));
    while let Some(&arg) = args.next() {
        match arg {
            "--runs" => runs = args.next().ok_or("--runs takes a number")?.parse()?,
            name if LOADS.iter().any(|(load, ..)| *load == name) => chosen.push(name),
            // What else a test runner says is not for us.
            _ if trial => {}
            other => return Err(format!("there is no load '{other}': mixed, large, small").into()),
        }
    }
    if runs == 0 {
        return Err("--runs takes a number above 0".into());
    }
    load::isolate();
    let programs = Program::installed();
    for &(name, processes, fds) in if trial { TRIAL } else { LOADS } {
        if chosen.is_empty() || chosen.contains(&name) {
            let load = Load::start(processes, fds)?;
            measure(name, &load, &programs, runs)?;
        }
    }
    Ok(())
}

fn measure(name: &str, load: &Load, programs: &[Program], runs: usize) -> Result<()> {
    println!("\n{name}: {} processes, {} fds, {runs} runs of each", load.pids.len(), load.fds.len());
    let commands: Vec<Vec<String>> = programs.iter().map(|p| p.command(&load.pids)).collect();
    // The check is the warm-up too.
    for (program, command) in programs.iter().zip(&commands) {
        program.check(command, &load.fds)?;
    }
    let mut costs = vec![Vec::with_capacity(runs); programs.len()];
    for _ in 0..runs {
        for (costs, command) in costs.iter_mut().zip(&commands) {
            costs.push(meter::of(command)?);
        }
    }
    let base = Cost::median(&costs[0]);
    println!(
        "  {:<16} {:>7} {:>7} {:>7}   {:>9} {:>9} {:>9} {:>7}   wall ms, least to most",
        "program", "wall ×", "cpu ×", "rss ×", "wall ms", "cpu ms", "rss MiB", "out kB"
    );
    for (program, costs) in programs.iter().zip(&costs) {
        let cost = Cost::median(costs);
        let wall = costs.iter().map(|c| c.wall);
        let (least, most) = (wall.clone().fold(f64::MAX, f64::min), wall.fold(0.0, f64::max));
        println!(
            "  {:<16} {:>7.2} {:>7.2} {:>7.2}   {:>9.1} {:>9.1} {:>9.1} {:>7.0}   {least:.1} to {most:.1}",
            program.name,
            cost.wall / base.wall,
            cost.cpu / base.cpu,
            cost.rss / base.rss,
            cost.wall,
            cost.cpu,
            cost.rss,
            cost.output / 1e3,
        );
    }
    Ok(())
}
