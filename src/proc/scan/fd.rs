//! One fd: read, claimed, filtered, decoded.

use super::stat::{filesystem, is_deleted};
use super::torn::torn;
use super::{Output, Place, Scanner, Told, file_stat};
use crate::kind::{self, Borrow, FdInfo, FileStat, Kind, Probe, Shape, ShapeKind};
use crate::model::{Access, Assoc, Fd, FdNum, Inode, Socket};
use crate::proc::io::{NumberName, link_mode_at, read_record_at, readlink_at, stat_at};
use crate::proc::iterator::Known;
use crate::proc::plan::Plan;
use crate::proc::process::ProcessDir;
use crate::proc::system::System;
use rustix::io::Errno;
use std::cell::Cell;
use std::ffi::CStr;

impl Scanner<'_> {
    /// Reads one fd, as far as it is not known, and emits its row if it is wanted.
    pub(super) fn fd(&mut self, place: &Place<'_>, fd: FdNum, mut told: Told<'_>, out: &mut Output<'_>) {
        let tries = if let Told::All(_) = told { 4 } else { 3 };
        if !(0..tries).any(|_| self.try_fd(place, fd, std::mem::take(&mut told), out)) {
            out.tally.vanished += 1;
        }
    }

    /// The same; `false` where the number came to mean something else while it was read. What is known
    /// must be all that is needed, but for what `statx` says: the fd may be another by now.
    fn try_fd(&mut self, place: &Place<'_>, fd: FdNum, told: Told<'_>, out: &mut Output<'_>) -> bool {
        let name = NumberName::new(fd.0);
        let name = name.as_c_str();
        let fds = place.lookup.fds;
        out.row.reset(Assoc::Fd(fd));
        match told {
            Told::All(known) => {
                self.link.clear();
                self.link.extend_from_slice(known.link);
            }
            Told::Link => {}
            Told::Number => {
                if let Err(errno) = readlink_at(fds, name, &mut self.link) {
                    let stat = || place.lookup.stat(fd, name).ok()?.0;
                    self.failed("readlink", errno, place.lookup.dir, stat, out);
                    return true;
                }
            }
        }
        let known = told.known();
        let shape = Shape::of(&self.link);
        let filter = &self.plan.filter;
        if !filter.takes_shape(shape.sort()) {
            return true;
        }
        let (stat, remote) = match shape {
            Shape::Path(_) => match stat_of(place, fd, name, known) {
                Ok(Some(stat)) => stat,
                Ok(None) => return false,
                Err(errno) => {
                    out.row.link.extend_from_slice(&self.link);
                    self.failed("statx", errno, place.lookup.dir, || None, out);
                    return true;
                }
            },
            _ => (None, false),
        };
        let dir = place.lookup.dir;
        let asked = Cell::new(false);
        let protocol = || {
            asked.set(true);
            if known.is_some() { None } else { place.lookup.protocol(fd) }
        };
        let may_be_wanted =
            shape.socket().is_none_or(|inode| self.may_want_socket(place, fd, inode, protocol));
        let socket = shape.socket().filter(|_| may_be_wanted);
        let socket = socket.and_then(|inode| dir.sockets(self.system).find(inode, protocol));
        if known.is_some() && asked.get() {
            return false;
        }
        if !may_be_wanted {
            return true;
        }
        // Looking for the name would ask a server that may not answer.
        let deleted = is_deleted(&self.link, stat.as_ref().filter(|_| !remote), dir, self.system);
        let mut probe = Probe {
            stat,
            filesystem: filesystem(place, fd, shape, stat.as_ref()),
            deleted,
            socket: socket.as_ref(),
            values: self.plan.values,
            ..Probe::new(Some(fd), &self.link, &place.lookup)
        };
        let kind = kind::claim(&probe);
        if !takes(self.plan, kind, &probe, dir, self.system) {
            return true;
        }

        // Which protocol the fallback for sockets stands for, its decoder tells.
        let decodes = self.plan.name || self.plan.values || kind.name == "socket";
        if decodes && kind.borrow != Borrow::Nothing {
            probe.borrowed = match known {
                None => place.lender.ask(fd, kind.borrow),
                Some(known) => match known.pipe().filter(|_| kind.borrow == Borrow::Pipe) {
                    Some(borrowed) => borrowed,
                    None => return false,
                },
            };
        }
        // A duplicate tells of a pipe what would be read from fdinfo, and at a third of the price.
        let told = probe.borrowed.pipe.filter(|_| !self.plan.info);
        let wants_info =
            self.plan.info || (self.plan.access && kind.can_block) || (decodes && kind.needs_info);
        if let Some((inode, _)) = told {
            probe.info.inode = Some(inode);
        } else if let Some(known) = known.filter(|_| wants_info) {
            match known.info() {
                Some(info) => probe.info = info,
                None => return false,
            }
        } else if wants_info && let Ok(infos) = place.lookup.infos() {
            match read_record_at(infos, name, &mut self.info) {
                Ok(()) => probe.info = FdInfo::parse(&self.info),
                Err(Errno::NOENT | Errno::SRCH) => {
                    out.tally.vanished += 1;
                    return true;
                }
                // The link could be read: the row stands, with less in it.
                Err(_) => {}
            }
        }
        let torn = if known.is_none() && self.system.root().is_native() {
            torn(&probe, kind, self.system)
        } else {
            Some(false)
        };
        if torn.unwrap_or_else(|| !self.is_still(fds, name)) {
            return false;
        }
        let row = &mut out.row;
        // Whether exec closes it, a duplicate does not tell.
        row.flags = probe.info.flags;
        let status = row.flags.or(told.map(|(_, flags)| flags));
        row.access = match status {
            Some(flags) => Some(flags.access()),
            None if self.plan.access && known.is_some() => known.map(|known| known.access()),
            None if self.plan.access => link_mode_at(fds, name).ok().map(Access::from_link_mode),
            None => None,
        };
        row.blocking = status.filter(|_| kind.can_block).map(|f| !f.has(libc::O_NONBLOCK));
        row.pos = probe.info.pos;
        row.mount = probe.info.mount;
        fill(row, kind, &probe);
        if self.plan.device && row.device.is_none() {
            let class = match shape {
                Shape::Anon(class) | Shape::Numbered(class, _) => class,
                _ => b"",
            };
            let nameless = known.map(|known| known.nameless());
            if nameless == Some(None) {
                return false;
            }
            if let Some((device, inode)) = nameless.flatten() {
                row.device = self.system.nameless_device(class, || Some(device));
                row.inode.get_or_insert(inode);
            } else {
                // It may be another by now.
                let is_it = |stat: &FileStat| row.inode.is_none_or(|inode| inode == stat.inode);
                let stat = || stat_at(fds, name).ok().map(|s| file_stat(&s)).filter(is_it).map(|s| s.device);
                row.device = self.system.nameless_device(class, stat);
            }
            if row.inode.is_none() {
                row.inode = stat_at(fds, name).ok().map(|s| Inode(s.stx_ino));
            }
        }
        if decodes {
            (kind.decode)(&probe, row);
        }
        if self.plan.values {
            place.lookup.keep_kind(fd, row.kind.clone());
        }
        if self.plan.filter.takes_exact(kind, &row.kind) {
            self.other_end(place, fd, kind, &probe, row);
            self.network(place, fd, &probe, row);
            out.emit();
        }
        true
    }

    /// Whether a socket can be of a kind that is wanted: no table need be read for one that is not.
    fn may_want_socket(
        &self,
        place: &Place<'_>,
        fd: FdNum,
        inode: Inode,
        protocol: impl FnOnce() -> Option<Vec<u8>>,
    ) -> bool {
        let filter = &self.plan.filter;
        let tables = place.lookup.dir.sockets(self.system);
        if !filter.ports.is_empty() && !tables.may_be_on(inode, &filter.ports) {
            return false;
        }
        if filter.kinds.is_empty() {
            return true;
        }
        let Some(socket) = tables.identify(inode, protocol) else { return true };
        let probe = Probe { socket: Some(&socket), ..Probe::new(Some(fd), &self.link, &place.lookup) };
        filter.takes_kind(kind::claim(&probe))
    }
}

/// What `statx` says of a path, and whether a server is behind it; nothing where that is not the file
/// that is known.
fn stat_of(
    place: &Place<'_>,
    fd: FdNum,
    name: &CStr,
    known: Option<Known<'_>>,
) -> Result<Option<(Option<FileStat>, bool)>, Errno> {
    let Some(known) = known else { return place.lookup.stat(fd, name).map(Some) };
    if let Some(stat) = known.stat() {
        return Ok(Some((Some(stat), false)));
    }
    let now = place.lookup.stat(fd, name).ok();
    Ok(now.filter(|(stat, _)| stat.is_some_and(|stat| known.is(&stat))))
}

/// The filters that need no fdinfo.
pub(super) fn takes(
    plan: &Plan,
    kind: &'static Kind,
    probe: &Probe<'_>,
    dir: &ProcessDir,
    system: &System,
) -> bool {
    let filter = &plan.filter;
    // A file that has another name left goes on taking space whoever closes it.
    let is_freed = || {
        let is_file = probe.file_type() == Some(libc::S_IFREG);
        !is_file || probe.stat.and_then(|stat| stat.links).is_none_or(|links| links == 0)
    };
    if !filter.takes_kind(kind) || (filter.deleted && (!probe.deleted || kind.pathless || !is_freed())) {
        return false;
    }
    if !filter.ports.is_empty() {
        let port = probe.socket.and_then(Socket::port);
        if !port.is_some_and(|p| filter.ports.contains(&p)) {
            return false;
        }
    }
    let Some(path) = &filter.path else { return true };
    let mounts = || dir.mounts(system);
    match probe.socket {
        Some(socket) => socket.path.as_deref().is_some_and(|name| {
            let bound = socket.detail.as_ref().and_then(|detail| detail.file);
            let is_foreign = || !path.is_ours(mounts());
            path.matches_socket(name, bound, is_foreign, || {
                let mut directory = Vec::new();
                readlink_at(dir.dir(), c"cwd", &mut directory).ok().map(|()| directory)
            })
        }),
        None => {
            probe.shape.sort() == ShapeKind::Path
                && path.matches(probe.path(), probe.deleted, probe.stat.as_ref(), mounts)
        }
    }
}

/// What all kinds have in common.
pub(super) fn fill(row: &mut Fd, kind: &'static Kind, probe: &Probe<'_>) {
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
        row.path_length = Some(probe.path().len());
        row.deleted = Some(probe.deleted);
    }
}
