//! `SIGCHLD`, which a process may inherit as ignored.

use std::io;

/// Has `SIGCHLD` come, and children stay until they are waited for, whatever whoever started us
/// had chosen: where it is ignored, the kernel reaps them (`sigaction(2)`).
pub fn heed_children() -> io::Result<()> {
    // SAFETY: SIG_DFL runs no code of ours.
    match unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) } {
        libc::SIG_ERR => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}
