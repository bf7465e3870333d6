//! A process that opens, writes, closes and ends when it is told to: a shell.

use crate::support::{Background, Ended, Fdscope, confine, traceable};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use tempfile::TempDir;

/// One that outlives its test by an accident ends by this.
const SECONDS: u32 = 120;

/// The process; dropped, it is ended.
pub(super) struct Puppet {
    child: Ended,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    /// Its working directory, with the FIFOs `a` and `b` in it.
    dir: TempDir,
}

impl Puppet {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        for name in ["a", "b"] {
            let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
            rustix::fs::mkfifoat(rustix::fs::CWD, dir.path().join(name), mode).expect("a FIFO");
        }
        let mut command = Command::new("sh");
        command.current_dir(dir.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
        confine(&mut command, SECONDS);
        traceable(&mut command);
        let mut child = Ended(command.spawn().expect("a shell"));
        let stdin = child.stdin.take().expect("it was piped");
        let stdout = BufReader::new(child.stdout.take().expect("it was piped"));
        Self { child, stdin, stdout, dir }
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(super) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Has it run commands, and waits until it has; gives the last line that they print, if any.
    pub(super) fn run(&mut self, commands: &str) -> String {
        writeln!(self.stdin, "{commands}\necho done").expect("the shell reads");
        let mut last = String::new();
        loop {
            let mut line = String::new();
            let read = self.stdout.read_line(&mut line).expect("the shell writes text");
            assert!(read > 0, "the shell has ended at: {commands}");
            match line.trim_end() {
                "done" => return last,
                other => last = other.to_owned(),
            }
        }
    }

    /// Has it end.
    pub(super) fn end(&mut self) {
        writeln!(self.stdin, "exit 0").expect("the shell reads");
        self.child.wait().expect("it is our child");
    }
}

/// Watches fds of it.
pub(super) fn watch(puppet: &Puppet, fds: &str, arguments: &str) -> Background {
    super::armed(Fdscope::new(format!("watch --jsonl {}:{fds} {arguments}", puppet.pid())))
}
