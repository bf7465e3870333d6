//! What a thread waits for, in words.

use super::gil;
use super::held::{Held, Use};
use super::track::Running;
use crate::commands::words;
use crate::model::{
    Abi, Call, Children, Doing, FdNum, Pid, Polled, Readiness, Thread, Timeout, Wait, errno_name, quantity,
    signal_names,
};
use std::io::Write as _;
use std::time::Duration;

/// How many fds of one call are named before it is said how many more there are.
const SHOWN: usize = 8;

/// What the words need beside the thread itself.
pub(super) struct Surroundings<'s> {
    /// What the fds are.
    pub(super) held: &'s Held,
    /// How many other threads of the process wait on the same word.
    pub(super) others: Option<usize>,
    /// The function of the kernel in which it waits, where that says more than the call.
    pub(super) wchan: Option<&'s [u8]>,
    /// For how long it waits, where that is one time.
    pub(super) timeout: Option<Timeout>,
    /// How long it has not run, at least.
    pub(super) asleep: Option<Duration>,
    /// What it likely waits for.
    pub(super) likely: Option<&'s str>,
    /// What its running was made of.
    pub(super) running: Option<Running>,
    /// Command names of processes.
    pub(super) command: &'s dyn Fn(Pid) -> Option<Vec<u8>>,
}

/// What a thread waits for.
pub(super) fn waits_for(thread: &Thread, around: &Surroundings<'_>) -> Vec<u8> {
    let mut words = Words { out: Vec::with_capacity(64), tid: thread.tid, around };
    if thread.state.is_stopped() {
        words.text(thread.state.word());
        match &thread.doing {
            Doing::Call(call) => {
                words.text(" in ");
                words.call(call);
            }
            Doing::Unknown(errno) => words.unknown(*errno, ", "),
            _ => {}
        }
        return words.out;
    }
    match &thread.doing {
        Doing::Running => {
            words.text("running");
            if let Some(running) = around.running {
                words.parts(running);
            }
        }
        Doing::Call(call) => {
            words.call(call);
            if around.likely == Some(gil::WORD) {
                words.text(": likely the lock of the Python interpreter (GIL)");
            }
            if let Some(function) = around.wchan {
                words.text(", in the kernel at ");
                words.out.extend_from_slice(function);
            }
        }
        Doing::Kernel(function) => {
            words.text("in the kernel, in no call");
            words.function(function.as_deref());
        }
        Doing::Worker(function) => {
            words.text("a thread of the kernel");
            words.function(function.as_deref());
        }
        Doing::Ended => words.text("ended"),
        Doing::Unknown(errno) => words.unknown(*errno, ""),
    }
    words.out
}

struct Words<'s> {
    out: Vec<u8>,
    tid: Pid,
    around: &'s Surroundings<'s>,
}

impl Words<'_> {
    fn text(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    /// Of what running was made, where that can be told.
    fn parts(&mut self, running: Running) {
        let Running { in_program, queued } = running;
        let mut parts = Vec::new();
        let percent = |part: f64, what: &str| format!("{:.0}% {what}", part * 100.0);
        match in_program {
            Some(program) => {
                parts.push(percent((1.0 - queued) * program, "in its program"));
                parts.push(percent((1.0 - queued) * (1.0 - program), "in the kernel"));
            }
            None if queued < 0.005 => return,
            None => parts.push(percent(1.0 - queued, "on a CPU")),
        }
        if queued >= 0.005 {
            parts.push(percent(queued, "ready for a CPU"));
        }
        drop(write!(self.out, ": {}", parts.join(", ")));
    }

    fn function(&mut self, function: Option<&[u8]>) {
        if let Some(function) = function {
            self.text(" (");
            self.out.extend_from_slice(function);
            self.text(")");
        }
    }

    fn unknown(&mut self, errno: i32, before: &str) {
        self.text(before);
        match errno {
            libc::ENOENT => self.text("not known: this kernel has no /proc/PID/syscall"),
            libc::ENODATA => self.text("not known: /proc/PID/syscall makes no sense"),
            _ => drop(write!(self.out, "not permitted ({})", errno_name(errno))),
        }
    }

    fn call(&mut self, call: &Call) {
        match (call.abi, call.name) {
            (Abi::Bits32, _) => {
                drop(write!(self.out, "32-bit call {}, not decoded", call.number));
                return;
            }
            (Abi::X32, _) => {
                drop(write!(self.out, "x32 call {}, not decoded", call.number & 0x3fff_ffff));
                return;
            }
            (Abi::Native, Some(name)) => self.text(name),
            (Abi::Native, None) => drop(write!(self.out, "call {}", call.number)),
        }
        match &call.wait {
            Wait::Epoll { epoll, .. } => self.on(*epoll),
            Wait::Poll { fds, count, .. } => self.polled(call, fds.as_deref().map_err(|e| *e), *count),
            Wait::Fd { fd, to: None } => self.on(*fd),
            Wait::Fd { fd, to: Some(to) } => {
                self.text(" from ");
                self.fd(*fd);
                self.text(" to ");
                self.fd(*to);
            }
            Wait::Futex { op, words, .. } => self.futex(op, words),
            Wait::Child(children) => self.children(*children),
            Wait::Uring { ring, min_complete, .. } => {
                if let Some(ring) = ring {
                    self.on(*ring);
                }
                self.completions(*min_complete);
            }
            Wait::Aio { min_complete, .. } => self.completions(*min_complete),
            Wait::Signal { set, .. } => self.signals(*set),
            Wait::Sleep { .. } | Wait::Other => {}
        }
        match self.around.timeout {
            // Its time is all there is to a sleep.
            Some(Timeout::After(time)) if matches!(call.wait, Wait::Sleep { .. }) => {
                drop(write!(self.out, " {}", duration(time)));
                self.at_most(time);
            }
            Some(timeout) => self.timeout(timeout),
            None => {}
        }
    }

    /// ` on 4 (pipe read end of 12, empty)`.
    fn on(&mut self, fd: FdNum) {
        self.text(" on ");
        self.fd(fd);
    }

    fn fd(&mut self, fd: FdNum) {
        drop(write!(self.out, "{fd}"));
        if let Some(known) = self.around.held.get(self.tid, fd) {
            self.text(" (");
            self.what(known);
            self.text(")");
        } else if self.around.held.lacks(self.tid, fd) {
            self.text(" (closed)");
        }
    }

    /// Its kind, where the name does not say it, and its name.
    fn what(&mut self, known: &Use) {
        if known.kind != "epoll" || known.name.is_empty() {
            self.text(&known.kind);
            if !known.name.is_empty() {
                self.text(" ");
            }
        }
        self.out.extend_from_slice(&known.name);
    }

    /// Why something of the thread's memory is not known.
    fn unread(&mut self, errno: i32) {
        match errno {
            0 => self.text("not read"),
            _ => drop(write!(self.out, "not readable: {}", errno_name(errno))),
        }
    }

    fn polled(&mut self, call: &Call, fds: Result<&[Polled], i32>, count: u64) {
        let is_select = call.is_select();
        match fds {
            Err(errno) => {
                match is_select {
                    true => drop(write!(self.out, " on fds below {count}")),
                    false => drop(write!(self.out, " on {}", quantity(count as usize, "fd", "fds"))),
                }
                self.text(" (");
                self.unread(errno);
                self.text(")");
            }
            Ok([]) => self.text(" on no fd"),
            // Of one there is room to say what it is.
            Ok([polled]) => {
                drop(write!(self.out, " on {}", polled.fd));
                self.asked(*polled, is_select, true);
            }
            Ok(fds) => {
                self.text(" on ");
                for (nth, polled) in fds.iter().take(SHOWN).enumerate() {
                    self.text(if nth > 0 { ", " } else { "" });
                    drop(write!(self.out, "{}", polled.fd));
                    self.asked(*polled, is_select, false);
                }
                if fds.len() > SHOWN {
                    drop(write!(self.out, " and {} more", fds.len() - SHOWN));
                }
            }
        }
    }

    /// ` (in, out)`. Of select, to be readable goes without saying.
    fn asked(&mut self, polled: Polled, is_select: bool, alone: bool) {
        let known = self.around.held.get(self.tid, polled.fd);
        let mut parts = Vec::new();
        if !(is_select && polled.events == Readiness::IN) {
            parts.push(match polled.events.is_empty() {
                true => "nothing but errors".to_owned(),
                false => polled.events.set().join(", "),
            });
        }
        let named = known.filter(|_| alone);
        let closed = self.around.held.lacks(self.tid, polled.fd);
        if parts.is_empty() && named.is_none() && !closed {
            return;
        }
        self.text(" (");
        self.text(&parts.concat());
        if let Some(known) = named {
            self.text(if parts.is_empty() { "" } else { "; " });
            self.what(known);
        }
        if closed {
            self.text(if parts.is_empty() { "closed" } else { "; closed" });
        }
        self.text(")");
    }

    fn futex(&mut self, op: &str, words: &[u64]) {
        if !matches!(op, "wait" | "wait_bitset" | "waitv") {
            drop(write!(self.out, " ({op})"));
        }
        if words.len() > 1 {
            drop(write!(self.out, " on {} words", words.len()));
        }
        match self.around.others {
            Some(1) => self.text(", 1 other waits on the same word"),
            Some(n) if n > 1 => drop(write!(self.out, ", {n} others wait on the same word")),
            _ => {}
        }
    }

    fn children(&mut self, children: Children) {
        match children {
            Children::Any => self.text(" for any child"),
            Children::Pid(pid) => {
                drop(write!(self.out, " for child {pid}"));
                if let Some(command) = (self.around.command)(pid) {
                    self.text(" (");
                    self.out.extend_from_slice(&command);
                    self.text(")");
                }
            }
            Children::Group(Pid(0)) => self.text(" for children of its own process group"),
            Children::Group(group) => drop(write!(self.out, " for children of process group {group}")),
            Children::Pidfd(fd) => self.on(fd),
        }
    }

    fn completions(&mut self, least: u64) {
        if least > 0 {
            drop(write!(self.out, " for {}", quantity(least as usize, "completion", "completions")));
        }
    }

    fn signals(&mut self, set: Option<u64>) {
        let Some(names) = set.map(signal_names) else { return self.text(" for a signal") };
        match names.len() {
            62.. => self.text(" for any signal"),
            _ => drop(write!(self.out, " for {}", names.join(", "))),
        }
    }

    /// How much is left of a time that was given, as far as that is known.
    fn at_most(&mut self, given: Duration) {
        match at_most(given, self.around.asleep) {
            Some(Duration::ZERO) => self.text(", its time is up"),
            Some(left) => drop(write!(self.out, ", at most {} left", duration(left))),
            None => {}
        }
    }

    fn timeout(&mut self, timeout: Timeout) {
        match timeout {
            Timeout::Never => {}
            Timeout::After(Duration::ZERO) => self.text(", timeout 0: it does not wait"),
            Timeout::After(time) => {
                drop(write!(self.out, ", timeout {}", duration(time)));
                self.at_most(time);
            }
            Timeout::Until { left: Some(Duration::ZERO), .. } => self.text(", its time is up"),
            Timeout::Until { left: Some(left), .. } => drop(write!(self.out, ", {} left", duration(left))),
            Timeout::Until { left: None, .. } => self.text(", until a time of a clock that is not ours"),
            Timeout::Unread(errno) => {
                self.text(", timeout ");
                self.unread(errno);
            }
        }
    }
}

/// What is at most left of a time that began when the thread last ran, or before.
pub(super) fn at_most(given: Duration, asleep: Option<Duration>) -> Option<Duration> {
    Some(given.saturating_sub(asleep?))
}

/// A time as people say it, short ones too.
fn duration(time: Duration) -> String {
    match time.as_nanos() {
        0 => "0 ms".to_owned(),
        1..1000 => format!("{} ns", time.as_nanos()),
        1000..1_000_000 => format!("{} µs", time.as_micros()),
        _ => words::time(time),
    }
}
