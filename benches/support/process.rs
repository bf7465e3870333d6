//! What a process has used, as /proc has it.

use crate::Result;
use std::fs;

/// Processor time of the threads that run, in seconds, to the nanosecond.
pub(crate) fn cpu(pid: u32) -> Result<f64> {
    let mut sum = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = fs::read_to_string(task?.path().join("schedstat"))?;
        sum += text.split_whitespace().next().ok_or("an empty schedstat")?.parse::<u64>()?;
    }
    Ok(sum as f64 / 1e9)
}

/// Peak memory in MiB.
pub(crate) fn peak_rss(pid: u32) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse::<f64>()? / 1024.0)
}
