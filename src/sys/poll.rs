//! `ppoll(2)` on fds that nobody lends us, and whether there is an fd at all.

use crate::model::FdNum;
use std::io;
use std::time::Duration;

/// Waits until one of the fds is ready, which it says in `revents`. Gives the number of those
/// that are. EINVAL if there are more of them than `RLIMIT_NOFILE`.
pub fn poll(fds: &mut [libc::pollfd], timeout: Option<Duration>) -> io::Result<usize> {
    let timeout = timeout.map(|time| libc::timespec {
        tv_sec: time.as_secs().try_into().unwrap_or(libc::time_t::MAX),
        tv_nsec: time.subsec_nanos() as _,
    });
    let timeout = timeout.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    let count = fds.len() as libc::nfds_t;
    // SAFETY: `fds` has `count` elements; `timeout` is null or lives over the call. The kernel
    // does nothing to the fds, and answers for a number that is closed.
    let ready = unsafe { libc::ppoll(fds.as_mut_ptr(), count, timeout, std::ptr::null()) };
    usize::try_from(ready).map_err(|_| io::Error::last_os_error())
}

/// Whether the number is an open fd of ours.
pub fn is_open(fd: FdNum) -> bool {
    // SAFETY: F_GETFD takes no pointer and changes nothing.
    unsafe { libc::fcntl(fd.0, libc::F_GETFD) >= 0 }
}
