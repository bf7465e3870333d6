//! Fds by number: taking over inherited ones, and passing ours on as `sd_listen_fds(3)` has it.

use crate::model::FdNum;
use std::ffi::{CString, OsStr};
use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// `SD_LISTEN_FDS_START`: the first fd that is passed.
pub const FIRST_PASSED: FdNum = FdNum(3);

/// Takes over an fd that this process was started with, and has it closed on `execve(2)`. `EBADF`
/// if there is none, if it was taken over already, or if we have opened it ourselves. Of 0 to 2,
/// which others use too, it is a duplicate.
pub fn take_inherited(fd: FdNum) -> io::Result<OwnedFd> {
    if fd.0 < 0 || super::was_closed(fd) {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    if fd.0 <= libc::STDERR_FILENO {
        // SAFETY: the fd is not negative, and is borrowed for one call that fails if it is closed.
        return unsafe { BorrowedFd::borrow_raw(fd.0) }.try_clone_to_owned();
    }
    // SAFETY: F_GETFD takes a number alone, and fails if the fd is not open.
    match unsafe { libc::fcntl(fd.0, libc::F_GETFD) } {
        -1 => return Err(io::Error::last_os_error()),
        // What execve would close it has not left to us: an object of ours owns it.
        flags if flags & libc::FD_CLOEXEC != 0 => return Err(io::Error::from_raw_os_error(libc::EBADF)),
        _ => {}
    }
    // SAFETY: as above, for F_SETFD.
    if unsafe { libc::fcntl(fd.0, libc::F_SETFD, libc::FD_CLOEXEC) } == -1 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the fd is open, and was inherited; from now on its flag says that it is owned.
    Ok(unsafe { OwnedFd::from_raw_fd(fd.0) })
}

/// Moves fds to the numbers from [`FIRST_PASSED`] on, in order, closed on `execve(2)`. Whatever
/// was inherited under these numbers is closed; nothing else of ours may be open there.
pub fn place(fds: Vec<OwnedFd>) -> io::Result<Vec<OwnedFd>> {
    let first = FIRST_PASSED.0;
    // Out of the way first: they may stand in each other's places.
    let beyond = first + fds.len() as i32;
    let away = |fd: &OwnedFd| {
        // SAFETY: F_DUPFD_CLOEXEC takes a number, and makes an fd that nobody else owns.
        match unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_DUPFD_CLOEXEC, beyond) } {
            -1 => Err(io::Error::last_os_error()),
            // SAFETY: as above.
            new => Ok(unsafe { OwnedFd::from_raw_fd(new) }),
        }
    };
    let moved = fds.iter().map(away).collect::<io::Result<Vec<_>>>()?;
    drop(fds);
    let settle = |(number, fd): (i32, OwnedFd)| {
        // SAFETY: what is replaced is an inherited fd that nothing owns, or none.
        match unsafe { libc::dup3(fd.as_fd().as_raw_fd(), number, libc::O_CLOEXEC) } {
            -1 => Err(io::Error::last_os_error()),
            // SAFETY: dup3 made this fd, and nobody else owns it.
            new => Ok(unsafe { OwnedFd::from_raw_fd(new) }),
        }
    };
    (first..).zip(moved).map(settle).collect()
}

/// Has `command` start with the fds from [`FIRST_PASSED`] on, `count` of them, which are open
/// here, and with an environment that tells it so. The command must not change its environment
/// otherwise.
pub fn pass_listeners(command: &mut Command, count: usize, names: &OsStr) {
    let ours = |name: &OsStr| {
        ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID"].iter().any(|n| name == *n)
    };
    let mut variables: Vec<Vec<u8>> = std::env::vars_os()
        .filter(|(name, _)| !ours(name))
        .map(|(name, value)| [name.as_bytes(), b"=", value.as_bytes()].concat())
        .collect();
    variables.push(format!("LISTEN_FDS={count}").into_bytes());
    variables.push([b"LISTEN_FDNAMES=", names.as_bytes()].concat());
    let mut environment = Environment::new(variables);
    // SAFETY: after fork the closure writes to memory of its own and calls getpid and fcntl, which
    // are async-signal-safe; `environ` is read by the execve that follows, while the closure, and
    // with it the memory, is alive.
    unsafe {
        command.pre_exec(move || {
            environment.set_pid(std::process::id())?;
            for fd in (FIRST_PASSED.0..).take(count) {
                if libc::fcntl(fd, libc::F_SETFD, 0) == -1 {
                    return Err(io::Error::last_os_error());
                }
            }
            environ = environment.pointers.as_ptr();
            Ok(())
        });
    }
}

unsafe extern "C" {
    static mut environ: *const *const libc::c_char;
}

/// An environment that is complete but for the number behind `LISTEN_PID=`.
struct Environment {
    /// `LISTEN_PID=`, and room for a number and a NUL.
    pid: Box<[u8; 32]>,
    /// What the pointers point to.
    _variables: Vec<CString>,
    pointers: Vec<*const libc::c_char>,
}

// SAFETY: the pointers are to memory that the struct itself owns and never moves.
unsafe impl Send for Environment {}
// SAFETY: as above; it is only changed through `&mut`.
unsafe impl Sync for Environment {}

impl Environment {
    fn new(variables: Vec<Vec<u8>>) -> Self {
        // What this process was given has no NUL in it.
        let variables: Vec<CString> = variables.into_iter().filter_map(|v| CString::new(v).ok()).collect();
        let pid = Box::new([0; 32]);
        let pointers =
            variables.iter().map(|v| v.as_ptr()).chain([pid.as_ptr().cast(), std::ptr::null()]).collect();
        Self { pid, _variables: variables, pointers }
    }

    /// Allocates nothing: it is called between fork and exec.
    fn set_pid(&mut self, pid: u32) -> io::Result<()> {
        self.pid.fill(0);
        write!(&mut self.pid[..], "LISTEN_PID={pid}")
    }
}

#[cfg(test)]
mod tests {
    use super::{FdNum, take_inherited};
    use std::os::fd::AsRawFd as _;

    fn errno(fd: FdNum) -> Option<i32> {
        take_inherited(fd).unwrap_err().raw_os_error()
    }

    #[test]
    fn only_what_was_inherited_is_taken_over_and_once() {
        let own = std::fs::File::open("/dev/null").unwrap();
        assert_eq!(errno(FdNum(own.as_raw_fd())), Some(libc::EBADF));
        assert_eq!(errno(FdNum(-1)), Some(libc::EBADF));
        // SAFETY: dup makes an fd that nobody owns, and that is as inherited ones are.
        let inherited = FdNum(unsafe { libc::dup(own.as_raw_fd()) });
        let taken = take_inherited(inherited).unwrap();
        assert_eq!(taken.as_raw_fd(), inherited.0);
        assert_eq!(errno(inherited), Some(libc::EBADF));
    }
}
