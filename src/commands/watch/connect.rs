//! Connections of our own, begun without waiting, and files of our own.

use super::target::{Access, Remote};
use crate::model::{Escape, errno_words, escape};
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{self, AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// A connection that has begun.
pub(super) struct Begun {
    pub(super) fd: OwnedFd,
    /// Which of the host's addresses is to be tried next, if not all were.
    pub(super) next: Option<usize>,
}

/// Why none could be begun.
pub(super) struct Failure {
    pub(super) reason: String,
    /// What `connect(2)` said, if it came to that.
    pub(super) errno: Option<Errno>,
}

impl Failure {
    /// Whether it is for nobody listening there, which of other connections is seen later.
    pub(super) fn is_refusal(&self) -> bool {
        self.errno == Some(Errno::CONNREFUSED)
    }
}

impl From<String> for Failure {
    fn from(reason: String) -> Self {
        Self { reason, errno: None }
    }
}

/// Begins to connect, to the host's address of this place in the order that `getaddrinfo(3)` gives
/// or one behind it. What becomes of it is for the selector to see.
pub(super) fn connect(remote: &Remote, place: usize) -> Result<Begun, Failure> {
    match remote {
        Remote::Tcp(address) => inet(address, SocketType::STREAM, place),
        Remote::Udp(address) => inet(address, SocketType::DGRAM, place),
        Remote::Unix(name) => unix(name).map(|fd| Begun { fd, next: None }),
    }
}

/// A socket that is connected to nobody.
pub(super) fn unconnected() -> Result<OwnedFd, String> {
    socket(AddressFamily::UNIX, SocketType::STREAM)
}

fn inet(text: &str, socket_type: SocketType, place: usize) -> Result<Begun, Failure> {
    let addresses = look_up(text).map_err(|e| format!("{text}: the host is not known: {e}"))?;
    // There may be fewer than there were.
    let place = if place < addresses.len() { place } else { 0 };
    let mut failure = Failure::from(format!("{text}: the host has no address"));
    for (i, address) in addresses.iter().enumerate().skip(place) {
        let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let fd = match socket(family, socket_type) {
            Ok(fd) => fd,
            // The kernel may lack the one protocol and have the other.
            Err(reason) => {
                failure = reason.into();
                continue;
            }
        };
        match begin(net::connect(&fd, address)) {
            Ok(()) => return Ok(Begun { fd, next: Some(i + 1).filter(|next| *next < addresses.len()) }),
            Err(e) => failure = Failure { reason: describe(text, e), errno: Some(e) },
        }
    }
    Err(failure)
}

/// The addresses of `HOST:PORT`. The resolver knows the names of interfaces that link-local addresses
/// come with, but no brackets.
fn look_up(text: &str) -> io::Result<Vec<SocketAddr>> {
    let bracketed = text.strip_prefix('[').and_then(|rest| rest.split_once("]:"));
    let Some((Ok(port), host)) = bracketed.map(|(host, port)| (port.parse::<u16>(), host)) else {
        return Ok(text.to_socket_addrs()?.collect());
    };
    Ok((host, port).to_socket_addrs()?.collect())
}

fn unix(name: &[u8]) -> Result<OwnedFd, Failure> {
    let shown = match name.strip_prefix(b"\0") {
        Some(name) => format!("@{}", escape(name, Escape::Table)),
        None => escape(name, Escape::Table).into_owned(),
    };
    let address = match name.strip_prefix(b"\0") {
        Some(name) => SocketAddrUnix::new_abstract_name(name),
        None => SocketAddrUnix::new(name),
    };
    let address =
        address.map_err(|_| format!("unix:{shown}: the name is too long for a socket (unix(7))"))?;
    let mut failure = Errno::PROTOTYPE;
    // Only connecting tells of which type the other end is.
    for socket_type in [SocketType::STREAM, SocketType::SEQPACKET, SocketType::DGRAM] {
        let socket = socket(AddressFamily::UNIX, socket_type)?;
        match begin(net::connect(&socket, &address)) {
            Ok(()) => return Ok(socket),
            Err(e) => failure = e,
        }
        if failure != Errno::PROTOTYPE {
            break;
        }
    }
    let reason = match failure {
        Errno::AGAIN => format!("unix:{shown}: the accept queue is full (EAGAIN)"),
        e => describe(&format!("unix:{shown}"), e),
    };
    Err(Failure { reason, errno: Some(failure) })
}

fn socket(family: AddressFamily, socket_type: SocketType) -> Result<OwnedFd, String> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    net::socket_with(family, socket_type, flags, None).map_err(|e| describe("a socket", e))
}

/// A connection that is on its way is what is wanted.
fn begin(connected: rustix::io::Result<()>) -> rustix::io::Result<()> {
    match connected {
        Err(Errno::INPROGRESS) => Ok(()),
        other => other,
    }
}

/// Opens a file without waiting for anybody.
pub(super) fn open(path: &Path, how: Access) -> Result<OwnedFd, String> {
    let access = match how {
        Access::Read => OFlags::RDONLY,
        Access::Write => OFlags::WRONLY,
        Access::ReadWrite => OFlags::RDWR,
    };
    let flags = access | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let shown = escape(path.as_os_str().as_bytes(), Escape::Table);
    rustix::fs::open(path, flags, Mode::empty()).map_err(|e| match e {
        Errno::NXIO if how == Access::Write => {
            format!("{shown}: nobody has the FIFO open for reading (ENXIO); rw:{shown} does not need that")
        }
        Errno::NXIO => format!("{shown}: it is a socket, or a device that is not there (ENXIO); unix:{shown} connects to a socket"),
        e => describe(&shown, e),
    })
}

fn describe(what: &str, errno: Errno) -> String {
    format!("{what}: {}", errno_words(errno.raw_os_error()))
}
