//! What `fdscope watch` costs, what it costs those it watches, and how much it sees of them.
//!
//! `cargo bench --bench watch -- [--runs N] [--seconds S] [PART]...`, where PART is `one`, `two` or
//! `idle`. In `one` and `two`, two threads on so many processors send a byte to and fro over two
//! pipes, as fast as they can and at 10,000, 1,000 and 100 a second, and one of the pipes is watched,
//! by each selector, by a bare loop and, where it is installed, by strace. Each time the same threads are looked at
//! alone first, and the ratio is that of the pair: how much longer a byte takes there and back. In
//! `idle` a process does nothing with its sockets, of which none or all have something to read, and
//! all its fds are watched. All take turns (A B C, A B C, ...), so that whatever else the machine
//! does falls on all alike. Figures are medians.
//!
//! The bare loop waits by epoll, edge-triggered, and prints the same lines: `µs/event` of `epoll, edge`
//! beside its own is what is lost to all else that is known of the target.
//!
//! Whoever watches is where the scheduler puts it. Beside threads on one processor it has to wake up
//! on another before the byte is read, which takes about as long as the whole round; beside threads
//! on two it is woken up together with the one who reads.
//!
//! Output goes to memory, where it is counted: `--format jsonl`, flushed as always. Each byte makes
//! the pipe ready once; what is seen are `ready` events. Peak memory is `VmHWM`.
//!
//! Without cargo's `--bench` flag, as under `cargo test --benches`, each is tried for a moment.

#[path = "../support/arguments.rs"]
mod arguments;
mod bare;
#[path = "../support/child.rs"]
mod child;
mod hold;
mod idle;
#[path = "../support/median.rs"]
mod median;
mod pipe;
#[path = "../support/process.rs"]
mod process;
mod rally;
mod watcher;

use arguments::{Arguments, RUNS, SECONDS};
use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

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
        // The parts that this program plays when it starts itself.
        ["--rally", rate, processors] => rally::play(rate, processors),
        ["--bare", pid, fd] => bare::watch(pid, fd),
        ["--hold", number, full] => hold::hold(number, full == "full"),
        // cargo-nextest asks for tests: there are none.
        ["--list", ..] => Ok(()),
        _ => compare(&words),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("watch: {e}");
            ExitCode::FAILURE
        }
    }
}

fn compare(args: &[&str]) -> Result<()> {
    let arguments = Arguments::parse(args, &[RUNS, SECONDS], ("part", &["one", "two", "idle"]))?;
    let trial = arguments.trial;
    let time = arguments.time(Duration::from_millis(if trial { 50 } else { 500 }))?;
    let extent = Extent { runs: arguments.runs(5)?, time, trial };
    if arguments.wants("one") {
        pipe::measure(1, extent)?;
    }
    if arguments.wants("two") {
        pipe::measure(2, extent)?;
    }
    if arguments.wants("idle") {
        idle::measure(extent)?;
    }
    Ok(())
}
