//! `mq_getattr(3)` on a message queue fd.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Maximum messages, message size and messages now.
pub fn state(queue: BorrowedFd<'_>) -> io::Result<(i64, i64, i64)> {
    // SAFETY: all fields of mq_attr are integers, for which zero is a value.
    let mut attr: libc::mq_attr = unsafe { std::mem::zeroed() };
    // SAFETY: the new attributes are NULL, so nothing is set; `attr` is written by the call.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mq_getsetattr,
            queue.as_raw_fd(),
            std::ptr::null::<libc::mq_attr>(),
            &raw mut attr,
        )
    };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok((attr.mq_maxmsg as i64, attr.mq_msgsize as i64, attr.mq_curmsgs as i64))
}
