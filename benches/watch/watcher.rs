//! Who watches: `fdscope watch`, or strace.

use crate::{Result, child, process};
use rustix::fs::{MemfdFlags, memfd_create};
use std::fs::{self, File};
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::FileExt as _;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const FDSCOPE: &str = env!("CARGO_BIN_EXE_fdscope");

/// How long a start, or an end, may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A watcher that runs, and ends when it is dropped.
pub(crate) struct Watcher {
    child: Child,
    /// Its stdout.
    output: File,
    /// How long it took to begin.
    pub(crate) start: Duration,
}

/// What it has used since it began.
#[derive(Clone, Copy)]
pub(crate) struct Use {
    /// Processor time in s.
    pub(crate) cpu: f64,
    /// Peak memory in MiB.
    pub(crate) rss: f64,
}

/// Whether the first line is there.
fn is_armed(output: &File) -> Result<bool> {
    let mut start = [0; 16];
    let read = output.read_at(&mut start, 0)?;
    Ok(start[..read].starts_with(b"{\"event\":\"armed\""))
}

impl Watcher {
    /// `fdscope watch` on a target, from when it is armed.
    pub(crate) fn fdscope(target: &str, options: &[&str]) -> Result<Self> {
        let mut command = Command::new(FDSCOPE);
        command.args(["watch", target, "--format", "jsonl"]).args(options);
        Self::start(command, is_armed)
    }

    /// The bare loop on an fd.
    pub(crate) fn bare(target: &str) -> Result<Self> {
        let (pid, fd) = target.split_once(':').ok_or("no target")?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--bare", pid, fd]);
        Self::start(command, is_armed)
    }

    /// strace on all threads of a process, from when it stops them at calls.
    pub(crate) fn strace(pid: u32) -> Result<Self> {
        let mut command = Command::new("strace");
        let trace = ["-f", "-e", "trace=read,write,poll", "-o", "/dev/null", "-p"];
        command.args(trace).arg(pid.to_string());
        Self::start(command, |_| {
            for task in fs::read_dir(format!("/proc/{pid}/task"))? {
                let status = fs::read_to_string(task?.path().join("status"))?;
                if status.lines().any(|line| line == "TracerPid:\t0") {
                    return Ok(false);
                }
            }
            Ok(true)
        })
    }

    /// Whether strace is there; says so if not.
    pub(crate) fn has_strace() -> bool {
        let mut probe = Command::new("strace");
        probe.arg("-V").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let there = !matches!(probe.status(), Err(e) if e.kind() == ErrorKind::NotFound);
        if !there {
            eprintln!("skipped: strace, because it is not installed");
        }
        there
    }

    fn start(mut command: Command, has_begun: impl Fn(&File) -> Result<bool>) -> Result<Self> {
        let output = File::from(memfd_create("output", MemfdFlags::CLOEXEC)?);
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(Stdio::piped());
        let start = Instant::now();
        let child = command.spawn()?;
        let mut watcher = Self { child, output, start: Duration::ZERO };
        while !has_begun(&watcher.output)? {
            if watcher.child.try_wait()?.is_some() {
                let mut reason = String::new();
                watcher.child.stderr.take().ok_or("no stderr")?.read_to_string(&mut reason)?;
                return Err(reason.trim().into());
            }
            if start.elapsed() > PATIENCE {
                return Err("it does not begin".into());
            }
            thread::sleep(Duration::from_micros(100));
        }
        watcher.start = start.elapsed();
        Ok(watcher)
    }

    pub(crate) fn usage(&self) -> Result<Use> {
        Ok(Use { cpu: process::cpu(self.child.id())?, rss: process::peak_rss(self.child.id())? })
    }

    /// How many `ready` events it tells, once it has ended.
    pub(crate) fn end(mut self) -> Result<usize> {
        self.stop();
        let mut text = vec![0; self.output.metadata()?.len() as usize];
        self.output.read_exact_at(&mut text, 0)?;
        let is_ready = |line: &&[u8]| line.starts_with(b"{\"event\":\"ready\"");
        Ok(text.split(|&b| b == b'\n').filter(is_ready).count())
    }

    fn stop(&mut self) {
        child::end(&mut self.child, PATIENCE);
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.stop();
    }
}
