//! What a process and its family have used, as /proc has it.

#[allow(dead_code, reason = "processor time is that of a family here")]
mod process;

use fdscope::model::Pid;
use fdscope::proc::{Expense, Parents, ProcRoot, System};

/// Processor time in seconds: its own, that of children which have ended and were waited for, and
/// that of those which run.
pub(crate) fn cpu(pid: u32) -> f64 {
    let root = ProcRoot::from_env();
    let system = System::new(root.clone(), false);
    // One that ends meanwhile is missed: it was there for a moment.
    Expense::read(&root, &family(pid), &system).cpu.as_secs_f64()
}

fn family(pid: u32) -> Vec<Pid> {
    Parents::read(&ProcRoot::from_env()).family(Pid(pid as i32))
}

/// A process and all that descend from it.
pub(crate) fn tree(pid: u32) -> Vec<u32> {
    family(pid).into_iter().map(|pid| pid.0 as u32).collect()
}

/// Peak memory in MiB: of the largest process, of those that run.
pub(crate) fn peak_rss(pid: u32) -> f64 {
    tree(pid).into_iter().filter_map(|pid| process::peak_rss(pid).ok()).fold(0.0, f64::max)
}
