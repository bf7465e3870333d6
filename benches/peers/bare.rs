//! What the kernel allows: a loop that reads each link, and fdinfo where the link says too little
//! (pipes, sockets, anonymous inodes), and makes nothing of it.

use crate::Result;
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags, RawDir, SeekFrom};
use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The fds of a process from `first` up to, but not, `end`.
struct Range {
    pid: u32,
    first: u64,
    end: u64,
}

/// Fds of one process that a thread takes at a time.
const STEP: u64 = 1024;

/// Runs it on `threads` threads and prints the number of fds.
pub(crate) fn run(threads: &str, pids: &[&str]) -> Result<()> {
    let mut ranges = Vec::new();
    for pid in pids {
        let pid = pid.parse()?;
        let count = rustix::fs::stat(format!("/proc/{pid}/fd"))?.st_size as u64;
        let parts = count.div_ceil(STEP).max(1);
        ranges.extend((0..parts).map(|part| Range {
            pid,
            first: part * STEP,
            end: if part + 1 == parts { u64::MAX } else { (part + 1) * STEP },
        }));
    }
    let next = AtomicUsize::new(0);
    let seen = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..threads.parse()? {
            scope.spawn(|| {
                while let Some(range) = ranges.get(next.fetch_add(1, Ordering::Relaxed)) {
                    seen.fetch_add(read(range).unwrap_or(0), Ordering::Relaxed);
                }
            });
        }
        Ok::<(), std::num::ParseIntError>(())
    })?;
    println!("{}", seen.into_inner());
    Ok(())
}

fn read(range: &Range) -> rustix::io::Result<usize> {
    let fds = directory(range.pid, "fd")?;
    let infos = directory(range.pid, "fdinfo")?;
    if range.first > 0 {
        // `.` and `..` come first.
        rustix::fs::seek(&fds, SeekFrom::Start(range.first + 2))?;
    }
    let mut entries = [MaybeUninit::uninit(); 8192];
    let mut names = RawDir::new(&fds, &mut entries);
    let mut text = [0; 4096];
    let mut count = 0;
    while let Some(entry) = names.next() {
        let entry = entry?;
        let Some(fd) = number(entry.file_name()) else { continue };
        if fd >= range.end {
            break;
        }
        let mut link = [MaybeUninit::uninit(); 4096];
        let (link, _) = rustix::fs::readlinkat_raw(&fds, entry.file_name(), &mut link)?;
        if link.first() != Some(&b'/') {
            let info = rustix::fs::openat(&infos, entry.file_name(), OFlags::RDONLY, Mode::empty())?;
            rustix::io::read(&info, &mut text)?;
        }
        count += 1;
    }
    Ok(count)
}

fn number(name: &CStr) -> Option<u64> {
    name.to_str().ok()?.parse().ok()
}

fn directory(pid: u32, name: &str) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY;
    rustix::fs::open(format!("/proc/{pid}/{name}"), flags, Mode::empty())
}
