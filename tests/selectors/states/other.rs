//! Event fds of all sorts, processes and terminals.

use super::{Made, State};
use crate::support::{pipe, write};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::event::{EventfdFlags, epoll, eventfd};
use rustix::fs::inotify;
use rustix::process::{Pid, PidfdFlags, WaitId, WaitIdOptions, pidfd_open, waitid};
use rustix::pty::OpenptFlags;
use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};

pub(crate) fn eventfd_0() -> Made {
    Ok(State::new(counter(0)))
}

pub(crate) fn eventfd_1() -> Made {
    Ok(State::new(counter(1)))
}

pub(crate) fn eventfd_at_most() -> Made {
    Ok(State::new(counter(u64::MAX - 1)))
}

fn counter(count: u64) -> OwnedFd {
    let fd = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC).expect("an eventfd");
    write(&fd, &count.to_ne_bytes());
    fd
}

pub(crate) fn timerfd_unset() -> Made {
    Ok(State::new(timer()))
}

pub(crate) fn timerfd_expired() -> Made {
    let timer = timer();
    let soon = Timespec { tv_sec: 0, tv_nsec: 1 };
    let once = Itimerspec { it_interval: Timespec::default(), it_value: soon };
    rustix::time::timerfd_settime(&timer, TimerfdTimerFlags::empty(), &once).expect("a time");
    Ok(State::new(timer))
}

fn timer() -> OwnedFd {
    rustix::time::timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC).expect("a timerfd")
}

pub(crate) fn inotify_idle() -> Made {
    let (watch, dir) = watch();
    Ok(State::new(watch).and(dir))
}

pub(crate) fn inotify_event() -> Made {
    let (watch, dir) = watch();
    std::fs::write(dir.path().join("file"), "").expect("a file");
    Ok(State::new(watch).and(dir))
}

fn watch() -> (OwnedFd, tempfile::TempDir) {
    let dir = tempfile::tempdir().expect("a folder");
    let watch = inotify::init(inotify::CreateFlags::CLOEXEC).expect("an inotify fd");
    inotify::add_watch(&watch, dir.path(), inotify::WatchFlags::CREATE).expect("a watch");
    (watch, dir)
}

/// Blocks a signal in this thread until it is dropped, when none may be left.
struct Blocked(SigSet);

impl Drop for Blocked {
    fn drop(&mut self) {
        // The signal, if one was sent, is taken by waiting for it.
        let pending = nix::sys::signal::raise(Signal::SIGUSR2).and_then(|()| self.0.wait());
        pending.and_then(|_| self.0.thread_unblock()).expect("it was blocked");
    }
}

pub(crate) fn signalfd_idle() -> Made {
    let (fd, blocked) = signals();
    Ok(State::new(fd).and(blocked))
}

pub(crate) fn signalfd_pending() -> Made {
    let (fd, blocked) = signals();
    // To this thread, which alone sees it.
    nix::sys::signal::raise(Signal::SIGUSR2).expect("a signal to ourselves");
    Ok(State::new(fd).and(blocked))
}

fn signals() -> (OwnedFd, Blocked) {
    let mut set = SigSet::empty();
    set.add(Signal::SIGUSR2);
    set.thread_block().expect("a mask");
    let fd = SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC).expect("a signalfd");
    (fd.into(), Blocked(set))
}

/// Ended, in the end, whatever happens.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended, or been waited for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn pidfd_running() -> Made {
    let (fd, child) = process()?;
    Ok(State::new(fd).and(child))
}

pub(crate) fn pidfd_zombie() -> Made {
    let (fd, child) = zombie()?;
    Ok(State::new(fd).and(child))
}

pub(crate) fn pidfd_reaped() -> Made {
    let (fd, mut child) = zombie()?;
    child.0.wait().expect("it is our child");
    Ok(State::new(fd))
}

fn zombie() -> Result<(OwnedFd, Running), String> {
    let (fd, mut child) = process()?;
    child.0.kill().expect("it is our child");
    let id = Pid::from_child(&child.0);
    waitid(WaitId::Pid(id), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).expect("it ends");
    Ok((fd, child))
}

/// A child that waits for input.
fn process() -> Result<(OwnedFd, Running), String> {
    let child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn();
    let child = Running(child.map_err(|e| format!("cat cannot be run: {e}"))?);
    let fd = pidfd_open(Pid::from_child(&child.0), PidfdFlags::empty());
    fd.map(|fd| (fd, child)).map_err(|e| format!("pidfd_open: {e}"))
}

pub(crate) fn pty_slave() -> Made {
    let (master, slave) = pty()?;
    Ok(State::new(slave).and(master))
}

pub(crate) fn pty_slave_master_gone() -> Made {
    Ok(State::new(pty()?.1))
}

pub(crate) fn pty_master() -> Made {
    let (master, slave) = pty()?;
    Ok(State::new(master).and(slave))
}

pub(crate) fn pty_master_slave_gone() -> Made {
    Ok(State::new(pty()?.0))
}

fn pty() -> Result<(OwnedFd, OwnedFd), String> {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let master = rustix::pty::openpt(flags).map_err(|e| format!("there are no ptys: {e}"))?;
    rustix::pty::unlockpt(&master).expect("it is ours");
    let slave =
        rustix::pty::ioctl_tiocgptpeer(&master, flags).map_err(|e| format!("a pty has no slave: {e}"))?;
    Ok((master, slave))
}

pub(crate) fn epoll_idle() -> Made {
    let (reader, writer) = pipe();
    Ok(State::new(nested(&reader)).and(reader).and(writer))
}

pub(crate) fn epoll_ready() -> Made {
    let (reader, writer) = pipe();
    write(&writer, b"x");
    Ok(State::new(nested(&reader)).and(reader).and(writer))
}

/// An epoll fd that watches this one.
fn nested(fd: &OwnedFd) -> OwnedFd {
    let outer = epoll::create(epoll::CreateFlags::CLOEXEC).expect("an epoll fd");
    epoll::add(&outer, fd, epoll::EventData::new_u64(1), epoll::EventFlags::IN).expect("a pipe is taken");
    outer
}
