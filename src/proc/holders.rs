//! Which fds hold sockets.

use super::few;
use super::iterator::Wanted;
use super::networks::networks;
use super::process::ProcessDir;
use super::root::ProcRoot;
use super::sweep::{Amount, FdTables, Own, Swept, sweep};
use super::system::System;
use crate::kind::Shape;
use crate::model::{FdNum, Holder, Inode};
use crate::sock::{Request, WITH_PORTS};
use std::collections::{HashMap, HashSet};
use std::num::NonZero;
use std::os::unix::ffi::OsStrExt as _;

/// The fds of all processes that are sockets, by the inodes of these: of some sockets, or of all.
/// What fdscope itself has open is left out.
pub fn socket_holders(system: &System, only: Option<&HashSet<Inode>>) -> std::io::Result<Swept<Inode>> {
    match only {
        Some(only) if system.root().is_native() => {
            few::holders_of(system, Own::LeftOut, Amount::All, only, |_, _| true)
        }
        _ => look(system, Own::LeftOut, |inode| only.is_none_or(|only| only.contains(inode))),
    }
}

/// The fds of all processes that are sockets whose own port is one of these: of any network namespace;
/// or, where `first`, one fd of each process that has such a socket in its own namespace. Nothing where
/// the kernel cannot be asked for ports.
pub fn holders_on_ports(
    system: &System,
    ports: &[u16],
    first: bool,
) -> std::io::Result<Option<Swept<Inode>>> {
    if !system.root().is_native() {
        return Ok(None);
    }
    let mut sockets: HashMap<Inode, Option<u64>> = HashMap::new();
    // One that is gone has no sockets.
    for (place, mut net) in networks(system)?.iter().filter_map(|place| Some((place, place.open()?))) {
        for port in ports {
            let Some(port) = NonZero::new(*port) else { return Ok(None) };
            let found = net.sockets(&Request { port: Some(port), ..Request::all(WITH_PORTS) });
            if !found.unread.is_empty() {
                return Ok(None);
            }
            let inodes = found.sockets.iter().map(|socket| socket.inode).filter(|inode| *inode != Inode(0));
            sockets.extend(inodes.map(|inode| (inode, place.network.id)));
        }
    }
    let wanted = sockets.keys().copied().collect();
    let is_own = |pid, inode: Inode| {
        let id = || ProcessDir::open(system.root(), pid, system).ok().map(|dir| dir.network());
        !first || sockets.get(&inode).copied() == id()
    };
    let amount = if first { Amount::First } else { Amount::All };
    few::holders_of(system, Own::LeftOut, amount, &wanted, is_own).map(Some)
}

/// The fds that hold these sockets, of all processes that may be read.
pub fn holders(root: &ProcRoot, sockets: &[Inode]) -> Vec<(Inode, Holder)> {
    if sockets.is_empty() {
        return Vec::new();
    }
    let system = System::new(root.clone(), false);
    let Ok(swept) = look(&system, Own::Included, |inode| sockets.contains(inode)) else { return Vec::new() };
    let each = |(inode, holders): (&Inode, &[Holder])| {
        holders.iter().map(|holder| (*inode, holder.clone())).collect::<Vec<_>>()
    };
    let mut found: Vec<(Inode, Holder)> = swept.iter().flat_map(each).collect();
    found.sort_by_key(|(_, holder)| (holder.process.pid, holder.fd));
    found
}

/// Looks at all fds for those that are sockets of these inodes.
fn look(system: &System, own: Own, wanted: impl Fn(&Inode) -> bool + Sync) -> std::io::Result<Swept<Inode>> {
    sweep(system, own, Wanted::Sockets, FdTables::Processes, |met| {
        Shape::of(met.link).socket().filter(&wanted)
    })
}

/// The socket that an fd is, of a task whose directory has this path below /proc.
pub fn socket_of(root: &ProcRoot, task: &str, fd: FdNum) -> std::io::Result<Option<Inode>> {
    let link = std::fs::read_link(root.join(format!("{task}/fd/{fd}")))?;
    Ok(Shape::of(link.as_os_str().as_bytes()).socket())
}

#[cfg(test)]
mod tests {
    use super::{Inode, ProcRoot, System, holders, socket_holders, socket_of};
    use crate::model::{FdNum, Pid};
    use std::os::fd::AsRawFd as _;
    use std::process::{Command, Stdio};

    #[test]
    fn a_socket_of_another_process() {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        let inode = Inode(rustix::fs::fstat(&theirs).unwrap().st_ino);
        let mut child = Command::new("cat")
            .stdin(std::os::fd::OwnedFd::from(theirs))
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let root = ProcRoot::from_env();
        let pid = Pid(child.id() as i32);
        assert_eq!(socket_of(&root, &pid.to_string(), FdNum(0)).unwrap(), Some(inode));
        let found = holders(&root, &[inode]);
        let (held, holder) = &found[0];
        assert_eq!((found.len(), *held, holder.process.pid, holder.fd), (1, inode, pid, FdNum(0)));
        let all = socket_holders(&System::new(root.clone(), false), None).unwrap();
        assert_eq!(all.of(&inode).len(), 1);
        // Our own are not looked for: we are here only because we look.
        let own = Inode(rustix::fs::fstat(&ours).unwrap().st_ino);
        assert!(socket_of(&root, "self", FdNum(ours.as_raw_fd())).unwrap() == Some(own));
        assert!(all.of(&own).is_empty());
        drop(ours);
        child.wait().unwrap();
    }
}
