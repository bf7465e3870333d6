//! `fdscope loops` while it runs, and what it has told.

use crate::Result;
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

/// A run of it.
pub(crate) struct Watching {
    child: Child,
    events: JoinHandle<Vec<Value>>,
}

impl Watching {
    /// Starts it on these processes, and waits until it looks.
    pub(crate) fn start(pids: &[u32], time: Option<Duration>) -> Result<Self> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fdscope"));
        command.args(["loops", "--jsonl"]).args(pids.iter().map(u32::to_string));
        match time {
            Some(time) => command.args(["--for", &format!("{}", time.as_secs_f64())]),
            None => command.arg("--watch"),
        };
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let mut lines = BufReader::new(child.stdout.take().ok_or("no stdout")?).lines();
        let parse = |line: std::io::Result<String>| serde_json::from_str::<Value>(&line.ok()?).ok();
        let first = lines.next().and_then(parse).ok_or("fdscope loops says nothing")?;
        let events =
            std::thread::spawn(move || std::iter::once(first).chain(lines.filter_map(parse)).collect());
        Ok(Self { child, events })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end, which comes by itself; gives its status and what it told.
    pub(crate) fn end(mut self) -> Result<(Option<i32>, Vec<Value>)> {
        let status = self.child.wait()?;
        Ok((status.code(), self.events.join().map_err(|_| "it was not read")?))
    }

    /// Ends it.
    pub(crate) fn stop(self) -> Result<Vec<Value>> {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::INT)?;
        Ok(self.end()?.1)
    }
}
