//! `pselect6(2)` as the kernel has it: the C library's `fd_set` ends at fd 1023, the kernel's
//! does not.

use rustix::event::{FdSetElement, Timespec};
use std::io;
use std::time::Duration;

/// A word of a set of fds: fd 0 is the lowest bit of the first.
pub type FdSetWord = libc::c_ulong;

/// Waits until something of three sets is ready, and leaves in them what is. Gives the number of
/// bits that the kernel left. It looks at no fd from `bound` on; nor at what lies beyond the end
/// of the fd table, where bits stay as they were. EBADF if one of the others is closed.
///
/// The sets must be long enough for `bound`.
pub fn select(bound: usize, sets: [&mut [FdSetWord]; 3], timeout: Option<Duration>) -> io::Result<usize> {
    let timeout = timeout.map(|time| Timespec {
        tv_sec: time.as_secs().try_into().unwrap_or(i64::MAX),
        tv_nsec: time.subsec_nanos().into(),
    });
    let [r, w, x] = sets.map(elements);
    let bound = i32::try_from(bound).map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: the sets' lengths are checked by the callee. That the fds are open is asked for
    // because others' fds are none of ours; nothing is done to them here, and the kernel answers
    // for a number that is closed.
    let ready = unsafe { rustix::event::select(bound, Some(r), Some(w), Some(x), timeout.as_ref()) }?;
    Ok(ready as usize)
}

fn elements(words: &mut [FdSetWord]) -> &mut [FdSetElement] {
    // SAFETY: an element is a transparent c_ulong.
    unsafe { std::slice::from_raw_parts_mut(words.as_mut_ptr().cast(), words.len()) }
}
