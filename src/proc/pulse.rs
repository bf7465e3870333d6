//! Whether an fd of another process is ready, and whether it is being served: asked of a duplicate
//! that is closed at once, without consuming anything.

use super::duplicate::Donor;
use crate::model::{Device, FdNum, Inode, Marks, Readiness, Waiting, Worth};
use crate::sys;
use rustix::fd::{AsFd as _, AsRawFd as _, BorrowedFd};
use rustix::fs::{FileType, OFlags};
use rustix::io::{Errno, ioctl_fionread};
use rustix::net::{AddressFamily, SocketType, sockopt};
use std::time::Duration;

/// What identifies what an fd is, as far as one may tell by `fstat(2)`: anonymous inodes are all one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The device.
    pub device: Device,
    /// The inode.
    pub inode: Inode,
}

/// What can be asked of an fd. It is found out once for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// TCP, a listener or a connection.
    Tcp,
    /// A stream of `unix(7)`.
    Stream,
    /// A listener of `unix(7)`, of which the fd alone tells nothing.
    UnixListener,
    /// Sockets for datagrams, whose memory is counted where they are received.
    Datagrams,
    /// The end of a pipe from which is read.
    Reader,
    /// The end of a pipe to which is written.
    Writer,
    /// Something with bytes to read, such as inotify, a terminal.
    Bytes,
    /// A counter that is read: eventfd, timerfd. Only the caller knows one, by its kind.
    Counter,
    /// Nothing more than whether it is ready.
    Mute,
}

/// An fd at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Pulse {
    /// What it is.
    pub identity: Identity,
    /// What is in force.
    pub readiness: Readiness,
    /// What tells whether it is served.
    pub marks: Marks,
}

/// More than this in a socket may be as much as fits, and stay as much while it is emptied.
const MUCH: u64 = 64 << 10;

/// Asks an fd. `sort` is kept by the caller from one time to the next, for as long as the fd is the
/// same; `is_wanted` sees what the fd is before it is polled, and may call that off.
///
/// # Errors
///
/// Those of [`Donor::duplicate`], and `ESTALE` if it was not wanted.
pub fn pulse(
    donor: &Donor,
    fd: FdNum,
    asked: Readiness,
    sort: &mut Option<Sort>,
    is_wanted: impl FnOnce(Identity) -> bool,
) -> Result<Pulse, Errno> {
    let duplicate = donor.duplicate(fd)?;
    let stat = rustix::fs::fstat(&duplicate)?;
    let (major, minor) = (rustix::fs::major(stat.st_dev), rustix::fs::minor(stat.st_dev));
    let identity = Identity { device: Device { major, minor }, inode: Inode(stat.st_ino) };
    if !is_wanted(identity) {
        return Err(Errno::STALE);
    }
    let fd = duplicate.as_fd();
    let sort = *sort.get_or_insert_with(|| sort_of(fd, FileType::from_raw_mode(stat.st_mode)));
    // What was read and what is ready are of two moments. That it is ready is asked first: what comes
    // later waits for the next time.
    let readiness = poll(fd, asked | Readiness::RDHUP)?;
    let marks = marks(fd, sort, readiness);
    Ok(Pulse { identity, readiness, marks })
}

/// Whether an epoll fd is ready: its process would be given something at once. Not to be asked where
/// it watches what must not be polled: see [`crate::kind::Kind::quiet_poll`].
pub fn is_ready(donor: &Donor, epoll: FdNum) -> Result<bool, Errno> {
    let duplicate = donor.duplicate(epoll)?;
    Ok(!poll(duplicate.as_fd(), Readiness::IN)?.is_empty())
}

fn poll(fd: BorrowedFd<'_>, asked: Readiness) -> Result<Readiness, Errno> {
    let mut fds = [libc::pollfd { fd: fd.as_raw_fd(), events: asked.bits() as i16, revents: 0 }];
    sys::poll(&mut fds, Some(Duration::ZERO)).map_err(|e| Errno::from_io_error(&e).unwrap_or(Errno::IO))?;
    Ok(Readiness::from_bits(u32::from(fds[0].revents as u16)))
}

fn sort_of(fd: BorrowedFd<'_>, file_type: FileType) -> Sort {
    match file_type {
        FileType::Socket => socket(fd).unwrap_or(Sort::Mute),
        FileType::Fifo => {
            let access = rustix::fs::fcntl_getfl(fd).unwrap_or(OFlags::empty()) & OFlags::ACCMODE;
            if access == OFlags::WRONLY { Sort::Writer } else { Sort::Reader }
        }
        _ if ioctl_fionread(fd).is_ok() => Sort::Bytes,
        _ => Sort::Mute,
    }
}

fn socket(fd: BorrowedFd<'_>) -> Result<Sort, Errno> {
    let domain = sockopt::socket_domain(fd)?;
    let stream = sockopt::socket_type(fd)? == SocketType::STREAM;
    Ok(match domain {
        AddressFamily::INET | AddressFamily::INET6 if stream && sys::tcp_traffic(fd).is_ok() => Sort::Tcp,
        AddressFamily::INET | AddressFamily::INET6 | AddressFamily::PACKET | AddressFamily::NETLINK
            if !stream =>
        {
            Sort::Datagrams
        }
        AddressFamily::UNIX if sockopt::socket_acceptconn(fd)? => Sort::UnixListener,
        AddressFamily::UNIX if stream => Sort::Stream,
        _ => Sort::Mute,
    })
}

fn marks(fd: BorrowedFd<'_>, sort: Sort, readiness: Readiness) -> Marks {
    let bytes = || ioctl_fionread(fd).ok();
    let waiting = |n: Option<u64>| n.map(Waiting::Bytes);
    match sort {
        Sort::Tcp => tcp(fd, readiness).unwrap_or_default(),
        Sort::Stream => {
            let unread = bytes();
            Marks {
                waiting: waiting(unread),
                unsent: sys::unsent_bytes(fd).ok(),
                worth: if unread.is_some_and(|n| n < MUCH) { Worth::Roughly } else { Worth::Nothing },
                ..Marks::default()
            }
        }
        Sort::Datagrams => {
            let memory = sys::received_memory(fd).ok();
            let full = memory.is_none_or(|(used, room)| u64::from(used) * 2 > u64::from(room));
            Marks {
                waiting: waiting(memory.map(|(used, _)| used.into())),
                worth: if full { Worth::Nothing } else { Worth::Roughly },
                ..Marks::default()
            }
        }
        Sort::Reader | Sort::Bytes => {
            Marks { waiting: waiting(bytes()), worth: Worth::ByCalls, ..Marks::default() }
        }
        Sort::Writer => Marks { unsent: bytes(), worth: Worth::ByCalls, ..Marks::default() },
        Sort::Counter => Marks { worth: Worth::ByCalls, ..Marks::default() },
        Sort::UnixListener | Sort::Mute => Marks::default(),
    }
}

/// Bytes may come while they are counted: then it is counted again.
fn tcp(fd: BorrowedFd<'_>, readiness: Readiness) -> Option<Marks> {
    const TRIES: usize = 3;
    let mut unread = ioctl_fionread(fd).ok();
    for _ in 0..TRIES {
        let traffic = sys::tcp_traffic(fd).ok()?;
        if traffic.listens {
            let queue = u64::from(traffic.queue);
            // A full one may be full again whenever one looks.
            let full = traffic.queue > 0 && traffic.queue >= traffic.backlog;
            return Some(Marks {
                waiting: Some(Waiting::Connections(queue)),
                worth: if full { Worth::Nothing } else { Worth::Roughly },
                ..Marks::default()
            });
        }
        let before = std::mem::replace(&mut unread, ioctl_fionread(fd).ok());
        if before == unread {
            // The end of the stream counts as a byte that came, and never as one to read.
            let end = u64::from(readiness.contains(Readiness::RDHUP));
            let came = traffic.received.zip(unread);
            return Some(Marks {
                taken: came.map(|(received, unread)| received.saturating_sub(unread + end)),
                given: traffic.written,
                waiting: unread.map(Waiting::Bytes),
                unsent: None,
                quiet_for: Some(Duration::from_millis(traffic.last_data_received.into())),
                worth: if came.is_some() { Worth::Exactly } else { Worth::Nothing },
            });
        }
    }
    Some(Marks { waiting: unread.map(Waiting::Bytes), ..Marks::default() })
}
