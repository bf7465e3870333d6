//! A socket that a holder has.

use crate::Result;
use crate::holder;
use rustix::fd::{AsFd, AsRawFd as _};
use std::fmt::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;

/// What its holder knows of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Socket {
    pub(super) pid: u32,
    pub(super) fd: u32,
    pub(super) inode: u64,
    /// Its own address and that of the other end, if it is of TCP. A listener has no other end.
    pub(super) ends: Option<Ends>,
}

/// Own address, and that of the other end.
pub(super) type Ends = (SocketAddr, Option<SocketAddr>);

impl Socket {
    /// Reads what [`Tell::tell`] writes.
    pub(super) fn parse(pid: u32, line: &str) -> Result<Self> {
        let mut words = line.split(' ').skip(1);
        let mut word = || words.next().ok_or_else(|| format!("no socket: {line}"));
        let (fd, inode) = (word()?.parse()?, word()?.parse()?);
        let ends = match word() {
            Ok(local) => Some((local.parse()?, word().ok().map(str::parse).transpose()?)),
            Err(_) => None,
        };
        Ok(Self { pid, fd, inode, ends })
    }

    pub(super) fn local_port(&self) -> u16 {
        self.ends.map_or(0, |(local, _)| local.port())
    }

    pub(super) fn is_listener(&self) -> bool {
        matches!(self.ends, Some((_, None)))
    }
}

/// A socket within its holder, which tells of it.
pub(super) trait Tell: AsFd {
    /// Its addresses.
    fn ends(&self) -> Result<Option<Ends>>;

    /// Adds a line about it.
    fn tell(&self, lines: &mut String) -> Result<()> {
        let fd = self.as_fd();
        write!(lines, "socket {} {}", fd.as_raw_fd(), rustix::fs::fstat(fd)?.st_ino)?;
        if let Some((local, remote)) = self.ends()? {
            write!(lines, " {local}")?;
            if let Some(remote) = remote {
                write!(lines, " {remote}")?;
            }
        }
        lines.push('\n');
        Ok(())
    }
}

impl Tell for TcpListener {
    fn ends(&self) -> Result<Option<Ends>> {
        Ok(Some((self.local_addr()?, None)))
    }
}

impl Tell for TcpStream {
    fn ends(&self) -> Result<Option<Ends>> {
        Ok(Some((self.local_addr()?, Some(self.peer_addr()?))))
    }
}

impl Tell for UnixStream {
    fn ends(&self) -> Result<Option<Ends>> {
        Ok(None)
    }
}

/// What a holder does with its sockets: it says what they are, and holds them.
pub(super) fn hold<'a>(sockets: impl Iterator<Item = &'a dyn Tell>) -> Result<()> {
    let mut lines = String::new();
    for socket in sockets {
        socket.tell(&mut lines)?;
    }
    println!("{lines}ready");
    holder::wait()
}
