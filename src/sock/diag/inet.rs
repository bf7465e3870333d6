//! TCP sockets: `linux/inet_diag.h`.

use super::ListeningSocket;
use super::attributes::{after, number};
use crate::model::{AcceptQueue, Endpoint, Inode};
use netlink_packet_core::{DecodeError, Parseable as _};
use netlink_packet_sock_diag::inet::{ExtensionFlags, InetRequest, InetResponseHeader, SocketId, StateFlags};
use netlink_packet_sock_diag::{INET_DIAG_SKMEMINFO, IPPROTO_TCP, TCP_LISTEN};
use std::net::SocketAddr;

/// `SK_MEMINFO_DROPS` of `linux/sock_diag.h`.
const DROPS: usize = 8;

/// What the kernel takes for no choice of a port.
pub(super) const ANY_PORT: u16 = 0;

/// Asks for the TCP listeners of a family on a port.
pub(super) fn listeners(family: u8, port: u16) -> InetRequest {
    InetRequest {
        family,
        protocol: IPPROTO_TCP,
        extensions: ExtensionFlags::SKMEMINFO,
        states: StateFlags::LISTEN,
        // The addresses do not matter to a dump.
        socket_id: SocketId { source_port: port, ..SocketId::new_v4() },
    }
}

/// Reads a socket, if it listens: in one that does not, the numbers of the queue mean bytes.
pub(super) fn listener(message: &[u8]) -> Result<Option<ListeningSocket>, DecodeError> {
    let header = InetResponseHeader::parse(message)?;
    if header.state != TCP_LISTEN {
        return Ok(None);
    }
    let mut drops = None;
    for attribute in after(&header, message) {
        if let (INET_DIAG_SKMEMINFO, value) = attribute? {
            drops = number(value, DROPS).map(u64::from);
        }
    }
    let local = SocketAddr::new(header.socket_id.source_address, header.socket_id.source_port);
    Ok(Some(ListeningSocket {
        inode: Inode(header.inode.into()),
        socket_type: "stream",
        local: Some(Endpoint(local)),
        path: None,
        uid: Some(header.uid),
        queue: AcceptQueue { waiting: header.recv_queue, max: Some(header.send_queue), drops },
    }))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{connect, inode, socket, tcp_listener, until};
    use super::super::{Diag, ListeningSocket};
    use super::listener;
    use crate::model::Endpoint;
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
    fn attributes_that_are_new_or_short_do_no_harm() {
        let mut message = vec![0; 72];
        (message[0], message[1]) = (libc::AF_INET as u8, 10);
        let bare = listener(&message).unwrap().unwrap();
        assert_eq!((bare.queue.drops, bare.inode.0), (None, 0));
        let short = [&message[..], &[8, 0, 7, 0, 1, 2, 3, 4], &[5, 0, 99, 0, 1, 0, 0, 0]].concat();
        assert_eq!(listener(&short).unwrap(), Some(bare));
        assert!(listener(&[&message[..], &[3, 0, 7, 0]].concat()).is_err());
        assert!(listener(&message[..71]).is_err());
        message[1] = 1;
        assert_eq!(listener(&message).unwrap(), None);
    }
}
