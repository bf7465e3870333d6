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
use super::usage::fds_of;
use crate::kind::{FdInfo, FileStat};
use crate::model::{Access, FdNum, Holder, OpenFlags, Pid, Process, Tally};
use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags, RawDir, SeekFrom};
use rustix::io::Errno;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::mem::MaybeUninit;
use std::ops::Range;
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
    /// What could not be read, by errno: how many processes, and how many fds of processes that can
    /// be listed. Together they are what the tally has as denied.
    pub failures: BTreeMap<i32, Failures>,
    /// Whether there may be processes that are not even listed.
    pub hides_processes: bool,
}

/// How much could not be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Failures {
    /// Whole processes.
    pub processes: u64,
    /// Fds of processes that can be listed.
    pub fds: u64,
}

impl<K: Ord> Swept<K> {
    /// The fds of one key, by process and number.
    pub fn of(&self, key: &K) -> &[Holder] {
        self.at(&self.range(key))
    }

    /// Where the fds of one key are.
    pub fn range(&self, key: &K) -> Range<usize> {
        let start = self.keys.partition_point(|k| k < key);
        let count = self.keys[start..].iter().take_while(|k| *k == key).count();
        start..start + count
    }

    /// The fds that are there.
    pub fn at(&self, range: &Range<usize>) -> &[Holder] {
        &self.holders[range.clone()]
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
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) pid: Pid,
    pub(super) first: i32,
    pub(super) last: i32,
    /// What all parts of a process may have in common.
    pub(super) shared: Option<SharedTable>,
}

/// What was found in some parts.
#[derive(Debug)]
pub(super) struct Piece<K> {
    pub(super) found: Vec<(K, Holder)>,
    pub(super) tally: Tally,
    pub(super) failures: BTreeMap<i32, Failures>,
    /// Whether there are fds with higher numbers.
    pub(super) has_more: bool,
}

impl<K> Piece<K> {
    pub(super) fn new() -> Self {
        Self { found: Vec::new(), tally: Tally::default(), failures: BTreeMap::new(), has_more: false }
    }

    /// Adds what was found behind it.
    pub(super) fn add(&mut self, other: Self) {
        self.found.extend(other.found);
        self.tally.add(other.tally);
        for (errno, Failures { processes, fds }) in other.failures {
            let all = self.failures.entry(errno).or_default();
            all.processes += processes;
            all.fds += fds;
        }
    }

    fn fails(&mut self, errno: Errno) -> &mut Failures {
        self.tally.denied += 1;
        self.failures.entry(errno.raw_os_error()).or_default()
    }
}

impl<K: Ord> Piece<K> {
    /// All that was found, by key.
    pub(super) fn sorted(mut self, hides_processes: bool) -> Swept<K> {
        // Stable: what was met in order of pid and fd stays so.
        self.found.sort_by(|a, b| a.0.cmp(&b.0));
        let (keys, holders) = self.found.into_iter().unzip();
        Swept { keys, holders, tally: self.tally, failures: self.failures, hides_processes }
    }
}

/// Whether we count ourselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Own {
    /// We do: what we opened may be what is asked for.
    Included,
    /// We are here only because we look.
    LeftOut,
}

/// All processes, but for ourselves perhaps, and whether others may be hidden.
pub(super) fn everybody(system: &System, own: Own) -> std::io::Result<(Vec<Pid>, bool)> {
    let mut pids = all_pids(system.root())?;
    let hides_processes = system.root().is_native() && are_hidden(&pids);
    let left_out = (own == Own::LeftOut).then(|| Pid(std::process::id() as i32));
    pids.retain(|&pid| Some(pid) != left_out);
    Ok((pids, hides_processes))
}

/// Looks at all fds of all processes, or at those that are `wanted`. `key` says of each whether it
/// matters.
pub(super) fn sweep<K: Ord + Send>(
    system: &System,
    own: Own,
    wanted: Wanted,
    key: impl Fn(&Met<'_>) -> Option<K> + Sync,
) -> std::io::Result<Swept<K>> {
    let (pids, hides_processes) = everybody(system, own)?;
    let parts: Vec<Part> = pids.into_iter().flat_map(|pid| parts(system, pid, 0)).collect();
    let mut all = Piece::new();
    run(
        &parts,
        || Sweeper { at_once: Some(wanted), ..Sweeper::new(system, Amount::All) },
        |sweeper, part| sweeper.part(part, &key),
        |_, piece| {
            all.add(piece);
        },
    );
    Ok(all.sorted(hides_processes))
}

/// Does the work on all cores, and gives each piece in order.
pub(super) fn run<K: Send, W>(
    parts: &[Part],
    worker: impl Fn() -> W + Sync,
    work: impl Fn(&mut W, &Part) -> Piece<K> + Sync,
    mut each: impl FnMut(&Part, Piece<K>),
) {
    let mut nth = 0;
    let done: Result<(), std::convert::Infallible> = run_ordered(parts, worker, work, |piece| {
        each(&parts[nth], piece);
        nth += 1;
        Ok(())
    });
    let Ok(()) = done;
}

/// Whether there may be more processes than these: outside our pid namespace, or behind the option
/// `hidepid` of /proc.
fn are_hidden(pids: &[Pid]) -> bool {
    /// `PROC_PID_INIT_INO`, the inode of the first pid namespace.
    const FIRST: u64 = 0xefff_fffc;
    // Each namespace has a process 1, which is another user's.
    !pids.contains(&Pid(1)) || rustix::fs::stat("/proc/self/ns/pid").map_or(true, |stat| stat.st_ino != FIRST)
}

/// The fds of a process from `first` on, in parts.
pub(super) fn parts(system: &System, pid: Pid, first: i32) -> impl Iterator<Item = Part> {
    // Since Linux 6.2 the size of the directory is the number of fds.
    let size = || rustix::fs::stat(system.root().join(format!("{pid}/fd"))).map_or(0, |s| s.st_size as u64);
    let count = if system.root().is_native() { size().saturating_sub(first as u64) } else { 0 };
    let number = count.div_ceil(PART).max(1) as i32;
    let step = PART as i32;
    let shared = (number > 1).then(SharedTable::default);
    (0..number).map(move |part| Part {
        pid,
        first: first + part * step,
        // Numbers may have gaps: the last part takes all that is left.
        last: if part + 1 == number { i32::MAX } else { first + (part + 1) * step - 1 },
        shared: shared.clone(),
    })
}

/// Room for the names that are listed at once: few, for those behind them may need no listing.
pub(super) const ROOM: usize = 2 << 10;

/// How much of a part is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Amount {
    /// All of it.
    All,
    /// No more than it takes to find something.
    First,
}

/// One thread's buffers.
pub(super) struct Sweeper<'s> {
    system: &'s System,
    amount: Amount,
    /// Which fds a table may be asked for at once.
    at_once: Option<Wanted>,
    link: Vec<u8>,
    names: Vec<MaybeUninit<u8>>,
}

impl<'s> Sweeper<'s> {
    pub(super) fn new(system: &'s System, amount: Amount) -> Self {
        let names = vec![MaybeUninit::uninit(); ROOM];
        Self { system, amount, at_once: None, link: Vec::with_capacity(4096), names }
    }

    pub(super) fn part<K>(&mut self, part: &Part, key: &impl Fn(&Met<'_>) -> Option<K>) -> Piece<K> {
        let mut piece = Piece::new();
        if let Err(errno) = self.process(part, key, &mut piece) {
            match errno {
                Errno::NOENT | Errno::SRCH => piece.tally.vanished += 1,
                _ if self.holds_nothing(part.pid) => {}
                errno => piece.fails(errno).processes += 1,
            }
        }
        piece
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
        piece: &mut Piece<K>,
    ) -> Result<(), Errno> {
        let path = self.system.root().join(part.pid.to_string());
        let dir = rustix::fs::open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        let mut entries = self.table(part, &dir, self.at_once, key, piece)?;
        // Of another part it may be that the numbers have a gap.
        if entries == 0 && (part.first == 0 || fds_of(&dir)? == 0) {
            // A process whose main thread has ended while others go on: they have the fds.
            for task in other_threads(&dir, part.pid) {
                entries = self.table(part, &task, None, key, piece)?;
                if entries > 0 {
                    break;
                }
            }
        }
        Ok(())
    }

    /// The fd table of a task. Gives the number of its entries.
    ///
    /// Numbers mostly follow each other. While they do, links are read without asking which there are:
    /// the kernel would look each up twice. Only behind a gap are the next ones listed.
    fn table<K>(
        &mut self,
        part: &Part,
        task: &OwnedFd,
        at_once: Option<Wanted>,
        key: &impl Fn(&Met<'_>) -> Option<K>,
        piece: &mut Piece<K>,
    ) -> Result<usize, Errno> {
        let Self { system, amount, link, names, .. } = self;
        let fds = open_dir(task, c"fd")?;
        let mut table = Table {
            system,
            pid: part.pid,
            fds: fds.as_fd(),
            task: task.as_fd(),
            process: None,
            mounts: OnceCell::new(),
        };
        let at_once = at_once.and_then(|wanted| {
            system.iterator.table(part.pid, task.as_fd(), fds.as_fd(), wanted, part.shared.as_ref())
        });
        if let Some(all) = at_once {
            for (fd, known) in all.between(part.first, part.last) {
                match known {
                    Some(known) => drop(table.meet(fd, known.link, Some(known), key, piece)),
                    None => drop(table.read(fd, link, key, piece)),
                }
            }
            // There are some, if none that is wanted.
            return Ok(1);
        }
        let follow = system.root().is_native();
        let mut entries = 0;
        let mut next = part.first;
        loop {
            while follow
                && next <= part.last
                && readlink_at(&fds, NumberName::new(next).as_c_str(), link).is_ok()
            {
                entries += 1;
                if table.meet(FdNum(next), link, None, key, piece) && *amount == Amount::First {
                    return Ok(entries);
                }
                next += 1;
            }
            if next > part.last {
                // There may be.
                piece.has_more = true;
                return Ok(entries);
            }
            if next > 0 {
                go_to(&fds, next)?;
            }
            let before = next;
            let mut names = RawDir::new(&fds, names);
            while let Some(entry) = names.next() {
                let entry = entry?;
                let name = entry.file_name();
                if let Some(fd) = name.to_str().ok().and_then(|n| n.parse().ok()).map(FdNum) {
                    if fd.0 > part.last {
                        piece.has_more = true;
                        return Ok(entries);
                    }
                    entries += 1;
                    next = fd.0.saturating_add(1);
                    if table.read(fd, link, key, piece) && *amount == Amount::First {
                        return Ok(entries);
                    }
                }
                if follow && names.is_buffer_empty() {
                    break;
                }
            }
            if !follow || next == before {
                return Ok(entries);
            }
        }
    }
}

/// An fd table that is looked at.
struct Table<'t> {
    system: &'t System,
    pid: Pid,
    fds: BorrowedFd<'t>,
    task: BorrowedFd<'t>,
    process: Option<Arc<Process>>,
    mounts: OnceCell<Arc<Mounts>>,
}

impl Table<'_> {
    /// Reads the link of an fd, looks at it, and says whether it matters.
    fn read<K>(
        &mut self,
        fd: FdNum,
        link: &mut Vec<u8>,
        key: &impl Fn(&Met<'_>) -> Option<K>,
        piece: &mut Piece<K>,
    ) -> bool {
        match readlink_at(self.fds, NumberName::new(fd.0).as_c_str(), link) {
            Ok(()) => return self.meet(fd, link, None, key, piece),
            Err(Errno::NOENT | Errno::SRCH) => piece.tally.vanished += 1,
            Err(errno) => piece.fails(errno).fds += 1,
        }
        false
    }

    /// Looks at an fd, and says whether it matters.
    fn meet<K>(
        &mut self,
        fd: FdNum,
        link: &[u8],
        known: Option<Known<'_>>,
        key: &impl Fn(&Met<'_>) -> Option<K>,
        piece: &mut Piece<K>,
    ) -> bool {
        let Self { system, pid, fds, task, process, mounts } = self;
        let met = Met { link, fd, pid: *pid, known, fds: *fds, task: *task, mounts, system };
        let Some(key) = key(&met) else { return false };
        if process.is_none() {
            // Who it is matters only once it holds something that does.
            *process = process_of(system, *pid);
        }
        match process {
            Some(process) => piece.found.push((key, Holder { process: Arc::clone(process), fd })),
            None => piece.tally.vanished += 1,
        }
        true
    }
}

/// Has a directory of fds go on with the fd of this number, or the next that there is: entry N is
/// fd N - 2, behind `.` and `..`.
pub(super) fn go_to(fds: &OwnedFd, first: i32) -> Result<(), Errno> {
    rustix::fs::seek(fds, SeekFrom::Start(first as u64 + 2)).map(drop)
}

/// Who a process is, if it is still there.
pub(super) fn process_of(system: &System, pid: Pid) -> Option<Arc<Process>> {
    ProcessDir::open(system.root(), pid, system).ok().map(|dir| Arc::clone(&dir.process))
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
    use std::collections::BTreeMap;
    use std::sync::Arc;

    #[test]
    fn fds_are_found_by_key() {
        let process = Arc::new(Process { pid: Pid(1), command: Vec::new(), uid: 0, user: None });
        let holder = |fd| Holder { process: Arc::clone(&process), fd: FdNum(fd) };
        let swept = Swept {
            keys: vec![2, 2, 5],
            holders: vec![holder(7), holder(8), holder(9)],
            tally: Tally::default(),
            failures: BTreeMap::new(),
            hides_processes: false,
        };
        let fds = |key| swept.of(&key).iter().map(|h| h.fd.0).collect::<Vec<_>>();
        assert_eq!((fds(1), fds(2), fds(3), fds(5), fds(6)), (vec![], vec![7, 8], vec![], vec![9], vec![]));
        let mut swept = swept;
        let other = Swept {
            keys: vec![3],
            holders: vec![holder(6)],
            tally: Tally::default(),
            failures: BTreeMap::new(),
            hides_processes: false,
        };
        swept.merge(other);
        let fds = |key| swept.of(&key).iter().map(|h| h.fd.0).collect::<Vec<_>>();
        assert_eq!((fds(2), fds(3), fds(5)), (vec![7, 8], vec![6], vec![9]));
        let counts: Vec<_> = swept.iter().map(|(key, holders)| (*key, holders.len())).collect();
        assert_eq!(counts, [(2, 2), (3, 1), (5, 1)]);
    }
}
