//! `fdscope listen` under load, beside other servers; and what its gauge costs.
//!
//! `cargo bench --bench load -- [--runs N] [--seconds S] [PART]...`, where PART is `http`, `echo` or
//! `gauge`. In the first two every server is started afresh for each run, and 8 clients ask it: over
//! connections that are kept, or with one for each request. In `gauge`, an idle `fdscope listen` is
//! looked at, and the same server is asked alone, as a command of `fdscope listen`, and under
//! `--watch-only`. All take turns (A B C, A B C, ...), so that whatever else the machine does falls
//! on all alike. Only the ratios mean something. They are ratios of medians.
//!
//! Clients and servers share the machine's processors, so that requests a second depend on both:
//! processor time a request is the server's alone, with its children; that of children which have
//! ended is known in hundredths of a second. Peak memory is that of the server's largest process.
//!
//! Without cargo's `--bench` flag, as under `cargo test --benches`, each server is asked a few times.

#[path = "../support/arguments.rs"]
mod arguments;
#[path = "../support/child.rs"]
mod child;
#[path = "../support/client.rs"]
mod client;
mod contestants;
mod gauge;
#[path = "../support/installed.rs"]
mod installed;
#[path = "../support/median.rs"]
mod median;
#[path = "../support/nginx.rs"]
mod nginx;
#[path = "../support/server.rs"]
mod server;
mod table;
#[path = "../support/usage.rs"]
mod usage;

use arguments::{Arguments, RUNS, SECONDS};
use client::{Bounds, Mode, Service};
use contestants::Contestant;
use server::Running;
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use table::Figures;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// How many connections a run may make: a closed one occupies its port for a minute, and there are
/// 28,000 of them.
const PORTS: u64 = 20_000;

/// How much is measured.
#[derive(Clone, Copy)]
pub(crate) struct Extent {
    pub(crate) runs: usize,
    pub(crate) bounds: Bounds,
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    // cargo-nextest asks for tests: there are none.
    let result = if words.first() == Some(&"--list") { Ok(()) } else { compare(&words) };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("load: {e}");
            ExitCode::FAILURE
        }
    }
}

fn compare(args: &[&str]) -> Result<()> {
    let arguments = Arguments::parse(args, &[RUNS, SECONDS], ("part", &["http", "echo", "gauge"]))?;
    let questions = if arguments.trial { 20 } else { u64::MAX };
    let bounds = Bounds { time: arguments.time(Duration::from_secs(1))?, questions };
    let extent = Extent { runs: arguments.runs(5)?, bounds };
    let dir = tempfile::tempdir()?;
    if arguments.wants("http") {
        serve(dir.path(), Service::Http, "http", extent)?;
    }
    if arguments.wants("echo") {
        serve(dir.path(), Service::ECHO, "echo", extent)?;
    }
    if arguments.wants("gauge") {
        gauge::idle(extent)?;
        gauge::beside(dir.path(), extent)?;
    }
    Ok(())
}

fn serve(dir: &Path, service: Service, name: &str, extent: Extent) -> Result<()> {
    let all = Contestant::installed(dir, service)?;
    for (mode, how) in [(Mode::Kept, "connections kept"), (Mode::Renewed, "a connection for each request")] {
        let contestants: Vec<&Contestant> =
            all.iter().filter(|c| mode == Mode::Renewed || c.keeps_connections()).collect();
        let mut figures = vec![Vec::new(); contestants.len()];
        for _ in 0..extent.runs {
            for (figures, contestant) in figures.iter_mut().zip(&contestants) {
                let of = |e| format!("{}: {e}", contestant.name.trim_start());
                let words = contestant.words(dir)?;
                let mut server = Running::start(&words, contestant.output)?;
                figures.push(measure(&mut server, service, mode, extent.bounds).map_err(of)?);
            }
        }
        let title = format!("{name}, {how}: {} runs of each", extent.runs);
        let names: Vec<&str> = contestants.iter().map(|c| c.name).collect();
        table::print(&title, &names, &figures);
    }
    Ok(())
}

/// One run of load on a server that was just started.
pub(crate) fn measure(server: &mut Running, service: Service, mode: Mode, bounds: Bounds) -> Result<Figures> {
    let address = server.address()?;
    // Whatever is done at the first request only.
    let warm = Bounds { questions: 20, ..bounds };
    client::run(address, service, mode, warm)?;
    let most = if mode == Mode::Renewed { PORTS } else { u64::MAX };
    let bounds = Bounds { questions: bounds.questions.min(most), ..bounds };
    let before = usage::cpu(server.pid());
    let answers = client::run(address, service, mode, bounds)?;
    let cpu = usage::cpu(server.pid()) - before;
    Ok(Figures {
        rate: answers.rate(),
        median: client::percentile(&answers, 0.5),
        tail: client::percentile(&answers, 0.99),
        cpu: cpu * 1e6 / answers.count() as f64,
        rss: usage::peak_rss(server.pid()),
    })
}
