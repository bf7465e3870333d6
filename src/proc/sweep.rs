//! A look at every fd of every process, for what is asked of all of them at once: who holds a
//! socket, who is at the other end of a pipe. It reads links and nothing else, unless whoever asks
//! reads more of the few that it is after.

use super::io::{InfoName, NumberName, link_mode_at, open_dir, read_record_at, readlink_at, stat_at};
use super::iterator::{Known, SharedTable, Wanted};
use super::mounts::{Mount, Mounts};
use super::pool::run_ordered;
use super::process::ProcessDir;
use super::scan::file_stat;
use super::system::System;
use super::target::all_pids;
use crate::kind::{FdInfo, FileStat};
use crate::model::{Access, FdNum, Holder, OpenFlags, Pid, Process, Tally};
use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags, RawDir, SeekFrom};
use rustix::io::Errno;
use std::cell::OnceCell;
use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::sync::Arc;

/// A process with more fds than this is swept in parts.
const PART: u64 = 1300;

/// An fd that is met on the way.
pub(super) struct Met<'m> {
    /// The text of its link.
    pub(super) link: &'m [u8],
    /// Its number.
    pub(super) fd: FdNum,
    /// The process.
    pub(super) pid: Pid,
    /// What is known of it, from a moment ago.
    known: Option<Known<'m>>,
    /// The directory `fd` that it is in.
    fds: BorrowedFd<'m>,
    /// The directory of the process, or of the thread that has its fds.
    task: BorrowedFd<'m>,
    /// What the process has mounted, once it was asked for.
    mounts: &'m OnceCell<Arc<Mounts>>,
    system: &'m System,
}

impl Met<'_> {
    /// How it was opened.
    pub(super) fn access(&self) -> Option<Access> {
        if let Some(known) = self.known {
            return Some(known.access());
        }
        match link_mode_at(self.fds, NumberName::new(self.fd.0).as_c_str()).ok()? {
            mode if mode & 0o077 == 0 => Some(Access::from_link_mode(mode)),
            // A link that the kernel did not make.
            _ => self.info(|info| info.flags).map(OpenFlags::access),
        }
    }

    /// Reads its fdinfo, and gives what `read` finds there.
    pub(super) fn info<T>(&self, read: impl FnOnce(&FdInfo<'_>) -> Option<T>) -> Option<T> {
        if let Some(info) = self.known.and_then(|known| known.info()) {
            return read(&info);
        }
        let mut text = Vec::new();
        read_record_at(self.task, InfoName::new(self.fd.0).as_c_str(), &mut text).ok()?;
        self.is_still_there().then(|| read(&FdInfo::parse(&text)))?
    }

    /// What `statx` says of a path. Where a server may not answer, it gets little time.
    pub(super) fn stat(&self) -> Option<FileStat> {
        if let Some(stat) = self.known.and_then(|known| known.stat()) {
            return Some(stat);
        }
        let mounts = self.mounts();
        let mount = if mounts.any_remote() {
            // A mount that is not listed was detached, perhaps because its server is gone.
            let mount = self.info(|info| info.mount)?;
            Some(mount).filter(|&mount| mounts.by_id(mount).is_none_or(Mount::is_remote))
        } else {
            None
        };
        let stat = match mount {
            Some(mount) => self.system.guard.stat(self.fds, self.fd.0, mount),
            None => stat_at(self.fds, NumberName::new(self.fd.0).as_c_str()),
        };
        let stat = stat.ok().map(|stat| file_stat(&stat))?;
        self.is_still_there().then_some(stat)
    }

    /// Whether what was just read is of the fd that is known, and not of another that has its number by
    /// now.
    fn is_still_there(&self) -> bool {
        let is_same = |known: Known<'_>| {
            let mut link = Vec::new();
            readlink_at(self.fds, NumberName::new(self.fd.0).as_c_str(), &mut link)
                .is_ok_and(|()| link == known.link)
        };
        self.known.is_none_or(is_same)
    }

    /// What the process has mounted.
    pub(super) fn mounts(&self) -> &Mounts {
        self.mounts.get_or_init(|| self.system.mounts(self.task, self.pid))
    }
}

/// Fds by what was asked of them, and what could not be looked at.
#[derive(Debug)]
pub struct Swept<K> {
    keys: Vec<K>,
    holders: Vec<Holder>,
    /// What may not be read, and what went away meanwhile.
    pub tally: Tally,
    /// How many of what may not be read are processes; the others are fds of processes that can be
    /// listed.
    pub denied_processes: u64,
    /// Whether there may be processes that are not even listed.
    pub hides_processes: bool,
}

impl<K: Ord> Swept<K> {
    /// The fds of one key, by process and number.
    pub fn of(&self, key: &K) -> &[Holder] {
        let start = self.keys.partition_point(|k| k < key);
        let count = self.keys[start..].partition_point(|k| k == key);
        &self.holders[start..start + count]
    }

    /// Adds the fds of another look, which was for other keys. What could not be looked at is known
    /// already.
    pub fn merge(&mut self, other: Self) {
        if other.keys.is_empty() {
            return;
        }
        let (keys, holders) = (std::mem::take(&mut self.keys), std::mem::take(&mut self.holders));
        let mut all: Vec<(K, Holder)> = keys.into_iter().zip(holders).collect();
        all.extend(other.keys.into_iter().zip(other.holders));
        all.sort_by(|a, b| a.0.cmp(&b.0));
        (self.keys, self.holders) = all.into_iter().unzip();
    }

    /// All keys, each with its fds.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &[Holder])> {
        let mut start = 0;
        self.keys.chunk_by(|a, b| a == b).map(move |keys| {
            let holders = &self.holders[start..start + keys.len()];
            start += keys.len();
            (&keys[0], holders)
        })
    }
}

/// A piece of the work: fds of a process, by number.
struct Part {
    pid: Pid,
    first: i32,
    last: i32,
    /// What all parts of a process may have in common.
    shared: Option<SharedTable>,
}

/// Whether we count ourselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Own {
    /// We do: what we opened may be what is asked for.
    Included,
    /// We are here only because we look.
    LeftOut,
}

/// Looks at all fds of all processes, or at those that are `wanted`. `key` says of each whether it matters.
pub(super) fn sweep<K: Ord + Send>(
    system: &System,
    own: Own,
    wanted: Wanted,
    key: impl Fn(&Met<'_>) -> Option<K> + Sync,
) -> std::io::Result<Swept<K>> {
    let pids = all_pids(system.root())?;
    let hides_processes = system.root().is_native() && are_hidden(&pids);
    let parts = parts(system, own, pids);
    let mut found: Vec<(K, Holder)> = Vec::new();
    let mut tally = Tally::default();
    let mut denied_processes = 0;
    let done: Result<(), std::convert::Infallible> = run_ordered(
        &parts,
        || Sweeper {
            system,
            wanted,
            link: Vec::with_capacity(4096),
            names: vec![MaybeUninit::uninit(); 32 << 10],
        },
        |sweeper, part| sweeper.part(part, &key),
        |(part, counted, denied)| {
            found.extend(part);
            tally.add(counted);
            denied_processes += denied;
            Ok(())
        },
    );
    let Ok(()) = done;
    // Stable: what was met in order of pid and fd stays so.
    found.sort_by(|a, b| a.0.cmp(&b.0));
    let (keys, holders) = found.into_iter().unzip();
    Ok(Swept { keys, holders, tally, denied_processes, hides_processes })
}

/// Whether there may be more processes than these: outside our pid namespace, or behind the option
/// `hidepid` of /proc.
fn are_hidden(pids: &[Pid]) -> bool {
    /// `PROC_PID_INIT_INO`, the inode of the first pid namespace.
    const FIRST: u64 = 0xefff_fffc;
    // Each namespace has a process 1, which is another user's.
    !pids.contains(&Pid(1)) || rustix::fs::stat("/proc/self/ns/pid").map_or(true, |stat| stat.st_ino != FIRST)
}

fn parts(system: &System, own: Own, pids: Vec<Pid>) -> Vec<Part> {
    let left_out = (own == Own::LeftOut).then(|| Pid(std::process::id() as i32));
    let native = system.root().is_native();
    let mut parts = Vec::new();
    for pid in pids.into_iter().filter(|&pid| Some(pid) != left_out) {
        // Since Linux 6.2 the size of the directory is the number of fds.
        let size =
            || rustix::fs::stat(system.root().join(format!("{pid}/fd"))).map_or(0, |s| s.st_size as u64);
        let count = if native { size() } else { 0 };
        let number = count.div_ceil(PART).max(1) as i32;
        let step = PART as i32;
        let shared = (number > 1).then(SharedTable::default);
        parts.extend((0..number).map(|part| Part {
            pid,
            first: part * step,
            // Numbers may have gaps: the last part takes all that is left.
            last: if part + 1 == number { i32::MAX } else { (part + 1) * step - 1 },
            shared: shared.clone(),
        }));
    }
    parts
}

/// One thread's buffers.
struct Sweeper<'s> {
    system: &'s System,
    wanted: Wanted,
    link: Vec<u8>,
    names: Vec<MaybeUninit<u8>>,
}

impl Sweeper<'_> {
    fn part<K>(
        &mut self,
        part: &Part,
        key: &impl Fn(&Met<'_>) -> Option<K>,
    ) -> (Vec<(K, Holder)>, Tally, u64) {
        let mut found = Vec::new();
        let mut tally = Tally::default();
        if let Err(errno) = self.process(part, key, &mut found, &mut tally) {
            match errno {
                Errno::NOENT | Errno::SRCH => tally.vanished += 1,
                _ if self.holds_nothing(part.pid) => {}
                _ => {
                    tally.denied += 1;
                    return (found, tally, 1);
                }
            }
        }
        (found, tally, 0)
    }

    /// Whether a process that may not be read has no fds anyway: what belonged to a zombie's user
    /// belongs to root now.
    fn holds_nothing(&self, pid: Pid) -> bool {
        let dir = ProcessDir::open(self.system.root(), pid, self.system);
        dir.is_ok_and(|dir| dir.state() == Some(b'Z') || dir.is_kernel_thread())
    }

    fn process<K>(
        &mut self,
        part: &Part,
        key: &impl Fn(&Met<'_>) -> Option<K>,
        found: &mut Vec<(K, Holder)>,
        tally: &mut Tally,
    ) -> Result<(), Errno> {
        let path = self.system.root().join(part.pid.to_string());
        let dir = rustix::fs::open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        let mut entries = self.table(part, &dir, Some(part.pid), key, found, tally)?;
        if entries == 0 && part.first == 0 {
            // A process whose main thread has ended while others go on: they have the fds.
            for task in other_threads(&dir, part.pid) {
                entries = self.table(part, &task, None, key, found, tally)?;
                if entries > 0 {
                    break;
                }
            }
        }
        Ok(())
    }

    /// The fd table of a task, at once if it has the number `known_as`. Gives the number of its entries.
    fn table<K>(
        &mut self,
        part: &Part,
        task: &OwnedFd,
        known_as: Option<Pid>,
        key: &impl Fn(&Met<'_>) -> Option<K>,
        found: &mut Vec<(K, Holder)>,
        tally: &mut Tally,
    ) -> Result<usize, Errno> {
        let fds = open_dir(task, c"fd")?;
        let mut holding = Holding {
            system: self.system,
            pid: part.pid,
            fds: fds.as_fd(),
            task: task.as_fd(),
            mounts: OnceCell::new(),
            process: None,
            found,
            tally,
        };
        let at_once = |task| {
            let (iterator, shared) = (&self.system.iterator, part.shared.as_ref());
            iterator.table(task, holding.task, holding.fds, self.wanted, shared)
        };
        if let Some(table) = known_as.and_then(at_once) {
            for (fd, known) in table.between(part.first, part.last) {
                match known {
                    Some(known) => holding.meet(fd, known.link, Some(known), key),
                    None => self.read(fd, NumberName::new(fd.0).as_c_str(), key, &mut holding),
                }
            }
            // There are some, if none that is wanted.
            return Ok(1);
        }
        if part.first > 0 {
            // Entry N of the directory is fd N - 2, behind `.` and `..`.
            rustix::fs::seek(&fds, SeekFrom::Start(part.first as u64 + 2))?;
        }
        let mut entries = 0;
        let mut buffer = std::mem::take(&mut self.names);
        let mut names = RawDir::new(&fds, &mut buffer);
        while let Some(entry) = names.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(errno) => {
                    self.names = buffer;
                    return Err(errno);
                }
            };
            let name = entry.file_name();
            let Some(fd) = name.to_str().ok().and_then(|n| n.parse().ok()).map(FdNum) else { continue };
            if fd.0 > part.last {
                break;
            }
            entries += 1;
            self.read(fd, name, key, &mut holding);
        }
        self.names = buffer;
        Ok(entries)
    }

    /// Reads the link of an fd, and meets it.
    fn read<K>(
        &mut self,
        fd: FdNum,
        name: &CStr,
        key: &impl Fn(&Met<'_>) -> Option<K>,
        holding: &mut Holding<'_, K>,
    ) {
        match readlink_at(holding.fds, name, &mut self.link) {
            Ok(()) => holding.meet(fd, &self.link, None, key),
            Err(Errno::NOENT | Errno::SRCH) => holding.tally.vanished += 1,
            Err(_) => holding.tally.denied += 1,
        }
    }
}

/// An fd table that is gone through, and what is found in it.
struct Holding<'h, K> {
    system: &'h System,
    pid: Pid,
    fds: BorrowedFd<'h>,
    task: BorrowedFd<'h>,
    mounts: OnceCell<Arc<Mounts>>,
    process: Option<Arc<Process>>,
    found: &'h mut Vec<(K, Holder)>,
    tally: &'h mut Tally,
}

impl<K> Holding<'_, K> {
    fn meet(
        &mut self,
        fd: FdNum,
        link: &[u8],
        known: Option<Known<'_>>,
        key: &impl Fn(&Met<'_>) -> Option<K>,
    ) {
        let (system, pid) = (self.system, self.pid);
        let met = Met { link, fd, pid, known, fds: self.fds, task: self.task, mounts: &self.mounts, system };
        let Some(key) = key(&met) else { return };
        if self.process.is_none() {
            // Who it is matters only once it holds something that does.
            let dir = ProcessDir::open(system.root(), pid, system);
            self.process = dir.ok().map(|dir| dir.process);
        }
        match &self.process {
            Some(process) => self.found.push((key, Holder { process: Arc::clone(process), fd })),
            None => self.tally.vanished += 1,
        }
    }
}

/// The directories of the threads of a process but the first, if there are any.
fn other_threads(dir: &OwnedFd, pid: Pid) -> Vec<OwnedFd> {
    // `.`, `..` and a link for each thread: that there is but one, as in all threads of the kernel,
    // is seen without reading it.
    let alone = rustix::fs::statat(dir, c"task", rustix::fs::AtFlags::empty()).is_ok_and(|s| s.st_nlink <= 3);
    if alone {
        return Vec::new();
    }
    let Ok(tasks) = open_dir(dir, c"task") else { return Vec::new() };
    let Ok(entries) = rustix::fs::Dir::read_from(&tasks) else { return Vec::new() };
    let thread = |entry: Result<rustix::fs::DirEntry, Errno>| {
        let tid: i32 = entry.ok()?.file_name().to_str().ok()?.parse().ok()?;
        if tid == pid.0 {
            return None;
        }
        open_dir(&tasks, NumberName::new(tid).as_c_str()).ok()
    };
    entries.filter_map(thread).collect()
}

#[cfg(test)]
mod tests {
    use super::Swept;
    use crate::model::{FdNum, Holder, Pid, Process, Tally};
    use std::sync::Arc;

    #[test]
    fn fds_are_found_by_key() {
        let process = Arc::new(Process { pid: Pid(1), command: Vec::new(), uid: 0, user: None });
        let holder = |fd| Holder { process: Arc::clone(&process), fd: FdNum(fd) };
        let swept = Swept {
            keys: vec![2, 2, 5],
            holders: vec![holder(7), holder(8), holder(9)],
            tally: Tally::default(),
            denied_processes: 0,
            hides_processes: false,
        };
        let fds = |key| swept.of(&key).iter().map(|h| h.fd.0).collect::<Vec<_>>();
        assert_eq!((fds(1), fds(2), fds(3), fds(5), fds(6)), (vec![], vec![7, 8], vec![], vec![9], vec![]));
        let mut swept = swept;
        let other = Swept {
            keys: vec![3],
            holders: vec![holder(6)],
            tally: Tally::default(),
            denied_processes: 0,
            hides_processes: false,
        };
        swept.merge(other);
        let fds = |key| swept.of(&key).iter().map(|h| h.fd.0).collect::<Vec<_>>();
        assert_eq!((fds(2), fds(3), fds(5)), (vec![7, 8], vec![6], vec![9]));
        let counts: Vec<_> = swept.iter().map(|(key, holders)| (*key, holders.len())).collect();
        assert_eq!(counts, [(2, 2), (3, 1), (5, 1)]);
    }
}
