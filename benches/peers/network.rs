//! The network namespace that loads and programs run in.

#![allow(unsafe_code)]

use crate::Result;
use nix::sched::{CloneFlags, unshare};
use rustix::fd::AsRawFd as _;
use std::io;
use std::net::UdpSocket;
use std::sync::OnceLock;

/// Where sockets are bound: an address of no interface, which a new network namespace takes while
/// its loopback is down, or loopback.
static ADDRESS: OnceLock<&str> = OnceLock::new();

/// The address in a namespace of our own.
const ANY: &str = "0.0.0.0:0";

/// Moves this process and all that it starts to a network namespace without sockets.
pub(crate) fn isolate() {
    let address = match unshare(CloneFlags::CLONE_NEWNET) {
        Ok(()) => ANY,
        Err(e) => {
            eprintln!("skipped: a network namespace, because {e}: the sockets of others count too");
            "127.0.0.1:0"
        }
    };
    ADDRESS.get_or_init(|| address);
}

/// Where sockets are bound.
pub(crate) fn address() -> Result<&'static str> {
    Ok(ADDRESS.get().ok_or("not isolated")?)
}

/// Sees to it that 127.0.0.0/8 is there for connections.
pub(crate) fn raise_loopback() -> Result<()> {
    if address()? != ANY {
        return Ok(());
    }
    let socket = UdpSocket::bind(ANY)?;
    // SAFETY: all zeros are a valid ifreq.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    request.ifr_name[..2].copy_from_slice(&[b'l' as libc::c_char, b'o' as libc::c_char]);
    request.ifr_ifru.ifru_flags = libc::IFF_UP as libc::c_short;
    // SAFETY: the fd is open, and the request a live ifreq, as this call wants it.
    match unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) } {
        0 => Ok(()),
        _ => Err(format!("the loopback interface stays down: {}", io::Error::last_os_error()).into()),
    }
}
