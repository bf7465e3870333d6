//! An fd that is watched.

use super::event::{Facts, Who};
use super::processes::Process;
use super::stage::Wishes;
use super::target::Remote;
use crate::kind;
use crate::model::{FdNum, Inode, Interest, decimal, errno_name};
use crate::proc::ProcRoot;
use crate::sock::Diag;
use crate::sys;
use crate::watch::Tracker;
use rustix::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::sockopt;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// An fd that is watched.
pub(super) struct Subject {
    pub(super) who: Rc<Who>,
    hold: Hold,
    pub(super) want: Interest,
    /// Whether the user has said so.
    pub(super) wished: bool,
    /// The number that our selectors know it by, which is no other subject's; `None` where there
    /// is none left.
    pub(super) number: Option<FdNum>,
    /// Whom it connects to, as long as that is not over.
    pub(super) remote: Option<Remote>,
    /// Whether the socket is one that we made, and nobody else has.
    pub(super) made: bool,
    /// The error that was pending on it. Asking for it has cleared it.
    pub(super) failure: Option<Errno>,
    /// Which of its addresses is to be tried next, if not all were.
    pub(super) next_address: Option<usize>,
    /// Whether it still is to be watched.
    pub(super) open: bool,
    /// What each lookout has seen of it.
    pub(super) trackers: Vec<Tracker>,
    asks: Asks,
    /// The bytes that can be read, and could be when they were told last.
    bytes_now: u64,
    bytes_told: u64,
    pub(super) drained: bool,
    more_told: Option<Instant>,
    /// Bytes that were seen to arrive, or were drained.
    pub(super) bytes: u64,
}

/// Who has it.
enum Hold {
    /// We have.
    Own(OwnedFd),
    /// A process has, the one with this index, and we do not.
    Foreign(usize),
}

/// What can be asked of an fd of its kind.
#[derive(Clone, Copy)]
struct Asks {
    readable: bool,
    /// Of a pipe's end for writing: what the other end has not read.
    written: bool,
    socket: bool,
    count: bool,
}

/// What identifies a file well enough: device, inode and type.
pub(super) type Identity = (u64, u64, u32);

impl Subject {
    /// An fd of our own.
    pub(super) fn own(who: Who, fd: OwnedFd, usual: Interest, wishes: Wishes) -> Self {
        let number = Some(FdNum(fd.as_raw_fd()));
        Self { number, ..Self::new(who, Hold::Own(fd), usual, wishes) }
    }

    /// Another connection in the place of one that failed.
    pub(super) fn replace(&mut self, fd: OwnedFd) {
        self.number = Some(FdNum(fd.as_raw_fd()));
        self.hold = Hold::Own(fd);
        self.failure = None;
        self.open = true;
    }

    /// The connection was refused before there was anything to look at.
    pub(super) fn refuse(&mut self) {
        self.failure = Some(Errno::CONNREFUSED);
        self.open = false;
    }

    /// An fd of the process with this index.
    pub(super) fn foreign(who: Who, process: usize, usual: Interest, wishes: Wishes) -> Self {
        Self::new(who, Hold::Foreign(process), usual, wishes)
    }

    fn new(who: Who, hold: Hold, usual: Interest, wishes: Wishes) -> Self {
        let groups = kind::ALL.iter().find(|k| k.name == who.kind).map_or(&[][..], |k| k.groups);
        let socket = groups.contains(&"socket") || who.kind == "socket";
        let pipe = matches!(who.kind.as_str(), "pipe" | "fifo");
        let stream = socket || pipe || matches!(who.kind.as_str(), "pty" | "tty" | "inotify");
        let want = wishes.events.unwrap_or(usual);
        let reads = want.contains(Interest::IN);
        Self {
            asks: Asks {
                readable: stream && reads,
                written: pipe && !reads,
                socket,
                count: matches!(who.kind.as_str(), "timerfd" | "eventfd"),
            },
            who: Rc::new(who),
            hold,
            want,
            wished: wishes.events.is_some(),
            number: None,
            remote: None,
            failure: None,
            next_address: None,
            made: false,
            open: true,
            trackers: vec![Tracker::default(); wishes.lookouts],
            bytes_now: 0,
            drained: false,
            bytes_told: 0,
            more_told: None,
            bytes: 0,
        }
    }

    /// It is watched no more.
    pub(super) fn end(&mut self) {
        self.open = false;
        let now = Instant::now();
        self.trackers.iter_mut().for_each(|t| t.end(now));
    }

    /// The process that has it, if we have not.
    pub(super) fn process(&self) -> Option<usize> {
        if let Hold::Foreign(process) = self.hold { Some(process) } else { None }
    }

    /// Our own fd.
    pub(super) fn own_fd(&self) -> Option<BorrowedFd<'_>> {
        if let Hold::Own(fd) = &self.hold { Some(fd.as_fd()) } else { None }
    }

    /// Does something with the fd: with our own, or with a duplicate that is closed at once.
    pub(super) fn with_fd<T>(
        &self,
        processes: &mut [Process],
        use_: impl FnOnce(BorrowedFd<'_>) -> T,
    ) -> Result<T, Errno> {
        match (&self.hold, self.who.fd) {
            (Hold::Own(fd), _) => Ok(use_(fd.as_fd())),
            (Hold::Foreign(process), Some(fd)) => Ok(use_(processes[*process].table.duplicate(fd)?.as_fd())),
            (Hold::Foreign(_), None) => Err(Errno::BADF),
        }
    }

    /// Takes in how much can be read now.
    pub(super) fn note_bytes(&mut self, bytes: Option<u64>) {
        let Some(bytes) = bytes else { return };
        // What we read ourselves is counted then.
        if !self.drained {
            self.bytes += bytes.saturating_sub(self.bytes_now);
        }
        self.bytes_now = bytes;
        self.bytes_told = self.bytes_told.min(bytes);
    }

    /// They were told.
    pub(super) fn tell_bytes(&mut self) {
        self.bytes_told = self.bytes_now;
    }

    /// Nothing can be read any more.
    pub(super) fn clear_bytes(&mut self) {
        (self.bytes_now, self.bytes_told) = (0, 0);
    }

    /// Whether there is more to read than was told.
    pub(super) fn has_more(&self) -> bool {
        self.bytes_now > self.bytes_told
    }

    /// Whether it is time to tell that there is more to read; it counts as told then.
    pub(super) fn may_tell_more(&mut self, spacing: Duration) -> bool {
        let now = Instant::now();
        if self.more_told.is_some_and(|told| now < told + spacing) {
            return false;
        }
        self.more_told = Some(now);
        self.bytes_told = self.bytes_now;
        true
    }

    /// Whether something can be said of how much waits to be read.
    pub(super) fn has_bytes(&self) -> bool {
        self.asks.readable
    }

    /// Bytes that can be read, where that can be asked.
    pub(super) fn readable_bytes(&self, processes: &mut [Process]) -> Option<u64> {
        if !self.asks.readable {
            return None;
        }
        self.with_fd(processes, |fd| rustix::io::ioctl_fionread(fd).ok()).ok().flatten()
    }

    /// Whether an error is pending, or was; which one it is, is kept. `SO_ERROR` is cleared by asking,
    /// so it is asked of sockets alone that we made.
    pub(super) fn has_failed(&mut self) -> bool {
        if self.made
            && let Some(fd) = self.own_fd()
            && let Ok(Err(error)) = sockopt::socket_error(fd)
        {
            self.failure = Some(error);
        }
        self.failure.is_some()
    }

    /// All that can be asked without consuming anything; with an error, also which one it is, if that
    /// was asked.
    pub(super) fn facts(
        &self,
        processes: &mut [Process],
        root: &ProcRoot,
        diag: &mut Option<Diag>,
        has_error: bool,
    ) -> Facts {
        let mut facts = Facts::default();
        if self.asks.count {
            facts.count = self.count(processes, root);
        }
        if !self.asks.readable && !self.asks.written && !self.asks.socket {
            return facts;
        }
        let asked = self.with_fd(processes, |fd| {
            // A listener has connections, and no bytes.
            if self.asks.socket && sockopt::socket_acceptconn(fd).unwrap_or(false) {
                facts.queue = match sys::tcp_info(fd) {
                    Ok(info) => info.listens.then_some(info.unacked.into()),
                    Err(_) => unix_queue(fd, diag),
                };
                return;
            }
            let bytes = rustix::io::ioctl_fionread(fd).ok();
            facts.readable_bytes = bytes.filter(|_| self.asks.readable);
            facts.unsent_bytes = bytes.filter(|_| self.asks.written);
            if self.asks.socket {
                // Of a connection that has failed, its SYN may be left, which is no byte of anybody's.
                facts.unsent_bytes = sys::unsent_bytes(fd).ok().filter(|_| !has_error);
                let failure = self.failure.filter(|_| has_error);
                facts.socket_error = failure.map(|error| errno_name(error.raw_os_error()));
            }
        });
        // Closed meanwhile: that is told when it is noticed.
        let _ = asked;
        facts
    }

    /// Expirations, or the count, as fdinfo has it.
    fn count(&self, processes: &mut [Process], root: &ProcRoot) -> Option<u64> {
        let fd = self.who.fd?;
        let info = match self.process() {
            Some(process) => processes[process].table.info(fd),
            None => std::fs::read(root.join(format!("self/fdinfo/{fd}"))),
        };
        let info = info.ok()?;
        info.split(|&b| b == b'\n').find_map(|line| {
            if let Some(ticks) = line.strip_prefix(b"ticks:") {
                return decimal(ticks);
            }
            line.strip_prefix(b"eventfd-count:").and_then(crate::model::hex)
        })
    }

    /// What it is, to tell it from another of the same number.
    pub(super) fn identity(fd: BorrowedFd<'_>) -> Option<Identity> {
        let stat = rustix::fs::fstat(fd).ok()?;
        // Its permissions may change: mesg(1) does that to a terminal.
        Some((stat.st_dev, stat.st_ino, rustix::fs::FileType::from_raw_mode(stat.st_mode).as_raw_mode()))
    }
}

/// How many connections wait at a unix listener, of our own network namespace.
fn unix_queue(socket: BorrowedFd<'_>, diag: &mut Option<Diag>) -> Option<u64> {
    let inode = Inode(rustix::fs::fstat(socket).ok()?.st_ino);
    let found = diag.as_mut()?.unix_listener(inode).ok()??;
    Some(found.queue.waiting.into())
}
