//! Why there is no listener, and who is in the way.

use crate::listener::{OpenError, Options, SocketAddress, Step};
use crate::model::{Device, Escape, Holder, Inode, errno_words, escape};
use crate::proc::{ProcRoot, holders};
use crate::sock::Diag;
use rustix::fs::stat;
use rustix::io::Errno;
use std::ffi::OsStr;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// Says what is wrong, and what would be right.
pub(super) fn explain(error: OpenError, options: &Options, root: &ProcRoot) -> String {
    let (address, step, errno) = match error {
        OpenError::Address(text) => return text,
        OpenError::Call { address, step, errno } => (address, step, errno),
    };
    let reason = match (step, errno, &address) {
        (Step::Bind | Step::Listen, Errno::ADDRINUSE, SocketAddress::Inet(inet)) => {
            taken(*inet, options, root)
        }
        (Step::Bind, Errno::ADDRINUSE, SocketAddress::Path(path)) => in_the_way(path, root),
        (Step::Bind, Errno::ADDRINUSE, SocketAddress::Abstract(name)) => {
            let bound = Diag::open().and_then(|mut d| d.bound_to_name(&[b"\0", &name[..]].concat()));
            used_by(&holders(root, &bound.unwrap_or_default()), "the name is in use")
        }
        (Step::Bind, Errno::ACCESS, SocketAddress::Inet(inet)) => privileged(inet.port(), root),
        (Step::Bind, Errno::ACCESS, SocketAddress::Path(path)) => {
            format!("files may not be made in {}", directory(path))
        }
        (Step::Bind, Errno::ACCESS, SocketAddress::Vsock { .. }) => {
            "vsock ports below 1024 take CAP_NET_BIND_SERVICE".to_owned()
        }
        (Step::Bind, Errno::NOENT, SocketAddress::Path(path)) => {
            format!("there is no directory {}", directory(path))
        }
        (Step::Bind, Errno::NOTDIR, SocketAddress::Path(path)) => {
            format!("{} is not a directory", directory(path))
        }
        (Step::Bind, Errno::ROFS, SocketAddress::Path(path)) => {
            format!("{} is on a read-only filesystem", directory(path))
        }
        (Step::Bind, Errno::ADDRNOTAVAIL, SocketAddress::Vsock { port, .. }) => {
            format!("this machine has no such CID; listen on all with vsock:any:{port}")
        }
        (Step::Bind, Errno::ADDRNOTAVAIL, _) => {
            "this machine has no such address; see ip-address(8), or listen on all with :PORT".to_owned()
        }
        (Step::Bind, Errno::INVAL, SocketAddress::Inet(SocketAddr::V6(v6)))
            if v6.ip().is_unicast_link_local() =>
        {
            "a link-local address needs its interface: [fe80::1%eth0]:PORT".to_owned()
        }
        (Step::Socket, Errno::AFNOSUPPORT, _) => "this kernel does not have that family".to_owned(),
        (step, errno, _) => format!("{}: {}", call(step), errno_words(errno.raw_os_error())),
    };
    format!("cannot listen on {}: {reason}", escape(&address.bytes(), Escape::Table))
}

/// Why a socket that is there already cannot be set as it should.
pub(super) fn refused(what: &str, step: Step, errno: Errno) -> String {
    format!("{what}: {}: {}", call(step), errno_words(errno.raw_os_error()))
}

fn call(step: Step) -> String {
    match step {
        Step::Socket => "socket(2)".to_owned(),
        Step::Option(name) => format!("setting {name}"),
        Step::Bind => "bind(2)".to_owned(),
        Step::Listen => "listen(2)".to_owned(),
    }
}

/// Who has the port.
fn taken(address: SocketAddr, options: &Options, root: &ProcRoot) -> String {
    let overlaps = |other: SocketAddr| {
        let any = other.ip().is_unspecified() || address.ip().is_unspecified();
        other.port() == address.port() && (any || other.ip().to_canonical() == address.ip().to_canonical())
    };
    let listeners = Diag::open().and_then(|mut d| d.tcp_listeners()).unwrap_or_default();
    let inodes: Vec<Inode> = listeners
        .iter()
        .filter(|l| l.local.is_some_and(|local| overlaps(local.0)))
        .map(|l| l.inode)
        .collect();
    if inodes.is_empty() {
        let hint = if options.reuse_address {
            "a socket that is bound and does not listen, or a connection, has it"
        } else {
            "connections of an earlier listener may still have it (TIME-WAIT); \
             without --no-reuse-address that is no hindrance"
        };
        return format!("the port is in use: {hint}; fdscope list --port {} may tell", address.port());
    }
    used_by(&holders(root, &inodes), "the port is in use")
}

fn used_by(holders: &[(Inode, Holder)], what: &str) -> String {
    let one = |(_, Holder { process, fd }): &(Inode, Holder)| {
        format!("{} ({}, fd {fd})", escape(&process.command, Escape::Table), process.pid)
    };
    match holders {
        [] => format!("{what} by a process that may not be read"),
        few if few.len() <= 3 => {
            format!("{what} by {}", few.iter().map(one).collect::<Vec<_>>().join(", "))
        }
        [first, ..] => format!("{what} by {} and {} more fds", one(first), holders.len() - 1),
    }
}

/// Who is bound to the socket file, if it is one.
fn bound_to(path: &[u8], root: &ProcRoot) -> Option<String> {
    let stat = stat(Path::new(OsStr::from_bytes(path))).ok()?;
    let device = Device::from_stat(stat.st_dev);
    let bound = Diag::open().and_then(|mut d| d.bound_to_file(device, Inode(stat.st_ino))).ok()?;
    if bound.is_empty() {
        return None;
    }
    Some(used_by(&holders(root, &bound), "the socket file is in use"))
}

fn in_the_way(path: &[u8], root: &ProcRoot) -> String {
    if let Some(who) = bound_to(path, root) {
        return who;
    }
    let is_socket = stat(Path::new(OsStr::from_bytes(path)))
        .is_ok_and(|s| rustix::fs::FileType::from_raw_mode(s.st_mode) == rustix::fs::FileType::Socket);
    if is_socket {
        "the socket file is in use, by a process that may not be read or is in another network namespace"
            .to_owned()
    } else {
        "there is a file of that name, which is not a socket".to_owned()
    }
}

fn privileged(port: u16, root: &ProcRoot) -> String {
    match super::setting(root, "net/ipv4/ip_unprivileged_port_start") {
        Some(start) if u64::from(port) < start => format!(
            "ports below {start} take CAP_NET_BIND_SERVICE, which root has \
             (net.ipv4.ip_unprivileged_port_start)"
        ),
        _ => "permission denied".to_owned(),
    }
}

fn directory(path: &[u8]) -> String {
    let parent = Path::new(OsStr::from_bytes(path)).parent().filter(|p| !p.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    escape(parent.as_os_str().as_bytes(), Escape::Table).into_owned()
}
