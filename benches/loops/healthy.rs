//! Servers that are well, with as much to do as they can.

use crate::client::{self, Bounds, Mode};
use crate::fdscope::Watching;
use crate::servers::Server;
use crate::{Extent, Result};
use std::path::Path;
use std::time::Duration;

/// Closed connections occupy their ports for a minute, and there are 28,000 of them.
const PORTS: u64 = 20_000;

pub(crate) fn measure(dir: &Path, servers: &[Server], extent: Extent) -> Result<()> {
    println!("healthy, for {:?} each", extent.time);
    println!(
        "{:26} {:12} {:>9} {:>7} {:>7} {:>9} {:>9}",
        "", "", "req/s", "busy %", "stalls", "longest", "wait p50"
    );
    for server in Server::kinds(servers) {
        for (mode, how, most) in [(Mode::Kept, "kept", u64::MAX), (Mode::Renewed, "one each", PORTS)] {
            let mut running = server.start(dir)?;
            let address = running.address()?;
            let rest = Duration::from_millis(200).min(extent.time / 4);
            let watching = Watching::start(&server.workers(&running), Some(extent.time + 2 * rest))?;
            let questions = if extent.trial { 50 } else { most };
            let bounds = Bounds { time: extent.time, questions };
            let answers = client::run(address, server.service(), mode, bounds)?;
            let (_, events) = watching.end()?;
            let summaries = || events.iter().filter(|event| event["event"] == "summary");
            let sum = |name: &str| summaries().filter_map(|s| s[name].as_f64()).sum::<f64>();
            let most = |name: &str| summaries().filter_map(|s| s[name].as_f64()).fold(0.0, f64::max);
            let all = sum("idle") + sum("busy") + sum("stalled");
            println!(
                "{:26} {:12} {:9.0} {:7.1} {:7} {:6.0} ms {:6.0} ms",
                server.kind(),
                how,
                answers.rate(),
                sum("busy") / all.max(1e-9) * 100.0,
                sum("stalls"),
                most("stall_longest") * 1e3,
                most("wait_median") * 1e3,
            );
            for event in
                events.iter().filter(|event| event["event"] == "recovered" || event["event"] == "spinning")
            {
                println!("    {} {} s: {}", event["event"], event["lasted"], event["doing"]);
            }
        }
    }
    println!();
    Ok(())
}
