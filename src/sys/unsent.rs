//! `SIOCOUTQ`: what a socket has not sent, or whose receipt was not acknowledged.

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd};

/// Bytes that a socket has taken and the other end has not: `tcp(7)`, `unix(7)`.
pub fn unsent_bytes(socket: BorrowedFd<'_>) -> io::Result<u64> {
    let mut bytes: libc::c_int = 0;
    // SAFETY: SIOCOUTQ, which is TIOCOUTQ, writes an int to `bytes`.
    match unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) } {
        0 => Ok(bytes.max(0) as u64),
        _ => Err(io::Error::last_os_error()),
    }
}
