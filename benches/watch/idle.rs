//! All fds of a process in which nothing happens, watched.

use crate::hold::Holder;
use crate::median::median;
use crate::watcher::Watcher;
use crate::{Extent, Result};
use rustix::process::{Resource, getrlimit};
use std::thread;

/// How many sockets the process has.
const NUMBERS: [usize; 3] = [10, 1000, 10_000];
/// The same for a trial run.
const TRIAL: [usize; 1] = [10];

/// What a process has open besides, at most.
const OTHERS: u64 = 100;

const WAYS: [(&str, &[&str]); 3] = [
    ("epoll, level", &["--with", "epoll"]),
    ("epoll, edge", &["--with", "epoll", "--trigger", "edge"]),
    ("poll, sampled", &["--with", "poll"]),
];

/// What one run gives.
#[derive(Clone, Copy)]
struct Figures {
    /// Processor time, in ms a second.
    cpu: f64,
    rss: f64,
    /// From its start until it is armed, in ms.
    armed: f64,
}

pub(crate) fn measure(extent: Extent) -> Result<()> {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    for full in [false, true] {
        let state = if full { "something to read on each" } else { "nothing to read" };
        println!("\nidle, {state}: {} runs of each", extent.runs);
        println!(
            "  {:>7} {:<14} {:>9} {:>8} {:>9}   cpu, least to most",
            "sockets", "watched by", "cpu ms/s", "rss MiB", "armed ms"
        );
        for &number in if extent.trial { &TRIAL[..] } else { &NUMBERS } {
            if limit < number as u64 + OTHERS {
                eprintln!("skipped: {number} sockets, because RLIMIT_NOFILE is {limit}");
                continue;
            }
            compare(number, full, extent)?;
        }
    }
    Ok(())
}

fn compare(number: usize, full: bool, extent: Extent) -> Result<()> {
    let holder = Holder::start(number, full)?;
    let target = format!("{}:all", holder.pid());
    let mut figures = vec![Vec::new(); WAYS.len()];
    for _ in 0..extent.runs {
        for (figures, (name, options)) in figures.iter_mut().zip(WAYS) {
            match run(&target, options, extent) {
                Ok(one) => figures.push(one),
                Err(e) => eprintln!("skipped: {name}, because {e}"),
            }
        }
    }
    for (figures, (name, _)) in figures.iter().zip(WAYS) {
        let middle = |of: fn(&Figures) -> f64| median(figures.iter().map(of));
        let cpu = figures.iter().map(|f| f.cpu);
        let (least, most) = (cpu.clone().fold(f64::MAX, f64::min), cpu.fold(0.0, f64::max));
        println!(
            "  {number:>7} {name:<14} {:>9.2} {:>8.1} {:>9.1}   {least:.2} to {most:.2}",
            middle(|f| f.cpu),
            middle(|f| f.rss),
            middle(|f| f.armed),
        );
    }
    Ok(())
}

fn run(target: &str, options: &[&str], extent: Extent) -> Result<Figures> {
    let watcher = Watcher::fdscope(target, options)?;
    // To tell of what is ready from the beginning is no part of it.
    thread::sleep(extent.time);
    let before = watcher.usage()?;
    thread::sleep(extent.time);
    let after = watcher.usage()?;
    Ok(Figures {
        cpu: (after.cpu - before.cpu) * 1e3 / extent.time.as_secs_f64(),
        rss: after.rss,
        armed: watcher.start.as_secs_f64() * 1e3,
    })
}
