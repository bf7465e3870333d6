//! `kcmp(2)`: whether two processes share a kernel object. Touches nothing.

use crate::model::{FdNum, Pid};
use std::cmp::Ordering;
use std::io;

const KCMP_FILE: libc::c_long = 0;
const KCMP_FILES: libc::c_long = 2;
const KCMP_EPOLL_TFD: libc::c_long = 7;

/// `struct kcmp_epoll_slot` of `linux/kcmp.h`.
#[repr(C)]
struct EpollSlot {
    efd: u32,
    tfd: u32,
    toff: u32,
}

/// What an fd of a process is now, compared with what an epoll set of ours watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registered {
    /// The description that was registered.
    Same,
    /// Closed.
    Closed,
    /// Another description, or the registration is gone.
    Other,
}

/// Whether fd `target` of `pid` is still the description that our epoll fd has registered under the
/// number `number`, which no other registration in it has.
pub fn registered(pid: Pid, target: FdNum, epoll: FdNum, number: FdNum) -> io::Result<Registered> {
    let slot = EpollSlot { efd: epoll.0 as u32, tfd: number.0 as u32, toff: 0 };
    // SAFETY: getpid takes nothing; `slot` is the struct that KCMP_EPOLL_TFD reads, and lives over
    // the call.
    let order = unsafe {
        libc::syscall(
            libc::SYS_kcmp,
            pid.0,
            libc::getpid(),
            KCMP_EPOLL_TFD,
            target.0 as libc::c_ulong,
            &raw const slot,
        )
    };
    match order {
        0 => Ok(Registered::Same),
        1.. => Ok(Registered::Other),
        _ => match io::Error::last_os_error() {
            e if e.raw_os_error() == Some(libc::EBADF) => Ok(Registered::Closed),
            e if e.raw_os_error() == Some(libc::ENOENT) => Ok(Registered::Other),
            e => Err(e),
        },
    }
}

/// Whether our epoll fd has anything registered under the number `number`.
pub fn has_registered(epoll: FdNum, number: FdNum) -> io::Result<bool> {
    let slot = EpollSlot { efd: epoll.0 as u32, tfd: number.0 as u32, toff: 0 };
    // SAFETY: getpid takes nothing; `slot` is the struct that KCMP_EPOLL_TFD reads, and lives over
    // the call. What is registered is compared with the epoll fd, which is open.
    let order = unsafe {
        let own = libc::getpid();
        let fd = epoll.0 as libc::c_ulong;
        libc::syscall(libc::SYS_kcmp, own, own, KCMP_EPOLL_TFD, fd, &raw const slot)
    };
    match order {
        0.. => Ok(true),
        _ => match io::Error::last_os_error() {
            e if e.raw_os_error() == Some(libc::ENOENT) => Ok(false),
            e => Err(e),
        },
    }
}

/// How the open file descriptions behind two fds are ordered, each fd with the task that has it:
/// equal if they are one. The order means nothing, and is the same for all who ask. `EBADF` if an fd
/// is closed, `ESRCH` if a task has ended, `EPERM` without the right to trace both.
pub fn compare_descriptions(a: (Pid, FdNum), b: (Pid, FdNum)) -> io::Result<Ordering> {
    // SAFETY: KCMP_FILE takes two pids and two fd numbers, and no pointers.
    let order = unsafe {
        let (first, second) = (a.1.0 as libc::c_ulong, b.1.0 as libc::c_ulong);
        libc::syscall(libc::SYS_kcmp, a.0.0, b.0.0, KCMP_FILE, first, second)
    };
    match order {
        0 => Ok(Ordering::Equal),
        1 => Ok(Ordering::Less),
        2 => Ok(Ordering::Greater),
        // The manual has 3 for objects without an order, which no kernel has returned so far.
        3.. => Err(io::ErrorKind::Unsupported.into()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Whether two tasks share one fd table.
pub fn same_fd_table(a: Pid, b: Pid) -> io::Result<bool> {
    // SAFETY: KCMP_FILES takes two pids and no pointers; the last two arguments are ignored.
    let order = unsafe { libc::syscall(libc::SYS_kcmp, a.0, b.0, KCMP_FILES, 0, 0) };
    if order < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(order == 0)
}

/// Whether fd `target` of `pid` is the description that is registered under that number in its
/// epoll fd `epoll`, as the `nth` of the registrations of that number. `Ok(false)` also where
/// `target` is closed or the registration is gone.
pub fn same_epoll_target(pid: Pid, epoll: FdNum, target: FdNum, nth: u32) -> io::Result<bool> {
    let slot = EpollSlot { efd: epoll.0 as u32, tfd: target.0 as u32, toff: nth };
    // SAFETY: `slot` is the struct that KCMP_EPOLL_TFD reads, and lives over the call.
    let order = unsafe {
        libc::syscall(
            libc::SYS_kcmp,
            pid.0,
            pid.0,
            KCMP_EPOLL_TFD,
            target.0 as libc::c_ulong,
            &raw const slot,
        )
    };
    match order {
        0 => Ok(true),
        1.. => Ok(false),
        _ => match io::Error::last_os_error() {
            e if matches!(e.raw_os_error(), Some(libc::EBADF | libc::ENOENT)) => Ok(false),
            e => Err(e),
        },
    }
}
