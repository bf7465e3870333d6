//! What it costs the servers, and itself.

use crate::client::{self, Bounds, Mode, Service};
use crate::fdscope::Watching;
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

pub(crate) fn measure(dir: &Path, extent: Extent) -> Result<()> {
    println!("cost, {} runs of {:?} each, medians, alone and looked at", extent.runs, extent.time);
    println!("{:16} {:>17} {:>17} {:>17} {:>9}", "", "req/s", "server µs/req", "p99 ms", "fdscope %");
    for server in Server::kinds().into_iter().filter(Server::is_http) {
        let (mut alone, mut looked_at) = (Vec::new(), Vec::new());
        for _ in 0..extent.runs {
            alone.push(run(server, dir, extent, false)?);
            looked_at.push(run(server, dir, extent, true)?);
        }
        let pair = |of: fn(&Figures) -> f64| (median(&alone, of), median(&looked_at, of));
        let show = |(a, b): (f64, f64), digits: usize| format!("{a:8.digits$} {b:8.digits$}");
        println!(
            "{:16} {:>17} {:>17} {:>17} {:9.1}",
            server.kind(),
            show(pair(|f| f.rate), 0),
            show(pair(|f| f.cpu), 1),
            show(pair(|f| f.slow), 2),
            median(&looked_at, |f| f.own)
        );
    }
    for server in Server::kinds() {
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

fn run(server: Server, dir: &Path, extent: Extent, look: bool) -> Result<Figures> {
    let mut running = server.start(dir)?;
    let address = running.address()?;
    let questions = if extent.trial { 50 } else { u64::MAX };
    let bounds = Bounds { time: extent.time, questions };
    client::run(address, Service::Http, Mode::Kept, Bounds { questions: 50, ..bounds })?;
    let before = usage::cpu(running.pid());
    let mut answers = None;
    let mut load = || {
        answers = Some(client::run(address, Service::Http, Mode::Kept, bounds)?);
        Ok(())
    };
    let own = if look { looking(&server.workers(&running), load)? } else { load().map(|()| 0.0)? };
    let answers = answers.ok_or("there was no load")?;
    Ok(Figures {
        rate: answers.rate(),
        cpu: (usage::cpu(running.pid()) - before) * 1e6 / answers.count() as f64,
        slow: client::percentile(&answers, 0.99),
        own,
    })
}

/// Does something while it looks; gives what it uses meanwhile, in percent of a CPU.
fn looking(pids: &[u32], mut meanwhile: impl FnMut() -> Result<()>) -> Result<f64> {
    let watching = Watching::start(pids, None)?;
    let begin = std::time::Instant::now();
    let before = usage::cpu(watching.pid());
    meanwhile()?;
    let used = usage::cpu(watching.pid()) - before;
    let share = used / begin.elapsed().as_secs_f64() * 100.0;
    watching.stop()?;
    Ok(share)
}

fn median(figures: &[Figures], of: impl Fn(&Figures) -> f64) -> f64 {
    let mut all: Vec<f64> = figures.iter().map(of).collect();
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}
