//! The guides' sessions do what they show: those of a section are typed into one shell, in an empty
//! folder, and each command must print what stands below it.

#[path = "support/session.rs"]
mod session;

use fdscope::commands::{Block, Section, guides};
use session::{Step, pattern, steps};
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader, PipeReader, Write as _};
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How long a look may take to show what it is said to, and a command to end. It is never reached where
/// all is well.
const PATIENCE: Duration = Duration::from_secs(30);

/// Ends what a command prints, with its status.
const END: char = '\x1e';

/// What only looks, and so may be done again until what is looked at has come about: a reader types
/// more slowly than the shell here.
const LOOKS: &[&str] = &["list", "limits", "threads", "loops", "sockets", "peers"];

/// What makes such a command one that takes its time.
const LASTING: &[&str] = &["--for", "--watch "];

#[test]
fn sessions_show_what_happens() {
    let sections = guides().into_iter().flat_map(|guide| guide.sections);
    let (mut run, mut differences) = (0, String::new());
    for section in sections.filter(has_sessions) {
        run += try_out(&section, &mut differences);
    }
    assert!(differences.is_empty(), "{differences}");
    assert!(run > 10, "the guides have lost their sessions");
}

fn has_sessions(section: &Section) -> bool {
    section.blocks.iter().any(|block| matches!(block, Block::Session(_)))
}

/// Runs the sessions of a section, and says how many they were.
fn try_out(section: &Section, differences: &mut String) -> usize {
    let mut shell = Shell::start();
    let mut run = 0;
    for block in &section.blocks {
        match block {
            Block::File(name, text) => fs::write(shell.folder.path().join(name), shell.here(text)).unwrap(),
            Block::Session(text) => match lacking(text) {
                Some(why) => eprintln!("skipped: {}: {}: {why}", section.title, text.lines().next().unwrap()),
                None => {
                    run += 1;
                    for step in steps(&shell.here(text)) {
                        if let Err(difference) = shell.step(&step) {
                            let _ = writeln!(differences, "{}: {difference}", section.title);
                        }
                    }
                }
            },
            _ => {}
        }
    }
    run
}

/// What a session needs that is not here.
fn lacking(session: &str) -> Option<&'static str> {
    if session.contains("python3") && !python() {
        return Some("there is no python3, or one older than 3.8 or without a GIL");
    }
    if session.contains("ulimit -S -n 2000") && most_fds() < 2000 {
        return Some("nofile cannot be raised to 2000");
    }
    if session.contains("fdscope bench") && most_fds() < 11_000 {
        return Some("nofile cannot be raised to 11000");
    }
    let attaches = ["fdscope threads", "fdscope loops", "fdscope watch $"];
    if attaches.iter().any(|command| session.contains(command)) && !may_attach() {
        return Some("Yama lets nobody look into siblings (kernel.yama.ptrace_scope)");
    }
    None
}

/// The hard limit.
fn most_fds() -> u64 {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).maximum.unwrap_or(u64::MAX)
}

/// Whether there is one that is new enough, and has the lock that a session is about.
fn python() -> bool {
    let new = "import sys; \
               sys.exit(sys.version_info < (3, 8) or not getattr(sys, '_is_gil_enabled', lambda: True)())";
    Command::new("python3").args(["-c", new]).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
}

fn may_attach() -> bool {
    let scope = fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").unwrap_or_default();
    matches!(scope.trim(), "" | "0") || rustix::process::geteuid().is_root() && scope.trim() != "3"
}

/// A shell that is typed into.
struct Shell {
    child: Child,
    input: ChildStdin,
    output: Receiver<String>,
    folder: tempfile::TempDir,
    /// What is free here in place of port 8080.
    port: u16,
}

impl Shell {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (reader, writer) = std::io::pipe().unwrap();
        let mut shell = Command::new("bash");
        shell.args(["--norc", "--noprofile"]).current_dir(&folder).process_group(0);
        shell.env("PATH", path()).env("LC_ALL", "C.UTF-8").env_remove("PYTHONSTARTUP");
        shell.stdin(Stdio::piped()).stderr(writer.try_clone().unwrap()).stdout(writer);
        let mut child = shell.spawn().expect("there is a bash");
        // The shell and what it starts have the only write ends then.
        drop(shell);
        let input = child.stdin.take().unwrap();
        Self { child, input, output: lines(reader), folder, port: free_port() }
    }

    /// The text, with what is true here.
    fn here(&self, text: &str) -> String {
        text.replace("8080", &self.port.to_string())
    }

    /// Types a command, and compares what it prints.
    fn step(&mut self, step: &Step) -> Result<(), String> {
        let expected = pattern(&step.prints);
        let begin = Instant::now();
        loop {
            let printed = self.run(&step.command)?;
            if expected.is_match(&printed) {
                return Ok(());
            }
            if !only_looks(&step.command) || begin.elapsed() > PATIENCE {
                let Step { command, prints } = step;
                return Err(format!("$ {command}\nshould print\n{prints}and prints\n{printed}"));
            }
        }
    }

    /// What a command prints, in the foreground; jobs that go on write files.
    fn run(&mut self, command: &str) -> Result<String, String> {
        writeln!(self.input, "{command}\nprintf '\\036\\n'").unwrap();
        let end = Instant::now() + PATIENCE;
        let mut printed = String::new();
        loop {
            match self.output.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => match line.split_once(END) {
                    Some((last, _)) => return Ok(printed + last),
                    None => printed += &line,
                },
                Err(RecvTimeoutError::Timeout) => {
                    return Err(format!("$ {command}\ndoes not end, and has printed\n{printed}"));
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(format!("$ {command}\nended the shell, and printed\n{printed}"));
                }
            }
        }
    }
}

impl Drop for Shell {
    /// Ends the shell, and all that it has started.
    fn drop(&mut self) {
        let group = rustix::process::Pid::from_child(&self.child);
        // Whatever is left of it.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        let _ = self.child.wait();
    }
}

/// Lines as they come, from a thread of its own: they are waited for with a time limit.
fn lines(reader: PipeReader) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut reader = BufReader::new(reader);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
            if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                return;
            }
            line.clear();
        }
    });
    receiver
}

fn only_looks(command: &str) -> bool {
    let looks = LOOKS.iter().any(|look| command.starts_with(&format!("fdscope {look} ")));
    let lasts = LASTING.iter().any(|option| command.contains(option));
    looks && !lasts || command.starts_with("cat ")
}

/// The program first, then everything else.
fn path() -> std::ffi::OsString {
    let program = Path::new(env!("CARGO_BIN_EXE_fdscope")).parent().unwrap().to_owned();
    let rest = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(std::iter::once::<PathBuf>(program).chain(std::env::split_paths(&rest))).unwrap()
}

/// A port that is free now. It is below those that the kernel gives to whoever asks for any, so
/// that nobody gets it by chance meanwhile.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 10_000 + (std::process::id() % 9_000) as u16;
    // A section does not see what is left of the connections of another.
    let mut ports = (first..first + 1000).skip_while(|&port| port < NEXT.load(Ordering::Relaxed));
    let port = ports.find(|&port| TcpListener::bind(("127.0.0.1", port)).is_ok()).expect("no port is free");
    NEXT.store(port + 1, Ordering::Relaxed);
    port
}
