//! Whether what was read of an fd is of one file, or of several that had its number one after the other.

use super::Scanner;
use crate::kind::{Kind, Probe, Shape, has_common_inode, is_told_of};
use crate::model::Inode;
use crate::proc::io::readlink_at;
use crate::proc::system::System;
use rustix::fd::BorrowedFd;
use std::ffi::CStr;

impl Scanner<'_> {
    /// Whether an fd has the link still that was read first.
    pub(super) fn is_still(&self, fds: BorrowedFd<'_>, name: &CStr) -> bool {
        let mut link = Vec::with_capacity(self.link.len() + 1);
        readlink_at(fds, name, &mut link).is_ok() && link == self.link
    }
}

/// Whether what was read one after the other is surely of several files, as the number came to mean something
/// else meanwhile; nothing if only the link can tell that, read once more. Most need not: a file has its mount
/// and its inode in fdinfo too.
pub(super) fn torn(probe: &Probe<'_>, kind: &Kind, system: &System) -> Option<bool> {
    let (info, lent) = (&probe.info, probe.borrowed.pipe.map(|(inode, _)| inode));
    let was_lent = lent.is_some() || probe.borrowed.seals.is_some() || probe.borrowed.mqueue.is_some();
    let differs = |one: Option<Inode>, other: Option<Inode>| one.zip(other).is_some_and(|(a, b)| a != b);
    match (probe.shape, &probe.stat) {
        (Shape::Numbered(_, inode), _) => {
            Some(differs(Some(inode), info.inode) || differs(Some(inode), lent))
        }
        (Shape::Path(_), Some(stat)) => {
            let mounts_differ = stat.mount.zip(info.mount).is_some_and(|(a, b)| a != b);
            if mounts_differ || differs(Some(stat.inode), lent) {
                return Some(true);
            }
            match stat.file_type() {
                // That of an anonymous inode, of which only a dma-buf has something like a path.
                0 => return None,
                // A pipe has no path either.
                libc::S_IFIFO if system.pipe_device() == Some(stat.device) => return Some(true),
                // A socket without a path has this too, and a FIFO may be asked by a duplicate.
                libc::S_IFIFO | libc::S_IFSOCK => return None,
                _ => {}
            }
            // Some filesystems give numbers of their own.
            let is_told = !differs(Some(stat.inode), info.inode) && !was_lent;
            is_told.then_some(false)
        }
        // Its inode is that of all of them.
        (Shape::Anon(_), _) if info.flags.is_some() => match is_told_of(info, kind.name) {
            Some(is) => Some(!is),
            None => (system.anonymous_inode() == info.inode).then_some(false).or_else(|| {
                let has_it = info.inode.is_some() && has_common_inode(kind.name);
                has_it.then_some(true)
            }),
        },
        _ => Some(false),
    }
}
