//! TCP.

use super::{Made, State};
use crate::support::{fill, until};
use nix::sys::socket::{MsgFlags, send};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{self, AddressFamily, SocketAddrV4, SocketFlags, SocketType, sockopt};
use std::io::Write as _;
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::time::Duration;

fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let ours = TcpStream::connect(listener.local_addr().expect("an address")).expect("a connection");
    let (theirs, _) = listener.accept().expect("the connection");
    ours.set_nonblocking(true).expect("it can be");
    (ours, theirs)
}

/// Whether any of these is in force.
fn is(fd: impl AsFd, condition: PollFlags) -> bool {
    let mut fds = [PollFd::new(&fd, condition)];
    poll(&mut fds, Some(&Timespec::default())).expect("a poll");
    fds[0].revents().intersects(condition)
}

pub(crate) fn idle() -> Made {
    let (ours, theirs) = pair();
    Ok(State::new(ours).and(theirs))
}

pub(crate) fn data() -> Made {
    let (ours, mut theirs) = pair();
    theirs.write_all(b"x").expect("room");
    Ok(State::new(ours).and(theirs))
}

pub(crate) fn full() -> Made {
    let (ours, theirs) = pair();
    // The windows grow, and what was sent may still be under way.
    sockopt::set_socket_send_buffer_size(&ours, 8192).expect("a size");
    sockopt::set_socket_recv_buffer_size(&theirs, 8192).expect("a size");
    until("no room is left", || {
        fill(&ours);
        !is(&ours, PollFlags::OUT)
    });
    Ok(State::new(ours).and(theirs))
}

pub(crate) fn peer_half_closed() -> Made {
    let (ours, theirs) = pair();
    theirs.shutdown(Shutdown::Write).expect("a half-close");
    Ok(State::new(ours).and(theirs))
}

pub(crate) fn own_shut_rd() -> Made {
    let (ours, theirs) = pair();
    ours.shutdown(Shutdown::Read).expect("a half-close");
    Ok(State::new(ours).and(theirs))
}

pub(crate) fn closed_both_ways() -> Made {
    let (ours, theirs) = pair();
    ours.shutdown(Shutdown::Write).expect("a half-close");
    drop(theirs);
    Ok(State::new(ours))
}

pub(crate) fn reset() -> Made {
    Ok(State::new(reset_connection()))
}

/// Reading the error takes away nothing but itself.
pub(crate) fn reset_and_error_read() -> Made {
    let ours = reset_connection();
    until("it is reset", || is(&ours, PollFlags::ERR));
    assert_eq!(sockopt::socket_error(&ours), Ok(Err(Errno::CONNRESET)));
    Ok(State::new(ours))
}

fn reset_connection() -> TcpStream {
    let (ours, theirs) = pair();
    sockopt::set_socket_linger(&theirs, Some(Duration::ZERO)).expect("no lingering");
    ours
}

pub(crate) fn refused() -> Made {
    // It has a port and does not listen.
    let nobody = socket();
    net::bind(&nobody, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let ours = socket();
    let done = net::connect(&ours, &net::getsockname(&nobody).expect("an address"));
    assert!(matches!(done, Err(Errno::INPROGRESS)), "{done:?}");
    Ok(State::new(ours).and(nobody))
}

fn socket() -> OwnedFd {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    net::socket_with(AddressFamily::INET, SocketType::STREAM, flags, None).expect("a socket")
}

fn listener() -> OwnedFd {
    let listener = socket();
    net::bind(&listener, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)).expect("a port");
    net::listen(&listener, 0).expect("it can listen");
    listener
}

/// One that listens and has its queue of one full.
fn full_listener() -> (OwnedFd, TcpStream) {
    let listener = listener();
    let address = net::getsockname(&listener).expect("an address");
    let address = std::net::SocketAddr::try_from(address).expect("an address of IP");
    let client = TcpStream::connect(address).expect("a connection");
    until("the connection is there", || is(&listener, PollFlags::IN));
    (listener, client)
}

pub(crate) fn never_connected() -> Made {
    Ok(State::new(socket()))
}

pub(crate) fn listener_after_shutdown() -> Made {
    let listener = listener();
    net::shutdown(&listener, net::Shutdown::Both).expect("a shutdown");
    Ok(State::new(listener))
}

pub(crate) fn syn_sent() -> Made {
    let (listener, client) = full_listener();
    let ours = socket();
    let done = net::connect(&ours, &net::getsockname(&listener).expect("an address"));
    assert!(matches!(done, Err(Errno::INPROGRESS)), "{done:?}");
    Ok(State::new(ours).and(listener).and(client))
}

pub(crate) fn listener_idle() -> Made {
    Ok(State::new(listener()))
}

pub(crate) fn listener_pending() -> Made {
    let (listener, client) = full_listener();
    Ok(State::new(listener).and(client))
}

pub(crate) fn urgent() -> Made {
    let (ours, theirs) = pair();
    send(theirs.as_raw_fd(), b"!", MsgFlags::MSG_OOB).expect("urgent data");
    Ok(State::new(ours).and(theirs))
}

pub(crate) fn urgent_inline() -> Made {
    let (ours, theirs) = pair();
    sockopt::set_socket_oobinline(&ours, true).expect("an option");
    send(theirs.as_raw_fd(), b"!", MsgFlags::MSG_OOB).expect("urgent data");
    Ok(State::new(ours).and(theirs))
}
