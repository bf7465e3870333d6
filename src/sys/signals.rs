//! Signals that are counted instead of ending the process: `sigaction(2)`.
//!
//! Handlers count, and write to an `eventfd(2)` once there is one. They interrupt calls that wait.
//! So a process that waits where it should not, for a reader of its output say, still can be
//! ended: if a signal that asks for that is not taken for a while, the next one has its own way.

use crate::model::FdNum;
use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::sync::atomic::{AtomicI32, AtomicI64, AtomicU64, Ordering};

/// Signals up to here are counted: all but those for real-time use.
const SIGNALS: usize = 32;

/// How long a signal may wait to be taken before the next of its kind ends the process, in
/// milliseconds.
const PATIENCE: i64 = 500;

/// How often each has come and was not taken, and in the upper half, how often of that a process
/// has sent it.
static COUNTS: [AtomicU64; SIGNALS] = [const { AtomicU64::new(0) }; SIGNALS];
const SENT: u64 = 1 << 32;
/// When the first of those that were not taken has come, in milliseconds of the monotonic clock.
static SINCE: [AtomicI64; SIGNALS] = [const { AtomicI64::new(0) }; SIGNALS];
/// The eventfd.
static WAKE: AtomicI32 = AtomicI32::new(-1);

/// What has come of one signal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Came {
    /// How often.
    pub times: u32,
    /// How often of that a process has sent it, rather than the kernel: a terminal, say.
    pub sent: u32,
}

/// Counts a signal from now on. Not one that is ignored, by `nohup(1)` say, unless `anyway`.
/// Whether it is counted.
pub fn catch_signal(signal: i32, anyway: bool) -> io::Result<bool> {
    // SAFETY: zero is a value of sigaction, whose mask is then empty; the calls read and write
    // these structs alone, and the handler does nothing but what signal-safety(7) allows.
    unsafe {
        let mut old: libc::sigaction = std::mem::zeroed();
        if libc::sigaction(signal, std::ptr::null(), &raw mut old) == -1 {
            return Err(io::Error::last_os_error());
        }
        if old.sa_sigaction == libc::SIG_IGN && !anyway {
            return Ok(false);
        }
        let mut new: libc::sigaction = std::mem::zeroed();
        new.sa_sigaction = handle as *const () as usize;
        // Without SA_RESTART: whoever waits shall hear of it.
        new.sa_flags = libc::SA_SIGINFO | libc::SA_NOCLDSTOP;
        match libc::sigaction(signal, &raw const new, std::ptr::null_mut()) {
            0 => Ok(true),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

/// An fd that is readable once a signal has come, also one before. Read a `u64` from it before
/// signals are taken.
pub fn signal_fd() -> io::Result<OwnedFd> {
    // SAFETY: eventfd takes numbers, and makes an fd that nobody else owns.
    let fd = unsafe {
        match libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) {
            -1 => return Err(io::Error::last_os_error()),
            fd => OwnedFd::from_raw_fd(fd),
        }
    };
    WAKE.store(fd.as_raw_fd(), Ordering::SeqCst);
    if COUNTS.iter().any(|count| count.load(Ordering::SeqCst) > 0) {
        wake();
    }
    Ok(fd)
}

/// No handler writes to the fd any more: it is about to be closed.
pub fn forget_signal_fd(fd: FdNum) {
    let _ = WAKE.compare_exchange(fd.0, -1, Ordering::SeqCst, Ordering::SeqCst);
}

/// What has come of a signal since it was taken last.
pub fn take_signal(signal: i32) -> Came {
    let Some(i) = index(signal) else { return Came::default() };
    let came = COUNTS[i].swap(0, Ordering::SeqCst);
    Came { times: came as u32, sent: (came >> 32) as u32 }
}

/// Ends the process by a signal, whatever was to become of it. Returns only if that fails.
pub fn die_by(signal: i32) {
    // SAFETY: SIG_DFL runs no code of ours, and the mask is a value of our own, for which zero is
    // a value; raise takes a number.
    unsafe {
        libc::signal(signal, libc::SIG_DFL);
        let mut mask: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut mask);
        libc::sigaddset(&raw mut mask, signal);
        libc::pthread_sigmask(libc::SIG_UNBLOCK, &raw const mask, std::ptr::null_mut());
        libc::raise(signal);
    }
}

fn index(signal: i32) -> Option<usize> {
    usize::try_from(signal).ok().filter(|&i| i < SIGNALS)
}

/// The handler: async-signal-safe calls and atomics alone.
extern "C" fn handle(signal: libc::c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    let Some(i) = index(signal) else { return };
    // SAFETY: __errno_location gives this thread's errno, which the interrupted code may be about
    // to read.
    let errno = unsafe { *libc::__errno_location() };
    let now = now();
    // SAFETY: with SA_SIGINFO, the kernel passes a siginfo_t.
    let sent = unsafe { (*info).si_code } <= 0;
    if COUNTS[i].fetch_add(if sent { 1 + SENT } else { 1 }, Ordering::SeqCst) == 0 {
        SINCE[i].store(now, Ordering::SeqCst);
    } else if asks_to_end(signal) && now - SINCE[i].load(Ordering::SeqCst) > PATIENCE {
        die_by(signal);
    }
    wake();
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = errno };
}

fn asks_to_end(signal: i32) -> bool {
    matches!(signal, libc::SIGINT | libc::SIGTERM | libc::SIGHUP | libc::SIGQUIT)
}

fn now() -> i64 {
    // SAFETY: zero is a value of timespec, and clock_gettime writes one.
    unsafe {
        let mut time: libc::timespec = std::mem::zeroed();
        libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time);
        time.tv_sec as i64 * 1000 + time.tv_nsec as i64 / 1_000_000
    }
}

fn wake() {
    let fd = WAKE.load(Ordering::SeqCst);
    if fd >= 0 {
        let one = 1u64;
        // SAFETY: write reads eight bytes of `one`; the fd is that of signal_fd, or one that took
        // its number after it was closed, which forget_signal_fd prevents.
        unsafe { libc::write(fd, (&raw const one).cast(), size_of::<u64>()) };
    }
}

#[cfg(test)]
mod tests {
    use super::{Came, catch_signal, signal_fd, take_signal};

    #[test]
    fn signals_are_counted() {
        assert!(catch_signal(libc::SIGUSR2, true).unwrap());
        // SAFETY: raise takes a number, and its handler is installed.
        unsafe { libc::raise(libc::SIGUSR2) };
        let fd = signal_fd().unwrap();
        // SAFETY: as above.
        unsafe { libc::raise(libc::SIGUSR2) };
        let mut count = [0; 8];
        assert_eq!(rustix::io::read(&fd, &mut count), Ok(8));
        assert_eq!(u64::from_ne_bytes(count), 2);
        assert_eq!(take_signal(libc::SIGUSR2), Came { times: 2, sent: 2 });
        assert_eq!(take_signal(libc::SIGUSR2), Came::default());
        super::forget_signal_fd(crate::model::FdNum(std::os::fd::AsRawFd::as_raw_fd(&fd)));
    }
}
