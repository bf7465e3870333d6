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

fn set_loopback(flags: libc::c_int) -> io::Result<()> {
    // struct ifreq: a name, and flags.
    let mut request = [0_u8; 40];
    request[..2].copy_from_slice(b"lo");
    request[16..18].copy_from_slice(&(flags as u16).to_ne_bytes());
    let socket = std::net::UdpSocket::bind("0.0.0.0:0")?;
    let (fd, pointer) = (socket.as_raw_fd() as usize, request.as_mut_ptr() as usize);
    call(libc::SYS_ioctl, [fd, libc::SIOCSIFFLAGS as usize, pointer, 0, 0, 0]).map(drop)
}
