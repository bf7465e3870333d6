//! Whether an fd of another process is ready, and whether it is being served: asked of a duplicate
//! that is closed at once, without consuming anything.

use super::duplicate::Donor;
use crate::kind;
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

/// What can be asked of an fd.
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
    /// A counter that is read: eventfd, timerfd.
    Counter,
    /// Nothing more than whether it is ready.
    Mute,
    /// Nothing at all: to poll it may change something.
    Untouchable,
}

impl Sort {
    /// Of a kind, by its name in [`crate::kind::ALL`]. Nothing for sockets and pipes: they tell
    /// themselves, when they are asked first.
    pub fn of_kind(name: &str) -> Option<Self> {
        let kind = kind::ALL.iter().find(|kind| kind.name == name);
        match kind {
            Some(kind) if kind.answers_to("socket") => None,
            Some(kind) if !kind.quiet_poll => Some(Self::Untouchable),
            None => Some(Self::Untouchable),
            _ => match name {
                "pipe" | "fifo" => None,
                "eventfd" | "timerfd" => Some(Self::Counter),
                "inotify" | "tty" | "pty" => Some(Self::Bytes),
                _ => Some(Self::Mute),
            },
        }
    }
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

/// Asks an fd that is watched, for `asked`. `sort` is kept by the caller from one time to the next,
/// for as long as the fd is the same. `expected` is what it must be.
///
/// # Errors
///
/// Those of [`Donor::duplicate`]; `ESTALE` if it is something else, `EOPNOTSUPP` if it must not be
/// polled.
pub fn pulse(
    donor: &Donor,
    fd: FdNum,
    asked: Readiness,
    sort: &mut Option<Sort>,
    expected: impl FnOnce(Identity) -> bool,
) -> Result<Pulse, Errno> {
    if *sort == Some(Sort::Untouchable) {
        return Err(Errno::OPNOTSUPP);
    }
    let duplicate = donor.duplicate(fd)?;
    let stat = rustix::fs::fstat(&duplicate)?;
    let identity = Identity { device: Device::from_stat(stat.st_dev), inode: Inode(stat.st_ino) };
    if !expected(identity) {
        return Err(Errno::STALE);
    }
    let fd = duplicate.as_fd();
    let sort = *sort.get_or_insert_with(|| sort_of(fd, FileType::from_raw_mode(stat.st_mode)));
    if sort == Sort::Untouchable {
        return Err(Errno::OPNOTSUPP);
    }
    // What was read and what is ready are of two moments. That it is ready is asked first: what comes
    // later waits for the next time.
    let readiness = poll(fd, asked | Readiness::RDHUP)?;
    let marks = marks(fd, sort, readiness);
    Ok(Pulse { identity, readiness, marks })
}

/// Whether an epoll fd is ready: its process would be given something at once. Not to be asked where
/// it watches what must not be polled: see [`crate::kind::Kind::quiet_poll`]. `ESTALE` if the number
/// is something else now, as far as its inode tells.
pub fn is_ready(donor: &Donor, epoll: FdNum) -> Result<bool, Errno> {
    let duplicate = donor.duplicate(epoll)?;
    // An anonymous inode has no file type.
    if FileType::from_raw_mode(rustix::fs::fstat(&duplicate)?.st_mode) != FileType::Unknown {
        return Err(Errno::STALE);
    }
    Ok(!poll(duplicate.as_fd(), Readiness::IN)?.is_empty())
}

/// The devices of sockets and pipes, whatever process has them: what is on them may be polled.
pub fn quiet_devices() -> std::io::Result<[Device; 2]> {
    let (socket, _other) = std::os::unix::net::UnixStream::pair()?;
    let (pipe, _other) = std::io::pipe()?;
    Ok([device(&socket)?, device(&pipe)?])
}

fn device(fd: impl rustix::fd::AsFd) -> Result<Device, Errno> {
    Ok(Device::from_stat(rustix::fs::fstat(fd)?.st_dev))
}

fn poll(fd: BorrowedFd<'_>, asked: Readiness) -> Result<Readiness, Errno> {
    let mut fds = [libc::pollfd { fd: fd.as_raw_fd(), events: asked.bits() as i16, revents: 0 }];
    sys::poll(&mut fds, Some(Duration::ZERO)).map_err(|e| Errno::from_io_error(&e).unwrap_or(Errno::IO))?;
    Ok(Readiness::from_bits(u32::from(fds[0].revents as u16)))
}

fn sort_of(fd: BorrowedFd<'_>, file_type: FileType) -> Sort {
    match file_type {
        FileType::Socket => socket(fd).unwrap_or(Sort::Untouchable),
        FileType::Fifo => {
            let access = rustix::fs::fcntl_getfl(fd).unwrap_or(OFlags::empty()) & OFlags::ACCMODE;
            if access == OFlags::WRONLY { Sort::Writer } else { Sort::Reader }
        }
        // What it is tells only its link.
        _ => Sort::Untouchable,
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
        AddressFamily::UNIX
        | AddressFamily::INET
        | AddressFamily::INET6
        | AddressFamily::PACKET
        | AddressFamily::NETLINK
        | AddressFamily::VSOCK => Sort::Mute,
        // Of others it is not known: polling one of AF_XDP has it send.
        _ => Sort::Untouchable,
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
        Sort::UnixListener | Sort::Mute | Sort::Untouchable => Marks::default(),
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

#[cfg(test)]
mod tests {
    use super::{Donor, FdNum, Identity, Marks, Readiness, Sort, Waiting, Worth, is_ready, pulse};
    use crate::model::Pid;
    use rustix::event::epoll;
    use rustix::fd::{AsFd, AsRawFd as _};
    use rustix::io::Errno;
    use std::io::{Read as _, Write as _};
    use std::net::{Shutdown, TcpListener, TcpStream};
    use std::os::unix::net::UnixStream;

    /// Fds of our own, looked at as those of others.
    fn donor() -> Option<Donor> {
        let donor = Donor::process(Pid(std::process::id() as i32)).ok()?;
        let stdin = donor.duplicate(FdNum(0));
        if matches!(stdin, Err(Errno::PERM | Errno::NOSYS)) {
            println!("skipped: pidfd_getfd may not be used here");
            return None;
        }
        Some(donor)
    }

    fn feel(donor: &Donor, fd: impl AsFd) -> (Readiness, Marks) {
        let fd = FdNum(fd.as_fd().as_raw_fd());
        let felt = pulse(donor, fd, Readiness::IN, &mut None, |_| true).unwrap();
        (felt.readiness, felt.marks)
    }

    #[test]
    fn a_connection() {
        let Some(donor) = donor() else { return };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (readiness, marks) = feel(&donor, &listener);
        assert_eq!((readiness, marks.waiting), (Readiness::IN, Some(Waiting::Connections(1))));
        let (mut server, _) = listener.accept().unwrap();
        assert!(feel(&donor, &listener).1.were_served_since(&marks));
        client.write_all(b"hello").unwrap();
        let (readiness, marks) = feel(&donor, &server);
        assert_eq!((readiness, marks.worth), (Readiness::IN, Worth::Exactly));
        assert_eq!(marks.waiting, Some(Waiting::Bytes(5)));
        // More of it, and its end, is no service.
        client.write_all(b", world").unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        let (readiness, more) = feel(&donor, &server);
        assert_eq!(readiness, Readiness::IN | Readiness::RDHUP);
        assert!(!more.were_served_since(&marks), "{marks:?} {more:?}");
        assert_eq!(server.read(&mut [0; 5]).unwrap(), 5);
        let (_, read) = feel(&donor, &server);
        assert!(read.were_served_since(&more));
        server.write_all(b"answer").unwrap();
        assert!(feel(&donor, &server).1.were_served_since(&read));
    }

    #[test]
    fn pipes_and_local_streams() {
        let Some(donor) = donor() else { return };
        let (mut ours, mut theirs) = UnixStream::pair().unwrap();
        theirs.write_all(b"hello").unwrap();
        let (_, marks) = feel(&donor, &ours);
        assert_eq!((marks.waiting, marks.worth), (Some(Waiting::Bytes(5)), Worth::Roughly));
        ours.read_exact(&mut [0; 3]).unwrap();
        assert!(feel(&donor, &ours).1.were_served_since(&marks));
        let (mut reader, mut writer) = std::io::pipe().unwrap();
        let empty = feel(&donor, &writer).1;
        writer.write_all(b"hello").unwrap();
        assert!(feel(&donor, &writer).1.were_served_since(&empty));
        let marks = feel(&donor, &reader).1;
        assert_eq!((marks.waiting, marks.worth), (Some(Waiting::Bytes(5)), Worth::ByCalls));
        reader.read_exact(&mut [0; 5]).unwrap();
        assert!(feel(&donor, &reader).1.is_empty());
    }

    #[test]
    fn an_epoll_fd_keeps_what_it_has() {
        let Some(donor) = donor() else { return };
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).unwrap();
        let (reader, mut writer) = std::io::pipe().unwrap();
        let edge = epoll::EventFlags::IN | epoll::EventFlags::ET | epoll::EventFlags::ONESHOT;
        epoll::add(&epoll, &reader, epoll::EventData::new_u64(7), edge).unwrap();
        let ready = || is_ready(&donor, FdNum(epoll.as_raw_fd())).unwrap();
        assert!(!ready());
        writer.write_all(b"x").unwrap();
        assert!(ready() && ready());
        let mut events = Vec::with_capacity(1);
        let now = Some(&rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 });
        epoll::wait(&epoll, rustix::buffer::spare_capacity(&mut events), now).unwrap();
        assert_eq!(events.len(), 1);
        assert!(!ready());
    }

    #[test]
    fn what_is_not_to_be_asked() {
        let Some(donor) = donor() else { return };
        assert_eq!(Sort::of_kind("signalfd"), Some(Sort::Untouchable));
        assert_eq!(Sort::of_kind("regular"), Some(Sort::Untouchable));
        assert_eq!(Sort::of_kind("no such kind"), Some(Sort::Untouchable));
        assert_eq!((Sort::of_kind("tcp6"), Sort::of_kind("pipe")), (None, None));
        let file = std::fs::File::open("/proc/self/mounts").unwrap();
        let fd = FdNum(file.as_raw_fd());
        let ask =
            |expected: fn(Identity) -> bool| pulse(&donor, fd, Readiness::IN, &mut None, expected).err();
        assert_eq!(ask(|_| true), Some(Errno::OPNOTSUPP));
        assert_eq!(ask(|_| false), Some(Errno::STALE));
        drop(file);
        assert_eq!(ask(|_| true), Some(Errno::BADF));
    }
}
