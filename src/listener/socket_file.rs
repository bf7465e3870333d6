//! The file of a unix socket: made with its mode, and removed when nobody listens on it.

use super::open::{Step, bind, permissions};
use super::socket_address::SocketAddress;
use rustix::fd::OwnedFd;
use rustix::fs::{self, FileType, Mode, Stat};
use rustix::io::Errno;
use rustix::net::{self, AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

/// A socket file of ours, removed when this is dropped, if it is still ours.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    made: (u64, u64),
}

impl SocketFile {
    /// Binds a socket to a path. A socket file that is there already is replaced if no
    /// socket is bound to it.
    ///
    /// Not while other threads make files: for the time of the call, the umask is another.
    pub(super) fn bind(
        socket: &OwnedFd,
        address: &SocketAddress,
        path: &[u8],
        mode: Option<u32>,
    ) -> Result<Self, (Step, Errno)> {
        let path = PathBuf::from(OsStr::from_bytes(path));
        // The kernel gives the file the mode that the socket has, less the umask.
        let old = mode.map(|mode| {
            let _ = fs::fchmod(socket, permissions(mode));
            rustix::process::umask(Mode::empty())
        });
        let mut bound = bind(socket, address);
        if bound == Err((Step::Bind, Errno::ADDRINUSE)) && is_abandoned(&path) {
            bound = fs::unlink(&path).map_err(|e| (Step::Bind, e)).and_then(|()| bind(socket, address));
        }
        if let Some(old) = old {
            rustix::process::umask(old);
        }
        bound?;
        // A relative path is of the directory that we are in now.
        let path = std::path::absolute(&path).unwrap_or(path);
        let made = fs::lstat(&path).map(|stat| identity(&stat)).map_err(|e| (Step::Bind, e))?;
        Ok(Self { path, made })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if fs::lstat(&self.path).is_ok_and(|stat| identity(&stat) == self.made) {
            let _ = fs::unlink(&self.path);
        }
    }
}

fn identity(stat: &Stat) -> (u64, u64) {
    (stat.st_dev, stat.st_ino)
}

/// Whether a path is a socket file that no socket is bound to, of whichever network namespace: the
/// kernel tells only those who connect. A datagram socket would be connected to nothing but another
/// of its type, so that a stream's owner, listening or not, never hears of it.
fn is_abandoned(path: &PathBuf) -> bool {
    let is_socket = |stat: Stat| FileType::from_raw_mode(stat.st_mode) == FileType::Socket;
    if !fs::lstat(path).is_ok_and(is_socket) {
        return false;
    }
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let Ok(probe) = net::socket_with(AddressFamily::UNIX, SocketType::DGRAM, flags, None) else {
        return false;
    };
    let connected = SocketAddrUnix::new(path).and_then(|address| net::connect(&probe, &address));
    connected == Err(Errno::CONNREFUSED)
}
