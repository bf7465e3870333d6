//! The scan of a process's fds: the hot path.

use super::borrow::Lender;
use super::io::{NumberName, link_mode_at, open_dir, read_at, readlink_at, stat_at};
use super::lookup::ProcLookup;
use super::maps::{self, Mapping};
use super::plan::Plan;
use super::process::{OpenError, ProcessDir};
use super::system::System;
use crate::kind::{self, Borrow, Borrowed, FdInfo, FileStat, Kind, Probe, Shape, ShapeKind};
use crate::model::{Access, Assoc, Device, Fd, FdNum, FdRanges, Inode, Pid, Socket, Tally};
use crate::sys;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, RawDir, SeekFrom, Statx};
use rustix::io::Errno;
use std::ffi::{CStr, CString};
use std::mem::MaybeUninit;
use std::sync::Arc;

/// A piece of work: the fds of one process, or a range of them.
#[derive(Clone, Debug)]
pub struct Slice {
    /// The process.
    pub pid: Pid,
    /// The fds that the user named, `None` for all.
    pub fds: Option<FdRanges>,
    /// First fd number of the range. What is held without an fd goes with the range from 0.
    pub first: i32,
    /// Last fd number.
    pub last: i32,
    /// The fds that count, for fdscope itself: not the ones that it opened to look.
    pub only: Option<Arc<Vec<i32>>>,
}

impl Slice {
    /// All of a process.
    pub fn whole(pid: Pid, fds: Option<FdRanges>) -> Self {
        Self { pid, fds, first: 0, last: i32::MAX, only: None }
    }

    fn takes(&self, plan: &Plan, fd: FdNum) -> bool {
        self.fds.as_ref().is_none_or(|f| f.contains(fd))
            && plan.filter.fds.as_ref().is_none_or(|f| f.contains(fd))
            && self.only.as_ref().is_none_or(|o| o.contains(&fd.0))
    }
}

/// One worker's scanner: its buffers are used again for every fd.
pub struct Scanner<'s> {
    system: &'s System,
    plan: &'s Plan,
    link: Vec<u8>,
    info: Vec<u8>,
    entries: Vec<MaybeUninit<u8>>,
}

/// Where fds are read: the `fd` directory of a process or of one of its threads.
struct Place<'a> {
    lookup: ProcLookup<'a>,
    infos: Option<OwnedFd>,
    parent: BorrowedFd<'a>,
    lender: Lender,
    /// Whether the pid leads to this fd table, so that system calls can be asked about it.
    is_leader: bool,
}

impl<'s> Scanner<'s> {
    /// A scanner for one thread.
    pub fn new(system: &'s System, plan: &'s Plan) -> Self {
        Self {
            system,
            plan,
            link: Vec::with_capacity(4096),
            info: Vec::with_capacity(4096),
            entries: vec![MaybeUninit::uninit(); 32 * 1024],
        }
    }

    /// Calls `each` for every row of a slice. An error means that nothing could be read; what
    /// goes wrong with single fds is counted, and shown as rows.
    pub fn scan(
        &mut self,
        dir: &ProcessDir,
        slice: &Slice,
        each: &mut dyn FnMut(&Fd),
    ) -> Result<Tally, OpenError> {
        let mut tally = Tally::default();
        let mut row = Fd::new(Arc::clone(&dir.process));
        let first = slice.first == 0 && slice.fds.is_none() && self.plan.filter.fds.is_none();
        if first && self.plan.assoc {
            for (assoc, name) in [(Assoc::Cwd, c"cwd"), (Assoc::Root, c"root"), (Assoc::Exe, c"exe")] {
                self.unnumbered(dir, assoc, name, &mut row, &mut tally, each);
            }
        }
        let fds = open_dir(dir.dir(), c"fd")?;
        self.table(dir, dir.dir(), fds.as_fd(), slice, &mut row, &mut tally, each)?;
        if first && self.plan.mappings {
            self.mappings(dir, &mut row, &mut tally, each);
        }
        if slice.first == 0 && self.plan.threads {
            self.threads(dir, slice, &mut row, &mut tally, each);
        }
        Ok(tally)
    }

    /// The fd table in the directory `fds` below `parent`.
    #[allow(clippy::too_many_arguments)]
    fn table(
        &mut self,
        dir: &ProcessDir,
        parent: BorrowedFd<'_>,
        fds: BorrowedFd<'_>,
        slice: &Slice,
        row: &mut Fd,
        tally: &mut Tally,
        each: &mut dyn FnMut(&Fd),
    ) -> Result<(), OpenError> {
        let mut place = Place {
            lookup: ProcLookup::new(self.system, dir, fds),
            infos: None,
            parent,
            lender: Lender::new(dir.pid()),
            is_leader: row.tid.is_none(),
        };
        if slice.first > 0 {
            // Entry N of the directory is fd N - 2, behind `.` and `..`: proc_readfd_common() in
            // fs/proc/fd.c.
            rustix::fs::seek(fds, SeekFrom::Start(slice.first as u64 + 2))?;
        }
        let mut entries = std::mem::take(&mut self.entries);
        let mut names = RawDir::new(fds, &mut entries);
        let result = loop {
            let entry = match names.next() {
                None => break Ok(()),
                // The process ended while its directory was read.
                Some(Err(Errno::NOENT | Errno::SRCH)) => {
                    tally.vanished += 1;
                    break Ok(());
                }
                Some(Err(e)) => break Err(e.into()),
                Some(Ok(entry)) => entry,
            };
            let Some(fd) = entry.file_name().to_str().ok().and_then(|n| n.parse().ok()).map(FdNum) else {
                continue;
            };
            if fd.0 > slice.last {
                break Ok(());
            }
            if slice.takes(self.plan, fd) {
                self.fd(&mut place, fd, row, tally, each);
            }
        };
        self.entries = entries;
        result
    }

    /// One fd.
    fn fd(
        &mut self,
        place: &mut Place<'_>,
        fd: FdNum,
        row: &mut Fd,
        tally: &mut Tally,
        each: &mut dyn FnMut(&Fd),
    ) {
        let name = NumberName::new(fd.0);
        let name = name.as_c_str();
        let fds = place.lookup.fds;
        row.reset(Assoc::Fd(fd));
        if let Err(errno) = readlink_at(fds, name, &mut self.link) {
            self.failed(row, "readlink", errno, tally, each);
            return;
        }
        let shape = Shape::of(&self.link);
        let filter = &self.plan.filter;
        if !filter.takes_shape(shape.sort()) {
            return;
        }
        let stat = match shape {
            Shape::Path(_) => match self.stat(place, fd, name) {
                Ok(stat) => stat,
                Err(errno) => {
                    row.link.extend_from_slice(&self.link);
                    self.failed(row, "statx", errno, tally, each);
                    return;
                }
            },
            _ => None,
        };
        let socket = self.socket(place, shape, fd);
        let deleted = is_deleted(&self.link, stat.as_ref(), place.lookup.dir.dir());
        let mut probe = Probe {
            process: &place.lookup.dir.process,
            fd: Some(fd),
            link: &self.link,
            shape,
            stat,
            filesystem: filesystem(place, fd, shape, stat.as_ref()),
            deleted,
            socket: socket.as_ref(),
            info: FdInfo::default(),
            borrowed: Borrowed::default(),
            lookup: &place.lookup,
            values: self.plan.values,
        };
        let kind = kind::claim(&probe);
        if !takes(self.plan, kind, &probe) {
            return;
        }

        let decodes = self.plan.name || self.plan.values;
        let locked = || kind.name == "regular" && stat.is_some_and(|s| self.system.may_be_locked(s.inode));
        let wants_info = self.plan.info
            || (self.plan.access && kind.can_block)
            || (decodes && (kind.needs_info || locked()));
        if wants_info {
            if place.infos.is_none() {
                place.infos = open_dir(place.parent, c"fdinfo").ok();
            }
            let read = match &place.infos {
                Some(infos) => read_at(infos, name, &mut self.info),
                None => Err(Errno::ACCESS),
            };
            match read {
                Ok(()) => probe.info = FdInfo::parse(&self.info),
                Err(Errno::NOENT | Errno::SRCH) => {
                    tally.vanished += 1;
                    return;
                }
                // The link could be read: the row stands, with less in it.
                Err(_) => {}
            }
        }
        if decodes && kind.borrow != Borrow::Nothing && place.is_leader && self.system.root().is_native() {
            probe.borrowed = place.lender.ask(fd, kind.borrow);
        }
        row.flags = probe.info.flags;
        row.access = match row.flags {
            Some(flags) => Some(flags.access()),
            None if self.plan.access => link_mode_at(fds, name).ok().map(Access::from_link_mode),
            None => None,
        };
        row.blocking = row.flags.filter(|_| kind.can_block).map(|f| !f.has(libc::O_NONBLOCK));
        row.pos = probe.info.pos;
        row.mount = probe.info.mount;
        fill(row, kind, &probe);
        if self.plan.device && row.device.is_none() {
            let class = match shape {
                Shape::Anon(class) | Shape::Numbered(class, _) => class,
                _ => b"",
            };
            let stat = || stat_at(fds, name).ok().map(|s| file_stat(&s).device);
            row.device = self.system.nameless_device(class, stat);
            if row.inode.is_none() {
                row.inode = stat_at(fds, name).ok().map(|s| Inode(s.stx_ino));
            }
        }
        if decodes {
            (kind.decode)(&probe, row);
        }
        if self.plan.filter.takes_exact(kind, &row.kind) {
            each(row);
        }
    }

    /// What `statx` says of a path; nothing where a made-up tree leads nowhere.
    fn stat(&self, place: &mut Place<'_>, fd: FdNum, name: &CStr) -> Result<Option<FileStat>, Errno> {
        let fds = place.lookup.fds;
        let mounts = self.system.mounts(place.lookup.dir.dir(), place.lookup.dir.pid());
        let mut mount = None;
        if mounts.any_remote() {
            let mut info = Vec::new();
            let path = CString::new(format!("fdinfo/{fd}")).unwrap_or_default();
            read_at(place.parent, &path, &mut info)?;
            // A mount that is not listed was detached, perhaps because its server is gone.
            mount = FdInfo::parse(&info)
                .mount
                .filter(|&id| mounts.by_id(id).is_none_or(super::mounts::Mount::is_remote));
        }
        let stat = match mount {
            Some(mount) => self.system.guard.stat(fds, fd.0, mount),
            None => stat_at(fds, name),
        };
        match stat {
            Ok(stat) => Ok(Some(file_stat(&stat))),
            Err(Errno::NOENT | Errno::NOTDIR) if !self.system.root().is_native() => Ok(None),
            Err(e) => Err(e),
        }
    }

    fn socket(&self, place: &Place<'_>, shape: Shape<'_>, fd: FdNum) -> Option<Socket> {
        let inode = shape.socket()?;
        let dir = place.lookup.dir;
        let tables = self.system.sockets(dir.dir(), dir.pid());
        tables.find(inode, || place.lookup.protocol(fd))
    }

    /// Turns the row into an error, or counts it as gone.
    fn failed(
        &self,
        row: &mut Fd,
        call: &'static str,
        errno: Errno,
        tally: &mut Tally,
        each: &mut dyn FnMut(&Fd),
    ) {
        match errno {
            Errno::NOENT | Errno::SRCH => {
                tally.vanished += 1;
                return;
            }
            Errno::ACCESS | Errno::PERM => tally.denied += 1,
            Errno::TIMEDOUT => tally.timed_out += 1,
            _ => {}
        }
        if self.plan.filter.takes_errors() {
            kind::failed(row, call, errno.raw_os_error());
            each(row);
        }
    }

    /// `cwd`, `root` or `exe`.
    fn unnumbered(
        &mut self,
        dir: &ProcessDir,
        assoc: Assoc,
        name: &CStr,
        row: &mut Fd,
        tally: &mut Tally,
        each: &mut dyn FnMut(&Fd),
    ) {
        row.reset(assoc);
        match readlink_at(dir.dir(), name, &mut self.link) {
            Ok(()) => {}
            // A kernel thread has none.
            Err(Errno::NOENT | Errno::SRCH) => return,
            Err(errno) => {
                self.failed(row, "readlink", errno, tally, each);
                return;
            }
        }
        let mounts = self.system.mounts(dir.dir(), dir.pid());
        // Without fdinfo nothing tells the mount: with a remote one about, be content with the name.
        let stat =
            if mounts.any_remote() { None } else { stat_at(dir.dir(), name).ok().map(|s| file_stat(&s)) };
        let guess = if assoc == Assoc::Exe { libc::S_IFREG } else { libc::S_IFDIR };
        self.file(dir, stat.unwrap_or_else(|| unknown_stat(guess)), stat.is_some(), row, each);
    }

    /// The row of a file held without an fd, whose link text is in `self.link`.
    fn file(&self, dir: &ProcessDir, stat: FileStat, known: bool, row: &mut Fd, each: &mut dyn FnMut(&Fd)) {
        let lookup = ProcLookup::new(self.system, dir, dir.dir());
        let probe = Probe {
            process: &dir.process,
            fd: None,
            link: &self.link,
            shape: Shape::of(&self.link),
            stat: Some(stat),
            filesystem: None,
            deleted: is_deleted(&self.link, known.then_some(&stat), dir.dir()),
            socket: None,
            info: FdInfo::default(),
            borrowed: Borrowed::default(),
            lookup: &lookup,
            values: self.plan.values,
        };
        let kind = kind::claim(&probe);
        if !self.plan.filter.takes_shape(probe.shape.sort()) || !takes(self.plan, kind, &probe) {
            return;
        }
        fill(row, kind, &probe);
        if !known {
            row.inode = None;
            row.device = None;
        }
        if self.plan.name || self.plan.values {
            (kind.decode)(&probe, row);
        }
        each(row);
    }

    /// Mapped files, each once.
    fn mappings(&mut self, dir: &ProcessDir, row: &mut Fd, tally: &mut Tally, each: &mut dyn FnMut(&Fd)) {
        let mut text = Vec::new();
        if let Err(errno) = read_at(dir.dir(), c"maps", &mut text) {
            row.reset(Assoc::Mem);
            self.failed(row, "open", errno, tally, each);
            return;
        }
        let exact = open_dir(dir.dir(), c"map_files").ok();
        for mapping in maps::parse(&text) {
            row.reset(Assoc::Mem);
            row.access = Some(if mapping.writes { Access::ReadWrite } else { Access::Read });
            self.link.clear();
            self.link.extend_from_slice(&mapping.path);
            let stat = self.mapped_stat(dir, exact.as_ref(), &mapping);
            self.file(dir, stat, true, row, each);
        }
    }

    /// What `statx` says of a mapped file, which takes a privilege, or what maps itself says.
    fn mapped_stat(&self, dir: &ProcessDir, exact: Option<&OwnedFd>, mapping: &Mapping) -> FileStat {
        let mounts = self.system.mounts(dir.dir(), dir.pid());
        let safe = !mounts.any_remote() || mounts.of_device(mapping.device).any(|m| !m.is_remote());
        let stat = exact.filter(|_| safe).and_then(|files| {
            let name = CString::new(&mapping.range[..]).ok()?;
            stat_at(files, &name).ok()
        });
        match stat {
            Some(stat) => file_stat(&stat),
            None => FileStat { inode: mapping.inode, device: mapping.device, ..unknown_stat(libc::S_IFREG) },
        }
    }

    /// Threads whose fd table is not the leader's.
    fn threads(
        &mut self,
        dir: &ProcessDir,
        slice: &Slice,
        row: &mut Fd,
        tally: &mut Tally,
        each: &mut dyn FnMut(&Fd),
    ) {
        if !self.system.root().is_native() {
            return;
        }
        for tid in dir.threads().into_iter().filter(|&t| t != dir.pid()) {
            match sys::same_fd_table(dir.pid(), tid) {
                Ok(true) => {}
                Ok(false) => {
                    row.tid = Some(tid);
                    let result = dir.task(tid).and_then(|task| Ok((open_dir(&task, c"fd")?, task)));
                    let result = result.map_err(OpenError::from).and_then(|(fds, task)| {
                        self.table(dir, task.as_fd(), fds.as_fd(), slice, row, tally, each)
                    });
                    row.tid = None;
                    match result {
                        Ok(()) => {}
                        Err(OpenError::Gone) => tally.vanished += 1,
                        Err(_) => tally.denied += 1,
                    }
                }
                Err(e) if e.raw_os_error() == Some(libc::ESRCH) => tally.vanished += 1,
                Err(_) => tally.denied += 1,
            }
        }
    }
}

/// The filters that need no fdinfo.
fn takes(plan: &Plan, kind: &'static Kind, probe: &Probe<'_>) -> bool {
    let filter = &plan.filter;
    if !filter.takes_kind(kind) || (filter.deleted && (!probe.deleted || kind.pathless)) {
        return false;
    }
    if !filter.ports.is_empty() {
        let port = probe.socket.and_then(|s| s.local).map(|l| l.0.port());
        if !port.is_some_and(|p| filter.ports.contains(&p)) {
            return false;
        }
    }
    let Some(path) = &filter.path else { return true };
    match probe.socket {
        Some(socket) => socket.path.as_deref().is_some_and(|p| path.is_below(p)),
        None => probe.shape.sort() == ShapeKind::Path && path.matches(probe.path(), probe.stat.as_ref()),
    }
}

/// What all kinds have in common.
fn fill(row: &mut Fd, kind: &'static Kind, probe: &Probe<'_>) {
    row.kind = kind.name.into();
    row.object = kind.object;
    row.link.extend_from_slice(probe.link);
    row.device = probe.stat.map(|s| s.device);
    row.inode = match (probe.stat, probe.info.inode, probe.shape) {
        (Some(stat), _, _) => Some(stat.inode),
        (None, Some(inode), _) | (None, None, Shape::Numbered(_, inode)) => Some(inode),
        _ => None,
    };
    if probe.shape.sort() == ShapeKind::Path && !kind.pathless {
        row.path = Some(probe.path().to_vec());
        row.deleted = Some(probe.deleted);
    }
}

/// The type of a nameless filesystem that makes a file something else: a message queue looks
/// like a regular file. Its filesystem need not be mounted anywhere.
fn filesystem(
    place: &mut Place<'_>,
    fd: FdNum,
    shape: Shape<'_>,
    stat: Option<&FileStat>,
) -> Option<&'static str> {
    let (Shape::Path(path), Some(stat)) = (shape, stat) else { return None };
    if stat.device.major != 0 || stat.file_type() != libc::S_IFREG {
        return None;
    }
    let Place { lookup, lender, is_leader, .. } = place;
    lookup.system.special_filesystem(stat.device, || {
        let mounts = lookup.system.mounts(lookup.dir.dir(), lookup.dir.pid());
        if let Some(mount) = mounts.of_device(stat.device).next() {
            return (mount.filesystem == "mqueue").then_some("mqueue");
        }
        let bare = path.iter().filter(|&&b| b == b'/').count() == 1;
        let may_ask = bare && *is_leader && lookup.system.root().is_native();
        let mut answers = || lender.ask(fd, Borrow::Mqueue).mqueue.is_some();
        (may_ask && answers()).then_some("mqueue")
    })
}

/// Whether the kernel's ` (deleted)` is meant, and not the end of a name.
fn is_deleted(link: &[u8], stat: Option<&FileStat>, process: BorrowedFd<'_>) -> bool {
    if !link.ends_with(b" (deleted)") {
        return false;
    }
    let Some(stat) = stat else { return true };
    if stat.links == Some(0) || link.first() != Some(&b'/') {
        return true;
    }
    // Another name is left, or the file is really called that: look whether it is there.
    let Ok(path) = CString::new([b"root", link].concat()) else { return true };
    let there = rustix::fs::statat(process, &path, AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT);
    !there.is_ok_and(|s| Inode(s.st_ino) == stat.inode)
}

/// The part of a `statx` that is used.
pub(super) fn file_stat(stat: &Statx) -> FileStat {
    FileStat {
        mode: stat.stx_mode.into(),
        inode: Inode(stat.stx_ino),
        device: Device { major: stat.stx_dev_major, minor: stat.stx_dev_minor },
        rdev: Device { major: stat.stx_rdev_major, minor: stat.stx_rdev_minor },
        size: Some(stat.stx_size),
        links: Some(stat.stx_nlink),
    }
}

/// Nothing but a likely file type.
fn unknown_stat(file_type: u32) -> FileStat {
    let none = Device { major: 0, minor: 0 };
    FileStat { mode: file_type, inode: Inode(0), device: none, rdev: none, size: None, links: None }
}
