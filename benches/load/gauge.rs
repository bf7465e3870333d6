//! What it costs to look at a queue: idle, and beside a server under load.

use crate::client::{Mode, Service};
use crate::contestants::{FDSCOPE, WORKERS, python};
use crate::installed::is_installed;
use crate::median::median;
use crate::nginx;
use crate::server::{Output, Running, free_port};
use crate::table::{self, Figures};
use crate::{Extent, Result, measure, usage};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::thread;

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

/// The processor time of listeners to which nobody comes.
pub(crate) fn idle(extent: Extent) -> Result<()> {
    let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = other.local_addr()?.port().to_string();
    let name = format!("unix:@fdscope-load-{}", std::process::id());
    let forms: [(&str, &[&str]); 4] = [
        ("tcp", &["127.0.0.1:0", "--accept", "none"]),
        ("unix", &[&name, "--accept", "none"]),
        ("--watch-only PORT", &["--watch-only", &port]),
        ("tcp, every 1 ms", &["127.0.0.1:0", "--accept", "none", "--interval", "1ms"]),
    ];
    let time = extent.bounds.time;
    let mut figures = vec![Vec::new(); forms.len()];
    for _ in 0..extent.runs {
        for (figures, (_, form)) in figures.iter_mut().zip(forms) {
            let running = Running::start(&words(&[&[FDSCOPE, "listen"], form].concat()), Output::Null)?;
            // The start is no part of it.
            thread::sleep(time / 4);
            let before = usage::cpu(running.pid());
            thread::sleep(time);
            figures.push((usage::cpu(running.pid()) - before) * 1e6 / time.as_secs_f64());
        }
    }
    println!("\nidle, --interval 100ms: {} runs of each", extent.runs);
    println!("  {:<20} {:>7} {:>12}", "listener", "cpu ×", "cpu µs/s");
    let base = median(figures[0].iter().copied());
    for ((name, _), figures) in forms.iter().zip(&figures) {
        let figure = median(figures.iter().copied());
        println!("  {name:<20} {:>7.2} {figure:>12.0}", figure / base);
    }
    Ok(())
}

/// The same server alone, as a command of fdscope, and watched by it from elsewhere.
pub(crate) fn beside(dir: &Path, extent: Extent) -> Result<()> {
    let python = python(dir)?;
    let conf = nginx::configuration(dir).display().to_string();
    // env(1) gives nginx its way to be handed a listener.
    let servers: [(&str, &[&str], &[&str]); 2] = [
        ("python3", &["python3", &python], &["python3", &python, "{}"]),
        ("nginx", &["nginx", "-c", &conf], &["env", "NGINX={};", "nginx", "-c", &conf]),
    ];
    for (name, alone, handed) in servers {
        if !is_installed(name, name) {
            continue;
        }
        for (mode, how) in
            [(Mode::Kept, "connections kept"), (Mode::Renewed, "a connection for each request")]
        {
            let mut figures: [Vec<Figures>; 3] = Default::default();
            for _ in 0..extent.runs {
                for (way, figures) in figures.iter_mut().enumerate() {
                    let port = free_port()?;
                    nginx::configure(dir, port, WORKERS)?;
                    let address = format!("127.0.0.1:{}", if name == "nginx" { port } else { 0 });
                    let mut server = match way {
                        1 => {
                            let command = [&[FDSCOPE, "listen", &address, "--"], handed].concat();
                            Running::start(&words(&command), Output::Null)?
                        }
                        _ => Running::start(&words(alone), Output::Null)?,
                    };
                    let port = server.address()?.port().to_string();
                    let watch = words(&[FDSCOPE, "listen", "--watch-only", &port]);
                    let _watching = (way == 2).then(|| Running::start(&watch, Output::Null)).transpose()?;
                    figures.push(measure(&mut server, Service::Http, mode, extent.bounds)?);
                }
            }
            let title = format!("{name} and the gauge, {how}: {} runs of each", extent.runs);
            table::print(&title, &["alone", "fdscope listen --", "--watch-only PORT"], &figures);
            for (way, what) in [(1, "fdscope listen --"), (2, "--watch-only PORT")] {
                let pairs = figures[way].iter().zip(&figures[0]);
                let ratio = median(pairs.map(|(with, without)| with.rate / without.rate));
                println!("  median of the pairs, {what} to alone: {ratio:.3}");
            }
        }
    }
    Ok(())
}
