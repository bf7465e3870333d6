//! Sockets that are not TCP.

use super::{Made, State};
use crate::support::fill;
use nix::sys::socket::{MsgFlags, send};
use rustix::net::{AddressFamily, SocketType, socket};
use std::io::Write as _;
use std::net::{Shutdown, UdpSocket};
use std::os::fd::AsRawFd as _;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};

fn pair() -> (UnixStream, UnixStream) {
    let (ours, theirs) = UnixStream::pair().expect("a pair");
    ours.set_nonblocking(true).expect("it can be");
    (ours, theirs)
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
    fill(&ours);
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

pub(crate) fn peer_closed() -> Made {
    Ok(State::new(pair().0))
}

pub(crate) fn closed_with_unread_data() -> Made {
    let (mut ours, theirs) = pair();
    ours.write_all(b"x").expect("room");
    drop(theirs);
    Ok(State::new(ours))
}

pub(crate) fn never_connected() -> Made {
    Ok(State::new(socket(AddressFamily::UNIX, SocketType::STREAM, None).expect("a socket")))
}

pub(crate) fn listener_idle() -> Made {
    Ok(State::new(listener().0))
}

pub(crate) fn listener_pending() -> Made {
    let (listener, path) = listener();
    let client = UnixStream::connect(path.path().join("socket")).expect("a connection");
    Ok(State::new(listener).and(client))
}

fn listener() -> (UnixListener, tempfile::TempDir) {
    let dir = tempfile::tempdir().expect("a folder");
    (UnixListener::bind(dir.path().join("socket")).expect("a listener"), dir)
}

pub(crate) fn urgent() -> Made {
    let (ours, theirs) = pair();
    send(theirs.as_raw_fd(), b"!", MsgFlags::MSG_OOB)
        .map_err(|e| format!("a unix socket sends none: {e}"))?;
    Ok(State::new(ours).and(theirs))
}

pub(crate) fn datagram_peer_closed() -> Made {
    Ok(State::new(UnixDatagram::pair().expect("a pair").0))
}

pub(crate) fn udp_idle() -> Made {
    Ok(State::new(udp()))
}

pub(crate) fn udp_icmp_error() -> Made {
    let (ours, theirs) = (udp(), udp());
    ours.connect(theirs.local_addr().expect("an address")).expect("no more than a default");
    drop(theirs);
    ours.send(b"x").expect("nobody knows yet");
    Ok(State::new(ours))
}

fn udp() -> UdpSocket {
    UdpSocket::bind("127.0.0.1:0").expect("a socket")
}
