//! The programs that list fds.

use crate::Result;
use crate::contest::Contestant;
use crate::installed::is_installed;
use crate::load::Load;
use std::collections::HashSet;

/// A program in one of its ways of output.
pub(crate) struct Program {
    name: String,
    /// Which one.
    start: Vec<String>,
    /// How it takes pids.
    pids: Pids,
    /// The pid and the fd of a line of output, if it is about a numbered fd.
    row: Row,
}

/// The number is `None` where the program cuts it: lsof writes 12345 as `*345`.
type Row = fn(&str) -> Option<(u32, Option<u32>)>;

#[derive(Clone, Copy)]
enum Pids {
    Words,
    List,
}

impl Program {
    /// Those that this machine has, fdscope's table first.
    pub(crate) fn installed() -> Vec<Self> {
        let fdscope = env!("CARGO_BIN_EXE_fdscope");
        let own = std::env::current_exe().map_or_else(|_| "peers".into(), |p| p.display().to_string());
        let threads = std::thread::available_parallelism().map_or(1, usize::from).to_string();
        let program = |name: &str, start: &[&str], pids, row: Row| Self {
            name: name.to_owned(),
            start: start.iter().map(ToString::to_string).collect(),
            pids,
            row,
        };
        let mut programs = vec![
            program("fdscope table", &[fdscope, "list"], Pids::Words, |l| cells(l, 0, 2)),
            program("fdscope jsonl", &[fdscope, "list", "--jsonl"], Pids::Words, json),
            program("fdscope tsv", &[fdscope, "list", "--format", "tsv"], Pids::Words, |l| tabs(l, 0, 4)),
            program("lsof", &["lsof", "-n", "-P", "-p"], Pids::List, |l| cells(l, 1, 3)),
            program("lsfd", &["lsfd", "-p"], Pids::List, |l| cells(l, 1, 3)),
        ];
        let mut counts = vec!["1", &threads];
        counts.dedup();
        for threads in counts {
            let plural = if threads == "1" { "" } else { "s" };
            for (part, all) in [("--bare", ""), ("--bare-all", " all")] {
                let name = format!("bare{all}, {threads} thread{plural}");
                programs.push(program(&name, &[&own, part, threads], Pids::Words, |_| None));
            }
        }
        programs.retain(|p| is_installed(&p.name, &p.start[0]));
        programs
    }

    /// Those that tell the limits of all processes.
    pub(crate) fn of_limits() -> Vec<Self> {
        let fdscope = env!("CARGO_BIN_EXE_fdscope");
        let own = std::env::current_exe().map_or_else(|_| "peers".into(), |p| p.display().to_string());
        let program = |name: &str, start: &[&str], row: Row| Self {
            name: name.to_owned(),
            start: start.iter().map(ToString::to_string).collect(),
            pids: Pids::Words,
            row,
        };
        vec![
            program("fdscope table", &[fdscope, "limits", "--all"], |l| cells(l, 0, 0)),
            program("fdscope jsonl", &[fdscope, "limits", "--all", "--jsonl"], |l| {
                let record: serde_json::Value = serde_json::from_str(l).ok()?;
                Some((record["pid"].as_u64()?.try_into().ok()?, None))
            }),
            program("bare, 1 thread", &[&own, "--bare-limits"], |_| None),
        ]
    }

    /// What it is to tell of all processes, those of this load among them.
    pub(crate) fn on_all<'a>(&'a self, load: &'a Load) -> Contestant<'a> {
        let check = |text: &str| {
            let seen: HashSet<u32> = text.lines().filter_map(self.row).map(|(pid, _)| pid).collect();
            let missing = load.pids.iter().filter(|pid| !seen.contains(pid)).count();
            let counted = text.trim().parse().is_ok_and(|count: usize| count >= load.pids.len());
            if missing == 0 || counted {
                Ok(())
            } else {
                Err(format!("leaves out {missing} processes").into())
            }
        };
        Contestant { name: self.name.clone(), command: self.start.clone(), check: Box::new(check) }
    }

    /// What it is to list of this load.
    pub(crate) fn on<'a>(&'a self, load: &'a Load) -> Contestant<'a> {
        Contestant {
            name: self.name.clone(),
            command: self.command(&load.pids),
            check: Box::new(|text| self.check(text, &load.fds)),
        }
    }

    /// The command line that lists these processes.
    fn command(&self, pids: &[u32]) -> Vec<String> {
        let pids = pids.iter().map(u32::to_string);
        let mut command = self.start.clone();
        match self.pids {
            Pids::Words => command.extend(pids),
            Pids::List => command.push(pids.collect::<Vec<_>>().join(",")),
        }
        command
    }

    /// Whether it lists these fds: all of them, no other, and each once.
    fn check(&self, text: &str, fds: &HashSet<(u32, u32)>) -> Result<()> {
        let told = |what: String| Err(what.into());
        if self.start.iter().any(|a| a.starts_with("--bare")) {
            return match text.trim() == fds.len().to_string() {
                true => Ok(()),
                false => told(format!("read {} of {} fds", text.trim(), fds.len())),
            };
        }
        let rows: Vec<_> = text.lines().filter_map(self.row).collect();
        let seen: HashSet<_> = rows.iter().filter_map(|&(pid, fd)| Some((pid, fd?))).collect();
        let cut = rows.iter().filter(|(_, fd)| fd.is_none()).count();
        let missing = fds.difference(&seen).count();
        match fds.difference(&seen).next() {
            Some((pid, fd)) if missing != cut => {
                told(format!("does not list {missing} fds, such as {fd} of {pid}"))
            }
            _ if rows.len() != fds.len() => told(format!("lists {} fds of {}", rows.len(), fds.len())),
            _ => Ok(()),
        }
    }
}

/// Cells between blanks; an fd may have letters behind it, as in `12u`.
fn cells(line: &str, pid: usize, fd: usize) -> Option<(u32, Option<u32>)> {
    let mut cells = line.split_whitespace();
    numbers(cells.clone().nth(pid)?, cells.nth(fd)?)
}

fn tabs(line: &str, pid: usize, fd: usize) -> Option<(u32, Option<u32>)> {
    let mut cells = line.split('\t');
    numbers(cells.clone().nth(pid)?, cells.nth(fd)?)
}

fn numbers(pid: &str, fd: &str) -> Option<(u32, Option<u32>)> {
    let fd = fd.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let whole = !fd.starts_with('*');
    let number = fd.strip_prefix('*').unwrap_or(fd).parse().ok()?;
    Some((pid.parse().ok()?, whole.then_some(number)))
}

fn json(line: &str) -> Option<(u32, Option<u32>)> {
    let record: serde_json::Value = serde_json::from_str(line).ok()?;
    let number = |key: &str| record[key].as_u64()?.try_into().ok();
    Some((number("pid")?, Some(number("fd")?)))
}
