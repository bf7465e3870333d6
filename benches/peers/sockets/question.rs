//! Which sockets are asked for, and who can be asked.

use super::held::Held;
use super::row::Row;
use super::socket::Socket;
use crate::Result;
use crate::contest::Contestant;
use crate::installed::is_installed;
use std::collections::BTreeSet;
use std::process::{Command, Stdio};

/// Sockets of a load that programs are to show.
pub(super) struct Question<'a> {
    pub(super) held: &'a Held,
    pub(super) wanted: &'a dyn Fn(&Socket) -> bool,
}

/// A command line, and what its output is to show.
pub(super) type Case = (&'static str, Shows);

#[derive(Clone, Copy)]
pub(super) enum Shows {
    /// A line a socket.
    Rows(fn(&str) -> Option<Row>),
    /// The pids of those who have them.
    Pids,
    /// How many sockets and fds there are, of this program's own loop: at least those of the load.
    Counts,
}

impl<'a> Question<'a> {
    /// Those of `cases` that can be run here. `PORT` in them is this port.
    pub(super) fn contestants(&'a self, cases: &[Case], port: u16) -> Result<Vec<Contestant<'a>>> {
        let mut contestants = Vec::new();
        for &(line, shows) in cases {
            let name = line.replace("PORT", &port.to_string());
            if let Some(command) = command(&name)? {
                let check = move |text: &str| self.check(line, shows, text);
                contestants.push(Contestant { name, command, check: Box::new(check) });
            }
        }
        Ok(contestants)
    }

    /// Whether the output of a command line is the right answer.
    fn check(&self, line: &str, shows: Shows, text: &str) -> Result<()> {
        let wanted = self.held.sockets.iter().filter(|socket| (self.wanted)(socket));
        match shows {
            Shows::Rows(row) => self.held.check(text.lines().filter_map(row), self.wanted),
            Shows::Pids => {
                let pids: BTreeSet<_> = wanted.map(|socket| socket.pid.to_string()).collect();
                match text.split_whitespace().eq(pids.iter()) {
                    true => Ok(()),
                    false => Err(format!("shows {text:?} for {pids:?}").into()),
                }
            }
            Shows::Counts => {
                let parts: Vec<&str> = line.split(' ').skip(1).collect();
                let sockets = if parts == ["links"] { 0 } else { wanted.count() };
                let fds = if parts.contains(&"links") { self.held.sockets.len() } else { 0 };
                let counts: Vec<usize> = text.split_whitespace().flat_map(str::parse).collect();
                match counts[..] {
                    [some, more] if some >= sockets && more >= fds => Ok(()),
                    _ => Err(format!("counts {text:?}, not {sockets} sockets and {fds} fds").into()),
                }
            }
        }
    }
}

/// The command of a line, if it is there; says so if not.
fn command(line: &str) -> Result<Option<Vec<String>>> {
    let (program, args) = line.split_once(' ').unwrap_or((line, ""));
    let args = args.split(' ').map(str::to_owned);
    let (start, is_there) = match program {
        "bare" => {
            let threads = std::thread::available_parallelism().map_or(1, usize::from).to_string();
            let own = std::env::current_exe()?.display().to_string();
            (vec![own, "--bare-sockets".to_owned(), threads], true)
        }
        "fdscope" => {
            let program = env!("CARGO_BIN_EXE_fdscope").to_owned();
            let is_there = knows(&program, line)?;
            (vec![program], is_there)
        }
        other => (vec![other.to_owned()], is_installed(line, other)),
    };
    Ok(is_there.then(|| start.into_iter().chain(args).collect()))
}

/// Whether fdscope has the subcommand of this line.
fn knows(fdscope: &str, line: &str) -> Result<bool> {
    let subcommand = line.split(' ').nth(1).unwrap_or_default();
    let mut probe = Command::new(fdscope);
    probe.args([subcommand, "--help"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let has = probe.status()?.success();
    if !has {
        eprintln!("skipped: {line}, because this fdscope has no subcommand '{subcommand}'");
    }
    Ok(has)
}
