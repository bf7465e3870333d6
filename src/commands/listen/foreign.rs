//! `--watch-only`: listeners of others, which are looked at and not held.

use super::event::Listening;
use super::meter::{Meters, Source};
use crate::context::Context;
use crate::error::Error;
use crate::listener::SocketAddress;
use crate::model::{FdNum, Inode, Pid};
use crate::proc::{OpenError, ProcessDir, System, holders, socket_of};
use crate::sock::{Diag, ListeningSocket};
use std::fs::File;
use std::io::ErrorKind;
use std::num::NonZero;
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::str::FromStr;

/// What to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WatchOnly {
    /// An fd of a process.
    Fd(Pid, FdNum),
    /// All TCP listeners on a port, in our own network namespace.
    Port(NonZero<u16>),
}

impl FromStr for WatchOnly {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("'{text}' is neither a port from 1 to 65535 nor PID:FD, such as 4242:3");
        let number = |t: &str| t.bytes().all(|b| b.is_ascii_digit()).then(|| t.parse::<i32>().ok()).flatten();
        match text.split_once(':') {
            Some((pid, fd)) => {
                let pid = number(pid).filter(|&n| n > 0).ok_or_else(bad)?;
                Ok(Self::Fd(Pid(pid), FdNum(number(fd).ok_or_else(bad)?)))
            }
            None => number(text)
                .and_then(|n| u16::try_from(n).ok())
                .and_then(NonZero::new)
                .map(Self::Port)
                .ok_or_else(bad),
        }
    }
}

/// The listeners, with their addresses, and how they are read. What is not there is told.
pub(super) fn find(only: WatchOnly, context: &Context) -> Result<(Vec<Listening>, Meters), Error> {
    match only {
        WatchOnly::Fd(pid, fd) => one(pid, fd, context),
        WatchOnly::Port(port) => all(port, context),
    }
}

fn one(pid: Pid, fd: FdNum, context: &Context) -> Result<(Vec<Listening>, Meters), Error> {
    let root = &context.root;
    let fail = |reason: String| {
        context.complain(&format!("{pid}:{fd}: {reason}"));
        Error::Target
    };
    let system = System::new(root.clone(), false);
    let dir = ProcessDir::open(root, pid, &system).map_err(|e| match e {
        OpenError::Gone => fail(format!("no process has pid {pid}")),
        OpenError::Denied => fail("the process may not be looked at".to_owned()),
        OpenError::Failed(e) => fail(format!("the process cannot be looked at: {e}")),
    })?;
    // Where the main thread has ended while others go on, these have its fds.
    let home = dir.home(c"ns/net");
    let inode = socket_of(root, &home.path, fd).map_err(|e| match e.kind() {
        ErrorKind::NotFound => fail("the process has no such fd".to_owned()),
        _ => fail(format!("the fd cannot be read: {e}")),
    })?;
    let inode = inode.ok_or_else(|| fail("the fd is not a socket".to_owned()))?;
    let own = std::fs::read_link(root.join("self/ns/net"));
    let ours = own.is_ok_and(|own| own.as_os_str().as_bytes() == home.namespace);
    let diag = if ours {
        Diag::open()
    } else {
        File::open(root.join(format!("{}/ns/net", home.path))).and_then(|netns| Diag::open_in(netns.as_fd()))
    };
    let mut diag = diag.map_err(|e| match e.kind() {
        ErrorKind::PermissionDenied if !ours => {
            fail(format!("it is in another network namespace, which takes CAP_SYS_ADMIN to enter: {e}"))
        }
        _ => fail(format!("sock_diag(7) cannot be asked: {e}")),
    })?;
    let unreadable = |e| fail(format!("sock_diag(7) cannot be asked: {e}"));
    let tcp = diag.tcp_listeners().map_err(unreadable)?.into_iter().find(|l| l.inode == inode);
    let (source, found) = match tcp {
        Some(found) => (source(&found), found),
        None => match diag.unix_listener(inode).map_err(unreadable)? {
            Some(found) => (Source::Unix(inode), found),
            None => {
                let reason = "the socket does not listen, or is neither TCP nor unix";
                return Err(fail(reason.to_owned()));
            }
        },
    };
    let mut listening = listening(&found, ours.then(|| super::somaxconn(root)).flatten());
    (listening.pid, listening.fd, listening.command) =
        (Some(pid), Some(fd), Some(dir.process.command.clone()));
    let meters = Meters::others(vec![source], diag, &root.join(format!("{}/net/netstat", home.path)));
    Ok((vec![listening], meters))
}

fn all(port: NonZero<u16>, context: &Context) -> Result<(Vec<Listening>, Meters), Error> {
    let root = &context.root;
    let fail = |reason: String| {
        context.complain(&reason);
        Error::Target
    };
    let unreadable = |e| fail(format!("sock_diag(7) cannot be asked: {e}"));
    let mut diag = Diag::open().map_err(unreadable)?;
    let found = diag.tcp_listeners_on(port).map_err(unreadable)?;
    if found.is_empty() {
        return Err(fail(format!("nothing listens on TCP port {port} in this network namespace")));
    }
    let inodes: Vec<Inode> = found.iter().map(|l| l.inode).collect();
    let holders = holders(root, &inodes);
    let somaxconn = super::somaxconn(root);
    let listening = found
        .iter()
        .map(|found| {
            let mut listening = listening(found, somaxconn);
            if let Some((_, holder)) = holders.iter().find(|(inode, _)| *inode == found.inode) {
                listening.pid = Some(holder.process.pid);
                listening.fd = Some(holder.fd);
                listening.command = Some(holder.process.command.clone());
            }
            listening
        })
        .collect();
    let sources = found.iter().map(source).collect();
    Ok((listening, Meters::others(sources, diag, &root.join("self/net/netstat"))))
}

fn listening(found: &ListeningSocket, somaxconn: Option<u64>) -> Listening {
    let family = match found.local {
        Some(local) if local.0.is_ipv4() => "tcp",
        Some(_) => "tcp6",
        None => "unix",
    };
    Listening {
        address: address(found),
        fd: None,
        pid: None,
        command: None,
        name: None,
        family,
        socket_type: found.socket_type,
        requested: None,
        queue: Some(found.queue),
        somaxconn,
        foreign: true,
    }
}

fn source(found: &ListeningSocket) -> Source {
    let port = found.local.and_then(|local| NonZero::new(local.0.port()));
    port.map_or(Source::None, |port| Source::Tcp(found.inode, port))
}

fn address(found: &ListeningSocket) -> Vec<u8> {
    match (found.local, &found.path) {
        (Some(local), _) => SocketAddress::Inet(local.0).bytes(),
        (None, path) => [b"unix:", path.as_deref().unwrap_or_default()].concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::{FdNum, NonZero, Pid, WatchOnly};

    #[test]
    fn forms() {
        assert_eq!("8080".parse(), Ok(WatchOnly::Port(NonZero::new(8080).unwrap())));
        assert_eq!("12:3".parse(), Ok(WatchOnly::Fd(Pid(12), FdNum(3))));
        for text in ["", "0", "65536", "-1", "x", "12:", ":3", "0:3", "12:3-4", "+1", "1:+2"] {
            assert!(text.parse::<WatchOnly>().is_err(), "{text:?}");
        }
    }
}
