//! A run of fdscope that goes on while the test does its part.

use super::Run;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rustix::process::{WaitId, WaitIdOptions};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Output};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How long to wait for what is bound to come: far longer than it takes, on any machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until something holds that nothing tells of.
pub(crate) fn eventually(what: &str, holds: impl Fn() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < until, "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The run; dropped, it is ended.
pub(crate) struct Background {
    child: Child,
    command: String,
    stdout: Stream,
    stderr: Stream,
    reaped: bool,
}

/// What it writes, line by line.
struct Stream {
    lines: Option<Receiver<Vec<u8>>>,
    seen: Vec<u8>,
}

impl Stream {
    fn new(source: Option<impl Read + Send + 'static>) -> Self {
        let Some(source) = source else { return Self { lines: None, seen: Vec::new() } };
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            let mut source = BufReader::new(source);
            let mut line = Vec::new();
            while matches!(source.read_until(b'\n', &mut line), Ok(1..)) {
                if sender.send(std::mem::take(&mut line)).is_err() {
                    return;
                }
            }
        });
        Self { lines: Some(lines), seen: Vec::new() }
    }

    /// The next line, or why there is none.
    fn next(&mut self, until: Instant) -> Result<Vec<u8>, RecvTimeoutError> {
        let lines = self.lines.as_ref().ok_or(RecvTimeoutError::Disconnected)?;
        let line = lines.recv_timeout(until.saturating_duration_since(Instant::now()))?;
        self.seen.extend_from_slice(&line);
        Ok(line)
    }

    /// Reads to the end; whether that came.
    fn drain(&mut self, until: Instant) -> bool {
        loop {
            match self.next(until) {
                Ok(_) => {}
                Err(e) => return e == RecvTimeoutError::Disconnected,
            }
        }
    }
}

impl Background {
    pub(super) fn new(mut child: Child, command: String) -> Self {
        let (stdout, stderr) = (Stream::new(child.stdout.take()), Stream::new(child.stderr.take()));
        Self { child, command, stdout, stderr, reaped: false }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The next line on stdout, without its end.
    pub(crate) fn line(&mut self) -> String {
        let line = match self.stdout.next(Instant::now() + PATIENCE) {
            Ok(line) => String::from_utf8(line),
            Err(e) => self.fail(&format!("no line on stdout: {e}")),
        };
        line.expect("output is UTF-8").trim_end_matches('\n').to_owned()
    }

    /// The next line on stderr, without its end.
    pub(crate) fn line_on_stderr(&mut self) -> String {
        match self.stderr.next(Instant::now() + PATIENCE) {
            Ok(line) => String::from_utf8_lossy(&line).trim_end_matches('\n').to_owned(),
            Err(e) => self.fail(&format!("no line on stderr: {e}")),
        }
    }

    /// The next JSON line that `is` the wanted one; those before it are passed over.
    pub(crate) fn record(&mut self, wanted: &str, is: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + PATIENCE;
        loop {
            let line = match self.stdout.next(until) {
                Ok(line) => line,
                Err(e) => self.fail(&format!("no record '{wanted}': {e}")),
            };
            match serde_json::from_slice(&line) {
                Ok(record) if is(&record) => return record,
                Ok(_) => {}
                Err(e) => self.fail(&format!("a line is not JSON: {e}")),
            }
        }
    }

    /// Waits until this holds of all JSON lines that came, in whichever order they did.
    pub(crate) fn until(&mut self, wanted: &str, holds: impl Fn(&[Value]) -> bool) {
        while !holds(&self.seen()) {
            if let Err(e) = self.stdout.next(Instant::now() + PATIENCE) {
                self.fail(&format!("never '{wanted}': {e}"));
            }
        }
    }

    /// Takes in what has come, and waits for nothing.
    pub(crate) fn poll(&mut self) {
        while self.stdout.next(Instant::now()).is_ok() {}
    }

    /// The next JSON line whose `event` is this.
    pub(crate) fn event(&mut self, name: &str) -> Value {
        self.record(name, |record| record["event"] == name)
    }

    /// All JSON lines that were read so far.
    pub(crate) fn seen(&self) -> Vec<Value> {
        let lines = self.stdout.seen.split_inclusive(|&b| b == b'\n');
        lines.filter_map(|line| serde_json::from_slice(line).ok()).collect()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        // It is our child and not waited for yet, so the pid is its own.
        kill(Pid::from_raw(self.pid() as i32), signal).expect("it can be signalled");
    }

    /// Whether it has ended; it is still to be waited for.
    pub(crate) fn has_ended(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let id = WaitId::Pid(rustix::process::Pid::from_child(&self.child));
        rustix::process::waitid(id, options).expect("it is our child").is_some()
    }

    /// Waits for its end, which comes by itself.
    pub(crate) fn end(mut self) -> Run {
        // The alarm that it was started with bounds this.
        let status = self.child.wait().expect("it is our child");
        self.reaped = true;
        let until = Instant::now() + PATIENCE;
        let complete = self.stdout.drain(until) && self.stderr.drain(until);
        let output = Output {
            status,
            stdout: std::mem::take(&mut self.stdout.seen),
            stderr: std::mem::take(&mut self.stderr.seen),
        };
        let run = Run::new(self.pid(), std::mem::take(&mut self.command), output);
        if complete { run } else { run.fail("it has ended, and somebody still has its output open") }
    }

    /// Signals, and waits for the end that comes of it.
    pub(crate) fn end_by(self, signal: Signal) -> Run {
        self.signal(signal);
        self.end()
    }

    /// Fails the test, telling all that was seen.
    pub(crate) fn fail(&mut self, reason: &str) -> ! {
        // What is on its way may say why.
        let soon = Instant::now() + Duration::from_millis(200);
        self.stderr.drain(soon);
        panic!(
            "{reason}\n--- command\n{}\n--- stdout so far\n{}\n--- stderr so far\n{}",
            self.command,
            String::from_utf8_lossy(&self.stdout.seen),
            String::from_utf8_lossy(&self.stderr.seen)
        )
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if self.reaped {
            return;
        }
        // Asked politely it ends its children, too.
        self.signal(Signal::SIGTERM);
        self.stdout.drain(Instant::now() + Duration::from_secs(2));
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
