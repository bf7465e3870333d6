//! The programs that are compared.

use crate::Result;
use std::collections::HashSet;
use std::io::ErrorKind;
use std::process::{Command, Stdio};

/// A program in one of its ways of output.
pub(crate) struct Program {
    pub(crate) name: String,
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
            program("bare, 1 thread", &[&own, "--bare", "1"], Pids::Words, |_| None),
        ];
        if threads != "1" {
            let name = format!("bare, {threads} threads");
            programs.push(program(&name, &[&own, "--bare", &threads], Pids::Words, |_| None));
        }
        programs.retain(|p| {
            let mut probe = Command::new(&p.start[0]);
            probe.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            // Whatever it says, it is there. Our own two need no asking.
            let there =
                p.start[0] == own || !matches!(probe.status(), Err(e) if e.kind() == ErrorKind::NotFound);
            if !there {
                eprintln!("skipped: {}, because it is not installed", p.name);
            }
            there
        });
        programs
    }

    /// The command line that lists these processes.
    pub(crate) fn command(&self, pids: &[u32]) -> Vec<String> {
        let pids = pids.iter().map(u32::to_string);
        let mut command = self.start.clone();
        match self.pids {
            Pids::Words => command.extend(pids),
            Pids::List => command.push(pids.collect::<Vec<_>>().join(",")),
        }
        command
    }

    /// Whether it lists these fds: all of them, no other, and each once.
    pub(crate) fn check(&self, command: &[String], fds: &HashSet<(u32, u32)>) -> Result<()> {
        let output = Command::new(&command[0]).args(&command[1..]).stderr(Stdio::null()).output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let told = |what: String| Err(format!("{}: {what}", self.name).into());
        if self.start.iter().any(|a| a == "--bare") {
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
