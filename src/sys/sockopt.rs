//! Socket options that have no safe form elsewhere: `tcp(7)`, `socket(7)`.

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd};

/// `SK_MEMINFO_DROPS` of `linux/sock_diag.h`: where the drops stand in `SO_MEMINFO`.
const DROPS: usize = 8;
/// `TCP_LISTEN` of `linux/tcp_states.h`.
const TCP_LISTEN: u8 = 10;
/// `SK_MEMINFO_VARS` of Linux 6.18.
const MEMINFO_VARS: usize = 9;

/// What `TCP_INFO` says, as far as it is of use on listeners and on what they accept.
#[derive(Clone, Copy, Debug)]
pub struct TcpInfo {
    /// Whether the socket listens.
    pub listens: bool,
    /// On a listener, the connections that wait to be accepted.
    pub unacked: u32,
    /// On a listener, its backlog.
    pub sacked: u32,
    /// Milliseconds since data was sent last; on a connection that has sent none, since it was
    /// established.
    pub last_data_sent: u32,
}

/// `TCP_INFO`.
pub fn tcp_info(socket: BorrowedFd<'_>) -> io::Result<TcpInfo> {
    // SAFETY: all fields of tcp_info are integers, for which zero is a value.
    let mut info: libc::tcp_info = unsafe { std::mem::zeroed() };
    get(socket, libc::IPPROTO_TCP, libc::TCP_INFO, &mut info)?;
    Ok(TcpInfo {
        listens: info.tcpi_state == TCP_LISTEN,
        unacked: info.tcpi_unacked,
        sacked: info.tcpi_sacked,
        last_data_sent: info.tcpi_last_data_sent,
    })
}

/// What `TCP_INFO` says of what has come and gone. All of it is of one moment: the kernel reads it
/// under the socket's lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpTraffic {
    /// Whether the socket listens.
    pub listens: bool,
    /// On a listener, the connections that wait to be accepted.
    pub queue: u32,
    /// On a listener, its backlog.
    pub backlog: u32,
    /// Bytes that came in order, read or not, and one for the end of the stream. Since Linux 4.1.
    pub received: Option<u64>,
    /// Bytes that were written to it, sent or not. Since Linux 4.19.
    pub written: Option<u64>,
    /// Milliseconds since data came last.
    pub last_data_received: u32,
}

/// `TCP_INFO`, of `linux/tcp.h`, which C libraries have in part.
pub fn tcp_traffic(socket: BorrowedFd<'_>) -> io::Result<TcpTraffic> {
    const ROOM: usize = 232;
    let mut info = [0u8; ROOM];
    let length = get(socket, libc::IPPROTO_TCP, libc::TCP_INFO, &mut info)?;
    let bytes = |at: usize, size: usize| info[..length].get(at..at + size);
    let short = |at| bytes(at, 4).and_then(|b| b.try_into().ok()).map(u32::from_ne_bytes);
    let long = |at| bytes(at, 8).and_then(|b| b.try_into().ok()).map(u64::from_ne_bytes);
    // tcpi_bytes_sent counts what was sent again, tcpi_bytes_retrans counts that alone.
    let sent = || Some(long(200)?.wrapping_sub(long(208)?));
    Ok(TcpTraffic {
        listens: info[0] == TCP_LISTEN,
        queue: short(24).unwrap_or(0),
        backlog: short(28).unwrap_or(0),
        received: long(128),
        written: sent().and_then(|sent| Some(sent.wrapping_add(short(144)?.into()))),
        last_data_received: short(52).unwrap_or(0),
    })
}

/// `SO_MEMINFO` of a socket: bytes of memory that take what it has received, and how many may.
pub fn received_memory(socket: BorrowedFd<'_>) -> io::Result<(u32, u32)> {
    let mut info = [0u32; MEMINFO_VARS];
    get(socket, libc::SOL_SOCKET, libc::SO_MEMINFO, &mut info)?;
    Ok((info[0], info[1]))
}

/// What a socket has dropped, from `SO_MEMINFO`: on a TCP listener, connections that were refused
/// a place, some counted twice.
pub fn socket_drops(socket: BorrowedFd<'_>) -> io::Result<u64> {
    let mut info = [0u32; MEMINFO_VARS];
    get(socket, libc::SOL_SOCKET, libc::SO_MEMINFO, &mut info)?;
    Ok(info[DROPS].into())
}

/// `SO_NETNS_COOKIE`: which network namespace a socket belongs to. Since Linux 5.14.
pub fn netns_cookie(socket: BorrowedFd<'_>) -> io::Result<u64> {
    let mut cookie = 0u64;
    get(socket, libc::SOL_SOCKET, libc::SO_NETNS_COOKIE, &mut cookie)?;
    Ok(cookie)
}

/// `TCP_DEFER_ACCEPT`: a connection without data is accepted no earlier than after so many
/// seconds.
pub fn set_defer_accept(socket: BorrowedFd<'_>, seconds: i32) -> io::Result<()> {
    set(socket, libc::TCP_DEFER_ACCEPT, seconds)
}

/// `TCP_FASTOPEN`: how many connections may carry data before their handshake is over.
pub fn set_fast_open(socket: BorrowedFd<'_>, queue: i32) -> io::Result<()> {
    set(socket, libc::TCP_FASTOPEN, queue)
}

/// `T` must be integers, so that whatever part of it the kernel writes makes a value: only this
/// file calls it.
///
/// Gives the number of bytes that were written.
fn get<T: Copy>(socket: BorrowedFd<'_>, level: i32, option: i32, value: &mut T) -> io::Result<usize> {
    let mut length = size_of::<T>() as libc::socklen_t;
    // SAFETY: the kernel writes no more than `length` bytes to `value`, which is as long.
    let result = unsafe {
        libc::getsockopt(socket.as_raw_fd(), level, option, (&raw mut *value).cast(), &raw mut length)
    };
    if result == 0 { Ok((length as usize).min(size_of::<T>())) } else { Err(io::Error::last_os_error()) }
}

fn set(socket: BorrowedFd<'_>, option: i32, value: i32) -> io::Result<()> {
    let length = size_of::<i32>() as libc::socklen_t;
    // SAFETY: the kernel reads `length` bytes of `value`, an int.
    let result = unsafe {
        libc::setsockopt(socket.as_raw_fd(), libc::IPPROTO_TCP, option, (&raw const value).cast(), length)
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
