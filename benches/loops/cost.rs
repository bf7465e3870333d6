//! What it costs the servers, and itself.

use crate::client::{self, Bounds, Clients, Mode};
use crate::fdscope::Watching;
use crate::median::median;
use crate::server::Running;
use crate::servers::Server;
use crate::usage;
use crate::{Extent, Result};
use std::path::Path;

/// One run of load.
#[derive(Clone, Copy)]
struct Figures {
    /// Requests a second.
    rate: f64,
    /// CPU time of the server a request, in µs.
    cpu: f64,
    /// The latency that 1 in 100 exceeds, in ms.
    slow: f64,
    /// CPU time of fdscope, in percent of one CPU.
    own: f64,
}

pub(crate) fn measure(dir: &Path, servers: &[Server], extent: Extent) -> Result<()> {
    println!("cost, {} servers each, 4 runs of {:?} in turn, medians", extent.runs, extent.time);
    println!(
        "{:16} {:>17} {:>9} {:>13} {:>17} {:>9}",
        "", "req/s", "change %", "CPU µs/req", "p99 ms", "fdscope %"
    );
    for server in Server::kinds(servers) {
        let mut pairs = Vec::new();
        for _ in 0..extent.runs {
            pairs.extend(compare(server, dir, extent)?);
        }
        let of = |of: fn(&Figures) -> f64| {
            let each = |which: usize| median(pairs.iter().map(|pair| of(&pair[which])));
            (each(0), each(1))
        };
        let show = |(a, b): (f64, f64), width: usize, digits: usize| {
            format!("{a:width$.digits$} {b:width$.digits$}")
        };
        // Which client has come to which process matters more than anything here: each pair has the same.
        let change = median(pairs.iter().map(|[alone, seen]| seen.rate / alone.rate)) - 1.0;
        println!(
            "{:16} {:>17} {:9.1} {:>13} {:>17} {:9.1}",
            server.kind(),
            show(of(|f| f.rate), 8, 0),
            change * 100.0,
            show(of(|f| f.cpu), 6, 1),
            show(of(|f| f.slow), 8, 2),
            of(|f| f.own).1
        );
    }
    for server in Server::kinds(servers) {
        let mut running = server.start(dir)?;
        running.address()?;
        let own = looking(&server.workers(&running), || {
            std::thread::sleep(extent.time);
            Ok(())
        })?;
        println!("{:16} idle: fdscope uses {own:.2}% of a CPU", server.kind());
    }
    println!();
    Ok(())
}

/// Two pairs of runs of one server with the same connections: alone, and looked at.
fn compare(server: Server, dir: &Path, extent: Extent) -> Result<[[Figures; 2]; 2]> {
    let mut running = server.start(dir)?;
    let mut clients = Clients::new(running.address()?, server.service(), Mode::Kept)?;
    let questions = if extent.trial { 50 } else { u64::MAX };
    let bounds = Bounds { time: extent.time, questions };
    // A start has its own troubles: a connection each, and what a program does first.
    clients.run(Bounds { questions: 5000.min(questions), ..bounds })?;
    let workers = server.workers(&running);
    let mut run = |look: bool| run(&mut clients, &running, look.then_some(&workers), bounds);
    let (alone, seen) = (run(false)?, run(true)?);
    let (seen_again, alone_again) = (run(true)?, run(false)?);
    Ok([[alone, seen], [alone_again, seen_again]])
}

fn run(
    clients: &mut Clients,
    running: &Running,
    look_at: Option<&Vec<u32>>,
    bounds: Bounds,
) -> Result<Figures> {
    let mut used = 0.0;
    let mut answers = None;
    let mut load = || {
        let before = usage::cpu(running.pid());
        answers = Some(clients.run(bounds)?);
        used = usage::cpu(running.pid()) - before;
        Ok(())
    };
    let own = match look_at {
        Some(pids) => looking(pids, load)?,
        None => load().map(|()| 0.0)?,
    };
    let answers = answers.ok_or("there was no load")?;
    Ok(Figures {
        rate: answers.rate(),
        cpu: used * 1e6 / answers.count() as f64,
        slow: client::percentile(&answers, 0.99),
        own,
    })
}

/// Does something while it looks; gives what it uses meanwhile, in percent of a CPU.
fn looking(pids: &[u32], meanwhile: impl FnOnce() -> Result<()>) -> Result<f64> {
    let watching = Watching::start(pids, None)?;
    let begin = std::time::Instant::now();
    let before = usage::cpu(watching.pid());
    meanwhile()?;
    let used = usage::cpu(watching.pid()) - before;
    let share = used / begin.elapsed().as_secs_f64() * 100.0;
    watching.stop()?;
    Ok(share)
}
