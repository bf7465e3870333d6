//! Commands that take turns on the same load.

use crate::Result;
use crate::meter::{self, Cost};
use std::process::{Command, Stdio};

/// A command, and what its output is to be.
pub(crate) struct Contestant<'a> {
    pub(crate) name: String,
    pub(crate) command: Vec<String>,
    pub(crate) check: Check<'a>,
}

/// What is wrong with an output, if anything is.
pub(crate) type Check<'a> = Box<dyn Fn(&str) -> Result<()> + 'a>;

/// Checks all of them, runs them in turn, and prints what they cost beside the first.
pub(crate) fn run(title: &str, contestants: &[Contestant<'_>], runs: usize) -> Result<()> {
    println!("\n{title}, {runs} runs of each");
    // The check is the warm-up too.
    for Contestant { name, command, check } in contestants {
        let output = Command::new(&command[0]).args(&command[1..]).stderr(Stdio::null()).output()?;
        check(&String::from_utf8_lossy(&output.stdout)).map_err(|e| format!("{name}: {e}"))?;
    }
    let mut costs = vec![Vec::with_capacity(runs); contestants.len()];
    for _ in 0..runs {
        for (costs, contestant) in costs.iter_mut().zip(contestants) {
            costs.push(meter::of(&contestant.command)?);
        }
    }
    print(contestants, &costs);
    Ok(())
}

fn print(contestants: &[Contestant<'_>], costs: &[Vec<Cost>]) {
    let Some(first) = costs.first() else { return };
    let base = Cost::median(first);
    let width = contestants.iter().map(|c| c.name.len()).fold(16, usize::max);
    println!(
        "  {:<width$} {:>7} {:>7} {:>7}   {:>9} {:>9} {:>9} {:>7}   wall ms, least to most",
        "program", "wall ×", "cpu ×", "rss ×", "wall ms", "cpu ms", "rss MiB", "out kB"
    );
    for (contestant, costs) in contestants.iter().zip(costs) {
        let cost = Cost::median(costs);
        let wall = costs.iter().map(|c| c.wall);
        let (least, most) = (wall.clone().fold(f64::MAX, f64::min), wall.fold(0.0, f64::max));
        println!(
            "  {:<width$} {:>7.2} {:>7.2} {:>7.2}   {:>9.1} {:>9.1} {:>9.1} {:>7.0}   {least:.1} to {most:.1}",
            contestant.name,
            cost.wall / base.wall,
            cost.cpu / base.cpu,
            cost.rss / base.rss,
            cost.wall,
            cost.cpu,
            cost.rss,
            cost.output / 1e3,
        );
    }
    for (i, (own, of_own)) in contestants.iter().zip(costs).enumerate().skip(1) {
        if !own.name.starts_with("fdscope") {
            continue;
        }
        let base = Cost::median(of_own).wall;
        let others = contestants
            .iter()
            .zip(costs)
            .enumerate()
            .filter(|(n, (c, _))| *n != i && !c.name.starts_with("fdscope"));
        let ratios: Vec<String> = others
            .map(|(_, (other, costs))| format!("{} {:.2}", other.name, Cost::median(costs).wall / base))
            .collect();
        println!("  wall × of {}: {}", own.name, ratios.join("; "));
    }
}
