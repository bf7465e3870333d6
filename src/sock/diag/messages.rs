//! Sockets as the kernel told them, each to be read when it is looked up.

use super::attributes::{after, number};
use super::{inet, unix};
use crate::model::{Family, Inode, Socket};
use netlink_packet_core::DecodeError;
use std::ops::Range;

/// What sockets a message is about, and so how it is read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sort {
    /// TCP sockets over IPv4 and IPv6.
    Tcp,
    /// Internet sockets of this family.
    Inet(Family),
    /// Unix sockets.
    Unix,
}

impl Sort {
    /// How long the fixed part of a message is, and the number of which in it is the inode.
    fn layout(self) -> (usize, usize) {
        match self {
            Self::Tcp | Self::Inet(_) => (inet::HEADER, 17),
            Self::Unix => (unix::HEADER, 1),
        }
    }

    /// The inode; 0 where no file belongs to the socket. A message that could not be read is an error.
    fn inode(self, message: &[u8]) -> Result<u32, DecodeError> {
        let (header, nth) = self.layout();
        let fixed = message.get(..header).and_then(|fixed| number(fixed, nth));
        let inode = fixed.ok_or_else(|| DecodeError::buffer_too_small(message.len(), header))?;
        after(header, message).try_for_each(|attribute| attribute.map(drop))?;
        Ok(inode)
    }

    fn read(self, message: &[u8], detail: bool) -> Result<Socket, DecodeError> {
        match self {
            Self::Tcp => inet::tcp_socket(message, detail),
            Self::Inet(family) => inet::socket(message, family, detail),
            Self::Unix => unix::socket(message, detail),
        }
    }
}

/// All sockets of a dump that have an inode, by that. In this form they take a third of the room, and
/// those that nobody looks up are never read.
#[derive(Debug)]
pub struct Messages {
    sort: Sort,
    detail: bool,
    bytes: Vec<u8>,
    order: Vec<Entry>,
}

/// The message of one socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    inode: u32,
    length: u32,
    start: usize,
}

impl Messages {
    /// None yet. `detail` is what was asked for.
    pub(super) fn new(sort: Sort, detail: bool) -> Self {
        Self { sort, detail, bytes: Vec::new(), order: Vec::new() }
    }

    /// Where the entries of a dump go, and who takes its messages.
    pub(super) fn parts(&mut self) -> (&mut Vec<Entry>, Taker<'_>) {
        (&mut self.order, Taker { sort: self.sort, bytes: &mut self.bytes })
    }

    /// The same, once all are there.
    pub(super) fn sorted(mut self) -> Self {
        self.order.sort_unstable();
        self
    }

    /// Where the socket of this inode stands, if it is there.
    pub fn position(&self, inode: Inode) -> Option<usize> {
        self.order.binary_search_by_key(&inode, |entry| Inode(entry.inode.into())).ok()
    }

    /// The socket that stands there; nothing where the kernel told it in a way that is not known here.
    pub fn at(&self, position: usize) -> Option<Socket> {
        let &Entry { length, start, .. } = self.order.get(position)?;
        let message = &self.bytes[Range { start, end: start + length as usize }];
        let mut socket = self.sort.read(message, self.detail).ok()?;
        if let Some(queue) = &mut socket.queue {
            // Those that listen are told of drops if asked for alone, and not among all: the same is
            // said of them in any case.
            queue.drops = queue.drops.filter(|_| self.detail);
        }
        Some(socket)
    }
}

/// Takes messages as they come.
pub(super) struct Taker<'m> {
    sort: Sort,
    bytes: &'m mut Vec<u8>,
}

impl Taker<'_> {
    /// Keeps a message, unless no file belongs to its socket.
    pub(super) fn take(&mut self, message: &[u8]) -> Result<Option<Entry>, DecodeError> {
        let inode = self.sort.inode(message)?;
        if inode == 0 {
            return Ok(None);
        }
        let start = self.bytes.len();
        self.bytes.extend_from_slice(message);
        Ok(Some(Entry { inode, length: message.len() as u32, start }))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Diag;
    use super::super::testing::{inode, socket};
    use crate::model::{Family, Inode};
    use crate::sock::Request;
    use rustix::net::{AddressFamily, SocketType, bind, listen};
    use std::net::{Ipv4Addr, SocketAddrV4};

    #[test]
    fn each_is_what_a_dump_has_it_be() {
        let any = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);
        let tcp = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
        bind(&tcp, &any).unwrap();
        listen(&tcp, 3).unwrap();
        let udp = socket(AddressFamily::INET, SocketType::DGRAM, None).unwrap();
        bind(&udp, &any).unwrap();
        let (unix, _other) = std::os::unix::net::UnixStream::pair().unwrap();
        let cases: [(&[Family], Inode); 3] = [
            (&[Family::Tcp, Family::Tcp6], inode(&tcp)),
            (&[Family::Udp], inode(&udp)),
            (&[Family::Unix], inode(&unix)),
        ];
        let mut diag = Diag::open().unwrap();
        for (families, inode) in cases {
            for detail in [false, true] {
                let request = Request { detail, ..Request::all(families) };
                let messages = diag.messages(&request).unwrap();
                let mut found = Vec::new();
                diag.sockets(families[0], &request, &mut found).unwrap();
                let told = messages.at(messages.position(inode).unwrap()).unwrap();
                let dumped = found.into_iter().find(|socket| socket.inode == inode).unwrap();
                assert_eq!(format!("{told:?}"), format!("{dumped:?}"));
                assert!(messages.position(Inode(0)).is_none());
            }
        }
    }

    #[test]
    fn what_is_not_told_so_is_refused() {
        let mut diag = Diag::open().unwrap();
        for families in [&[Family::Netlink][..], &[Family::Tcp, Family::Udp]] {
            let error = diag.messages(&Request::all(families)).unwrap_err();
            assert_eq!(error.kind(), std::io::ErrorKind::Unsupported);
        }
    }
}
