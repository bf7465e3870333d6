//! A network of a test's own.

use super::call;
use nix::sched::{CloneFlags, unshare};
use std::io;
use std::os::fd::AsRawFd as _;
use std::panic::resume_unwind;

/// Runs a test in a network namespace of its own with a loopback interface, as far as it and the
/// processes that it starts go; or says why not.
pub(crate) fn in_own_network(test: impl FnOnce() + Send) {
    let body =
        || match unshare(CloneFlags::CLONE_NEWNET).map_err(io::Error::from).and_then(|()| raise_loopback()) {
            Ok(()) => test(),
            Err(e) => eprintln!("skipped: a network namespace, because it cannot be made: {e}"),
        };
    // Namespaces are a thread's own, and other tests may come after us on this one.
    if let Err(panic) = std::thread::scope(|scope| scope.spawn(body).join()) {
        resume_unwind(panic);
    }
}

/// Brings the loopback interface up.
pub(crate) fn raise_loopback() -> io::Result<()> {
    set_loopback(libc::IFF_UP)
}

/// Takes it down, so that nothing comes through.
pub(crate) fn lower_loopback() -> io::Result<()> {
    set_loopback(0)
}

/// Gives it one more address.
pub(crate) fn add_loopback_address(address: [u8; 4]) -> io::Result<()> {
    // struct sockaddr_in: the family, a port and the address. A name with a colon is one more of it.
    let mut sockaddr = [0; 16];
    sockaddr[..2].copy_from_slice(&(libc::AF_INET as u16).to_ne_bytes());
    sockaddr[4..8].copy_from_slice(&address);
    configure(b"lo:1", libc::SIOCSIFADDR as usize, &sockaddr)
}

fn set_loopback(flags: libc::c_int) -> io::Result<()> {
    configure(b"lo", libc::SIOCSIFFLAGS as usize, &(flags as u16).to_ne_bytes())
}

fn configure(name: &[u8], request: usize, value: &[u8]) -> io::Result<()> {
    // struct ifreq: a name, and what is to be set.
    let mut interface = [0_u8; 40];
    interface[..name.len()].copy_from_slice(name);
    interface[16..16 + value.len()].copy_from_slice(value);
    let socket = std::net::UdpSocket::bind("0.0.0.0:0")?;
    let (fd, pointer) = (socket.as_raw_fd() as usize, interface.as_mut_ptr() as usize);
    call(libc::SYS_ioctl, [fd, request, pointer, 0, 0, 0]).map(drop)
}
