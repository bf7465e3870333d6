//! `process_vm_readv(2)`: memory of another process, read without stopping it.

use crate::model::Pid;
use std::io;

/// Reads what is at `address` in the memory of the task `pid`. Gives the number of bytes that could
/// be read: fewer where a page behind the first is not there. `EFAULT` where there is nothing,
/// `EPERM` without the right to trace it, `ESRCH` if it has ended.
pub fn read_memory(pid: Pid, address: u64, buffer: &mut [u8]) -> io::Result<usize> {
    let address = usize::try_from(address).map_err(|_| io::Error::from_raw_os_error(libc::EFAULT))?;
    let local = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    let remote = libc::iovec { iov_base: address as *mut libc::c_void, iov_len: buffer.len() };
    // SAFETY: `local` is one range that is ours to write to, over the call; `remote` is of the other
    // process's memory, and only read there.
    let read = unsafe { libc::process_vm_readv(pid.0, &raw const local, 1, &raw const remote, 1, 0) };
    usize::try_from(read).map_err(|_| io::Error::last_os_error())
}
