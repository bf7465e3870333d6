//! What an epoll set watches.

use super::bitset::BitSet;
use super::ids::{Device, FdNum, Inode};
use super::readiness::Readiness;

/// A registration in an epoll set, `epoll_ctl(2)`. It belongs to a description, not to a number: it
/// outlives `close(2)` while anybody holds the description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The number it was made under.
    pub fd: FdNum,
    /// What is asked for, and how: `EPOLLIN`, `EPOLLET`, ...
    pub events: u64,
    /// What the program is given with an event.
    pub data: u64,
    /// The inode of what is watched.
    pub inode: Option<Inode>,
    /// The device that it is on, of which sockets, pipes and anonymous inodes have one each.
    pub device: Option<Device>,
    /// Whether the number is closed, or something else now; nothing where that is not known.
    pub stale: Option<bool>,
}

/// `epoll_ctl(2)`.
const EVENTS: &[(u64, &str)] = &[
    (libc::EPOLLIN as u64, "in"),
    (libc::EPOLLPRI as u64, "pri"),
    (libc::EPOLLOUT as u64, "out"),
    (libc::EPOLLRDHUP as u64, "rdhup"),
    (libc::EPOLLERR as u64, "err"),
    (libc::EPOLLHUP as u64, "hup"),
    (libc::EPOLLRDNORM as u64, "rdnorm"),
    (libc::EPOLLRDBAND as u64, "rdband"),
    (libc::EPOLLWRNORM as u64, "wrnorm"),
    (libc::EPOLLWRBAND as u64, "wrband"),
    (libc::EPOLLMSG as u64, "msg"),
    (EDGE, "et"),
    (ONESHOT, "oneshot"),
    (WAKEUP, "wakeup"),
    (EXCLUSIVE, "exclusive"),
];

const EDGE: u64 = libc::EPOLLET as u32 as u64;
const ONESHOT: u64 = libc::EPOLLONESHOT as u64;
const WAKEUP: u64 = libc::EPOLLWAKEUP as u64;
const EXCLUSIVE: u64 = libc::EPOLLEXCLUSIVE as u64;

/// Always reported and so set by the kernel itself: no news in a list of what is waited for.
const IMPLIED: u64 = (libc::EPOLLERR | libc::EPOLLHUP) as u64;

impl Registration {
    /// A registration of which the number is known.
    pub fn new(fd: FdNum) -> Self {
        Self { fd, events: 0, data: 0, inode: None, device: None, stale: None }
    }

    /// What is asked for, with its names.
    pub fn event_names(&self) -> BitSet {
        BitSet { bits: self.events & !IMPLIED, names: EVENTS }
    }

    /// The conditions that it reports: those asked for, and `err` and `hup`. None once a oneshot has
    /// fired: until it is armed again, only how it would report is left of it.
    pub fn reports(&self) -> Readiness {
        Readiness::from_bits((self.events & !(EDGE | ONESHOT | WAKEUP | EXCLUSIVE)) as u32)
    }

    /// Whether it tells what comes, and not what is there.
    pub fn is_edge(&self) -> bool {
        self.events & EDGE != 0
    }
}

#[cfg(test)]
mod tests {
    use super::{FdNum, Readiness, Registration};

    fn with(events: i32) -> Registration {
        Registration { events: events as u32 as u64, ..Registration::new(FdNum(3)) }
    }

    #[test]
    fn what_is_reported() {
        let edge = with(libc::EPOLLIN | libc::EPOLLERR | libc::EPOLLHUP | libc::EPOLLET);
        assert!(edge.is_edge());
        assert_eq!(edge.reports(), Readiness::IN | Readiness::ERR | Readiness::HUP);
        assert_eq!(edge.event_names().join(","), "in,et");
        // As the kernel leaves it when it has fired.
        assert!(with(libc::EPOLLONESHOT).reports().is_empty());
    }

    #[test]
    fn unknown_bits_stay() {
        assert_eq!(with(1 << 24).event_names().join(","), "0x1000000");
    }
}
