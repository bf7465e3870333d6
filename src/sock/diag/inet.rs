//! Internet sockets: `linux/inet_diag.h`.

use super::attributes::{after, number, numbers, text};
use super::plain;
use crate::model::{AcceptQueue, Endpoint, Family, Inode, Socket, SocketDetail, SocketTimer};
use crate::sock::protocol;
use crate::sock::request::States;
use netlink_packet_core::{DecodeError, Emitable, Parseable as _};
use netlink_packet_sock_diag::inet::{ExtensionFlags, InetRequest, InetResponseHeader, SocketId, StateFlags};
use netlink_packet_sock_diag::{
    AF_INET, AF_INET6, INET_DIAG_CLASS_ID, INET_DIAG_CONG, INET_DIAG_INFO, INET_DIAG_MARK,
    INET_DIAG_SHUTDOWN, INET_DIAG_SKMEMINFO, INET_DIAG_SKV6ONLY, INET_DIAG_TCLASS, INET_DIAG_TOS,
    IPPROTO_RAW, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE, TCP_LISTEN,
};
use std::net::SocketAddr;

const INET_DIAG_ULP_INFO: u16 = 19;
const INET_DIAG_CGROUP_ID: u16 = 21;
const INET_DIAG_SOCKOPT: u16 = 22;
const INET_ULP_INFO_NAME: u16 = 1;
/// What the kernel asks for a protocol that does not fit the request's byte.
const INET_DIAG_REQ_PROTOCOL: u16 = 3;
const IPPROTO_MPTCP: u32 = libc::IPPROTO_MPTCP as u32;

/// `SK_MEMINFO_DROPS` of `linux/sock_diag.h`.
const DROPS: usize = 8;

/// `struct inet_diag_msg`.
pub(super) const HEADER: usize = 72;

/// What the kernel takes for no choice of a port.
pub(super) const ANY_PORT: u16 = 0;

/// A request, and the protocol that has no place in it.
#[derive(Debug)]
pub(super) struct Request {
    fixed: InetRequest,
    protocol: Option<u32>,
}

impl Emitable for Request {
    fn buffer_len(&self) -> usize {
        self.fixed.buffer_len() + if self.protocol.is_some() { 8 } else { 0 }
    }

    fn emit(&self, buffer: &mut [u8]) {
        let (fixed, rest) = buffer.split_at_mut(self.fixed.buffer_len());
        self.fixed.emit(fixed);
        if let Some(protocol) = self.protocol {
            rest[..2].copy_from_slice(&8u16.to_ne_bytes());
            rest[2..4].copy_from_slice(&INET_DIAG_REQ_PROTOCOL.to_ne_bytes());
            rest[4..].copy_from_slice(&protocol.to_ne_bytes());
        }
    }
}

/// The address family, and the protocol, or `None` for what there is no request for.
fn numbers_of(family: Family) -> Option<(u8, u32)> {
    Some(match family {
        Family::Tcp => (AF_INET, IPPROTO_TCP.into()),
        Family::Tcp6 => (AF_INET6, IPPROTO_TCP.into()),
        Family::Udp => (AF_INET, IPPROTO_UDP.into()),
        Family::Udp6 => (AF_INET6, IPPROTO_UDP.into()),
        Family::Udplite => (AF_INET, IPPROTO_UDPLITE.into()),
        Family::Udplite6 => (AF_INET6, IPPROTO_UDPLITE.into()),
        Family::Raw => (AF_INET, IPPROTO_RAW.into()),
        Family::Raw6 => (AF_INET6, IPPROTO_RAW.into()),
        Family::Mptcp => (AF_INET, IPPROTO_MPTCP),
        Family::Mptcp6 => (AF_INET6, IPPROTO_MPTCP),
        _ => return None,
    })
}

/// Asks for the sockets of a family on a port.
pub(super) fn all(family: Family, states: States, port: u16, detail: bool) -> Option<Request> {
    let extensions = extensions(family, states, detail);
    let states = StateFlags::from_bits_retain(states.0);
    // The addresses do not matter to a dump.
    let socket_id = SocketId { source_port: port, ..SocketId::new_v4() };
    request(family, extensions, states, socket_id)
}

/// `TCPDIAG_GETSOCK`: a kind of request that is older than the families of sockets.
pub(super) const ALL_TCP: u16 = 18;

/// Asks for the TCP sockets of IPv4 and of IPv6 on a port: `struct inet_diag_req`. They are all in one
/// table, which is walked from end to end for each request, whatever it asks for.
pub(super) fn all_tcp(states: States, port: u16, detail: bool) -> plain::Request<60> {
    let [high, low] = port.to_be_bytes();
    let extensions = extensions(Family::Tcp, states, detail).bits();
    plain::Request::new(libc::AF_UNSPEC, 0)
        .with(0, u32::from_ne_bytes([0, 0, 0, extensions]))
        .with(4, u32::from_ne_bytes([high, low, 0, 0]))
        .with(52, states.0)
}

/// What it tells of sockets besides the usual.
fn extensions(family: Family, states: States, detail: bool) -> ExtensionFlags {
    match (detail, family) {
        (true, _) => ExtensionFlags::all() - ExtensionFlags::MEMINFO - ExtensionFlags::VEGASINFO,
        // How many datagrams, or connections, were dropped.
        (false, Family::Tcp | Family::Tcp6) if states != States::LISTEN => ExtensionFlags::empty(),
        (false, _) => ExtensionFlags::SKMEMINFO,
    }
}

/// Names one socket, to close it.
pub(super) fn one(socket: &Socket) -> Option<Request> {
    let (local, remote) = (socket.local?.0, socket.remote?.0);
    let socket_id = SocketId {
        source_port: local.port(),
        destination_port: remote.port(),
        source_address: local.ip(),
        destination_address: remote.ip(),
        interface_id: socket.interface.unwrap_or(0),
        cookie: socket.cookie?.to_ne_bytes(),
    };
    request(socket.family, ExtensionFlags::empty(), StateFlags::from_bits_retain(!0), socket_id)
}

fn request(
    family: Family,
    extensions: ExtensionFlags,
    states: StateFlags,
    socket_id: SocketId,
) -> Option<Request> {
    let (family, protocol) = numbers_of(family)?;
    let byte = u8::try_from(protocol);
    let fixed = InetRequest { family, protocol: byte.unwrap_or(IPPROTO_RAW), extensions, states, socket_id };
    Some(Request { fixed, protocol: byte.is_err().then_some(protocol) })
}

/// Reads a socket that [`all_tcp`] has asked for.
pub(super) fn tcp_socket(message: &[u8], detail: bool) -> Result<Socket, DecodeError> {
    let family = if message.first() == Some(&AF_INET6) { Family::Tcp6 } else { Family::Tcp };
    socket(message, family, detail)
}

/// Reads a socket.
pub(super) fn socket(message: &[u8], family: Family, detail: bool) -> Result<Socket, DecodeError> {
    let header = InetResponseHeader::parse(message)?;
    let id = &header.socket_id;
    let endpoint = |address, port| Some(Endpoint(SocketAddr::new(address, port)));
    let state = if family.is_tcp() { protocol::tcp_state } else { protocol::datagram_state };
    let mut socket = Socket {
        state: Some(state(header.state.into())),
        local: endpoint(id.source_address, id.source_port),
        remote: endpoint(id.destination_address, id.destination_port),
        recv_queue: Some(header.recv_queue.into()),
        send_queue: Some(header.send_queue.into()),
        // Of what belongs to no file the kernel says 0.
        uid: Some(header.uid).filter(|_| header.inode != 0),
        cookie: Some(u64::from_ne_bytes(id.cookie)),
        interface: Some(id.interface_id).filter(|&index| index != 0),
        ..Socket::new(Inode(header.inode.into()), family)
    };
    let mut drops = None;
    let mut more = SocketDetail::default();
    for attribute in after(HEADER, message) {
        let (kind, value) = attribute?;
        let byte = value.first().copied();
        match kind {
            INET_DIAG_SKMEMINFO => {
                drops = number(value, DROPS).map(u64::from);
                more.memory = Some(numbers(value));
            }
            INET_DIAG_SHUTDOWN => socket.shutdown = byte,
            _ if !detail => {}
            // Of multipath TCP it is a struct of its own.
            INET_DIAG_INFO if matches!(family, Family::Tcp | Family::Tcp6) => {
                more.tcp_info = Some(value.into());
            }
            INET_DIAG_CONG => more.congestion = Some(text(value).to_vec()),
            INET_DIAG_TOS => more.tos = byte,
            INET_DIAG_TCLASS => more.traffic_class = byte,
            INET_DIAG_SKV6ONLY => more.v6_only = byte.map(|b| b != 0),
            INET_DIAG_MARK => more.mark = number(value, 0),
            INET_DIAG_CLASS_ID => more.class = number(value, 0),
            INET_DIAG_CGROUP_ID => {
                more.cgroup = value.first_chunk().map(|&bytes| u64::from_ne_bytes(bytes));
            }
            INET_DIAG_SOCKOPT => more.options = value.first_chunk().map(|&bytes| u16::from_le_bytes(bytes)),
            INET_DIAG_ULP_INFO => {
                let name = after(0, value).flatten().find(|(kind, _)| *kind == INET_ULP_INFO_NAME);
                more.upper = name.map(|(_, name)| text(name).to_vec());
            }
            _ => {}
        }
    }
    if family.is_tcp() && header.state == TCP_LISTEN {
        // In one that listens, the numbers of the queue mean connections.
        socket.queue = Some(AcceptQueue { waiting: header.recv_queue, max: Some(header.send_queue), drops });
        socket.send_queue = None;
    } else if !family.is_tcp() {
        socket.drops = drops;
    }
    if detail {
        more.timer = timer(message);
        socket.detail = Some(Box::new(more));
    }
    Ok(socket)
}

/// `idiag_timer`, `idiag_retrans` and `idiag_expires`.
fn timer(message: &[u8]) -> Option<SocketTimer> {
    let kind = match message.get(2)? {
        1 => "retransmit",
        2 => "keepalive",
        3 => "time-wait",
        4 => "probe",
        _ => return None,
    };
    Some(SocketTimer { kind, expires: number(message, 13)?, retransmits: *message.get(3)? })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{connect, inode, socket, tcp_listener, until};
    use super::super::{Diag, ListeningSocket};
    use super::socket as read;
    use crate::model::{Endpoint, Family};
    use crate::sock::Netstat;
    use rustix::fd::OwnedFd;
    use rustix::io::Errno;
    use rustix::net::ipproto::MPTCP;
    use rustix::net::{AddressFamily, Protocol, SocketType, bind, getsockname, listen};
    use std::net::SocketAddr;
    use std::path::Path;

    fn listener_on(
        address: &str,
        backlog: i32,
        protocol: Option<Protocol>,
    ) -> Result<(OwnedFd, SocketAddr), Errno> {
        let address: SocketAddr = address.parse().unwrap();
        let listener = socket(AddressFamily::of(address), SocketType::STREAM, protocol)?;
        bind(&listener, &address)?;
        listen(&listener, backlog)?;
        let address = getsockname(&listener)?.try_into()?;
        Ok((listener, address))
    }

    /// Sends more clients than are admitted.
    fn fill(address: SocketAddr, backlog: i32) -> Vec<OwnedFd> {
        let client = || connect(socket(AddressFamily::of(address), SocketType::STREAM, None)?, &address);
        (0..backlog + 3).map(|_| client().unwrap()).collect()
    }

    trait Of {
        fn of(address: SocketAddr) -> Self;
    }

    impl Of for AddressFamily {
        fn of(address: SocketAddr) -> Self {
            if address.is_ipv4() { Self::INET } else { Self::INET6 }
        }
    }

    fn check_queue(listener: &OwnedFd, address: SocketAddr, backlog: i32) {
        let mut diag = Diag::open().unwrap();
        let mut look = || tcp_listener(&mut diag, listener).unwrap();
        let empty = look();
        assert_eq!((empty.local, empty.path.clone()), (Some(Endpoint(address)), None));
        assert_eq!(empty.uid, Some(rustix::process::geteuid().as_raw()));
        assert_eq!((empty.queue.waiting, empty.queue.max), (0, Some(backlog as u32)));
        assert_eq!(empty.queue.drops, Some(0));
        let clients = fill(address, backlog);
        let is_full = |seen: &ListeningSocket| seen.queue.is_full() && seen.queue.drops > Some(0);
        let full = until(&mut look, is_full);
        assert_eq!((full.queue.waiting, full.queue.max), (backlog as u32 + 1, Some(backlog as u32)));
        drop(rustix::net::accept(listener).unwrap());
        // A client that was refused may take the place at once.
        assert!(look().queue.waiting >= backlog as u32);
        drop(clients);
    }

    #[test]
    fn a_queue_holds_one_more_than_the_backlog() {
        for backlog in [0, 1, 5] {
            let (listener, address) = listener_on("127.0.0.1:0", backlog, None).unwrap();
            check_queue(&listener, address, backlog);
        }
    }

    #[test]
    fn ipv6_listeners_are_shown_as_they_are() {
        for address in ["[::1]:0", "[::]:0"] {
            match listener_on(address, 1, None) {
                Ok((listener, address)) => check_queue(&listener, address, 1),
                Err(error) => eprintln!("skipped: {address}, because it cannot be listened on: {error}"),
            }
        }
    }

    #[test]
    fn a_multipath_listener_is_shown_once_with_its_queue() {
        match listener_on("127.0.0.1:0", 1, Some(MPTCP)) {
            Ok((listener, address)) => {
                check_queue(&listener, address, 1);
                let all = Diag::open().unwrap().tcp_listeners().unwrap();
                assert_eq!(all.iter().filter(|l| l.inode == inode(&listener)).count(), 1);
            }
            Err(error) => eprintln!("skipped: multipath TCP, because there is none: {error}"),
        }
    }

    #[test]
    fn refused_connections_count_in_the_namespace_too() {
        let path = Path::new("/proc/self/net/netstat");
        if !path.exists() {
            eprintln!("skipped: counters of the namespace, because there is no {}", path.display());
            return;
        }
        let mut netstat = Netstat::open(path).unwrap();
        let before = netstat.read().unwrap();
        let (_listener, address) = listener_on("127.0.0.1:0", 0, None).unwrap();
        let _clients = fill(address, 0);
        until(|| netstat.read().unwrap(), |now| now.overflows > before.overflows && now.drops > before.drops);
    }

    #[test]
    fn more_listeners_than_fit_in_a_reply() {
        let listeners: Vec<_> = (0..500).map(|_| listener_on("127.0.0.1:0", 7, None).unwrap()).collect();
        let mut all = Diag::open().unwrap().tcp_listeners().unwrap();
        all.sort_by_key(|listener| listener.inode);
        for (listener, address) in &listeners {
            let at = all.binary_search_by_key(&inode(listener), |l| l.inode).unwrap();
            assert_eq!((all[at].local, all[at].queue.max), (Some(Endpoint(*address)), Some(7)));
        }
        let (listener, address) = &listeners[250];
        let on_port = Diag::open().unwrap().tcp_listeners_on(address.port().try_into().unwrap()).unwrap();
        assert!(on_port.iter().all(|l| l.local.unwrap().0.port() == address.port()));
        assert!(on_port.iter().any(|l| l.inode == inode(listener)));
    }

    #[test]
    fn what_belongs_to_no_file_is_not_said_to_be_roots() {
        let mut message = vec![0; 72];
        message[0] = libc::AF_INET as u8;
        assert_eq!(read(&message, Family::Tcp, false).unwrap().uid, None);
        message[68..].copy_from_slice(&7_u32.to_ne_bytes());
        assert_eq!(read(&message, Family::Tcp, false).unwrap().uid, Some(0));
    }

    #[test]
    fn only_tcp_has_tcp_info() {
        let mut info = [&[0; 72][..], &[8, 0, 2, 0, 1, 2, 3, 4]].concat();
        info[0] = libc::AF_INET as u8;
        let has = |family| read(&info, family, true).unwrap().detail.unwrap().tcp_info.is_some();
        assert_eq!(
            [Family::Tcp, Family::Tcp6, Family::Mptcp, Family::Udp].map(has),
            [true, true, false, false]
        );
    }

    #[test]
    fn attributes_that_are_new_or_short_do_no_harm() {
        let listener =
            |message: &[u8]| read(message, Family::Tcp, true).map(|socket| ListeningSocket::of(&socket));
        let mut message = vec![0; 72];
        (message[0], message[1]) = (libc::AF_INET as u8, 10);
        let bare = listener(&message).unwrap().unwrap();
        assert_eq!((bare.queue.drops, bare.inode.0), (None, 0));
        let short = [&message[..], &[8, 0, 7, 0, 1, 2, 3, 4], &[5, 0, 99, 0, 1, 0, 0, 0]].concat();
        assert_eq!(listener(&short).unwrap(), Some(bare));
        // Of each attribute that is read, as little as can be.
        for kind in 0..30 {
            let bytes = [&message[..], &[4, 0, kind, 0]].concat();
            assert!(listener(&bytes).unwrap().is_some(), "{kind}");
        }
        assert!(listener(&[&message[..], &[3, 0, 7, 0]].concat()).is_err());
        assert!(listener(&message[..71]).is_err());
        message[1] = 1;
        assert_eq!(listener(&message).unwrap(), None);
    }
}
