//! Unix sockets: `linux/unix_diag.h`.

use super::attributes::{after, number, numbers};
use crate::model::{AcceptQueue, Device, Family, Inode, Socket, SocketDetail};
use crate::sock::protocol;
use crate::sock::request::States;
use netlink_packet_core::{DecodeError, Emitable as _, Parseable as _};
pub(super) use netlink_packet_sock_diag::unix::UnixRequest as Request;
use netlink_packet_sock_diag::unix::{ShowFlags, StateFlags, UnixResponseHeader};
use netlink_packet_sock_diag::{
    SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM, TCP_ESTABLISHED, TCP_LISTEN, UNIX_DIAG_ICONS, UNIX_DIAG_MEMINFO,
    UNIX_DIAG_NAME, UNIX_DIAG_PEER, UNIX_DIAG_RQLEN, UNIX_DIAG_SHUTDOWN, UNIX_DIAG_VFS,
};

/// Who the socket belongs to, since Linux 5.3.
const UNIX_DIAG_UID: u16 = 7;
/// `UDIAG_SHOW_UID`: the bits are not those of the attributes from here on.
const SHOW_UID: ShowFlags = ShowFlags::from_bits_retain(0x40);
/// `RCV_SHUTDOWN | SEND_SHUTDOWN`: of a connection, once its other end has been closed.
const SHUT: u8 = 3;

/// `struct unix_diag_msg`.
pub(super) const HEADER: usize = 16;

fn request(states: StateFlags, inode: u32, show: ShowFlags) -> Request {
    // Whatever cookie the socket has.
    Request { state_flags: states, inode, show_flags: show, cookie: [0xff; 8] }
}

/// What is asked of a socket. That it waits to be accepted, only the listener knows.
fn shown(detail: bool) -> ShowFlags {
    let usual = ShowFlags::NAME | ShowFlags::PEER | ShowFlags::ICONS | ShowFlags::RQLEN | SHOW_UID;
    if detail { usual | ShowFlags::VFS | ShowFlags::MEMINFO } else { usual }
}

/// Asks for one socket. The kernel refuses 0.
pub(super) fn one(inode: u32, detail: bool) -> Request {
    request(StateFlags::empty(), inode, shown(detail))
}

/// Asks for all sockets in these states.
pub(super) fn all(states: States, detail: bool) -> Request {
    request(StateFlags::from_bits_retain(states.0), 0, shown(detail))
}

/// Asks for all sockets with the files they are bound to.
pub(super) fn all_with_files() -> Request {
    request(StateFlags::from_bits_retain(!0), 0, ShowFlags::VFS)
}

/// Asks for all sockets with their names.
pub(super) fn all_with_names() -> Request {
    request(StateFlags::from_bits_retain(!0), 0, ShowFlags::NAME)
}

/// A unix socket, with what of it was asked for.
#[derive(Debug)]
pub(super) struct UnixSocket<'a> {
    pub(super) inode: Inode,
    cookie: u64,
    /// `SOCK_*` of `socket(2)`.
    socket_type: u8,
    /// `TCP_*`, of which unix sockets use few.
    state: u8,
    /// A path, or an abstract name with its leading NUL.
    pub(super) name: Option<&'a [u8]>,
    /// The filesystem's device, and 32 bits of the inode.
    pub(super) file: Option<(Device, u32)>,
    peer: Option<u32>,
    /// The inodes of clients that wait, as an array of numbers.
    waiting: &'a [u8],
    /// `udiag_rqueue` and `udiag_wqueue`.
    queue: Option<(u32, u32)>,
    memory: Option<[u32; 9]>,
    shutdown: Option<u8>,
    uid: Option<u32>,
}

impl<'a> UnixSocket<'a> {
    pub(super) fn parse(message: &'a [u8]) -> Result<Self, DecodeError> {
        let header = UnixResponseHeader::parse(message)?;
        let mut socket = Self {
            inode: Inode(header.inode.into()),
            cookie: u64::from_ne_bytes(header.cookie),
            socket_type: header.kind,
            state: header.state,
            name: None,
            file: None,
            peer: None,
            waiting: &[],
            queue: None,
            memory: None,
            shutdown: None,
            uid: None,
        };
        for attribute in after(header.buffer_len(), message) {
            match attribute? {
                (UNIX_DIAG_NAME, name) => socket.name = Some(bound(name)),
                (UNIX_DIAG_VFS, value) => {
                    let device = number(value, 1).map(|dev| Device::from_kernel(dev.into()));
                    socket.file = device.zip(number(value, 0));
                }
                (UNIX_DIAG_PEER, value) => socket.peer = number(value, 0),
                (UNIX_DIAG_ICONS, value) => socket.waiting = value,
                (UNIX_DIAG_RQLEN, value) => socket.queue = number(value, 0).zip(number(value, 1)),
                (UNIX_DIAG_MEMINFO, value) => socket.memory = Some(numbers(value)),
                (UNIX_DIAG_SHUTDOWN, value) => socket.shutdown = value.first().copied(),
                (UNIX_DIAG_UID, value) => socket.uid = number(value, 0),
                _ => {}
            }
        }
        Ok(socket)
    }

    /// Whether it may be the accepted end of a connection, which shows the name and the file of
    /// its listener and is not bound itself. A client that was bound before it connected looks the
    /// same.
    pub(super) fn may_be_accepted(&self) -> bool {
        self.state == TCP_ESTABLISHED && matches!(self.socket_type, SOCK_STREAM | SOCK_SEQPACKET)
    }
}

/// A path without the NUL that the kernel ends it with; an abstract name as it is.
fn bound(name: &[u8]) -> &[u8] {
    match name {
        [0, ..] => name,
        _ => name.strip_suffix(b"\0").unwrap_or(name),
    }
}

/// Reads a socket.
pub(super) fn socket(message: &[u8], detail: bool) -> Result<Socket, DecodeError> {
    let told = UnixSocket::parse(message)?;
    let path = told.name.map(|name| match name {
        [0, rest @ ..] => [b"@", rest].concat(),
        path => path.to_vec(),
    });
    // Of a peer that was closed, as of one that nobody has accepted, there is no inode to tell. A
    // socket for datagrams is not accepted.
    let may_wait = told.shutdown != Some(SHUT) && told.socket_type != SOCK_DGRAM;
    let peer = told.peer.filter(|&inode| inode != 0 || may_wait);
    let mut socket = Socket {
        socket_type: protocol::socket_type(told.socket_type.into()),
        state: Some(protocol::unix_diag_state(told.state, told.peer.is_some())),
        path,
        uid: told.uid,
        cookie: Some(told.cookie),
        shutdown: told.shutdown,
        peer: peer.map(|inode| Inode(inode.into())),
        ..Socket::new(told.inode, Family::Unix)
    };
    if told.state == TCP_LISTEN {
        let (waiting, max) = told.queue.ok_or("a unix listener without its queue")?;
        // A client that finds no place gets EAGAIN or waits, and nothing is counted: SKMEMINFO has
        // drops for unix sockets too, but those of messages.
        socket.queue = Some(AcceptQueue { waiting, max: Some(max), drops: None });
        socket.recv_queue = Some(waiting.into());
        let (inodes, _) = told.waiting.as_chunks();
        socket.waiting = inodes.iter().map(|&inode| Inode(u32::from_ne_bytes(inode).into())).collect();
    } else {
        socket.recv_queue = told.queue.map(|(unread, _)| unread.into());
        socket.send_queue = told.queue.map(|(_, unsent)| unsent.into());
    }
    if detail {
        let detail = SocketDetail { memory: told.memory, file: told.file, ..SocketDetail::default() };
        socket.detail = Some(Box::new(detail));
    }
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::super::Diag;
    use super::super::ListeningSocket;
    use super::super::testing::{connect, inode, socket};
    use super::{UnixSocket, socket as read};
    use crate::model::{AcceptQueue, Device, Inode};
    use rustix::fd::OwnedFd;
    use rustix::io::Errno;
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, bind, listen};
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    use std::path::{Path, PathBuf};

    const ODD: &[u8] = b"a b\n\xff\x01";

    fn unix(socket_type: SocketType) -> OwnedFd {
        socket(AddressFamily::UNIX, socket_type, None).unwrap()
    }

    fn bound_to(socket_type: SocketType, address: &SocketAddrUnix) -> OwnedFd {
        let socket = unix(socket_type);
        bind(&socket, address).unwrap();
        socket
    }

    /// A name that no other test has, with odd bytes, NULs too.
    fn abstract_name(test: &str) -> Vec<u8> {
        [b"\0\0fdscope ", test.as_bytes(), &std::process::id().to_ne_bytes(), b"\0", ODD, b"\0"].concat()
    }

    fn abstract_address(name: &[u8]) -> SocketAddrUnix {
        SocketAddrUnix::new_abstract_name(&name[1..]).unwrap()
    }

    fn path(dir: &tempfile::TempDir) -> PathBuf {
        dir.path().join(OsStr::from_bytes(ODD))
    }

    fn file(path: &Path) -> (Device, Inode) {
        let stat = rustix::fs::stat(path).unwrap();
        let (major, minor) = (rustix::fs::major(stat.st_dev), rustix::fs::minor(stat.st_dev));
        (Device { major, minor }, Inode(stat.st_ino))
    }

    #[test]
    fn a_queue_holds_one_more_than_the_backlog() {
        let mut diag = Diag::open().unwrap();
        for socket_type in [SocketType::STREAM, SocketType::SEQPACKET] {
            for backlog in [0, 1, 5] {
                let dir = tempfile::tempdir().unwrap();
                let path = path(&dir);
                let name = abstract_name("queue");
                let shown = [b"@", &name[1..]].concat();
                let addresses = [
                    (SocketAddrUnix::new(&path).unwrap(), path.as_os_str().as_bytes().to_vec()),
                    (abstract_address(&name), shown),
                ];
                for (address, shown) in addresses {
                    let server = bound_to(socket_type, &address);
                    assert_eq!(diag.unix_listener(inode(&server)).unwrap(), None);
                    listen(&server, backlog).unwrap();
                    let mut look = || diag.unix_listener(inode(&server)).unwrap().unwrap();
                    let empty = look();
                    assert_eq!((empty.inode, empty.local, empty.path), (inode(&server), None, Some(shown)));
                    assert_eq!(empty.uid, Some(rustix::process::geteuid().as_raw()));
                    let queue = |waiting| AcceptQueue { waiting, max: Some(backlog as u32), drops: None };
                    assert_eq!(empty.queue, queue(0));
                    let client = || connect(unix(socket_type), &address);
                    let clients: Vec<_> = (0..=backlog).map(|_| client().unwrap()).collect();
                    assert_eq!(client().unwrap_err(), Errno::AGAIN);
                    assert_eq!(look().queue, queue(backlog as u32 + 1));
                    drop(rustix::net::accept(&server).unwrap());
                    assert_eq!(look().queue, queue(backlog as u32));
                    drop(clients);
                }
            }
        }
    }

    #[test]
    fn what_does_not_listen_is_none() {
        let mut diag = Diag::open().unwrap();
        let (one, _other) = std::os::unix::net::UnixStream::pair().unwrap();
        let gone = inode(&one);
        for inode in [gone, Inode(0), Inode(gone.0 | 1 << 32), Inode(u64::MAX), Inode(u32::MAX.into())] {
            assert_eq!(diag.unix_listener(inode).unwrap(), None, "{inode:?}");
        }
        drop(one);
        assert_eq!(diag.unix_listener(gone).unwrap(), None);
    }

    #[test]
    fn who_is_bound_to_a_file_or_a_name() {
        let mut diag = Diag::open().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = path(&dir);
        let name = abstract_name("bound");
        let stream = bound_to(SocketType::STREAM, &SocketAddrUnix::new(&path).unwrap());
        let (device, node) = file(&path);
        assert_eq!(diag.bound_to_file(device, node).unwrap(), [inode(&stream)]);
        assert_eq!(diag.bound_to_name(path.as_os_str().as_bytes()).unwrap(), [inode(&stream)]);
        let datagrams = bound_to(SocketType::DGRAM, &abstract_address(&name));
        // Connected to another, and bound as before.
        let _connected = connect(unix(SocketType::DGRAM), &abstract_address(&name)).unwrap();
        rustix::net::connect(&datagrams, &abstract_address(&name)).unwrap();
        assert_eq!(diag.bound_to_name(&name).unwrap(), [inode(&datagrams)]);
        for other in [&name[..name.len() - 1], &name[1..], b"", b"\0", b"@"] {
            assert_eq!(diag.bound_to_name(other).unwrap(), []);
        }
        assert_eq!(diag.bound_to_file(device, Inode(node.0 + 1)).unwrap(), []);
        assert_eq!(diag.bound_to_file(Device { major: 0, minor: 0xf_ffff }, node).unwrap(), []);
    }

    #[test]
    fn accepted_connections_are_not_bound() {
        let mut diag = Diag::open().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = path(&dir);
        let address = SocketAddrUnix::new(&path).unwrap();
        let server = bound_to(SocketType::STREAM, &address);
        listen(&server, 5).unwrap();
        let _client = connect(unix(SocketType::STREAM), &address).unwrap();
        let _waiting = connect(unix(SocketType::STREAM), &address).unwrap();
        let accepted = rustix::net::accept(&server).unwrap();
        let name = path.as_os_str().as_bytes();
        let (device, node) = file(&path);
        assert_eq!(diag.bound_to_name(name).unwrap(), [inode(&server)]);
        assert_eq!(diag.bound_to_file(device, node).unwrap(), [inode(&server)]);
        // What is left of a server that has ended is nobody's.
        drop(server);
        assert_eq!(diag.bound_to_name(name).unwrap(), []);
        assert_eq!(diag.bound_to_file(device, node).unwrap(), []);
        drop(accepted);
    }

    #[test]
    fn attributes_that_are_new_or_short_do_no_harm() {
        let header = [1, 1, 10, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let attribute = |kind: u8, value: &[u8]| {
            let mut bytes = vec![4 + value.len() as u8, 0, kind, 0];
            bytes.extend(value);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
            bytes
        };
        let message = [
            header.to_vec(),
            attribute(99, b"new"),
            attribute(0, b"/path"),
            attribute(1, &[1, 2, 3]),
            attribute(4, &[1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0]),
        ]
        .concat();
        let listener = |message: &[u8]| ListeningSocket::of(&read(message, true).unwrap());
        let socket = UnixSocket::parse(&message).unwrap();
        assert_eq!((socket.name, socket.file, socket.uid), (Some(&b"/path"[..]), None, None));
        if cfg!(target_endian = "little") {
            let found = listener(&message).unwrap();
            assert_eq!((found.inode, found.queue.waiting, found.queue.max), (Inode(7), 1, Some(2)));
        }
        let empty = [header.to_vec(), attribute(0, b"")].concat();
        assert_eq!(UnixSocket::parse(&empty).unwrap().name, Some(&b""[..]));
        assert!(read(&empty, false).is_err());
        assert!(UnixSocket::parse(&header[..15]).is_err());
        assert!(UnixSocket::parse(&[&header[..], &[200, 0, 0, 0]].concat()).is_err());
    }
}
