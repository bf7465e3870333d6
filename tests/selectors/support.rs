//! What the tests share.

#![allow(unsafe_code)]

use fdscope::model::{Interest, Readiness};
use fdscope::selector::{Backend, Event, Selector, Token, Trigger, Wake};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Once, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

/// Makes a test of each function, for each backend, named for both.
macro_rules! on_every_backend {
    ($($name:ident),* $(,)?) => {
        on_every_backend!(@ select Select $($name)*);
        on_every_backend!(@ poll Poll $($name)*);
        on_every_backend!(@ epoll Epoll $($name)*);
        on_every_backend!(@ mio Mio $($name)*);
    };
    (@ $module:ident $backend:ident $($name:ident)*) => {
        mod $module {
            $(#[test]
            fn $name() {
                super::$name(fdscope::selector::Backend::$backend);
            })*
        }
    };
}
pub(crate) use on_every_backend;

/// How long to wait for what must come. It is never reached where all is well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A selector and what it said last.
pub(crate) struct Bench {
    pub(crate) backend: Backend,
    pub(crate) selector: Box<dyn Selector>,
    pub(crate) events: Vec<Event>,
}

impl Bench {
    pub(crate) fn new(backend: Backend) -> Self {
        let selector = backend.open().expect("a selector can be opened");
        Self { backend, selector, events: Vec::new() }
    }

    /// The trigger that is the backend's own: level, where it has that.
    pub(crate) fn trigger(&self) -> Trigger {
        if self.backend.capabilities().level { Trigger::Level } else { Trigger::Edge }
    }

    /// All that the backend can be asked for.
    pub(crate) fn all(&self) -> Interest {
        self.backend.capabilities().interest
    }

    pub(crate) fn register(&mut self, fd: impl AsFd, token: u64, want: Interest) {
        let trigger = self.trigger();
        let done = self.selector.register(fd.as_fd(), Token(token), want, trigger);
        done.unwrap_or_else(|e| panic!("{}: {e}", self.backend));
    }

    pub(crate) fn modify(&mut self, fd: impl AsFd, token: u64, want: Interest) {
        let trigger = self.trigger();
        let done = self.selector.modify(fd.as_fd(), Token(token), want, trigger);
        done.unwrap_or_else(|e| panic!("{}: {e}", self.backend));
    }

    pub(crate) fn deregister(&mut self, fd: impl AsFd, token: u64) {
        let done = self.selector.deregister(fd.as_fd(), Token(token));
        done.unwrap_or_else(|e| panic!("{}: {e}", self.backend));
    }

    pub(crate) fn wait(&mut self, timeout: Option<Duration>) -> Wake {
        self.selector.wait(timeout, &mut self.events).unwrap_or_else(|e| panic!("{}: {e}", self.backend))
    }

    /// What is in force now, by token.
    pub(crate) fn now(&mut self) -> Vec<(u64, Readiness)> {
        let wake = self.wait(Some(Duration::ZERO));
        self.told(wake)
    }

    /// What comes into force, by token.
    pub(crate) fn next(&mut self) -> Vec<(u64, Readiness)> {
        let wake = self.wait(Some(PATIENCE));
        assert_eq!(wake, Wake::Ready, "{}", self.backend);
        self.told(wake)
    }

    fn told(&self, wake: Wake) -> Vec<(u64, Readiness)> {
        let expected = if self.events.is_empty() { Wake::TimedOut } else { Wake::Ready };
        assert_eq!(wake, expected, "{}: {:?}", self.backend, self.events);
        let mut told: Vec<_> = self.events.iter().map(|e| (e.token.0, e.readiness)).collect();
        told.sort_by_key(|(token, _)| *token);
        told
    }
}

/// What a backend makes of what poll(2) reports of an fd that epoll takes.
pub(crate) fn as_told_by(backend: Backend, poll: Readiness) -> Readiness {
    let has = |condition| poll.contains(condition);
    let pick = |when: bool, condition| if when { condition } else { Readiness::EMPTY };
    match backend {
        Backend::Poll | Backend::Epoll => poll,
        // The kernel's POLLIN_SET, POLLOUT_SET and POLLEX_SET.
        Backend::Select => {
            pick(has(Readiness::IN) || has(Readiness::HUP) || has(Readiness::ERR), Readiness::IN)
                | pick(has(Readiness::OUT) || has(Readiness::ERR), Readiness::OUT)
                | pick(has(Readiness::PRI), Readiness::PRI)
        }
        // By mio's documentation.
        Backend::Mio => {
            let hup = has(Readiness::HUP);
            let read_closed = hup || has(Readiness::IN | Readiness::RDHUP);
            let write_closed = hup || has(Readiness::OUT | Readiness::ERR) || poll == Readiness::ERR;
            pick(has(Readiness::IN) || has(Readiness::PRI), Readiness::IN)
                | pick(has(Readiness::OUT), Readiness::OUT)
                | pick(has(Readiness::PRI), Readiness::PRI)
                | pick(has(Readiness::ERR), Readiness::ERR)
                | pick(read_closed && write_closed, Readiness::HUP)
                | pick(read_closed && !write_closed, Readiness::RDHUP)
        }
    }
}

/// Tries until it is so.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < PATIENCE, "it never came to this: {what}");
        std::thread::yield_now();
    }
}

pub(crate) fn pipe() -> (OwnedFd, OwnedFd) {
    use rustix::pipe::{PipeFlags, pipe_with};
    pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).expect("a pipe")
}

pub(crate) fn write(fd: impl AsFd, bytes: &[u8]) {
    assert_eq!(rustix::io::write(fd, bytes), Ok(bytes.len()));
}

pub(crate) fn read(fd: impl AsFd, most: usize) -> usize {
    rustix::io::read(fd, &mut vec![0; most]).expect("something to read")
}

/// Writes until there is no room.
pub(crate) fn fill(fd: impl AsFd) {
    let chunk = [0; 4096];
    for size in [chunk.len(), 1] {
        while rustix::io::write(&fd, &chunk[..size]).is_ok() {}
    }
}

/// A number as an fd, open or not.
pub(crate) fn lend<'fd>(number: RawFd) -> BorrowedFd<'fd> {
    // SAFETY: it is not -1. Selectors are made to be told of numbers that are closed.
    unsafe { BorrowedFd::borrow_raw(number) }
}

/// A duplicate with this number, or the next that is free.
pub(crate) fn duplicate(fd: impl AsFd, from: RawFd) -> io::Result<OwnedFd> {
    Ok(rustix::io::fcntl_dupfd_cloexec(fd, from)?)
}

/// A duplicate with exactly this number, which must be free.
pub(crate) fn duplicate_to(fd: impl AsFd, number: RawFd) -> OwnedFd {
    let duplicate = duplicate(fd, number).expect("a number within the limit");
    assert_eq!(std::os::fd::AsRawFd::as_raw_fd(&duplicate), number, "it is taken");
    duplicate
}

/// A number from which on the next few are free, and are for the caller alone as long as nobody
/// is [`crowding`]. Below 1024.
pub(crate) fn own_numbers() -> RawFd {
    static NEXT: AtomicI32 = AtomicI32::new(600);
    NEXT.fetch_add(8, Ordering::Relaxed)
}

static ROOM: RwLock<()> = RwLock::new(());

/// While this lives, tests have few fds each.
pub(crate) fn uncrowded() -> RwLockReadGuard<'static, ()> {
    ROOM.read().unwrap_or_else(PoisonError::into_inner)
}

/// While this lives, one test may take most of the fds that there are.
pub(crate) fn crowding() -> RwLockWriteGuard<'static, ()> {
    ROOM.write().unwrap_or_else(PoisonError::into_inner)
}

/// Raises `RLIMIT_NOFILE` as far as it goes, and gives it.
pub(crate) fn raise_limit() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    setrlimit(Resource::Nofile, raised).expect("the soft limit may go up to the hard one");
    limit.maximum.unwrap_or(u64::MAX)
}

/// The calling thread, for [`interrupt`].
pub(crate) fn this_thread() -> i32 {
    rustix::thread::gettid().as_raw_nonzero().get()
}

/// Sends a thread of ours a signal whose handler does nothing. Once the thread has ended nothing
/// happens.
pub(crate) fn interrupt(thread: i32) {
    extern "C" fn nothing(_: libc::c_int) {}
    static HANDLER: Once = Once::new();
    HANDLER.call_once(|| {
        // Even so, waiting is never taken up again: signal(7).
        let flags = nix::sys::signal::SaFlags::SA_RESTART;
        let handler = nix::sys::signal::SigHandler::Handler(nothing);
        let mask = nix::sys::signal::SigSet::empty();
        let action = nix::sys::signal::SigAction::new(handler, flags, mask);
        // SAFETY: the handler does nothing, and nobody else here uses this signal.
        unsafe { nix::sys::signal::sigaction(nix::sys::signal::Signal::SIGUSR1, &action) }
            .expect("a handler");
    });
    let process = std::process::id() as libc::pid_t;
    // SAFETY: tgkill takes numbers.
    unsafe { libc::syscall(libc::SYS_tgkill, process, thread, libc::SIGUSR1) };
}
