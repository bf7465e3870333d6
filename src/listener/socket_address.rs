//! Addresses that sockets have.

use nix::sys::socket::{SockaddrLike, SockaddrStorage, UnixAddr, VsockAddr};
use rustix::net::SocketAddrAny;
use std::net::SocketAddr;

/// An address of a socket, in its family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SocketAddress {
    /// `ip(7)` or `ipv6(7)`, with a port.
    Inet(SocketAddr),
    /// `unix(7)`: the path of a socket file.
    Path(Vec<u8>),
    /// `unix(7)`: a name that is in no filesystem, without its leading NUL.
    Abstract(Vec<u8>),
    /// `unix(7)`: none, as most clients have.
    Unnamed,
    /// `vsock(7)`.
    Vsock {
        /// Which machine.
        cid: u32,
        /// The port.
        port: u32,
    },
}

impl SocketAddress {
    /// As users write it, lossless.
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Inet(address) => address.to_string().into_bytes(),
            Self::Path(path) => [b"unix:", &path[..]].concat(),
            Self::Abstract(name) => [b"unix:@", &name[..]].concat(),
            Self::Unnamed => b"unix:".to_vec(),
            Self::Vsock { cid: libc::VMADDR_CID_ANY, port } => format!("vsock:any:{port}").into_bytes(),
            Self::Vsock { cid, port } => format!("vsock:{cid}:{port}").into_bytes(),
        }
    }

    /// What system calls take.
    pub(super) fn to_system(&self) -> nix::Result<Box<dyn SockaddrLike>> {
        Ok(match self {
            Self::Inet(address) => Box::new(SockaddrStorage::from(*address)),
            Self::Path(path) => Box::new(UnixAddr::new(&path[..])?),
            Self::Abstract(name) => Box::new(UnixAddr::new_abstract(name)?),
            Self::Unnamed => Box::new(UnixAddr::new_unnamed()),
            Self::Vsock { cid, port } => Box::new(VsockAddr::new(*cid, *port)),
        })
    }

    /// What a system call gave; `None` for a family that nobody accepts connections of.
    pub(super) fn from_system(address: &SockaddrStorage) -> Option<Self> {
        if let Some(v4) = address.as_sockaddr_in() {
            return Some(Self::Inet(SocketAddr::V4((*v4).into())));
        }
        if let Some(v6) = address.as_sockaddr_in6() {
            return Some(Self::Inet(SocketAddr::V6((*v6).into())));
        }
        if let Some(vsock) = address.as_vsock_addr() {
            return Some(Self::Vsock { cid: vsock.cid(), port: vsock.port() });
        }
        let unix = address.as_unix_addr()?;
        Some(match (unix.path(), unix.as_abstract()) {
            (Some(path), _) => Self::Path(path.as_os_str().as_encoded_bytes().to_vec()),
            (None, Some(name)) => Self::Abstract(name.to_vec()),
            (None, None) => Self::Unnamed,
        })
    }

    /// What `accept4(2)` gave. Not of vsock, which must be asked for by `getpeername(2)`.
    pub(super) fn from_accept(address: SocketAddrAny) -> Option<Self> {
        if let Ok(inet) = SocketAddr::try_from(address.clone()) {
            return Some(Self::Inet(unmapped(inet)));
        }
        let unix = rustix::net::SocketAddrUnix::try_from(address).ok()?;
        Some(match (unix.path_bytes(), unix.abstract_name()) {
            (Some(path), _) => Self::Path(path.to_vec()),
            // rustix makes an empty name of none.
            (None, Some(name)) if !name.is_empty() => Self::Abstract(name.to_vec()),
            (None, _) => Self::Unnamed,
        })
    }
}

/// The IPv4 client of a socket that serves IPv6 too, as the IPv4 address that it is.
fn unmapped(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V6(v6) => v6.ip().to_ipv4_mapped().map_or(address, |v4| (v4, v6.port()).into()),
        SocketAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::SocketAddress;
    use std::os::unix::net::{UnixListener, UnixStream};

    #[test]
    fn a_client_that_is_not_bound_has_no_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        let _client = UnixStream::connect(&path).unwrap();
        let (_socket, peer) = rustix::net::acceptfrom(&listener).unwrap();
        let peer = peer.and_then(SocketAddress::from_accept);
        assert!(matches!(peer, None | Some(SocketAddress::Unnamed)), "{peer:?}");
    }

    #[test]
    fn as_they_are_written() {
        let show = |address: SocketAddress| String::from_utf8(address.bytes()).unwrap();
        assert_eq!(show(SocketAddress::Inet("[::1]:80".parse().unwrap())), "[::1]:80");
        assert_eq!(show(SocketAddress::Path(b"/a".to_vec())), "unix:/a");
        assert_eq!(show(SocketAddress::Abstract(b"a".to_vec())), "unix:@a");
        assert_eq!(show(SocketAddress::Vsock { cid: u32::MAX, port: 1 }), "vsock:any:1");
        assert_eq!(show(SocketAddress::Vsock { cid: 2, port: 1 }), "vsock:2:1");
    }
}
