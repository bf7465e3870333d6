//! Small files and names, read into buffers that are used again.

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, Mode, OFlags, SeekFrom, Statx, StatxFlags};
use rustix::io::Errno;
use std::ffi::CStr;
use std::path::Path;

/// A decimal number as a C string, without allocation.
pub(super) struct NumberName([u8; 12]);

impl NumberName {
    pub(super) fn new(n: i32) -> Self {
        let mut name = [0; 12];
        let mut buffer = itoa::Buffer::new();
        let digits = buffer.format(n).as_bytes();
        name[..digits.len()].copy_from_slice(digits);
        Self(name)
    }

    pub(super) fn as_c_str(&self) -> &CStr {
        // The twelfth byte is never a digit of an i32.
        CStr::from_bytes_until_nul(&self.0).unwrap_or_default()
    }
}

/// `fdinfo/N` as a C string, without allocation.
pub(super) struct InfoName([u8; Self::PREFIX.len() + 12]);

impl InfoName {
    const PREFIX: &[u8] = b"fdinfo/";

    pub(super) fn new(n: i32) -> Self {
        let mut name = [0; Self::PREFIX.len() + 12];
        let (prefix, digits) = name.split_at_mut(Self::PREFIX.len());
        prefix.copy_from_slice(Self::PREFIX);
        digits.copy_from_slice(&NumberName::new(n).0);
        Self(name)
    }

    pub(super) fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.0).unwrap_or_default()
    }
}

/// The number that a name in /proc is, if it is one.
pub(super) fn number_of(name: &CStr) -> Option<i32> {
    name.to_str().ok()?.parse().ok()
}

/// The numbers that are names in a directory of /proc.
pub(super) fn numbers_in(dir: impl AsRef<Path>) -> std::io::Result<impl Iterator<Item = i32>> {
    let entries = std::fs::read_dir(dir)?.flatten();
    Ok(entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()))
}

/// Has a directory of fds go on with the fd of this number, or the next that there is: entry N is
/// fd N - 2, behind `.` and `..` (proc_readfd_common() in fs/proc/fd.c).
pub(super) fn go_to(fds: &OwnedFd, first: i32) -> Result<(), Errno> {
    rustix::fs::seek(fds, SeekFrom::Start(first as u64 + 2)).map(drop)
}

/// Reads a whole file below `dir` into `buffer`, replacing what is there.
pub(super) fn read_at(dir: impl AsFd, name: &CStr, buffer: &mut Vec<u8>) -> Result<(), Errno> {
    read_until(dir, name, buffer, |read, _| read == 0)
}

/// The same for a file that the kernel writes as one record (`single_open` in `fs/seq_file.c`:
/// fdinfo, comm, stat, status): less than was asked for is its end, and no second read is needed
/// to see it.
pub(super) fn read_record_at(dir: impl AsFd, name: &CStr, buffer: &mut Vec<u8>) -> Result<(), Errno> {
    read_until(dir, name, buffer, |read, room| read < room)
}

fn read_until(
    dir: impl AsFd,
    name: &CStr,
    buffer: &mut Vec<u8>,
    is_end: impl Fn(usize, usize) -> bool,
) -> Result<(), Errno> {
    let file = rustix::fs::openat(dir, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    buffer.clear();
    loop {
        if buffer.capacity() - buffer.len() < 1024 {
            buffer.reserve(buffer.capacity().max(4096));
        }
        let room = buffer.capacity() - buffer.len();
        match rustix::io::read(&file, rustix::buffer::spare_capacity(buffer)) {
            Ok(read) if is_end(read, room) => return Ok(()),
            Ok(_) | Err(Errno::INTR) => {}
            Err(e) => return Err(e),
        }
    }
}

/// Reads a link into `buffer`, replacing what is there.
pub(super) fn readlink_at(dir: impl AsFd, name: &CStr, buffer: &mut Vec<u8>) -> Result<(), Errno> {
    buffer.clear();
    // /proc gives at most a page, and ENAMETOOLONG past that.
    buffer.reserve(4096);
    rustix::fs::readlinkat_raw(dir, name, rustix::buffer::spare_capacity(buffer))?;
    Ok(())
}

/// Opens a directory below `dir`.
pub(super) fn open_dir(dir: impl AsFd, name: &CStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat(dir, name, flags, Mode::empty())
}

/// `statx(2)` of what a link leads to, without asking a server or a FUSE daemon anything.
pub(super) fn stat_at(dir: impl AsFd, name: &CStr) -> Result<Statx, Errno> {
    rustix::fs::statx(dir, name, QUIET, WANTED)
}

/// The same of what a path names itself, be it a link.
pub(super) fn lstat_at(dir: impl AsFd, name: &CStr) -> Result<Statx, Errno> {
    rustix::fs::statx(dir, name, QUIET | AtFlags::SYMLINK_NOFOLLOW, WANTED)
}

/// The same of what is open.
pub(super) fn stat_open(file: impl AsFd) -> Result<Statx, Errno> {
    rustix::fs::statx(file, c"", QUIET | AtFlags::EMPTY_PATH, WANTED)
}

/// No server is asked, and nothing is mounted.
const QUIET: AtFlags = AtFlags::STATX_DONT_SYNC.union(AtFlags::NO_AUTOMOUNT);

/// What of `statx` is used.
const WANTED: StatxFlags = StatxFlags::TYPE
    .union(StatxFlags::MODE)
    .union(StatxFlags::INO)
    .union(StatxFlags::SIZE)
    .union(StatxFlags::NLINK)
    .union(StatxFlags::MNT_ID);

/// The permission bits of a link itself: in /proc/PID/fd they tell the access mode.
pub(super) fn link_mode_at(dir: impl AsFd, name: &CStr) -> Result<u32, Errno> {
    let flags = AtFlags::STATX_DONT_SYNC | AtFlags::SYMLINK_NOFOLLOW;
    Ok(rustix::fs::statx(dir, name, flags, StatxFlags::MODE)?.stx_mode.into())
}
