//! A fast pipe, watched.

use crate::median::median;
use crate::rally::{self, Rally};
use crate::watcher::Watcher;
use crate::{Extent, Result};
use std::thread;

/// Rounds a second; 0 is as many as can be.
const RATES: [u32; 4] = [0, 10_000, 1000, 100];

/// How it is watched.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    /// By `fdscope watch` with these options.
    Fdscope(&'static [&'static str]),
    /// By a loop that does no more than it must.
    Bare,
    Strace,
}

const WAYS: [(&str, Way); 7] = [
    ("epoll, level", Way::Fdscope(&["--with", "epoll"])),
    ("epoll, edge", Way::Fdscope(&["--with", "epoll", "--trigger", "edge"])),
    ("bare, edge", Way::Bare),
    ("mio, edge", Way::Fdscope(&["--with", "mio"])),
    ("poll, sampled", Way::Fdscope(&["--with", "poll"])),
    ("select, sampled", Way::Fdscope(&["--with", "select"])),
    ("strace -f", Way::Strace),
];

/// What one run gives.
#[derive(Clone, Copy)]
struct Figures {
    /// How long a round takes, to that of the run before, where nobody watched.
    slower: f64,
    /// Of what happened.
    seen: Option<f64>,
    /// Events a second.
    events: f64,
    /// Processor time, in ms a second.
    cpu: f64,
    rss: f64,
    /// Rounds a second, watched and alone.
    rounds: f64,
    alone: f64,
}

/// Watches the pipe between threads on one processor, or on two.
pub(crate) fn measure(processors: usize, extent: Extent) -> Result<()> {
    let there = rally::processors()?;
    if there < processors {
        eprintln!("skipped: {processors} processors, because there is {there}");
        return Ok(());
    }
    let has_strace = Watcher::has_strace();
    let ways = || WAYS.iter().filter(|(_, way)| *way != Way::Strace || has_strace);
    for rate in RATES {
        let mut figures = vec![Vec::new(); ways().count()];
        let mut rally = Rally::start(rate, processors)?;
        for _ in 0..extent.runs {
            for (figures, (name, way)) in figures.iter_mut().zip(ways()) {
                match pair(&mut rally, *way, extent) {
                    Ok(one) => figures.push(one),
                    Err(e) => eprintln!("skipped: {name}, because {e}"),
                }
            }
        }
        let speed = if rate == 0 { "as fast as can be".to_owned() } else { format!("{rate} rounds/s") };
        let place = if processors == 1 { "one processor" } else { "two processors" };
        println!("\npipe, {place}, {speed}: {} runs of each", extent.runs);
        println!(
            "  {:<16} {:>8} {:>7} {:>9} {:>9} {:>9} {:>8} {:>9} {:>9}   slower, least to most",
            "watched by",
            "slower ×",
            "seen %",
            "events/s",
            "µs/event",
            "cpu ms/s",
            "rss MiB",
            "rounds/s",
            "alone"
        );
        for (figures, (name, _)) in figures.iter().zip(ways()) {
            print(name, figures);
        }
    }
    Ok(())
}

/// Rounds alone, and rounds while somebody watches.
fn pair(rally: &mut Rally, way: Way, extent: Extent) -> Result<Figures> {
    let start = rally.score()?;
    thread::sleep(extent.time);
    let alone = rally.score()?.since(start);

    let watcher = match way {
        Way::Fdscope(options) => Watcher::fdscope(&rally.target(), options)?,
        Way::Bare => Watcher::bare(&rally.target())?,
        Way::Strace => Watcher::strace(rally.pid())?,
    };
    let (start, before) = (rally.score()?, watcher.usage()?);
    thread::sleep(extent.time);
    let (watched, after) = (rally.score()?.since(start), watcher.usage()?);
    let events = watcher.end()? as f64;
    Ok(Figures {
        slower: watched.round / alone.round,
        seen: (way != Way::Strace).then(|| events / watched.rounds * 100.0),
        events: events / watched.seconds,
        cpu: (after.cpu - before.cpu) * 1e3 / watched.seconds,
        rss: after.rss,
        rounds: watched.rounds / watched.seconds,
        alone: alone.rounds / alone.seconds,
    })
}

fn print(name: &str, figures: &[Figures]) {
    let middle = |of: fn(&Figures) -> f64| median(figures.iter().map(of));
    let slower = figures.iter().map(|f| f.slower);
    let (least, most) = (slower.clone().fold(f64::MAX, f64::min), slower.fold(0.0, f64::max));
    // strace stops at each call, and says nothing of readiness.
    let of_fdscope = |text: String| if figures.iter().all(|f| f.seen.is_some()) { text } else { "-".into() };
    println!(
        "  {name:<16} {:>8.2} {:>7} {:>9} {:>9} {:>9.1} {:>8.1} {:>9.0} {:>9.0}   {least:.2} to {most:.2}",
        middle(|f| f.slower),
        of_fdscope(format!("{:.2}", middle(|f| f.seen.unwrap_or(f64::NAN)))),
        of_fdscope(format!("{:.0}", middle(|f| f.events))),
        of_fdscope(format!("{:.1}", middle(|f| f.cpu * 1e3 / f.events))),
        middle(|f| f.cpu),
        middle(|f| f.rss),
        middle(|f| f.rounds),
        middle(|f| f.alone),
    );
}
