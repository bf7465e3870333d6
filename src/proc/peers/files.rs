//! FIFOs and message queues of all processes. Their links are paths as of any file, so that every
//! file has to be looked at: only where one of them is asked about.

use super::Own;
use super::links::End;
use crate::model::{Device, Holder, Inode, Tally};
use crate::proc::iterator::Wanted;
use crate::proc::sweep::{self, FdTables, Met, Swept, sweep};
use crate::proc::system::System;
use std::io;

/// What tells an fd apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Fifo(Device, Inode, End),
    Queue(Device, Inode),
}

/// The fds.
#[derive(Debug)]
pub(super) struct Files {
    swept: Swept<Key>,
}

impl Files {
    pub(super) fn sweep(system: &System, own: &Own, tables: FdTables) -> io::Result<Self> {
        let key = |met: &Met<'_>| if own.counts(met.pid, met.fd) { key(met) } else { None };
        Ok(Self { swept: sweep(system, sweep::Own::Included, Wanted::All, tables, key)? })
    }

    pub(super) fn tally(&self) -> Tally {
        self.swept.tally
    }

    pub(super) fn fifo(&self, device: Device, inode: Inode, end: End) -> &[Holder] {
        self.swept.of(&Key::Fifo(device, inode, end))
    }

    pub(super) fn queue(&self, device: Device, inode: Inode) -> &[Holder] {
        self.swept.of(&Key::Queue(device, inode))
    }
}

fn key(met: &Met<'_>) -> Option<Key> {
    if met.link.first() != Some(&b'/') {
        return None;
    }
    let stat = met.stat()?;
    match stat.file_type() {
        libc::S_IFIFO => Some(Key::Fifo(stat.device, stat.inode, End::of(met.access()?)?)),
        libc::S_IFREG if stat.device.major == 0 => {
            // That filesystem need not be mounted, and then shows a bare name.
            let listed = met.mounts().of_device(stat.device).next();
            let bare = || met.link.iter().filter(|&&b| b == b'/').count() == 1;
            let may_be_queue = listed.map_or_else(bare, |mount| mount.filesystem == "mqueue");
            may_be_queue.then_some(Key::Queue(stat.device, stat.inode))
        }
        _ => None,
    }
}
