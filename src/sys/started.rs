//! What we were started with, noticed before Rust's runtime opens /dev/null in place of each standard fd
//! that is closed.

use crate::model::FdNum;
use std::io;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

/// Which of stdin, stdout and stderr were closed.
static CLOSED: [AtomicBool; 3] = [const { AtomicBool::new(false) }; 3];

/// The C library calls what is in this section before `main()`.
#[used]
#[unsafe(link_section = ".init_array")]
static LOOK: extern "C" fn() = look;

extern "C" fn look() {
    for (fd, closed) in (0..).zip(&CLOSED) {
        closed.store(!super::is_open(FdNum(fd)), Relaxed);
    }
}

/// Whether the number was a closed standard fd when we were started. What is open there now is /dev/null.
pub fn was_closed(fd: FdNum) -> bool {
    usize::try_from(fd.0).ok().and_then(|fd| CLOSED.get(fd)).is_some_and(|closed| closed.load(Relaxed))
}

/// `EBADF` where there was no stdout: what is written would be lost without an error.
pub fn check_stdout() -> io::Result<()> {
    match was_closed(FdNum(libc::STDOUT_FILENO)) {
        true => Err(io::Error::from_raw_os_error(libc::EBADF)),
        false => Ok(()),
    }
}
