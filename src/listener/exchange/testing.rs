//! Connections to serve, and ways to serve them, for this room's tests.

use super::{BUDGET, Exchange, Progress, SCRATCH};
use crate::listener::Service;
use rustix::event::{Timespec, epoll};
use rustix::io::{Errno, ioctl_fionbio};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair, sockopt};
use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::thread::{self, JoinHandle};

/// What a connection is made of, and whether its server's end blocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Connection {
    pub(super) is_tcp: bool,
    pub(super) blocks: bool,
}

/// All that a service must work with.
pub(super) const CONNECTIONS: [Connection; 4] = [
    Connection { is_tcp: false, blocks: false },
    Connection { is_tcp: false, blocks: true },
    Connection { is_tcp: true, blocks: false },
    Connection { is_tcp: true, blocks: true },
];

impl Connection {
    /// The client's and the server's end. The client's always blocks, and is used for what all
    /// stream sockets can. With small buffers, each end must often wait for the other.
    pub(super) fn open(self) -> (UnixStream, OwnedFd) {
        let (client, server): (OwnedFd, OwnedFd) = if self.is_tcp {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            (client.into(), listener.accept().unwrap().0.into())
        } else {
            let (client, server) = UnixStream::pair().unwrap();
            (client.into(), server.into())
        };
        for end in [&client, &server] {
            sockopt::set_socket_send_buffer_size(end, 128 * 1024).unwrap();
        }
        ioctl_fionbio(&server, !self.blocks).unwrap();
        (client.into(), server)
    }

    /// A client whose connection is served until it is done, and what came of that.
    pub(super) fn serve(self, service: &Service) -> (UnixStream, JoinHandle<Served>) {
        let (client, server) = self.open();
        let exchange = Exchange::new(service);
        (client, thread::spawn(move || drive(exchange, server)))
    }
}

/// A connection of messages; the server's end blocks.
pub(super) fn messages() -> (OwnedFd, OwnedFd) {
    socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap()
}

/// What came of a connection.
#[derive(Debug)]
pub(super) struct Served {
    pub(super) received: u64,
    pub(super) sent: u64,
    pub(super) was_reset: bool,
}

/// Serves a connection until it is done, and closes it. Waits, where the socket does not block,
/// as the event loop does: with an edge-triggered selector.
pub(super) fn drive(mut exchange: Exchange, socket: OwnedFd) -> Served {
    let selector = epoll::create(epoll::CreateFlags::CLOEXEC).unwrap();
    let all =
        epoll::EventFlags::IN | epoll::EventFlags::OUT | epoll::EventFlags::RDHUP | epoll::EventFlags::ET;
    epoll::add(&selector, &socket, epoll::EventData::new_u64(0), all).unwrap();
    loop {
        match advance(&mut exchange, socket.as_fd()).unwrap() {
            Progress::Done => {
                let (received, sent) = (exchange.received(), exchange.sent());
                return Served { received, sent, was_reset: exchange.was_reset() };
            }
            Progress::More => {}
            Progress::Blocked => wait(selector.as_fd()),
        }
    }
}

/// One call, of which is checked what holds for each.
pub(super) fn advance(exchange: &mut Exchange, socket: BorrowedFd<'_>) -> io::Result<Progress> {
    let before = exchange.received() + exchange.sent();
    let progress = exchange.advance(socket, &mut vec![0; SCRATCH])?;
    let moved = exchange.received() + exchange.sent() - before;
    assert!(moved <= (2 * BUDGET + 4 * SCRATCH) as u64, "{moved} bytes at once");
    Ok(progress)
}

/// Waits for an event. An event that never comes fails the test instead of hanging it.
fn wait(selector: BorrowedFd<'_>) {
    let limit = Timespec { tv_sec: 60, tv_nsec: 0 };
    let mut events: Vec<epoll::Event> = Vec::with_capacity(1);
    loop {
        match epoll::wait(selector, rustix::buffer::spare_capacity(&mut events), Some(&limit)) {
            Err(Errno::INTR) => {}
            result => return assert_eq!(result, Ok(1), "no event came"),
        }
    }
}
