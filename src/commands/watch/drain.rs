//! Reading what comes on our own fds, so that they become clear again.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::BorrowedFd;
use rustix::io::{Errno, ReadWriteFlags, preadv2};
use rustix::net::{SocketType, sockopt};
use std::io::{self, IoSliceMut, Write};

/// How much is read of one fd before others have their turn, in bytes.
const TURN: u64 = 1 << 20;

/// How often one fd is read before others have their turn: datagrams may be empty.
const READS: u32 = 1 << 12;

/// How reading went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Drained {
    /// There may be more.
    Some(u64),
    /// There is no more for now.
    Dry(u64),
    /// Nothing will ever come again.
    End(u64),
    /// It cannot be read any more, and why.
    Failed(u64, Errno),
    /// It is nothing that can be read: a listener, say, or what is open for writing alone.
    Never,
}

/// Reads what there is, without waiting, and gives it to `tee` if there is one. An error is one of
/// `tee`.
pub(super) fn drain(
    fd: BorrowedFd<'_>,
    buffer: &mut [u8],
    mut tee: Option<&mut dyn Write>,
) -> io::Result<Drained> {
    let mut total = 0;
    for _ in 0..READS {
        let read = match read(fd, buffer) {
            // An empty datagram, or the error of one that was sent: others may follow.
            Ok(0) | Err(Errno::CONNREFUSED) if takes_datagrams(fd) => continue,
            Ok(0) => return Ok(Drained::End(total)),
            Ok(read) => read,
            Err(Errno::AGAIN) => return Ok(Drained::Dry(total)),
            Err(Errno::INTR) => continue,
            Err(Errno::INVAL | Errno::NOTCONN | Errno::BADF | Errno::ISDIR) => return Ok(Drained::Never),
            // So a terminal says that its other end is gone.
            Err(Errno::IO) if has_hung_up(fd) => return Ok(Drained::End(total)),
            Err(e) => return Ok(Drained::Failed(total, e)),
        };
        total += read as u64;
        if let Some(out) = &mut tee {
            out.write_all(&buffer[..read])?;
        }
        if total >= TURN {
            break;
        }
    }
    Ok(Drained::Some(total))
}

fn takes_datagrams(fd: BorrowedFd<'_>) -> bool {
    sockopt::socket_type(fd) == Ok(SocketType::DGRAM)
}

/// A read that does not wait, whatever the flags of the description are: they may be shared.
fn read(fd: BorrowedFd<'_>, buffer: &mut [u8]) -> rustix::io::Result<usize> {
    let at_position = u64::MAX;
    match preadv2(fd, &mut [IoSliceMut::new(buffer)], at_position, ReadWriteFlags::NOWAIT) {
        // A file that knows no such reads, a terminal say: only what is there is asked for.
        Err(Errno::OPNOTSUPP) if !is_readable(fd)? => Err(Errno::AGAIN),
        Err(Errno::OPNOTSUPP) => rustix::io::read(fd, buffer),
        result => result,
    }
}

fn is_readable(fd: BorrowedFd<'_>) -> rustix::io::Result<bool> {
    let mut fds = [PollFd::from_borrowed_fd(fd, PollFlags::IN)];
    Ok(poll(&mut fds, Some(&Timespec::default()))? > 0)
}

fn has_hung_up(fd: BorrowedFd<'_>) -> bool {
    let mut fds = [PollFd::from_borrowed_fd(fd, PollFlags::empty())];
    poll(&mut fds, Some(&Timespec::default())).is_ok() && fds[0].revents().contains(PollFlags::HUP)
}

#[cfg(test)]
mod tests {
    use super::{Drained, drain};
    use rustix::fd::AsFd as _;
    use std::net::{TcpListener, UdpSocket};

    fn read(fd: &impl rustix::fd::AsFd) -> Drained {
        drain(fd.as_fd(), &mut [0; 16], None).unwrap()
    }

    #[test]
    fn a_file_that_knows_no_reads_without_waiting_is_not_waited_for() {
        // Blocking, and without FMODE_NOWAIT.
        let inotify = rustix::fs::inotify::init(rustix::fs::inotify::CreateFlags::CLOEXEC).unwrap();
        assert_eq!(read(&inotify), Drained::Dry(0));
    }

    #[test]
    fn an_empty_datagram_is_not_the_end() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(socket.local_addr().unwrap()).unwrap();
        socket.send(b"").unwrap();
        socket.send(b"abc").unwrap();
        assert_eq!(read(&socket), Drained::Dry(3));
    }

    #[test]
    fn a_listener_is_nothing_to_read() {
        assert_eq!(read(&TcpListener::bind("127.0.0.1:0").unwrap()), Drained::Never);
    }

    #[test]
    fn what_cannot_be_written_is_told() {
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        rustix::io::write(&writer, b"abc").unwrap();
        let mut full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        assert!(drain(reader.as_fd(), &mut [0; 16], Some(&mut full)).is_err());
    }
}
