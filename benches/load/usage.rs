//! What a process has used, as /proc has it.

use crate::Result;
use std::fs;

/// Processor time in seconds: its own, that of children which have ended and were waited for, and
/// that of those which run.
pub(crate) fn cpu(pid: u32) -> f64 {
    // One that ends meanwhile is missed: it was there for a moment.
    tree(pid).into_iter().filter_map(|pid| own_cpu(pid).ok()).sum()
}

fn own_cpu(pid: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, fields) = stat.rsplit_once(')').ok_or("no command in stat")?;
    let mut ticks = 0;
    // utime, stime, cutime, cstime.
    for field in fields.split_whitespace().skip(11).take(4) {
        ticks += field.parse::<u64>()?;
    }
    Ok(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// A process and all that descend from it.
pub(crate) fn tree(pid: u32) -> Vec<u32> {
    let mut all = vec![pid];
    let mut at = 0;
    while let Some(&pid) = all.get(at) {
        all.extend(children(pid));
        at += 1;
    }
    all
}

fn children(pid: u32) -> Vec<u32> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let lists = tasks.flatten().filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    lists
        .flat_map(|list| list.split_whitespace().filter_map(|n| n.parse().ok()).collect::<Vec<_>>())
        .collect()
}

/// Processor time of the threads that run, in seconds, to the nanosecond: `/proc/PID/stat` counts
/// in hundredths of a second.
pub(crate) fn precise_cpu(pid: u32) -> Result<f64> {
    let mut sum = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = fs::read_to_string(task?.path().join("schedstat"))?;
        sum += text.split_whitespace().next().ok_or("an empty schedstat")?.parse::<u64>()?;
    }
    Ok(sum as f64 / 1e9)
}

/// Peak memory in MiB: of the largest process, of those that run.
pub(crate) fn peak_rss(pid: u32) -> f64 {
    tree(pid).into_iter().filter_map(|pid| own_peak_rss(pid).ok()).fold(0.0, f64::max)
}

fn own_peak_rss(pid: u32) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse::<f64>()? / 1024.0)
}
