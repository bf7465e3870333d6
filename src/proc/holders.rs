//! Which fds hold given sockets.

use super::process::command_of;
use super::root::ProcRoot;
use super::target::all_pids;
use crate::model::{FdNum, Inode, Pid};
use std::os::unix::ffi::OsStrExt as _;

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
            let Some(inode) = socket(&root.join(format!("{pid}/fd")).join(entry.file_name())) else {
                continue;
            };
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
    let link = std::fs::read_link(root.join(format!("{pid}/fd/{fd}")))?;
    Ok(parse(link.as_os_str().as_bytes()))
}

fn socket(link: &std::path::Path) -> Option<Inode> {
    parse(std::fs::read_link(link).ok()?.as_os_str().as_bytes())
}

fn parse(link: &[u8]) -> Option<Inode> {
    let number = link.strip_prefix(b"socket:[")?.strip_suffix(b"]")?;
    crate::model::decimal(number).map(Inode)
}

#[cfg(test)]
mod tests {
    use super::{Inode, ProcRoot, holders, parse};
    use crate::model::{FdNum, Pid};
    use std::os::fd::AsRawFd as _;

    #[test]
    fn links() {
        assert_eq!(parse(b"socket:[12]"), Some(Inode(12)));
        assert_eq!(parse(b"pipe:[12]"), None);
        assert_eq!(parse(b"/socket:[12]"), None);
    }

    #[test]
    fn our_own_socket() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let inode = Inode(rustix::fs::fstat(&socket).unwrap().st_ino);
        let found = holders(&ProcRoot::from_env(), &[inode]);
        let own = found.iter().find(|h| h.pid == Pid(std::process::id() as i32)).unwrap();
        assert_eq!((own.fd, own.inode), (FdNum(socket.as_raw_fd()), inode));
    }
}
