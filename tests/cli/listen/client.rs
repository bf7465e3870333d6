//! Clients of the listeners.

use crate::support::{PATIENCE, call};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect as connect_to};
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};

/// States of `TCP_INFO`, as the kernel's `net/tcp_states.h` has them.
pub(super) const TCP_ESTABLISHED: u8 = 1;
pub(super) const TCP_SYN_SENT: u8 = 2;

/// A socket that has begun to connect, without waiting.
pub(super) fn attempt(address: &str, socket_type: SocketType) -> Result<OwnedFd, Errno> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = |family| rustix::net::socket_with(family, socket_type, flags, None);
    if let Some(name) = address.strip_prefix("unix:") {
        let socket = socket(AddressFamily::UNIX)?;
        let address = match name.strip_prefix('@') {
            Some(name) => SocketAddrUnix::new_abstract_name(name.as_bytes())?,
            None => SocketAddrUnix::new(name)?,
        };
        return connect_to(&socket, &address).map(|()| socket);
    }
    let address: SocketAddr = address.parse().expect("an address");
    let socket = socket(if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 })?;
    match connect_to(&socket, &address) {
        Ok(()) | Err(Errno::INPROGRESS) => Ok(socket),
        Err(e) => Err(e),
    }
}

/// Waits until a socket is ready for this.
pub(super) fn wait(fd: impl AsFd, flags: PollFlags) {
    let patience = Timespec { tv_sec: PATIENCE.as_secs() as i64, tv_nsec: 0 };
    let ready = poll(&mut [PollFd::new(&fd, flags)], Some(&patience));
    assert_eq!(ready, Ok(1), "waiting for {flags:?}");
}

/// A connection to a stream or seqpacket listener, which reads and writes with patience. Whatever
/// its family, what `TcpStream` does is system calls that every socket has.
pub(super) fn connect_as(address: &str, socket_type: SocketType) -> TcpStream {
    let socket = attempt(address, socket_type).unwrap_or_else(|e| panic!("connecting to {address}: {e}"));
    wait(&socket, PollFlags::OUT);
    let stream = TcpStream::from(socket);
    let error = rustix::net::sockopt::socket_error(&stream).unwrap();
    assert_eq!(error, Ok(()), "connecting to {address}");
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// The same, of a stream.
pub(super) fn connect(address: &str) -> TcpStream {
    connect_as(address, SocketType::STREAM)
}

/// Sends this and the end, and gives all that comes back.
pub(super) fn exchange(mut stream: TcpStream, text: &[u8]) -> Vec<u8> {
    stream.write_all(text).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    rest(stream)
}

/// All that comes until the end.
pub(super) fn rest(mut stream: TcpStream) -> Vec<u8> {
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}

/// Sends a line to one that echoes, and waits for it to come back.
pub(super) fn echoed(stream: &mut TcpStream, line: &[u8]) {
    stream.write_all(line).unwrap();
    let mut answer = vec![0; line.len()];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(answer, line);
}

/// The state of a TCP socket: the first byte of `struct tcp_info`.
pub(super) fn state(socket: impl AsFd) -> u8 {
    tcp_option(socket, libc::TCP_INFO).to_ne_bytes()[0]
}

/// An option of a TCP socket that is an int, or begins with one.
pub(super) fn tcp_option(socket: impl AsFd, name: i32) -> i32 {
    let mut value = 0_i32;
    let mut length = size_of::<i32>() as u32;
    let arguments = [
        socket.as_fd().as_raw_fd() as usize,
        libc::IPPROTO_TCP as usize,
        name as usize,
        (&raw mut value) as usize,
        (&raw mut length) as usize,
        0,
    ];
    call(libc::SYS_getsockopt, arguments).expect("an option of TCP");
    value
}
