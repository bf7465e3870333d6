//! What the kernel allows: loops that read what a listing needs, and make nothing of it.

use crate::Result;
use crate::sockets::Dump;
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, Mode, OFlags, RawDir, SeekFrom};
use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a thread takes at a time.
enum Task {
    /// All sockets of a sort.
    Dump(Dump),
    /// The link of each fd.
    Links(Range),
    /// The link of each fd, and fdinfo where the link says too little (pipes, sockets, anonymous
    /// inodes).
    Infos(Range),
    /// The link and fdinfo of each fd.
    AllInfos(Range),
}

/// The fds of a process from `first` up to, but not, `end`.
struct Range {
    pid: u32,
    first: u64,
    end: u64,
}

/// Fds of one process that a thread takes at a time.
const STEP: u64 = 1024;

/// Reads the fds of some processes on `threads` threads and prints their number. What a table shows
/// takes fdinfo of some fds; flags and positions, as JSON and TSV have them, take that of `all`.
pub(crate) fn list(threads: &str, all: bool, pids: &[&str]) -> Result<()> {
    let mut tasks = Vec::new();
    for pid in pids {
        tasks.extend(ranges(pid.parse()?)?.map(if all { Task::AllInfos } else { Task::Infos }));
    }
    println!("{}", run(threads.parse()?, &tasks)?.fds);
    Ok(())
}

/// Reads `parts` on `threads` threads: sorts of sockets as [`Dump::parse`] names them, and `links`
/// for the fds of all processes. Prints how many sockets and fds there are.
pub(crate) fn sockets(threads: &str, parts: &[&str]) -> Result<()> {
    let mut tasks = Vec::new();
    for &part in parts {
        match part {
            "links" => {
                for entry in std::fs::read_dir("/proc")? {
                    let name = entry?.file_name();
                    let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
                    // It may have ended meanwhile.
                    tasks.extend(ranges(pid).into_iter().flatten().map(Task::Links));
                }
            }
            sort => tasks.push(Task::Dump(Dump::parse(sort)?)),
        }
    }
    let seen = run(threads.parse()?, &tasks)?;
    println!("{} {}", seen.sockets, seen.fds);
    Ok(())
}

fn ranges(pid: u32) -> Result<impl Iterator<Item = Range>> {
    let count = rustix::fs::stat(format!("/proc/{pid}/fd"))?.st_size as u64;
    let parts = count.div_ceil(STEP).max(1);
    let end = move |part| if part + 1 == parts { u64::MAX } else { (part + 1) * STEP };
    Ok((0..parts).map(move |part| Range { pid, first: part * STEP, end: end(part) }))
}

/// How much was read.
struct Seen {
    sockets: usize,
    fds: usize,
}

fn run(threads: usize, tasks: &[Task]) -> Result<Seen> {
    let next = AtomicUsize::new(0);
    let (sockets, fds) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let work = || {
        while let Some(task) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
            match task {
                Task::Dump(dump) => sockets.fetch_add(dump.count()?, Ordering::Relaxed),
                Task::Links(range) => fds.fetch_add(read(range, |_| false), Ordering::Relaxed),
                Task::Infos(range) => fds.fetch_add(read(range, is_no_path), Ordering::Relaxed),
                Task::AllInfos(range) => fds.fetch_add(read(range, |_| true), Ordering::Relaxed),
            };
        }
        Ok::<(), std::io::Error>(())
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().map_err(|_| "a thread panicked")?.map_err(Box::from))
    })
    .map(|()| Seen { sockets: sockets.into_inner(), fds: fds.into_inner() })
}

fn is_no_path(link: &[u8]) -> bool {
    link.first() != Some(&b'/')
}

/// How many fds were read; none of a process that has ended.
fn read(range: &Range, wants_info: fn(&[u8]) -> bool) -> usize {
    try_read(range, wants_info).unwrap_or(0)
}

fn try_read(range: &Range, wants_info: fn(&[u8]) -> bool) -> rustix::io::Result<usize> {
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
        if wants_info(link) {
            let info = rustix::fs::openat(&infos, entry.file_name(), OFlags::RDONLY, Mode::empty())?;
            rustix::io::read(&info, &mut text)?;
        }
        count += 1;
    }
    Ok(count)
}

/// Reads of each process what a table of open files against their limit takes, on this thread, and
/// prints the number of processes.
pub(crate) fn limits() -> Result<()> {
    let mut count = 0;
    for entry in std::fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
        count += usize::from(limit(pid).is_ok());
    }
    println!("{count}");
    Ok(())
}

#[allow(unsafe_code)]
fn limit(pid: u32) -> Result<()> {
    let process = rustix::fs::open(format!("/proc/{pid}"), OFlags::PATH, Mode::empty())?;
    let name = rustix::fs::openat(&process, c"comm", OFlags::RDONLY, Mode::empty())?;
    rustix::io::read(&name, &mut [0; 64])?;
    // Whose it is, and how many fds there are.
    rustix::fs::fstat(&process)?;
    rustix::fs::statat(&process, c"fd", AtFlags::empty())?;
    let mut limit = libc::rlimit64 { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: nothing is set, and the pointer is to a live variable of the right type.
    let asked = unsafe { libc::prlimit64(pid as i32, libc::RLIMIT_NOFILE, std::ptr::null(), &raw mut limit) };
    if asked == 0 { Ok(()) } else { Err(std::io::Error::last_os_error().into()) }
}

fn number(name: &CStr) -> Option<u64> {
    name.to_str().ok()?.parse().ok()
}

fn directory(pid: u32, name: &str) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY;
    rustix::fs::open(format!("/proc/{pid}/{name}"), flags, Mode::empty())
}
