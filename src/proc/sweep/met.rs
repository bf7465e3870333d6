//! An fd that a sweep meets.

use crate::kind::{FdInfo, FileStat};
use crate::model::{Access, FdNum, OpenFlags, Pid};
use crate::proc::io::{InfoName, NumberName, link_mode_at, read_record_at, readlink_at, stat_at};
use crate::proc::iterator::Known;
use crate::proc::mounts::{Mount, Mounts};
use crate::proc::scan::file_stat;
use crate::proc::system::System;
use rustix::fd::BorrowedFd;
use std::cell::OnceCell;
use std::sync::Arc;

/// An fd that is met on the way.
pub(in crate::proc) struct Met<'m> {
    /// The text of its link.
    pub(in crate::proc) link: &'m [u8],
    /// Its number.
    pub(in crate::proc) fd: FdNum,
    /// The process.
    pub(in crate::proc) pid: Pid,
    /// What is known of it, from a moment ago.
    pub(super) known: Option<Known<'m>>,
    /// The directory `fd` that it is in.
    pub(super) fds: BorrowedFd<'m>,
    /// The directory of the process, or of the thread that has its fds.
    pub(super) task: BorrowedFd<'m>,
    /// What the process has mounted, once it was asked for.
    pub(super) mounts: &'m OnceCell<Arc<Mounts>>,
    pub(super) system: &'m System,
}

impl Met<'_> {
    /// How it was opened.
    pub(in crate::proc) fn access(&self) -> Option<Access> {
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
    pub(in crate::proc) fn info<T>(&self, read: impl FnOnce(&FdInfo<'_>) -> Option<T>) -> Option<T> {
        if let Some(info) = self.known.and_then(|known| known.info()) {
            return read(&info);
        }
        let mut text = Vec::new();
        read_record_at(self.task, InfoName::new(self.fd.0).as_c_str(), &mut text).ok()?;
        self.is_still_there().then(|| read(&FdInfo::parse(&text)))?
    }

    /// What `statx` says of a path. Where a server may not answer, it gets little time.
    pub(in crate::proc) fn stat(&self) -> Option<FileStat> {
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
    pub(in crate::proc) fn mounts(&self) -> &Mounts {
        self.mounts.get_or_init(|| self.system.mounts_of(self.task, self.pid))
    }
}
