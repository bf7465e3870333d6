//! How much of its limits a process uses.

use super::io::open_dir;
use super::process::{OpenError, ProcessDir};
use super::root::ProcRoot;
use super::system::System;
use super::target::all_pids;
use crate::model::{Resource, decimal};
use rustix::fd::AsFd;
use rustix::fs::Dir;
use rustix::io::Errno;
use std::collections::HashMap;

/// What a process uses now, as far as the kernel tells.
#[derive(Clone, Debug)]
pub struct Usage {
    fds: Option<u64>,
    status: Vec<u8>,
    cpu: Option<u64>,
    rt_priority: Option<u64>,
    threads_of_user: Option<u64>,
}

/// Threads of each real user, over all processes.
#[derive(Clone, Debug, Default)]
pub struct UserUsage(HashMap<u64, u64>);

impl UserUsage {
    /// Reads the status of every process.
    pub fn read(root: &ProcRoot, system: &System) -> Self {
        let mut threads = HashMap::new();
        for pid in all_pids(root).unwrap_or_default() {
            let Ok(dir) = ProcessDir::open(root, pid, system) else { continue };
            let Ok(status) = dir.read(c"status") else { continue };
            if let (Some(uid), Some(n)) = (number(&status, b"Uid:"), number(&status, b"Threads:")) {
                *threads.entry(uid).or_default() += n;
            }
        }
        Self(threads)
    }
}

impl Usage {
    /// Reads it. Needs no privilege.
    pub fn read(dir: &ProcessDir, users: &UserUsage) -> Result<Self, OpenError> {
        let status = dir.read(c"status")?;
        let stat = dir
            .read(c"stat")
            .ok()
            .and_then(|text| <procfs::process::Stat as procfs::FromRead>::from_read(&text[..]).ok());
        let ticks = procfs::ticks_per_second();
        let uid = number(&status, b"Uid:");
        Ok(Self {
            fds: count_fds(dir)?,
            cpu: stat.as_ref().map(|s| (s.utime + s.stime) / ticks),
            rt_priority: stat.as_ref().and_then(|s| s.rt_priority).map(u64::from),
            threads_of_user: uid.and_then(|uid| users.0.get(&uid).copied()),
            status,
        })
    }

    /// What counts against a limit; `None` where the kernel does not tell.
    pub fn of(&self, resource: Resource) -> Option<u64> {
        let kilobytes = |key: &[u8]| number(&self.status, key).map(|n| n * 1024);
        match resource.name {
            "nofile" => self.fds,
            "nproc" => self.threads_of_user,
            "as" => kilobytes(b"VmSize:"),
            "data" => kilobytes(b"VmData:"),
            "stack" => kilobytes(b"VmStk:"),
            "memlock" => kilobytes(b"VmLck:"),
            "rss" => kilobytes(b"VmRSS:"),
            "sigpending" => {
                let queue = value(&self.status, b"SigQ:")?;
                let slash = queue.iter().position(|&b| b == b'/')?;
                decimal(&queue[..slash])
            }
            "cpu" => self.cpu,
            "rtprio" => self.rt_priority,
            _ => None,
        }
    }
}

/// The number of open fds: the size of the directory since Linux 6.2, which is known without
/// looking at them and needs no privilege, else a count where that is allowed.
pub fn count_fds(dir: &ProcessDir) -> Result<Option<u64>, OpenError> {
    let mut size = fds_of(dir.dir())?;
    if size == 0 && dir.state() == Some(b'Z') {
        // Its main thread has ended; if others go on, they have the fds.
        let others = dir.threads().into_iter().filter(|&tid| tid != dir.pid());
        let counts = others.filter_map(|tid| fds_of(dir.task(tid).ok()?).ok());
        size = counts.max().unwrap_or(0);
    }
    if dir.is_in_proc() && (size > 0 || kernel_counts()) {
        return Ok(Some(size));
    }
    let Ok(fds) = open_dir(dir.dir(), c"fd") else { return Ok(None) };
    let entries = Dir::new(fds)?.filter_map(Result::ok);
    let count = entries.filter(|e| e.file_name().to_bytes()[0].is_ascii_digit()).count();
    Ok(Some(count as u64))
}

/// The size of the `fd` directory below `parent`: since Linux 6.2 the number of fds.
pub(super) fn fds_of(parent: impl AsFd) -> Result<u64, Errno> {
    Ok(rustix::fs::statat(parent, c"fd", rustix::fs::AtFlags::empty())?.st_size as u64)
}

/// Whether this kernel gives the count as the directory's size: our own is never 0.
fn kernel_counts() -> bool {
    rustix::fs::stat("/proc/self/fd").is_ok_and(|s| s.st_size > 0)
}

/// The text of a line of `proc_pid_status(5)`, or of a file of that form.
pub(super) fn value<'t>(status: &'t [u8], key: &[u8]) -> Option<&'t [u8]> {
    status.split(|&b| b == b'\n').find_map(|line| line.strip_prefix(key)).map(<[u8]>::trim_ascii)
}

/// The first number in it.
pub(super) fn number(status: &[u8], key: &[u8]) -> Option<u64> {
    let value = value(status, key)?;
    let digits = value.iter().take_while(|b| b.is_ascii_digit()).count();
    decimal(&value[..digits])
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn first_number_of_a_line() {
        let status = b"Name:\tx\nUid:\t1000\t0\t0\t0\nVmLck:\t      64 kB\n";
        assert_eq!(number(status, b"Uid:"), Some(1000));
        assert_eq!(number(status, b"VmLck:"), Some(64));
        assert_eq!(number(status, b"VmSize:"), None);
    }
}
