//! What a family of processes has used: processor time, context switches, memory.

use super::io::read_record_at;
use super::process::ProcessDir;
use super::root::ProcRoot;
use super::system::System;
use super::usage::{number, value};
use crate::model::{Pid, decimal};
use nix::time::{ClockId, clock_getcpuclockid};
use std::time::Duration;

/// What processes have used since they started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expense {
    /// Processor time: to the nanosecond of those that run, and of all threads that they had; that of
    /// children which have ended to a hundredth of a second.
    pub cpu: Duration,
    /// Context switches of the threads that run, those that were asked for and those that were not.
    pub switches: u64,
}

/// What processes hold now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Footprint {
    /// Memory in bytes, each page that several share divided between them; nothing where one of the
    /// processes may not be asked.
    pub memory: Option<u64>,
    /// Memory in bytes, pages that several share counted for each.
    pub rss: u64,
    /// How many threads.
    pub threads: u64,
    /// How many processes.
    pub processes: u64,
}

impl Expense {
    /// What these processes have used. One that has ended is missing.
    pub fn read(root: &ProcRoot, pids: &[Pid], system: &System) -> Self {
        let mut sum = Self::default();
        let dirs = pids.iter().filter_map(|&pid| ProcessDir::open(root, pid, system).ok());
        for dir in dirs {
            sum.cpu += cpu_of(dir.pid()) + cpu_of_children(&dir);
            sum.switches += dir.threads().iter().filter_map(|&tid| switches(&dir, tid)).sum::<u64>();
        }
        sum
    }

    /// What was used since then.
    pub fn since(self, before: Self) -> Self {
        Self {
            cpu: self.cpu.saturating_sub(before.cpu),
            switches: self.switches.saturating_sub(before.switches),
        }
    }
}

impl Footprint {
    /// What these processes hold. One that has ended is missing.
    pub fn read(root: &ProcRoot, pids: &[Pid], system: &System) -> Self {
        let mut sum = Self { memory: Some(0), ..Self::default() };
        let dirs = pids.iter().filter_map(|&pid| ProcessDir::open(root, pid, system).ok());
        for dir in dirs {
            let Ok(status) = dir.read(c"status") else { continue };
            if matches!(value(&status, b"State:").and_then(<[u8]>::first), None | Some(b'Z')) {
                continue;
            }
            sum.memory = sum.memory.zip(proportional(&dir)).map(|(sum, own)| sum + own);
            sum.rss += number(&status, b"VmRSS:").unwrap_or(0) * 1024;
            sum.threads += number(&status, b"Threads:").unwrap_or(0);
            sum.processes += 1;
        }
        sum
    }
}

/// The processor time of all threads that a process has and had.
fn cpu_of(pid: Pid) -> Duration {
    let pid = nix::unistd::Pid::from_raw(pid.0);
    clock_getcpuclockid(pid).and_then(ClockId::now).map_or(Duration::ZERO, Into::into)
}

/// The processor time of its children that have ended and were waited for: `cutime` and `cstime`.
fn cpu_of_children(dir: &ProcessDir) -> Duration {
    let stat = dir.read(c"stat").unwrap_or_default();
    let Some(end) = stat.iter().rposition(|&b| b == b')') else { return Duration::ZERO };
    let words = stat[end..].split(|&b| b == b' ').skip(14).take(2);
    let ticks: u64 = words.filter_map(decimal).sum();
    Duration::from_secs_f64(ticks as f64 / procfs::ticks_per_second() as f64)
}

/// The context switches of a thread.
fn switches(dir: &ProcessDir, tid: Pid) -> Option<u64> {
    let mut status = Vec::new();
    read_record_at(dir.task(tid).ok()?, c"status", &mut status).ok()?;
    Some(number(&status, b"voluntary_ctxt_switches:")? + number(&status, b"nonvoluntary_ctxt_switches:")?)
}

/// Its memory, with its share of what others have too: `proc_pid_smaps(5)`.
fn proportional(dir: &ProcessDir) -> Option<u64> {
    Some(number(&dir.read(c"smaps_rollup").ok()?, b"Pss:")? * 1024)
}

#[cfg(test)]
mod tests {
    use super::{Expense, Footprint};
    use crate::model::Pid;
    use crate::proc::{Parents, ProcRoot, System};
    use std::io::{Read as _, Write as _};
    use std::process::{Command, Stdio};
    use std::time::Duration;

    #[test]
    fn a_family() {
        let root = ProcRoot::from_env();
        let system = System::new(root.clone(), false);
        // The shell has one child; another, which has used some time, has ended.
        let script = "i=0; (while [ $i -lt 300000 ]; do i=$((i+1)); done); cat; :";
        let mut shell = Command::new("sh");
        shell.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut shell = shell.spawn().unwrap();
        shell.stdin.as_ref().unwrap().write_all(b"x").unwrap();
        // Now cat runs.
        shell.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        let pids = Parents::read(&root).family(Pid(shell.id() as i32));
        assert_eq!(pids.len(), 2);
        let footprint = Footprint::read(&root, &pids, &system);
        assert_eq!((footprint.processes, footprint.threads), (2, 2));
        assert!(footprint.memory.is_some_and(|memory| (1..=footprint.rss).contains(&memory)));
        let expense = Expense::read(&root, &pids, &system);
        let own = Expense::read(&root, &pids[1..], &system);
        assert!(expense.cpu >= own.cpu + Duration::from_millis(10), "{expense:?}, {own:?}");
        assert!(expense.switches > own.switches && own.switches > 0, "{expense:?}, {own:?}");
        assert_eq!(expense.since(expense), Expense::default());
        drop(shell.stdin.take());
        shell.wait().unwrap();
        assert_eq!(Footprint::read(&root, &pids, &system).processes, 0);
        assert_eq!(Expense::read(&root, &pids, &system), Expense::default());
    }
}
