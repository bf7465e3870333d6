//! From an address to a socket that listens.

use super::address::Address;
use super::socket_address::SocketAddress;
use super::socket_file::SocketFile;
use crate::model::{FdNum, Inode};
use crate::sys;
use nix::sys::socket::{SockaddrStorage, getsockname};
use rustix::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{self, AddressFamily, SocketFlags, sockopt};

/// How a listener is made.
#[derive(Clone, Debug)]
pub struct Options {
    /// What `listen(2)` is given; `None` only for one that listens already.
    pub backlog: Option<i32>,
    /// Stream or sequenced packets, of unix sockets.
    pub socket_type: SocketType,
    /// `SO_REUSEADDR`.
    pub reuse_address: bool,
    /// `SO_REUSEPORT`.
    pub reuse_port: bool,
    /// `IPV6_V6ONLY`.
    pub v6_only: bool,
    /// `TCP_DEFER_ACCEPT`, in seconds.
    pub defer_accept: Option<i32>,
    /// `TCP_FASTOPEN`, in connections.
    pub fast_open: Option<i32>,
    /// `SO_RCVBUF`, in bytes.
    pub recv_buffer: Option<u32>,
    /// `SO_SNDBUF`, in bytes.
    pub send_buffer: Option<u32>,
    /// `O_NONBLOCK`; `None` leaves it as it is.
    pub nonblocking: Option<bool>,
    /// The mode of a socket file.
    pub mode: Option<u32>,
}

/// Types of unix sockets that connections can be made to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum SocketType {
    /// A stream of bytes
    Stream,
    /// Messages, in order
    Seqpacket,
}

/// A socket that listens.
#[derive(Debug)]
pub struct Listener {
    /// The socket.
    pub socket: OwnedFd,
    /// Where it listens.
    pub local: SocketAddress,
    /// What it is called to a command that it is passed to, `sd_listen_fds_with_names(3)`.
    pub name: Option<Vec<u8>>,
    /// The backlog that `listen(2)` was given; `None` where we did not call it.
    pub requested: Option<i32>,
    /// The socket file, where it is ours to remove.
    pub file: Option<SocketFile>,
}

/// The step that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// `socket(2)`
    Socket,
    /// `setsockopt(2)` with this option.
    Option(&'static str),
    /// `bind(2)`
    Bind,
    /// `listen(2)`
    Listen,
}

/// Why there is no listener.
#[derive(Debug)]
pub enum OpenError {
    /// The address is none.
    Address(String),
    /// A system call failed.
    Call {
        /// The address it failed for.
        address: SocketAddress,
        /// Which it was.
        step: Step,
        /// How.
        errno: Errno,
    },
}

impl Listener {
    /// Makes a socket and listens on it.
    pub fn open(address: &Address, options: &Options) -> Result<Self, OpenError> {
        let candidates = address.candidates(options.v6_only).map_err(OpenError::Address)?;
        let mut failure = None;
        for candidate in candidates {
            match open(&candidate, options) {
                Ok(listener) => return Ok(listener),
                Err((step, errno)) => {
                    let elsewhere = matches!(errno, Errno::AFNOSUPPORT | Errno::ADDRNOTAVAIL);
                    failure = Some(OpenError::Call { address: candidate, step, errno });
                    if !elsewhere {
                        break;
                    }
                }
            }
        }
        Err(failure.expect("an address has at least one candidate"))
    }

    /// Sets what can still be set of a socket that is bound, and calls `listen(2)` if there is a
    /// backlog.
    pub fn tune(&mut self, options: &Options) -> Result<(), (Step, Errno)> {
        set_options(&self.socket, &self.local, options)?;
        if let Some(backlog) = options.backlog {
            net::listen(&self.socket, backlog).map_err(|e| (Step::Listen, e))?;
            self.requested = Some(backlog);
            // It may have got its port only now.
            self.local = local_address(&self.socket).unwrap_or_else(|| self.local.clone());
        }
        set_blocking(&self.socket, options).map_err(|e| (Step::Option("O_NONBLOCK"), e))
    }

    /// The fd.
    pub fn fd(&self) -> FdNum {
        FdNum(self.socket.as_raw_fd())
    }

    /// What `socket(7)` calls its type.
    pub fn type_name(&self) -> &'static str {
        match sockopt::socket_type(&self.socket) {
            Ok(net::SocketType::SEQPACKET) => "seqpacket",
            _ => "stream",
        }
    }

    /// Whether `accept4(2)` waits for a connection.
    pub fn is_blocking(&self) -> bool {
        rustix::fs::fcntl_getfl(&self.socket).is_ok_and(|flags| !flags.contains(OFlags::NONBLOCK))
    }

    /// The socket's inode in sockfs.
    pub fn inode(&self) -> rustix::io::Result<Inode> {
        rustix::fs::fstat(&self.socket).map(|stat| Inode(stat.st_ino))
    }
}

fn open(address: &SocketAddress, options: &Options) -> Result<Listener, (Step, Errno)> {
    let family = match address {
        SocketAddress::Inet(a) if a.is_ipv4() => AddressFamily::INET,
        SocketAddress::Inet(_) => AddressFamily::INET6,
        SocketAddress::Path(_) | SocketAddress::Abstract(_) | SocketAddress::Unnamed => AddressFamily::UNIX,
        SocketAddress::Vsock { .. } => AddressFamily::VSOCK,
    };
    let socket_type = match (family, options.socket_type) {
        (AddressFamily::UNIX, SocketType::Seqpacket) => net::SocketType::SEQPACKET,
        _ => net::SocketType::STREAM,
    };
    let socket =
        net::socket_with(family, socket_type, SocketFlags::CLOEXEC, None).map_err(|e| (Step::Socket, e))?;
    if matches!(address, SocketAddress::Inet(_)) {
        let name = |name| move |e| (Step::Option(name), e);
        sockopt::set_socket_reuseaddr(&socket, options.reuse_address).map_err(name("SO_REUSEADDR"))?;
        if options.reuse_port {
            sockopt::set_socket_reuseport(&socket, true).map_err(name("SO_REUSEPORT"))?;
        }
        if family == AddressFamily::INET6 {
            // Whatever net.ipv6.bindv6only says.
            sockopt::set_ipv6_v6only(&socket, options.v6_only).map_err(name("IPV6_V6ONLY"))?;
        }
    }
    let file = match address {
        SocketAddress::Path(path) => Some(SocketFile::bind(&socket, address, path, options.mode)?),
        _ => {
            bind(&socket, address)?;
            None
        }
    };
    let mut listener = Listener { local: address.clone(), socket, name: None, requested: None, file };
    listener.tune(options)?;
    Ok(listener)
}

pub(super) fn bind(socket: &OwnedFd, address: &SocketAddress) -> Result<(), (Step, Errno)> {
    let bound = address.to_system().and_then(|a| nix::sys::socket::bind(socket.as_raw_fd(), &*a));
    bound.map_err(|e| (Step::Bind, Errno::from_raw_os_error(e as i32)))
}

/// Where a socket is bound to.
pub(super) fn local_address(socket: &OwnedFd) -> Option<SocketAddress> {
    let address: SockaddrStorage = getsockname(socket.as_raw_fd()).ok()?;
    SocketAddress::from_system(&address)
}

/// Options that may be set before and after `bind(2)`, as far as they are of the address's family.
fn set_options(socket: &OwnedFd, address: &SocketAddress, options: &Options) -> Result<(), (Step, Errno)> {
    let name = |name| move |e| (Step::Option(name), e);
    let errno = |e: std::io::Error| Errno::from_io_error(&e).unwrap_or(Errno::INVAL);
    if let Some(bytes) = options.recv_buffer {
        sockopt::set_socket_recv_buffer_size(socket, bytes as usize).map_err(name("SO_RCVBUF"))?;
    }
    if let Some(bytes) = options.send_buffer {
        sockopt::set_socket_send_buffer_size(socket, bytes as usize).map_err(name("SO_SNDBUF"))?;
    }
    if !matches!(address, SocketAddress::Inet(_)) {
        return Ok(());
    }
    if let Some(seconds) = options.defer_accept {
        let set = sys::set_defer_accept(socket.as_fd(), seconds);
        set.map_err(errno).map_err(name("TCP_DEFER_ACCEPT"))?;
    }
    if let Some(queue) = options.fast_open {
        sys::set_fast_open(socket.as_fd(), queue).map_err(errno).map_err(name("TCP_FASTOPEN"))?;
    }
    Ok(())
}

fn set_blocking(socket: &OwnedFd, options: &Options) -> rustix::io::Result<()> {
    let Some(nonblocking) = options.nonblocking else { return Ok(()) };
    rustix::io::ioctl_fionbio(socket, nonblocking)
}

/// The permission bits of a mode that was given in octal.
pub(super) fn permissions(mode: u32) -> Mode {
    Mode::from_bits_truncate(mode & 0o7777)
}
