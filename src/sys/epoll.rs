//! `epoll_pwait2(2)`, with its timeout in nanoseconds, and `epoll_wait(2)`, with one in
//! milliseconds.

use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::time::Duration;

/// Waits until something registered is ready, and puts it into `events` in place of what was
/// there: no more than it has room for without growing, which must not be none. ENOSYS before
/// Linux 5.11.
pub fn epoll_pwait2(
    epoll: &OwnedFd,
    events: &mut Vec<libc::epoll_event>,
    timeout: Option<Duration>,
) -> io::Result<()> {
    // `struct __kernel_timespec`, which is the same on every architecture. A time too long for
    // the kernel is as long as it takes.
    let timeout = timeout
        .map(|time| [i64::try_from(time.as_secs()).unwrap_or(i64::MAX), i64::from(time.subsec_nanos())]);
    let timeout = timeout.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    let no_mask = std::ptr::null::<libc::sigset_t>();
    fill(events, |events, most| {
        // SAFETY: there is room for `most` events; `timeout` is null or lives over the call; there
        // is no mask, so that its size means nothing.
        unsafe {
            libc::syscall(libc::SYS_epoll_pwait2, epoll.as_raw_fd(), events, most, timeout, no_mask, 0usize)
        }
    })
}

/// The same on all kernels, with a timeout that is rounded up to milliseconds, and 24 days at
/// most.
pub fn epoll_wait(
    epoll: &OwnedFd,
    events: &mut Vec<libc::epoll_event>,
    timeout: Option<Duration>,
) -> io::Result<()> {
    let timeout =
        timeout.map_or(-1, |time| time.as_nanos().div_ceil(1_000_000).try_into().unwrap_or(libc::c_int::MAX));
    fill(events, |events, most| {
        // SAFETY: there is room for `most` events.
        unsafe { libc::epoll_wait(epoll.as_raw_fd(), events, most, timeout) }.into()
    })
}

/// `wait` gets an address and the number of events that fit there, and gives how many it has
/// written, or less than 0 with `errno`.
fn fill(
    events: &mut Vec<libc::epoll_event>,
    wait: impl FnOnce(*mut libc::epoll_event, libc::c_int) -> libc::c_long,
) -> io::Result<()> {
    events.clear();
    let most = events.capacity().min(libc::c_int::MAX as usize) as libc::c_int;
    let ready = usize::try_from(wait(events.as_mut_ptr(), most)).map_err(|_| io::Error::last_os_error())?;
    // SAFETY: the kernel has written so many, and no more than there is room for.
    unsafe { events.set_len(ready) };
    Ok(())
}
