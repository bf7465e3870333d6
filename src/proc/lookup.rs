//! Answers to what decoders ask about the rest of the system.

use super::io::{NumberName, open_dir, read_record_at, readlink_at, stat_at};
use super::mounts::Mount;
use super::process::{ProcessDir, command_of};
use super::scan::file_stat;
use super::system::System;
use crate::kind::{self, BpfObject, FdInfo, FileStat, Lookup, Probe, Shape, Slot};
use crate::model::{Device, FdNum, Inode, Pid};
use crate::sys;
use rustix::fd::{AsRawFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, Mode, OFlags, StatxFlags};
use rustix::io::Errno;
use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::ffi::{CStr, CString};
use std::sync::Arc;

/// The lookup for the fds of one process.
pub(super) struct ProcLookup<'a> {
    pub(super) system: &'a System,
    pub(super) dir: &'a ProcessDir,
    /// The task whose fd table it is: the process itself, or one of its threads.
    task: Pid,
    /// The directory that has `fd` and `fdinfo`.
    parent: BorrowedFd<'a>,
    /// Its `fd` directory.
    pub(super) fds: BorrowedFd<'a>,
    /// Its `fdinfo` directory, once it was asked for.
    infos: OnceCell<Result<OwnedFd, Errno>>,
    /// What the fds are that this scan has read already, in the order of their numbers: epoll fds
    /// ask for that.
    kinds: RefCell<Vec<(FdNum, Cow<'static, str>)>>,
    /// Mounts opened for `open_by_handle_at`.
    mounts: RefCell<HashMap<Device, Option<Arc<OwnedFd>>>>,
    /// The last handles that were looked up, the oldest first: several inotify fds of a process may
    /// watch the same directory.
    handles: RefCell<VecDeque<(Handle, Option<Vec<u8>>)>>,
    /// Whether handles may be looked up by whoever asks.
    at_hand: OnceCell<bool>,
}

/// A file as inotify and fanotify know it: filesystem, type of handle, and handle.
type Handle = (Device, i32, Vec<u8>);

impl<'a> ProcLookup<'a> {
    pub(super) fn new(
        system: &'a System,
        dir: &'a ProcessDir,
        task: Pid,
        parent: BorrowedFd<'a>,
        fds: BorrowedFd<'a>,
    ) -> Self {
        Self {
            system,
            dir,
            task,
            parent,
            fds,
            infos: OnceCell::new(),
            kinds: RefCell::default(),
            mounts: RefCell::default(),
            handles: RefCell::default(),
            at_hand: OnceCell::new(),
        }
    }

    /// Keeps what an fd is.
    pub(super) fn keep_kind(&self, fd: FdNum, kind: Cow<'static, str>) {
        // More of them need not be found.
        const MOST: usize = 4096;
        let mut kinds = self.kinds.borrow_mut();
        if kinds.len() < MOST && kinds.last().is_none_or(|(last, _)| *last < fd) {
            kinds.push((fd, kind));
        }
    }

    /// Its `fdinfo` directory.
    pub(super) fn infos(&self) -> Result<&OwnedFd, Errno> {
        self.infos.get_or_init(|| open_dir(self.parent, c"fdinfo")).as_ref().map_err(|e| *e)
    }

    /// What `statx` says of an fd whose link is a path, or nothing where a made-up tree leads
    /// nowhere; and whether a server that may not answer is behind it.
    pub(super) fn stat(&self, fd: FdNum, name: &CStr) -> Result<(Option<FileStat>, bool), Errno> {
        let remote = self.remote_mount(name)?;
        let stat = match remote {
            Some(mount) => self.system.guard.stat(self.fds, fd.0, mount),
            None => stat_at(self.fds, name),
        };
        match stat {
            Ok(stat) => Ok((Some(file_stat(&stat)), remote.is_some())),
            Err(Errno::NOENT | Errno::NOTDIR) if !self.system.root.is_native() => Ok((None, false)),
            Err(e) => Err(e),
        }
    }

    /// The mount of an fd, if a server that may not answer is behind it.
    fn remote_mount(&self, name: &CStr) -> Result<Option<u32>, Errno> {
        let mounts = self.dir.mounts(self.system);
        if !mounts.any_remote() {
            return Ok(None);
        }
        let mut info = Vec::new();
        read_record_at(self.infos()?, name, &mut info)?;
        // A mount that is not listed was detached, perhaps because its server is gone.
        let is_remote = |&id: &u32| mounts.by_id(id).is_none_or(Mount::is_remote);
        Ok(FdInfo::parse(&info).mount.filter(is_remote))
    }

    /// The kernel's name of a socket's protocol.
    pub(super) fn protocol(&self, fd: FdNum) -> Option<Vec<u8>> {
        let path = format!("/proc/self/fd/{}/{fd}", self.fds.as_raw_fd());
        let mut name = Vec::with_capacity(64);
        rustix::fs::getxattr(path, c"system.sockprotoname", rustix::buffer::spare_capacity(&mut name))
            .ok()?;
        while name.last() == Some(&0) {
            name.pop();
        }
        Some(name)
    }

    /// Whether our own working directory is on one of the filesystems that this process sees, and no
    /// server that may not answer is behind it. Nobody is asked for that.
    fn is_at_hand(&self) -> bool {
        let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC | AtFlags::NO_AUTOMOUNT;
        let here = rustix::fs::statx(rustix::fs::CWD, c"", flags, StatxFlags::empty());
        let device = here.map(|here| file_stat(&here).device);
        device.is_ok_and(|device| {
            let mut mounts = self.dir.mounts(self.system).of_device(device).peekable();
            mounts.peek().is_some() && !mounts.any(Mount::is_remote)
        })
    }

    /// A mount of the filesystem `device`, opened as `O_PATH`. Remote ones are left alone: their
    /// server may not answer.
    fn open_mount(&self, device: Device) -> Option<Arc<OwnedFd>> {
        let mounts = self.dir.mounts(self.system);
        mounts.of_device(device).filter(|m| !m.is_remote()).find_map(|mount| {
            let path = CString::new([b"root", &mount.point[..]].concat()).ok()?;
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            rustix::fs::openat(self.dir.dir(), &path, flags, Mode::empty()).ok().map(Arc::new)
        })
    }
}

impl Lookup for ProcLookup<'_> {
    fn kind_of(&self, fd: FdNum) -> Option<Cow<'static, str>> {
        let kinds = self.kinds.borrow();
        if let Ok(at) = kinds.binary_search_by_key(&fd, |(fd, _)| *fd) {
            return Some(kinds[at].1.clone());
        }
        let mut link = Vec::new();
        let name = NumberName::new(fd.0);
        readlink_at(self.fds, name.as_c_str(), &mut link).ok()?;
        let shape = Shape::of(&link);
        let stat = match shape {
            Shape::Path(_) => self.stat(fd, name.as_c_str()).ok().and_then(|(stat, _)| stat),
            _ => None,
        };
        let socket = shape.socket().and_then(|inode| {
            let tables = self.dir.sockets(self.system);
            tables.find(inode, || self.protocol(fd))
        });
        let probe = Probe {
            stat,
            deleted: link.ends_with(b" (deleted)"),
            socket: socket.as_ref(),
            ..Probe::new(Some(fd), &link, self)
        };
        let kind = kind::claim(&probe);
        match socket.as_ref().and_then(|s| s.protocol.as_ref()) {
            Some(protocol) if kind.name == "socket" => {
                Some(String::from_utf8_lossy(protocol).to_ascii_lowercase().into())
            }
            _ => Some(kind.name.into()),
        }
    }

    fn still_watched(&self, epoll: FdNum, target: FdNum, nth: u32) -> Option<bool> {
        if !self.system.root.is_native() {
            return None;
        }
        sys::same_epoll_target(self.task, epoll, target, nth).ok()
    }

    fn slot(&self, fd: FdNum) -> Slot {
        let mut link = Vec::new();
        match readlink_at(self.fds, NumberName::new(fd.0).as_c_str(), &mut link) {
            Ok(()) => Slot::Open(match Shape::of(&link) {
                Shape::Numbered(_, inode) => Some(inode),
                _ => None,
            }),
            Err(Errno::NOENT) => Slot::Closed,
            Err(_) => Slot::Open(None),
        }
    }

    fn command(&self, pid: Pid) -> Option<Vec<u8>> {
        command_of(&self.system.root, pid)
    }

    fn device_name(&self, device: Device, block: bool) -> Option<Vec<u8>> {
        self.system.device_name(device, block)
    }

    fn handle_path(&self, device: Device, handle_type: i32, handle: &[u8]) -> Option<Vec<u8>> {
        const KEPT: usize = 16;
        let mut handles = self.handles.borrow_mut();
        let is_it = |(own_device, own_type, own): &Handle| {
            (*own_device, *own_type, &own[..]) == (device, handle_type, handle)
        };
        if let Some((_, path)) = handles.iter().find(|(known, _)| is_it(known)) {
            return path.clone();
        }
        let mut mounts = self.mounts.borrow_mut();
        let mount = mounts.entry(device).or_insert_with(|| self.open_mount(device)).as_ref()?;
        let at_hand = *self.at_hand.get_or_init(|| self.is_at_hand());
        let path = self.system.handles.path(mount, handle_type, handle, at_hand);
        if handles.len() == KEPT {
            handles.pop_front();
        }
        handles.push_back(((device, handle_type, handle.to_vec()), path.clone()));
        path
    }

    fn bpf_name(&self, object: BpfObject, id: u32) -> Option<String> {
        sys::bpf_name(object == BpfObject::Map, id).ok()
    }

    fn mount_point(&self, mount: u32) -> Option<Vec<u8>> {
        let mounts = self.dir.mounts(self.system);
        mounts.by_id(mount).map(|m| m.point.clone())
    }

    fn namespace_type(&self, device: Device, id: Inode) -> Option<Vec<u8>> {
        let mounts = self.dir.mounts(self.system);
        mounts.of_device(device).find_map(|mount| match Shape::of(&mount.root) {
            Shape::Numbered(class, inode) if inode == id => Some(class.to_vec()),
            _ => None,
        })
    }

    fn interface(&self, index: u32) -> Option<Vec<u8>> {
        // /sys shows the interfaces of our own network namespace alone; the index means something
        // there only if the process is in it too.
        let ours = std::fs::read_link("/proc/self/ns/net").ok()?;
        let theirs = std::fs::read_link(self.system.root.join(format!("{}/ns/net", self.dir.pid()))).ok()?;
        if ours != theirs {
            return None;
        }
        let name = nix::net::if_::if_indextoname(index).ok()?;
        Some(name.into_bytes())
    }
}
