//! One process's directory in /proc, opened once so that a pid used again cannot mix two up.

use super::io::{NumberName, open_dir, read_at, read_record_at, readlink_at};
use super::maps;
use super::mounts::Mounts;
use super::root::ProcRoot;
use super::system::System;
use crate::model::{Pid, Process, decimal};
use crate::sock::Tables;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::cell::OnceCell;
use std::ffi::CStr;
use std::sync::Arc;

/// Why a process cannot be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// There is none, or it ended.
    Gone,
    /// The caller may not.
    Denied,
    /// Anything else.
    Failed(Errno),
}

impl OpenError {
    /// The number that it came from, or one that means the same.
    pub fn errno(self) -> i32 {
        match self {
            Self::Gone => Errno::SRCH.raw_os_error(),
            Self::Denied => Errno::ACCESS.raw_os_error(),
            Self::Failed(errno) => errno.raw_os_error(),
        }
    }
}

impl From<Errno> for OpenError {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::NOENT | Errno::SRCH => Self::Gone,
            Errno::ACCESS | Errno::PERM => Self::Denied,
            other => Self::Failed(other),
        }
    }
}

/// The command name of a process, `proc_pid_comm(5)`.
pub fn command_of(root: &ProcRoot, pid: Pid) -> Option<Vec<u8>> {
    let mut command = std::fs::read(root.join(format!("{pid}/comm"))).ok()?;
    trim_command(&mut command);
    Some(command)
}

/// The kernel's newline is not part of the name; one before it is.
fn trim_command(command: &mut Vec<u8>) {
    if command.last() == Some(&b'\n') {
        command.pop();
    }
}

/// Where a process is, as one of its namespaces goes.
#[derive(Debug)]
pub struct Home<'d> {
    /// What tells the namespace from others: its link, or the pid where that may not be read.
    pub namespace: Vec<u8>,
    /// The directory of a task that is in it.
    pub(super) task: BorrowedFd<'d>,
    /// The path of that directory below /proc.
    pub path: String,
}

/// A process that is there, and the tables of its namespaces once they were asked for.
#[derive(Debug)]
pub struct ProcessDir {
    dir: OwnedFd,
    sockets: OnceCell<Tables>,
    mounts: OnceCell<Arc<Mounts>>,
    network: OnceCell<Option<u64>>,
    survivor: OnceCell<Option<(Pid, OwnedFd)>>,
    /// Whether it is below our own /proc.
    native: bool,
    /// What its rows say of it.
    pub process: Arc<Process>,
}

impl ProcessDir {
    /// Opens the directory and reads who it is. Needs no privilege.
    pub fn open(root: &ProcRoot, pid: Pid, system: &System) -> Result<Self, OpenError> {
        let path = root.join(pid.to_string());
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = rustix::fs::open(path, flags, Mode::empty())?;
        let mut command = Vec::new();
        read_record_at(&dir, c"comm", &mut command)?;
        trim_command(&mut command);
        // It is kept as long as its rows are, and there was room for a page.
        command.shrink_to_fit();
        // /proc/PID itself belongs to the effective user even where the process is not dumpable:
        // task_dump_owner() in fs/proc/base.c makes an exception for it.
        let uid = rustix::fs::fstat(&dir)?.st_uid;
        let user = system.user_name(uid);
        Ok(Self {
            dir,
            sockets: OnceCell::new(),
            mounts: OnceCell::new(),
            network: OnceCell::new(),
            survivor: OnceCell::new(),
            native: root.is_native(),
            process: Arc::new(Process { pid, command, uid, user }),
        })
    }

    /// Its pid.
    pub fn pid(&self) -> Pid {
        self.process.pid
    }

    /// The directory, for calls that take one.
    pub fn dir(&self) -> BorrowedFd<'_> {
        self.dir.as_fd()
    }

    /// The sockets of its network namespace.
    pub(super) fn sockets(&self, system: &System) -> &Tables {
        self.sockets.get_or_init(|| system.sockets(self))
    }

    /// The mounts of its mount namespace.
    pub(super) fn mounts(&self, system: &System) -> &Mounts {
        self.mounts.get_or_init(|| system.mounts(self))
    }

    /// The inode of its network namespace.
    pub(super) fn network(&self) -> Option<u64> {
        *self.network.get_or_init(|| {
            let link = self.home(c"ns/net").namespace;
            std::str::from_utf8(&link).ok()?.strip_prefix("net:[")?.strip_suffix(']')?.parse().ok()
        })
    }

    /// The namespace to which a link leads, and the task by which it is reached. A main thread that has
    /// ended is in none: then it is one of those that go on.
    pub fn home(&self, link: &CStr) -> Home<'_> {
        let mut namespace = Vec::new();
        let read = readlink_at(&self.dir, link, &mut namespace);
        if read == Err(Errno::NOENT)
            && let Some((tid, task)) = self.survivor()
            && readlink_at(task, link, &mut namespace).is_ok()
        {
            return Home { namespace, task: task.as_fd(), path: format!("{}/task/{tid}", self.pid()) };
        }
        let path = self.pid().to_string();
        if read.is_err() {
            namespace = path.clone().into_bytes();
        }
        Home { namespace, task: self.dir(), path }
    }

    /// A thread that goes on without the main thread, if any does.
    fn survivor(&self) -> Option<&(Pid, OwnedFd)> {
        let goes_on = |tid: Pid| {
            let task = self.task(tid).ok()?;
            readlink_at(&task, c"ns/net", &mut Vec::new()).ok().map(|()| (tid, task))
        };
        let found = || self.threads().into_iter().filter(|&tid| tid != self.pid()).find_map(goes_on);
        self.survivor.get_or_init(found).as_ref()
    }

    /// The directory of a thread.
    pub(super) fn task(&self, tid: Pid) -> Result<OwnedFd, Errno> {
        let tasks = open_dir(&self.dir, c"task")?;
        open_dir(&tasks, NumberName::new(tid.0).as_c_str())
    }

    /// Its threads, the leader included.
    pub fn threads(&self) -> Vec<Pid> {
        let Ok(tasks) = open_dir(&self.dir, c"task") else { return Vec::new() };
        let Ok(entries) = rustix::fs::Dir::new(tasks) else { return Vec::new() };
        let number = |e: Result<rustix::fs::DirEntry, Errno>| e.ok()?.file_name().to_str().ok()?.parse().ok();
        let mut tids: Vec<Pid> = entries.filter_map(number).map(Pid).collect();
        tids.sort_unstable();
        tids
    }

    /// The path of the program or library in whose memory an address is; nothing where that is
    /// other memory, or may not be known.
    pub fn image_at(&self, address: u64) -> Option<Vec<u8>> {
        let mut text = Vec::new();
        read_at(&self.dir, c"maps", &mut text).ok()?;
        maps::image(&text, address).map(<[u8]>::to_vec)
    }

    /// One of its files that is a single record: stat, status, smaps_rollup.
    pub fn read(&self, name: &CStr) -> Result<Vec<u8>, OpenError> {
        let mut text = Vec::new();
        read_record_at(&self.dir, name, &mut text)?;
        Ok(text)
    }

    /// Whether the directory is really one of procfs, and not a tree that somebody made.
    pub(super) fn is_in_proc(&self) -> bool {
        const PROC_SUPER_MAGIC: rustix::fs::FsWord = 0x9fa0;
        self.native || rustix::fs::fstatfs(&self.dir).is_ok_and(|fs| fs.f_type == PROC_SUPER_MAGIC)
    }

    /// Whether it is a thread of the kernel: `PF_KTHREAD` among the flags of `proc_pid_stat(5)`.
    pub fn is_kernel_thread(&self) -> bool {
        const PF_KTHREAD: u64 = 0x0020_0000;
        let flags = self.read(c"stat").ok().and_then(|stat| {
            let end = stat.iter().rposition(|&b| b == b')')?;
            let mut words = stat[end..].split(|&b| b == b' ');
            decimal(words.nth(7)?)
        });
        flags.is_some_and(|f| f & PF_KTHREAD != 0)
    }

    /// Whether it is a zombie of which nothing goes on any more: it holds nothing. Where only its main
    /// thread has ended, its state is the same, and others hold all that it held.
    pub fn has_ended(&self) -> bool {
        self.state() == Some(b'Z') && self.threads().len() <= 1
    }

    /// The letter of its state, `R`, `S`, `Z`, ...: `proc_pid_stat(5)`.
    pub fn state(&self) -> Option<u8> {
        let stat = self.read(c"stat").ok()?;
        // The command may hold `)` itself: the state follows the last one.
        let end = stat.iter().rposition(|&b| b == b')')?;
        stat.get(end + 2).copied()
    }
}
