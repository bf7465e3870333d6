//! Running fdscope, and asserting all of what it did at once.

use super::Background;
use super::raw::confine;
use nix::sys::signal::Signal;
use serde_json::Value;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Longer than any run takes, on any machine; a run that hangs is killed by it.
const SECONDS: u32 = 45;

/// One run to be.
pub(crate) struct Fdscope(Command);

impl Fdscope {
    /// `fdscope` with arguments as in a shell, split at blanks. Nothing of the environment that
    /// changes its output is inherited.
    pub(crate) fn new(arguments: impl AsRef<str>) -> Self {
        Self::of(Command::new(env!("CARGO_BIN_EXE_fdscope")), arguments.as_ref())
    }

    /// The same, started by another program, which gets fdscope's path and its arguments behind
    /// its own.
    pub(crate) fn through(words: &[&str], arguments: impl AsRef<str>) -> Self {
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).arg(env!("CARGO_BIN_EXE_fdscope"));
        Self::of(command, arguments.as_ref())
    }

    fn of(mut command: Command, arguments: &str) -> Self {
        command.args(arguments.split_ascii_whitespace());
        for name in
            ["FDSCOPE_BPF", "FDSCOPE_PROC", "NO_COLOR", "CLICOLOR_FORCE", "COMPLETE", "LINES", "COLUMNS"]
        {
            command.env_remove(name);
        }
        command.env("TERM", "xterm").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        confine(&mut command, SECONDS);
        Self(command)
    }

    /// One more argument, as it is.
    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.0.arg(argument);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    pub(crate) fn in_directory(mut self, directory: impl AsRef<Path>) -> Self {
        self.0.current_dir(directory);
        self
    }

    pub(crate) fn stdin(mut self, stdin: impl Into<Stdio>) -> Self {
        self.0.stdin(stdin);
        self
    }

    pub(crate) fn stdout(mut self, stdout: impl Into<Stdio>) -> Self {
        self.0.stdout(stdout);
        self
    }

    pub(crate) fn stderr(mut self, stderr: impl Into<Stdio>) -> Self {
        self.0.stderr(stderr);
        self
    }

    /// Sets up the command further.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Command)) -> Self {
        change(&mut self.0);
        self
    }

    pub(crate) fn run(mut self) -> Run {
        let child = self.0.spawn().expect("fdscope can be run");
        let pid = child.id();
        let output = child.wait_with_output().expect("fdscope is our child");
        Run { pid, command: format!("{:?}", self.0), output }
    }

    /// Starts it, and lets it run while the test does its part.
    pub(crate) fn start(mut self) -> Background {
        let child = self.0.spawn().expect("fdscope can be run");
        Background::new(child, format!("{:?}", self.0))
    }

    /// Runs it; it must end with status 0 and say nothing on stderr.
    pub(crate) fn ok(self) -> Run {
        let run = self.run();
        run.check(0, "");
        run
    }

    /// Runs it with JSON as output, and gives the records.
    pub(crate) fn records(self) -> Vec<Value> {
        self.arg("--json").ok().records()
    }
}

/// What a run did.
pub(crate) struct Run {
    /// Its pid, while it ran.
    pub(crate) pid: u32,
    command: String,
    output: Output,
}

impl Run {
    pub(super) fn new(pid: u32, command: String, output: Output) -> Self {
        Self { pid, command, output }
    }

    pub(crate) fn stdout(&self) -> String {
        String::from_utf8(self.output.stdout.clone()).unwrap_or_else(|_| self.fail("stdout is not UTF-8"))
    }

    pub(crate) fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.stdout().lines().map(str::to_owned).collect()
    }

    /// The exit status, or -1 where a signal ended it.
    pub(crate) fn status(&self) -> i32 {
        self.output.status.code().unwrap_or(-1)
    }

    /// Its status, and a text that stderr holds; empty where stderr must be empty.
    pub(crate) fn check(&self, status: i32, stderr: &str) -> &Self {
        if self.status() != status {
            self.fail(&format!("expected status {status}, got {}", self.output.status));
        }
        let told = self.stderr();
        match stderr {
            "" if !told.is_empty() => self.fail("expected nothing on stderr"),
            _ if !told.contains(stderr) => self.fail(&format!("expected on stderr: {stderr}")),
            _ => self,
        }
    }

    /// The signal that ended it, and all that it said on stderr.
    pub(crate) fn check_signal(&self, signal: Signal, stderr: &str) -> &Self {
        if self.output.status.signal() != Some(signal as i32) {
            self.fail(&format!("expected to end by {signal}, not with {}", self.output.status));
        }
        if self.stderr() == stderr { self } else { self.fail(&format!("expected on stderr: {stderr:?}")) }
    }

    /// The whole of stdout.
    pub(crate) fn prints(&self, expected: &str) -> &Self {
        let actual = self.stdout();
        if actual != expected {
            let mut text = String::from("stdout differs (- expected, + got):\n");
            let (old, new): (Vec<_>, Vec<_>) = (expected.lines().collect(), actual.lines().collect());
            for i in 0..old.len().max(new.len()) {
                match (old.get(i), new.get(i)) {
                    (Some(a), Some(b)) if a == b => writeln!(text, "  {a}").unwrap(),
                    (a, b) => {
                        a.into_iter().for_each(|a| writeln!(text, "- {a}").unwrap());
                        b.into_iter().for_each(|b| writeln!(text, "+ {b}").unwrap());
                    }
                }
            }
            self.fail(&text);
        }
        self
    }

    /// Stdout as one JSON document.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.output.stdout)
            .unwrap_or_else(|e| self.fail(&format!("stdout is not JSON: {e}")))
    }

    /// The records of JSON lines.
    pub(crate) fn json_lines(&self) -> Vec<Value> {
        let parse = |line: &String| {
            serde_json::from_str(line)
                .unwrap_or_else(|e| self.fail(&format!("a line is not JSON: {e}: {line}")))
        };
        self.lines().iter().map(parse).collect()
    }

    /// The records of a JSON document.
    pub(crate) fn records(&self) -> Vec<Value> {
        match self.json()["records"].take() {
            Value::Array(records) => records,
            _ => self.fail("there are no records"),
        }
    }

    /// Fails the test, telling all.
    pub(crate) fn fail(&self, reason: &str) -> ! {
        let cut = |text: String| match text.char_indices().nth(8000) {
            Some((at, _)) => format!("{}\n[...]", &text[..at]),
            None => text,
        };
        panic!(
            "{reason}\n--- command\n{}\n--- {}\n--- stdout\n{}\n--- stderr\n{}",
            self.command,
            self.output.status,
            cut(String::from_utf8_lossy(&self.output.stdout).into_owned()),
            cut(self.stderr())
        )
    }
}
