//! `open_by_handle_at(2)`.

use std::io;
use std::os::fd::{FromRawFd, OwnedFd};

/// `MAX_HANDLE_SZ`.
const MAX_HANDLE: usize = 128;

#[repr(C)]
struct FileHandle {
    handle_bytes: u32,
    handle_type: i32,
    f_handle: [u8; MAX_HANDLE],
}

/// Opens the file of a handle on the filesystem of the working directory, as `O_PATH`: nobody is
/// told of it, and nothing of the file is touched. Needs `CAP_DAC_READ_SEARCH`.
///
/// The working directory, because the call takes no `O_PATH` fd for the mount, and any other open
/// would be an event to whoever watches the directory.
pub fn open_by_handle(handle_type: i32, handle: &[u8]) -> io::Result<OwnedFd> {
    let mut file_handle =
        FileHandle { handle_bytes: handle.len() as u32, handle_type, f_handle: [0; MAX_HANDLE] };
    let Some(room) = file_handle.f_handle.get_mut(..handle.len()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    room.copy_from_slice(handle);
    // SAFETY: `file_handle` is laid out as struct file_handle with room for MAX_HANDLE_SZ bytes,
    // of which the kernel reads `handle_bytes`.
    let fd = unsafe {
        libc::syscall(
            libc::SYS_open_by_handle_at,
            libc::AT_FDCWD,
            &raw const file_handle,
            libc::O_PATH | libc::O_CLOEXEC,
        )
    };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call returned a new fd that nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}
