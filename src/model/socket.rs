//! A socket, wherever it was read from.

use super::ids::Inode;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// Which table of the kernel a socket is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// `tcp(7)` over IPv4.
    Tcp,
    /// `tcp(7)` over IPv6.
    Tcp6,
    /// `udp(7)` over IPv4.
    Udp,
    /// `udp(7)` over IPv6.
    Udp6,
    /// `udplite(7)` over IPv4.
    Udplite,
    /// `udplite(7)` over IPv6.
    Udplite6,
    /// `raw(7)` over IPv4.
    Raw,
    /// `raw(7)` over IPv6.
    Raw6,
    /// Unprivileged echo requests, `icmp(7)`.
    Ping,
    /// Unprivileged echo requests over IPv6.
    Ping6,
    /// `unix(7)`.
    Unix,
    /// `netlink(7)`.
    Netlink,
    /// `packet(7)`.
    Packet,
    /// `vsock(7)`.
    Vsock,
    /// Multipath TCP over IPv4, RFC 8684.
    Mptcp,
    /// Multipath TCP over IPv6.
    Mptcp6,
    /// Anything else: the kernel's own name is in [`Socket::protocol`].
    Other,
}

/// One end of an internet socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint(pub SocketAddr);

impl Endpoint {
    /// Whether nothing is bound or connected here: the wildcard address and port 0.
    pub fn is_unset(self) -> bool {
        self.0.ip().is_unspecified() && self.0.port() == 0
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.ip() {
            IpAddr::V4(ip) => write!(f, "{ip}:{}", self.0.port()),
            IpAddr::V6(ip) => write!(f, "[{ip}]:{}", self.0.port()),
        }
    }
}

/// What is known of a socket. Fields that a source does not give are `None`.
#[derive(Clone, Debug)]
pub struct Socket {
    /// Its inode in sockfs, which the link of an fd names.
    pub inode: Inode,
    /// Its family.
    pub family: Family,
    /// The kernel's protocol name where [`Family::Other`], or netlink's protocol.
    pub protocol: Option<Vec<u8>>,
    /// The state, in lower case.
    pub state: Option<&'static str>,
    /// `stream`, `dgram`, `seqpacket` or `raw`.
    pub socket_type: Option<&'static str>,
    /// The own address.
    pub local: Option<Endpoint>,
    /// The other end's address.
    pub remote: Option<Endpoint>,
    /// Bytes waiting to be read; for a TCP listener, connections waiting to be accepted.
    pub recv_queue: Option<u64>,
    /// Bytes not yet sent or not yet acknowledged.
    pub send_queue: Option<u64>,
    /// The bound path of a unix socket; abstract names start with `@`.
    pub path: Option<Vec<u8>>,
    /// Netlink port id.
    pub port_id: Option<u32>,
    /// Multicast groups of a netlink socket.
    pub groups: Option<u64>,
    /// Datagrams dropped because the receive buffer was full.
    pub drops: Option<u64>,
    /// Interface index of a packet socket, 0 for all.
    pub interface: Option<u32>,
}

impl Socket {
    /// A socket of which only inode and family are known.
    pub fn new(inode: Inode, family: Family) -> Self {
        Self {
            inode,
            family,
            protocol: None,
            state: None,
            socket_type: None,
            local: None,
            remote: None,
            recv_queue: None,
            send_queue: None,
            path: None,
            port_id: None,
            groups: None,
            drops: None,
            interface: None,
        }
    }

    /// The own port, of protocols that have ports: in raw sockets a protocol's number stands in its
    /// place, in those for echo requests an identifier.
    pub fn port(&self) -> Option<u16> {
        match self.family {
            Family::Raw | Family::Raw6 | Family::Ping | Family::Ping6 => None,
            _ => self.local.map(|local| local.0.port()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Endpoint, Family, Inode, Socket};

    #[test]
    fn what_stands_for_a_port_is_none() {
        let local = Some(Endpoint("0.0.0.0:6".parse().unwrap()));
        let port = |family| Socket { local, ..Socket::new(Inode(1), family) }.port();
        assert_eq!(port(Family::Udp), Some(6));
        assert_eq!(port(Family::Raw), None);
        assert_eq!(port(Family::Ping6), None);
    }
}
