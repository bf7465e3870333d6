//! A socket, wherever it was read from.

use super::accept_queue::AcceptQueue;
use super::endpoint::Endpoint;
use super::ids::{Device, Inode};
use std::fmt;

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

impl Family {
    /// All that have a name of ours, the likeliest first.
    pub const ALL: &[Self] = &[
        Self::Tcp,
        Self::Tcp6,
        Self::Udp,
        Self::Udp6,
        Self::Unix,
        Self::Netlink,
        Self::Packet,
        Self::Raw,
        Self::Raw6,
        Self::Ping,
        Self::Ping6,
        Self::Udplite,
        Self::Udplite6,
        Self::Mptcp,
        Self::Mptcp6,
        Self::Vsock,
    ];

    /// The name, which is that of the kind of fd too.
    pub fn word(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Tcp6 => "tcp6",
            Self::Udp => "udp",
            Self::Udp6 => "udp6",
            Self::Udplite => "udplite",
            Self::Udplite6 => "udplite6",
            Self::Raw => "raw",
            Self::Raw6 => "raw6",
            Self::Ping => "ping",
            Self::Ping6 => "ping6",
            Self::Unix => "unix",
            Self::Netlink => "netlink",
            Self::Packet => "packet",
            Self::Vsock => "vsock",
            Self::Mptcp => "mptcp",
            Self::Mptcp6 => "mptcp6",
            Self::Other => "socket",
        }
    }

    /// The same over IPv6, of a family over IPv4.
    pub fn six(self) -> Option<Self> {
        Some(match self {
            Self::Tcp => Self::Tcp6,
            Self::Udp => Self::Udp6,
            Self::Udplite => Self::Udplite6,
            Self::Raw => Self::Raw6,
            Self::Ping => Self::Ping6,
            Self::Mptcp => Self::Mptcp6,
            _ => return None,
        })
    }

    /// Whether states are those of TCP.
    pub fn is_tcp(self) -> bool {
        matches!(self, Self::Tcp | Self::Tcp6 | Self::Mptcp | Self::Mptcp6)
    }

    /// Whether it is `udp(7)` or `udplite(7)`.
    pub fn is_udp(self) -> bool {
        matches!(self, Self::Udp | Self::Udp6 | Self::Udplite | Self::Udplite6)
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
    /// Interface index: of a packet socket, 0 for all; of others, where they are bound to one.
    pub interface: Option<u32>,
    /// The accept queue, of a listener.
    pub queue: Option<AcceptQueue>,
    /// The user who made it, or to whom it was given by `fchown(2)`; not known where no file belongs
    /// to it.
    pub uid: Option<u32>,
    /// The kernel's number for it, which no other socket gets until the machine is started anew.
    pub cookie: Option<u64>,
    /// Which directions are shut down: `RCV_SHUTDOWN` 1, `SEND_SHUTDOWN` 2.
    pub shutdown: Option<u8>,
    /// The inode of the other end of a unix socket. 0 where it is still to be accepted, and so is
    /// nobody's yet; nothing where it has been closed.
    pub peer: Option<Inode>,
    /// The sockets that wait to be accepted by a unix listener.
    pub waiting: Vec<Inode>,
    /// The own and the other address of a vsock socket.
    pub vsock: Option<(VsockAddress, VsockAddress)>,
    /// What else the kernel tells, where it was asked for.
    pub detail: Option<Box<SocketDetail>>,
}

/// An address of `vsock(7)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VsockAddress {
    /// The machine.
    pub cid: u32,
    /// The port in it.
    pub port: u32,
}

impl VsockAddress {
    /// `VMADDR_CID_ANY`, `VMADDR_PORT_ANY`.
    const ANY: u32 = u32::MAX;

    /// Whether nothing is bound or connected here.
    pub fn is_unset(self) -> bool {
        self.cid == Self::ANY && self.port == Self::ANY
    }
}

impl fmt::Display for VsockAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.cid, self.port) {
            (Self::ANY, Self::ANY) => f.write_str("*:*"),
            (Self::ANY, port) => write!(f, "*:{port}"),
            (cid, Self::ANY) => write!(f, "{cid}:*"),
            (cid, port) => write!(f, "{cid}:{port}"),
        }
    }
}

/// What only some listings ask for. What the kernel does not tell is `None`.
#[derive(Clone, Debug, Default)]
pub struct SocketDetail {
    /// The timer that runs.
    pub timer: Option<SocketTimer>,
    /// Memory, `SK_MEMINFO_*` of `linux/sock_diag.h`.
    pub memory: Option<[u32; 9]>,
    /// `struct tcp_info` of `linux/tcp.h`, as long as this kernel has it.
    pub tcp_info: Option<Box<[u8]>>,
    /// The name of the congestion control.
    pub congestion: Option<Vec<u8>>,
    /// Type of service, of IPv4.
    pub tos: Option<u8>,
    /// Traffic class, of IPv6.
    pub traffic_class: Option<u8>,
    /// `SO_MARK`; told only to `CAP_NET_ADMIN`.
    pub mark: Option<u32>,
    /// The class for traffic control, `SO_PRIORITY` or that of the net_cls cgroup.
    pub class: Option<u32>,
    /// The id of the cgroup in which it was made.
    pub cgroup: Option<u64>,
    /// Whether it takes IPv6 alone, of a socket of IPv6.
    pub v6_only: Option<bool>,
    /// The first two bytes of `struct inet_diag_sockopt`.
    pub options: Option<u16>,
    /// The upper-layer protocol on top, such as `tls`.
    pub upper: Option<Vec<u8>>,
    /// The filesystem and the inode of the file that a unix socket is bound to. The kernel gives
    /// 32 bits of the inode.
    pub file: Option<(Device, u32)>,
}

impl SocketDetail {
    /// Bytes that came in order since a TCP connection was made, read or not.
    pub fn bytes_received(&self) -> Option<u64> {
        /// Where they stand in `struct tcp_info`.
        const AT: usize = 128;
        let bytes = self.tcp_info.as_deref()?.get(AT..)?.first_chunk()?;
        Some(u64::from_ne_bytes(*bytes))
    }
}

/// A timer of a TCP socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketTimer {
    /// `retransmit`, `keepalive`, `time-wait` or `probe`.
    pub kind: &'static str,
    /// Milliseconds until it runs out.
    pub expires: u32,
    /// How often it ran out since the other end answered last.
    pub retransmits: u8,
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
            queue: None,
            uid: None,
            cookie: None,
            shutdown: None,
            peer: None,
            waiting: Vec::new(),
            vsock: None,
            detail: None,
        }
    }

    /// Whether it listens.
    pub fn listens(&self) -> bool {
        self.state == Some("listen")
    }

    /// Whether it is one that the kernel opened for itself, to be talked to over netlink.
    pub fn is_kernels(&self) -> bool {
        self.family == Family::Netlink && self.port_id == Some(0)
    }

    /// Bytes that were not read yet; of datagrams and multipath TCP, the memory that they take. In the receive queue of a TCP socket the FIN counts as one, until
    /// it is read, as the end of the stream.
    pub fn unread(&self) -> Option<u64> {
        let is_tcp = matches!(self.family, Family::Tcp | Family::Tcp6);
        let ended = is_tcp && matches!(self.state, Some("close-wait" | "closing" | "last-ack"));
        self.recv_queue.map(|bytes| bytes.saturating_sub(ended.into()))
    }

    /// Bytes that were not sent yet, or not acknowledged; of datagrams, the memory that they take. In the
    /// send queue of a TCP socket the SYN counts as one until it is answered, and the FIN too.
    pub fn unsent(&self) -> Option<u64> {
        let is_tcp = matches!(self.family, Family::Tcp | Family::Tcp6);
        let marks = is_tcp && matches!(self.state, Some("syn-sent" | "fin-wait-1" | "closing" | "last-ack"));
        self.send_queue.map(|bytes| bytes.saturating_sub(marks.into()))
    }

    /// Whether anything lists it, so that more is known than its family.
    pub fn is_listed(&self) -> bool {
        self.cookie.is_some() || self.state.is_some() || self.port_id.is_some() || self.interface.is_some()
    }

    /// Whether the other end of a unix socket was there and has been closed, as far as this source
    /// tells: the tables of /proc do not.
    pub fn lost_its_peer(&self) -> bool {
        self.family == Family::Unix
            && self.cookie.is_some()
            && self.state == Some("connected")
            && self.peer.is_none()
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
    use super::{Endpoint, Family, Inode, Socket, VsockAddress};

    #[test]
    fn what_stands_for_a_port_is_none() {
        let local = Some(Endpoint("0.0.0.0:6".parse().unwrap()));
        let port = |family| Socket { local, ..Socket::new(Inode(1), family) }.port();
        assert_eq!(port(Family::Udp), Some(6));
        assert_eq!(port(Family::Raw), None);
        assert_eq!(port(Family::Ping6), None);
    }

    #[test]
    fn syn_and_fin_are_no_bytes() {
        let unsent = |family, state| {
            Socket { state: Some(state), send_queue: Some(8), ..Socket::new(Inode(1), family) }.unsent()
        };
        assert_eq!(unsent(Family::Tcp, "established"), Some(8));
        assert_eq!(unsent(Family::Tcp, "close-wait"), Some(8));
        for state in ["syn-sent", "fin-wait-1", "closing", "last-ack"] {
            assert_eq!(unsent(Family::Tcp6, state), Some(7), "{state}");
        }
        assert_eq!(unsent(Family::Mptcp, "fin-wait-1"), Some(8), "that is memory");
        let memory =
            Socket { state: Some("close-wait"), recv_queue: Some(8), ..Socket::new(Inode(1), Family::Mptcp) };
        assert_eq!(memory.unread(), Some(8), "that too");
    }

    #[test]
    fn what_is_any_in_a_vsock_address_is_a_star() {
        let show = |cid, port| VsockAddress { cid, port }.to_string();
        assert_eq!(show(2, 1024), "2:1024");
        assert_eq!(show(u32::MAX, 1024), "*:1024");
        assert_eq!(show(u32::MAX, u32::MAX), "*:*");
        assert!(VsockAddress { cid: u32::MAX, port: u32::MAX }.is_unset());
    }
}
