//! `SIOCGSKNS`: the network namespace of a socket.

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};

/// `linux/sockios.h`.
const SIOCGSKNS: libc::Ioctl = 0x894C;

/// The network namespace that a socket belongs to, as an fd. EPERM without `CAP_NET_ADMIN` in it.
pub fn socket_netns(socket: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    // SAFETY: SIOCGSKNS takes no argument.
    match unsafe { libc::ioctl(socket.as_raw_fd(), SIOCGSKNS) } {
        -1 => Err(io::Error::last_os_error()),
        // SAFETY: it made this fd, and nobody else has it.
        fd => Ok(unsafe { OwnedFd::from_raw_fd(fd) }),
    }
}

#[cfg(test)]
mod tests {
    use super::socket_netns;
    use std::os::fd::AsFd as _;
    use std::os::unix::fs::MetadataExt as _;

    #[test]
    fn a_socket_of_ours() {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        match socket_netns(socket.as_fd()) {
            Ok(netns) => {
                let own = std::fs::metadata("/proc/thread-self/ns/net").unwrap().ino();
                assert_eq!(rustix::fs::fstat(netns).unwrap().st_ino, own);
            }
            Err(e) => eprintln!("skipped: the namespace of a socket, because it may not be asked for: {e}"),
        }
    }
}
