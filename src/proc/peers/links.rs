//! The fds that their links tell apart, of all processes: pipes, sockets, eventfds and
//! pseudoterminals.

use super::Own;
use super::ptys::Ptys;
use crate::kind::{Shape, slave_index};
use crate::model::{Access, Device, Holder, Inode, Tally};
use crate::proc::iterator::Wanted;
use crate::proc::sweep::{self, FdTables, Met, Swept, sweep};
use crate::proc::system::System;
use rustix::event::PollFlags;
use std::io;

/// Which end of a pipe an fd is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum End {
    Read,
    Write,
    Both,
}

impl End {
    /// The end that the access mode makes it.
    pub(super) fn of(access: Access) -> Option<Self> {
        match access {
            Access::Read => Some(Self::Read),
            Access::Write => Some(Self::Write),
            Access::ReadWrite => Some(Self::Both),
            Access::Path | Access::None => None,
        }
    }

    /// What can be at the other end of one of this access.
    pub(super) fn others(access: Option<Access>) -> Option<&'static [Self]> {
        Some(match Self::of(access?)? {
            Self::Read => &[Self::Write, Self::Both],
            Self::Write => &[Self::Read, Self::Both],
            Self::Both => &[Self::Read, Self::Write, Self::Both],
        })
    }

    /// Whether nobody has the other end, by what is ready of this one, where that tells it. The
    /// reader of a FIFO that never had a writer is not told that there is none.
    pub(super) fn is_alone(access: Option<Access>, ready: PollFlags, told: bool) -> Option<bool> {
        match Self::of(access?)? {
            Self::Read if ready.contains(PollFlags::HUP) => Some(true),
            Self::Read => told.then_some(false),
            Self::Write => Some(ready.contains(PollFlags::ERR)),
            Self::Both => None,
        }
    }
}

/// What tells an fd apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Pipe(Inode, End),
    Socket(Inode),
    Eventfd(u64),
    Slave(Device, u32),
    /// A master, the filesystem that its file is in, and whether that is the one of its slave.
    Master(u32, Device, bool),
    /// Whichever terminal it is.
    Tty,
}

/// The fds.
#[derive(Debug)]
pub(super) struct Links {
    swept: Swept<Key>,
    pub(super) ptys: Ptys,
}

impl Links {
    pub(super) fn sweep(system: &System, own: &Own, tables: FdTables) -> io::Result<Self> {
        let key = |met: &Met<'_>| if own.counts(met.pid, met.fd) { key(met) } else { None };
        let swept = sweep(system, sweep::Own::Included, Wanted::All, tables, key)?;
        let ptys = Ptys::of(&swept);
        Ok(Self { swept, ptys })
    }

    pub(super) fn tally(&self) -> Tally {
        self.swept.tally
    }

    pub(super) fn pipe(&self, inode: Inode, end: End) -> &[Holder] {
        self.swept.of(&Key::Pipe(inode, end))
    }

    pub(super) fn socket(&self, inode: Inode) -> &[Holder] {
        self.swept.of(&Key::Socket(inode))
    }

    pub(super) fn eventfd(&self, id: u64) -> &[Holder] {
        self.swept.of(&Key::Eventfd(id))
    }

    pub(super) fn slaves(&self, device: Device, index: u32) -> &[Holder] {
        self.swept.of(&Key::Slave(device, index))
    }

    /// Whether anybody has opened his terminal as `/dev/tty`.
    pub(super) fn any_tty(&self) -> bool {
        !self.swept.of(&Key::Tty).is_empty()
    }
}

fn key(met: &Met<'_>) -> Option<Key> {
    match Shape::of(met.link) {
        Shape::Numbered(b"socket", inode) => Some(Key::Socket(inode)),
        Shape::Numbered(b"pipe", inode) => Some(Key::Pipe(inode, End::of(met.access()?)?)),
        Shape::Anon(b"eventfd") => met.info(|info| info.decimal("eventfd-id")).map(Key::Eventfd),
        Shape::Path(b"/dev/tty") => Some(Key::Tty),
        Shape::Path(path) if path.ends_with(b"/ptmx") => super::ptys::master(met),
        Shape::Path(path) if may_be_slave(path) => {
            let stat = met.stat()?;
            Some(Key::Slave(stat.device, slave_index(&stat)?))
        }
        _ => None,
    }
}

/// `/dev/pts/3`, or `/3` where the filesystem is no longer mounted.
fn may_be_slave(path: &[u8]) -> bool {
    let Some(slash) = path.iter().rposition(|&b| b == b'/') else { return false };
    let (directory, number) = (&path[..slash], &path[slash + 1..]);
    let number = number.strip_suffix(b" (deleted)").unwrap_or(number);
    let is_number = !number.is_empty() && number.iter().all(u8::is_ascii_digit);
    is_number && (directory.is_empty() || directory.ends_with(b"/pts"))
}

#[cfg(test)]
mod tests {
    use super::{End, may_be_slave};
    use crate::model::Access;
    use rustix::event::PollFlags;

    #[test]
    fn paths_of_slaves() {
        for path in [&b"/dev/pts/3"[..], b"/srv/root/dev/pts/12", b"/7", b"/dev/pts/3 (deleted)"] {
            assert!(may_be_slave(path), "{}", path.escape_ascii());
        }
        for path in [&b"/dev/pts/ptmx"[..], b"/base/16384/2619", b"/dev/pts/", b"3", b"/", b""] {
            assert!(!may_be_slave(path), "{}", path.escape_ascii());
        }
    }

    #[test]
    fn who_is_alone_at_a_pipe() {
        let (none, hup, err) = (PollFlags::empty(), PollFlags::HUP, PollFlags::ERR);
        let alone = |access, ready, told| End::is_alone(Some(access), ready, told);
        assert_eq!(alone(Access::Read, hup, true), Some(true));
        assert_eq!(alone(Access::Read, none, true), Some(false));
        assert_eq!(alone(Access::Read, none, false), None, "a FIFO that never had a writer");
        assert_eq!(alone(Access::Write, err, false), Some(true));
        assert_eq!(alone(Access::Write, none, false), Some(false));
        assert_eq!(alone(Access::ReadWrite, none, true), None);
    }
}
