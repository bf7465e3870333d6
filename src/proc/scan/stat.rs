//! What `statx` says of a file, and what has to be known before it is asked.

use super::Place;
use crate::kind::{Borrow, FileStat, Shape};
use crate::model::{Device, FdNum, Inode};
use crate::proc::process::ProcessDir;
use crate::proc::system::System;
use rustix::fs::{AtFlags, Statx};
use std::ffi::CString;

/// The type of a nameless filesystem that makes a file something else: a message queue looks
/// like a regular file, and so does a namespace where it is mounted. A filesystem need not be mounted
/// anywhere that is seen from here.
pub(super) fn filesystem(
    place: &Place<'_>,
    fd: FdNum,
    shape: Shape<'_>,
    stat: Option<&FileStat>,
) -> Option<&'static str> {
    let (Shape::Path(path), Some(stat)) = (shape, stat) else { return None };
    if stat.device.major != 0 || stat.file_type() != libc::S_IFREG {
        return None;
    }
    let Place { lookup, lender, .. } = place;
    lookup.system.special_filesystem(stat.device, || {
        let of_namespaces = rustix::fs::stat("/proc/self/ns/mnt").map(|s| Device::from_stat(s.st_dev));
        if of_namespaces == Ok(stat.device) {
            return Some("nsfs");
        }
        let mounts = lookup.dir.mounts(lookup.system);
        if let Some(mount) = mounts.of_device(stat.device).next() {
            return (mount.filesystem == "mqueue").then_some("mqueue");
        }
        let bare = path.iter().filter(|&&b| b == b'/').count() == 1;
        let answers = || lender.ask(fd, Borrow::Mqueue).mqueue.is_some();
        (bare && answers()).then_some("mqueue")
    })
}

/// Whether the kernel's ` (deleted)` is meant, and not the end of a name.
pub(super) fn is_deleted(link: &[u8], stat: Option<&FileStat>, dir: &ProcessDir, system: &System) -> bool {
    if !link.ends_with(b" (deleted)") {
        return false;
    }
    let Some(stat) = stat else { return true };
    if stat.links == Some(0) || link.first() != Some(&b'/') {
        return true;
    }
    // Another name is left, or the file is really called that: look whether it is there.
    // But not where something was mounted above it that may not answer.
    if dir.mounts(system).leads_to_remote(link) {
        return true;
    }
    let Ok(path) = CString::new([b"root", link].concat()) else { return true };
    let there = rustix::fs::statat(dir.dir(), &path, AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT);
    !there.is_ok_and(|s| Inode(s.st_ino) == stat.inode)
}

/// The part of a `statx` that is used.
pub(in crate::proc) fn file_stat(stat: &Statx) -> FileStat {
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
pub(super) fn unknown_stat(file_type: u32) -> FileStat {
    let none = Device { major: 0, minor: 0 };
    FileStat { mode: file_type, inode: Inode(0), device: none, rdev: none, size: None, links: None }
}
