//! `prlimit(2)`.

use crate::model::{Pid, Resource};
use std::io;

/// Soft and hard limit of a process, as the kernel has them. With `new`, sets them and returns
/// the old ones.
pub fn prlimit(pid: Pid, resource: Resource, new: Option<(u64, u64)>) -> io::Result<(u64, u64)> {
    let new = new.map(|(rlim_cur, rlim_max)| libc::rlimit64 { rlim_cur, rlim_max });
    let new = new.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    let mut old = libc::rlimit64 { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `new` is null or a struct that outlives the call, `old` is a struct to write to.
    let result = unsafe { libc::syscall(libc::SYS_prlimit64, pid.0, resource.number, new, &raw mut old) };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok((old.rlim_cur, old.rlim_max))
}
