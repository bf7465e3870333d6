//! Which fds hold given sockets.

use super::process::command_of;
use super::root::ProcRoot;
use super::target::all_pids;
use crate::kind::Shape;
use crate::model::{FdNum, Inode, Pid};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// An fd that holds a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The process.
    pub pid: Pid,
    /// Its command name.
    pub command: Vec<u8>,
    /// The fd.
    pub fd: FdNum,
    /// The socket.
    pub inode: Inode,
}

/// The fds that hold these sockets, of all processes that may be read.
pub fn holders(root: &ProcRoot, sockets: &[Inode]) -> Vec<Holder> {
    let mut found = Vec::new();
    if sockets.is_empty() {
        return found;
    }
    for pid in all_pids(root).unwrap_or_default() {
        let Ok(entries) = std::fs::read_dir(root.join(format!("{pid}/fd"))) else { continue };
        for entry in entries.flatten() {
            let Ok(Some(inode)) = socket(&entry.path()) else { continue };
            let fd = entry.file_name().to_str().and_then(|name| name.parse().ok());
            if let Some(fd) = fd
                && sockets.contains(&inode)
            {
                let command = command_of(root, pid).unwrap_or_default();
                found.push(Holder { pid, command, fd: FdNum(fd), inode });
            }
        }
    }
    found
}

/// The socket that an fd of a process is.
pub fn socket_of(root: &ProcRoot, pid: Pid, fd: FdNum) -> std::io::Result<Option<Inode>> {
    socket(&root.join(format!("{pid}/fd/{fd}")))
}

fn socket(link: &Path) -> std::io::Result<Option<Inode>> {
    std::fs::read_link(link).map(|link| Shape::of(link.as_os_str().as_bytes()).socket())
}

#[cfg(test)]
mod tests {
    use super::{Inode, ProcRoot, holders};
    use crate::model::{FdNum, Pid};
    use std::os::fd::AsRawFd as _;

    #[test]
    fn our_own_socket() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let inode = Inode(rustix::fs::fstat(&socket).unwrap().st_ino);
        let found = holders(&ProcRoot::from_env(), &[inode]);
        let own = found.iter().find(|h| h.pid == Pid(std::process::id() as i32)).unwrap();
        assert_eq!((own.fd, own.inode), (FdNum(socket.as_raw_fd()), inode));
    }
}
