//! Running fdscope on a terminal.

use super::Ended;
use super::{Fdscope, PATIENCE};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::WaitOptions;
use rustix::pty::OpenptFlags;
use rustix::termios::Winsize;
use std::fs::File;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::process::{ExitStatus, Stdio};
use std::time::Instant;

/// What fdscope writes to a terminal, and its status. Line ends are as the terminal makes them:
/// `\r\n`.
pub(crate) fn run_on_terminal(fdscope: Fdscope) -> (String, Option<i32>) {
    let (text, status) = OnTerminal::start(fdscope, None).end();
    (text, status.code())
}

/// A terminal: what sees its screen and types, and what a program has it as.
pub(crate) fn terminal() -> (File, OwnedFd) {
    let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pty");
    rustix::pty::grantpt(&master).expect("grantpt");
    rustix::pty::unlockpt(&master).expect("unlockpt");
    let name = rustix::pty::ptsname(&master, Vec::new()).expect("ptsname");
    let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::CLOEXEC;
    let slave = rustix::fs::open(&name, flags, rustix::fs::Mode::empty()).expect("the other side");
    (File::from(master), slave)
}

/// fdscope, running on a terminal.
pub(crate) struct OnTerminal {
    master: File,
    child: Ended,
    bytes: Vec<u8>,
}

impl OnTerminal {
    /// Starts it. A terminal of no size in columns has the size that the kernel gives it: none.
    pub(crate) fn start(fdscope: Fdscope, columns: Option<u16>) -> Self {
        let (master, slave) = terminal();
        if let Some(ws_col) = columns {
            let size = Winsize { ws_row: 25, ws_col, ws_xpixel: 0, ws_ypixel: 0 };
            rustix::termios::tcsetwinsize(&slave, size).expect("TIOCSWINSZ");
        }
        let mut child = None;
        // The command keeps the slave open until it is dropped.
        let fdscope = fdscope.with(|command| {
            command.stdout(Stdio::from(slave));
            child = Some(command.spawn().expect("fdscope can be run"));
        });
        drop(fdscope);
        Self { master, child: Ended(child.expect("it was started")), bytes: Vec::new() }
    }

    /// Waits until it has written this, somewhere behind the first `from` bytes, and gives where
    /// that ends.
    pub(crate) fn wait_for(&mut self, text: &str, from: usize) -> usize {
        let until = Instant::now() + PATIENCE;
        loop {
            let seen = String::from_utf8_lossy(&self.bytes[from..]).into_owned();
            if let Some(at) = seen.find(text) {
                return from + at + text.len();
            }
            assert!(self.read_until(until), "no {text:?} on the terminal, but {seen:?}");
        }
    }

    /// Waits until something is found in all that it has written, and gives that.
    pub(crate) fn wait_until<T>(&mut self, find: impl Fn(&str) -> Option<T>) -> T {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = find(&self.text()) {
                return found;
            }
            assert!(self.read_until(until), "not on the terminal, but {:?}", self.text());
        }
    }

    /// What it has written so far.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// Gives the terminal another size.
    pub(crate) fn resize(&self, columns: u16, rows: u16) {
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        rustix::termios::tcsetwinsize(&self.master, size).expect("TIOCSWINSZ");
    }

    /// Waits until it is stopped.
    pub(crate) fn wait_for_stop(&self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        let changed = rustix::process::waitpid(Some(pid), WaitOptions::UNTRACED).expect("it is our child");
        assert!(changed.is_some_and(|(_, status)| status.stopped()), "{changed:?}");
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id() as i32), signal).expect("it can be signalled");
    }

    /// All that it wrote, once it has ended, and its status.
    pub(crate) fn end(mut self) -> (String, ExitStatus) {
        while self.read() {}
        let status = self.child.wait().expect("it is our child");
        (String::from_utf8(std::mem::take(&mut self.bytes)).expect("output is UTF-8"), status)
    }

    /// Reads once, if that can be done before then; whether there was something.
    fn read_until(&mut self, until: Instant) -> bool {
        let left = until.saturating_duration_since(Instant::now());
        let left = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() };
        let ready = poll(&mut [PollFd::new(&self.master, PollFlags::IN)], Some(&left));
        matches!(ready, Ok(1)) && self.read()
    }

    /// Reads once; whether there was something. The last slave's close makes it EIO.
    fn read(&mut self) -> bool {
        let mut buffer = [0; 4096];
        match self.master.read(&mut buffer) {
            Ok(n @ 1..) => {
                self.bytes.extend_from_slice(&buffer[..n]);
                true
            }
            _ => false,
        }
    }
}
