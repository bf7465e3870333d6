//! What `sock_diag(7)` tells of sockets, over netlink.
//!
//! [`Diag`] asks for what its callers need, one method a question; `connection` carries any
//! request there and its replies back; `inet`, `unix`, `netlink`, `packet` and `vsock` hold the
//! requests of a family and read its messages, and `messages` keeps those of a dump until they are
//! looked up. Sockets are named by inode, as the links of fds name them; the kernel gives 32 bits.
//!
//! Every call ends: the kernel answers while it is asked, and `connection::TIMEOUT` is for one
//! that does not. What a message has that is not known here is passed over, and one that cannot be
//! read fails the call: nothing is left out of an answer in silence.

mod attributes;
mod connection;
mod inet;
mod listening_socket;
mod messages;
mod netlink;
mod packet;
mod plain;
#[cfg(test)]
mod testing;
mod unix;
mod vsock;

pub use listening_socket::ListeningSocket;
pub(super) use messages::Messages;

use super::enter::within;
use super::request::{Request, States};
use crate::model::{Device, Family, Inode, Socket};
use connection::Connection;
use messages::Sort;
use std::collections::HashSet;
use std::io;
use std::num::NonZero;
use std::os::fd::BorrowedFd;

/// sock_diag netlink, bound to the network namespace in which it was opened. That namespace lives
/// on for as long as this does, even if its last process ends.
#[derive(Debug)]
pub struct Diag {
    connection: Connection,
}

impl Diag {
    /// In the network namespace of the calling thread.
    pub fn open() -> io::Result<Self> {
        Ok(Self { connection: Connection::open()? })
    }

    /// In another network namespace: see `enter`. The socket stays where it was made.
    pub fn open_in(netns: BorrowedFd<'_>) -> io::Result<Self> {
        within(netns, Self::open)
    }

    /// All TCP listeners, those of IPv4 first. A listener of IPv6 that takes IPv4 too is there
    /// once, under its IPv6 address; one of multipath TCP as its first subflow, whose inode and
    /// accept queue are its own.
    pub fn tcp_listeners(&mut self) -> io::Result<Vec<ListeningSocket>> {
        self.tcp(inet::ANY_PORT)
    }

    /// All TCP listeners on one port. The kernel itself passes over the others, which takes a
    /// fraction of the time where there are many.
    pub fn tcp_listeners_on(&mut self, port: NonZero<u16>) -> io::Result<Vec<ListeningSocket>> {
        self.tcp(port.get())
    }

    fn tcp(&mut self, port: u16) -> io::Result<Vec<ListeningSocket>> {
        let mut found = Vec::new();
        for family in [Family::Tcp, Family::Tcp6] {
            self.dump(family, States::LISTEN, port, false, &mut found)?;
        }
        Ok(found.iter().filter_map(ListeningSocket::of).collect())
    }

    /// The sockets of one family that are as asked for, added to `found`. `Unsupported` where the
    /// kernel has no sock_diag of that family.
    pub fn sockets(&mut self, family: Family, request: &Request, found: &mut Vec<Socket>) -> io::Result<()> {
        let port = request.port.map_or(inet::ANY_PORT, NonZero::get);
        self.dump(family, request.states, port, request.detail, found)
    }

    /// The same for TCP over IPv4 and IPv6 at once, in whatever order.
    pub fn tcp_sockets(&mut self, request: &Request, found: &mut Vec<Socket>) -> io::Result<()> {
        let (states, detail) = (request.states, request.detail);
        let asked = inet::all_tcp(states, request.port.map_or(inet::ANY_PORT, NonZero::get), detail);
        let read = |message: &[u8]| inet::tcp_socket(message, detail).map(Some);
        self.connection.dump_of(inet::ALL_TCP, &asked, found, read)
    }

    /// The sockets of one family of the internet or of unix, or of TCP over IPv4 and IPv6, as the kernel
    /// tells them. `Unsupported` for others, and where the kernel has no sock_diag of that family.
    pub fn messages(&mut self, request: &Request) -> io::Result<Messages> {
        let &Request { states, detail, .. } = request;
        let port = request.port.map_or(inet::ANY_PORT, NonZero::get);
        let sort = match request.families[..] {
            [Family::Tcp, Family::Tcp6] => Sort::Tcp,
            [Family::Unix] => Sort::Unix,
            [family] => Sort::Inet(family),
            _ => return Err(io::ErrorKind::Unsupported.into()),
        };
        let mut messages = Messages::new(sort, detail);
        let connection = &mut self.connection;
        let (found, mut taker) = messages.parts();
        let take = |message: &[u8]| taker.take(message);
        match sort {
            Sort::Tcp => connection.dump_of(inet::ALL_TCP, &inet::all_tcp(states, port, detail), found, take),
            Sort::Unix => connection.dump(&unix::all(states, detail), found, take),
            Sort::Inet(family) => match inet::all(family, states, port, detail) {
                Some(request) => connection.dump(&request, found, take),
                None => Err(io::ErrorKind::Unsupported.into()),
            },
        }
        .map_err(|e| unsupported(e, request.families[0].word()))?;
        Ok(messages.sorted())
    }

    fn dump(
        &mut self,
        family: Family,
        states: States,
        port: u16,
        detail: bool,
        found: &mut Vec<Socket>,
    ) -> io::Result<()> {
        let connection = &mut self.connection;
        match family {
            Family::Unix => {
                let read = |message: &[u8]| unix::socket(message, detail).map(Some);
                connection.dump(&unix::all(states, detail), found, read)
            }
            Family::Netlink => {
                // But for the one that asks.
                let own = connection.inode()?;
                let read = |message: &[u8]| {
                    netlink::socket(message, detail).map(|socket| Some(socket).filter(|s| s.inode != own))
                };
                let before = found.len();
                connection.dump(&netlink::all(), found, read).map(|()| once_each(found, before))
            }
            Family::Packet => {
                let read = |message: &[u8]| packet::socket(message, detail).map(Some);
                connection.dump(&packet::all(), found, read)
            }
            Family::Vsock => {
                let read = |message: &[u8]| vsock::socket(message).map(Some);
                connection.dump(&vsock::all(states.0), found, read)
            }
            _ => match inet::all(family, states, port, detail) {
                Some(request) => {
                    let read = |message: &[u8]| inet::socket(message, family, detail).map(Some);
                    connection.dump(&request, found, read)
                }
                None => Err(io::Error::from_raw_os_error(libc::ENOENT)),
            },
        }
        .map_err(|e| unsupported(e, family.word()))
    }

    /// The unix socket of this inode, if it is in this namespace. To ask for a few costs less than
    /// to ask for all.
    pub fn unix_socket(&mut self, inode: Inode, detail: bool) -> io::Result<Option<Socket>> {
        let Some(inode) = u32::try_from(inode.0).ok().filter(|&inode| inode != 0) else { return Ok(None) };
        match self.connection.ask(&unix::one(inode, detail), |message| unix::socket(message, detail)) {
            Err(e) if is(&e, libc::ENOENT) => self.check_unix().map(|()| None),
            answer => answer,
        }
    }

    /// The name of a network interface of the namespace, by its index.
    pub fn interface(&self, index: u32) -> io::Result<String> {
        self.connection.interface(index)
    }

    /// Has the kernel close a socket, as if a reset had come from the other end. `EOPNOTSUPP` where
    /// it cannot be done to such a socket or this kernel cannot do it, `EPERM` without
    /// `CAP_NET_ADMIN`, `ENOENT` if there is no such socket any more.
    pub fn close(&mut self, socket: &Socket) -> io::Result<()> {
        let Some(request) = inet::one(socket) else {
            return Err(io::Error::from_raw_os_error(libc::EOPNOTSUPP));
        };
        self.connection.destroy(&request)
    }

    /// The unix listener of this inode, if such a socket is in this namespace and listens.
    pub fn unix_listener(&mut self, inode: Inode) -> io::Result<Option<ListeningSocket>> {
        Ok(self.unix_socket(inode, false)?.as_ref().and_then(ListeningSocket::of))
    }

    /// The sockets bound to the socket file `inode` on `device`, by their own inodes. `device` is
    /// that of the filesystem; btrfs has `stat(2)` show another. The ends of connections are left
    /// out: those that were accepted show the file of their listener, and cannot be told from
    /// clients that are bound themselves.
    ///
    /// The kernel gives 32 bits of the file's inode: on a filesystem with more than that, another
    /// file's socket may be among them.
    pub fn bound_to_file(&mut self, device: Device, inode: Inode) -> io::Result<Vec<Inode>> {
        let file = Some((device, inode.0 as u32));
        self.bound(&unix::all_with_files(), |socket| socket.file == file)
    }

    /// The sockets bound to exactly this path, or this abstract name with the NUL it begins with,
    /// by their own inodes and without the ends of connections, as in [`Self::bound_to_file`]. A
    /// path is compared with what `bind(2)` was given, so a relative one is found as such only.
    pub fn bound_to_name(&mut self, name: &[u8]) -> io::Result<Vec<Inode>> {
        self.bound(&unix::all_with_names(), |socket| socket.name == Some(name))
    }

    /// The unix sockets that are bound themselves and are as asked for.
    fn bound(
        &mut self,
        request: &unix::Request,
        wanted: impl Fn(&unix::UnixSocket<'_>) -> bool,
    ) -> io::Result<Vec<Inode>> {
        let mut found = Vec::new();
        let read = |message: &[u8]| {
            let socket = unix::UnixSocket::parse(message)?;
            Ok((wanted(&socket) && !socket.may_be_accepted()).then_some(socket.inode))
        };
        self.connection.dump(request, &mut found, read).map_err(|e| unsupported(e, "unix"))?;
        Ok(found)
    }

    /// Whether the kernel answers for unix sockets at all: it says `ENOENT` also if it does not.
    fn check_unix(&mut self) -> io::Result<()> {
        match self.connection.ask(&unix::one(0, false), |_| Ok(())) {
            Err(e) if is(&e, libc::EINVAL) => Ok(()),
            Err(e) => Err(unsupported(e, "unix")),
            Ok(_) => Ok(()),
        }
    }
}

/// Leaves each of the sockets behind the first `before` there once: the kernel lists members of
/// multicast groups a second time.
fn once_each(found: &mut Vec<Socket>, before: usize) {
    let mut seen = HashSet::new();
    let mut nth = 0;
    found.retain(|socket| {
        nth += 1;
        nth <= before || socket.cookie.is_none_or(|cookie| seen.insert(cookie))
    });
}

fn is(error: &io::Error, errno: i32) -> bool {
    error.raw_os_error() == Some(errno)
}

/// The error of a request that needs no socket to be there.
fn unsupported(error: io::Error, sockets: &str) -> io::Error {
    if is(&error, libc::ENOENT) {
        io::Error::new(
            io::ErrorKind::Unsupported,
            format!("this kernel has no sock_diag of {sockets} sockets"),
        )
    } else {
        error
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{inode, socket, tcp_listener};
    use super::{Diag, Family, Request};
    use nix::sched::{CloneFlags, unshare};
    use rustix::fd::{AsFd, OwnedFd};
    use rustix::fs::{Mode, OFlags};
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, bind, listen};
    use rustix::process::PidfdFlags;
    use rustix::thread::{CapabilitySet, capabilities, gettid, set_capabilities};
    use std::net::{Ipv4Addr, SocketAddrV4};
    use std::thread;

    fn open(path: &str) -> OwnedFd {
        rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).unwrap()
    }

    /// Runs `test` on a thread in a network namespace of its own, and gives it the one it came from.
    fn elsewhere(test: impl FnOnce(&OwnedFd) + Send) {
        thread::scope(|scope| {
            scope.spawn(|| {
                let home = open("/proc/thread-self/ns/net");
                match unshare(CloneFlags::CLONE_NEWNET) {
                    Ok(()) => test(&home),
                    Err(error) => eprintln!("skipped: another network namespace, because of {error}"),
                }
            });
        });
    }

    #[test]
    fn each_network_namespace_has_its_own() {
        elsewhere(|home| {
            let tcp = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
            bind(&tcp, &SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0)).unwrap();
            listen(&tcp, 3).unwrap();
            let name = format!("fdscope namespace {}", std::process::id());
            let unix = socket(AddressFamily::UNIX, SocketType::STREAM, None).unwrap();
            bind(&unix, &SocketAddrUnix::new_abstract_name(name.as_bytes()).unwrap()).unwrap();
            listen(&unix, 4).unwrap();
            let name = [b"\0", name.as_bytes()].concat();
            let check = |mut diag: Diag, is_there: bool| {
                let max = |listener: Option<super::ListeningSocket>| listener.and_then(|l| l.queue.max);
                assert_eq!(max(tcp_listener(&mut diag, &tcp)), is_there.then_some(3));
                assert_eq!(max(diag.unix_listener(inode(&unix)).unwrap()), is_there.then_some(4));
                assert_eq!(diag.bound_to_name(&name).unwrap().len(), usize::from(is_there));
            };
            let here = open("/proc/thread-self/ns/net");
            check(Diag::open().unwrap(), true);
            check(Diag::open_in(home.as_fd()).unwrap(), false);
            check(Diag::open_in(here.as_fd()).unwrap(), true);
            // This thread has not moved.
            check(Diag::open().unwrap(), true);
            let (pid, tid) = (rustix::process::getpid(), gettid());
            let thread = PidfdFlags::from_bits_retain(OFlags::EXCL.bits());
            match rustix::process::pidfd_open(tid, thread) {
                Ok(pidfd) => check(Diag::open_in(pidfd.as_fd()).unwrap(), true),
                Err(error) => eprintln!("skipped: a pidfd of a thread, because of {error}"),
            }
            let pidfd = rustix::process::pidfd_open(pid, PidfdFlags::empty()).unwrap();
            check(Diag::open_in(pidfd.as_fd()).unwrap(), false);
        });
    }

    #[test]
    fn interfaces_are_those_of_the_namespace() {
        let loopback = Diag::open().unwrap().interface(1);
        elsewhere(|home| {
            // The loopback interface is the first of each.
            assert_eq!(Diag::open().unwrap().interface(1).unwrap(), "lo");
            assert_eq!(Diag::open_in(home.as_fd()).unwrap().interface(1).ok(), loopback.ok());
            assert!(Diag::open().unwrap().interface(999).is_err());
        });
    }

    #[test]
    fn a_netlink_socket_that_is_in_groups_is_there_once() {
        let netlink = socket(AddressFamily::NETLINK, SocketType::RAW, None).unwrap();
        // RTMGRP_LINK and RTMGRP_NOTIFY.
        bind(&netlink, &rustix::net::netlink::SocketAddrNetlink::new(0, 3)).unwrap();
        let mut found = Vec::new();
        let request = Request::all(&[Family::Netlink]);
        Diag::open().unwrap().sockets(Family::Netlink, &request, &mut found).unwrap();
        let ours: Vec<_> = found.iter().filter(|socket| socket.inode == inode(&netlink)).collect();
        assert_eq!(ours.iter().map(|socket| socket.groups).collect::<Vec<_>>(), [Some(3)]);
    }

    #[test]
    fn what_is_no_namespace_or_may_not_be_entered_is_an_error() {
        let error = Diag::open_in(open("/proc/self/ns/uts").as_fd()).unwrap_err();
        assert!(error.raw_os_error().is_some(), "{error}");
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut sets = capabilities(None).unwrap();
                sets.effective.remove(CapabilitySet::SYS_ADMIN);
                set_capabilities(None, sets).unwrap();
                let error = Diag::open_in(open("/proc/thread-self/ns/net").as_fd()).unwrap_err();
                assert_eq!(error.raw_os_error(), Some(libc::EPERM));
                // No privilege is needed here.
                Diag::open().unwrap().tcp_listeners().unwrap();
            });
        });
    }
}
