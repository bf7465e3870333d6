//! One network namespace, and the ways to ask for its sockets.

use super::diag::Diag;
use super::enter::within;
use super::listed::Listed;
use super::procnet::Table;
use super::request::Request;
use crate::model::{Family, Inode, Socket};
use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};

/// How to get at a network namespace.
#[derive(Debug)]
pub enum Entry {
    /// It is our own.
    Own,
    /// By its file, `/proc/PID/ns/net` or one bound somewhere: `setns(2)`.
    File(File),
    /// Not at all: what its processes show of it in `/proc/PID/net` has to do.
    Tables,
}

/// A network namespace: asked by sock_diag netlink, or read from the tables of `/proc/PID/net` where
/// netlink cannot be had.
#[derive(Debug)]
pub struct Net {
    /// A directory such as `/proc/PID/net`; empty where nobody is in it.
    tables: PathBuf,
    /// The way into it, where nobody is.
    inside: Option<File>,
    diag: io::Result<Diag>,
}

/// What was found in a namespace.
#[derive(Debug, Default)]
pub struct Found {
    /// The sockets: first those of TCP, if it was asked for over both IPv4 and IPv6, and then in the
    /// order of the families that were asked for.
    pub sockets: Vec<Socket>,
    /// Families that were read from the tables, which tell less.
    pub from_tables: Vec<Family>,
    /// Families that this kernel does not list, if it has such sockets at all.
    pub unlisted: Vec<Family>,
    /// Families that could not be read at all.
    pub unread: Vec<(Family, io::Error)>,
}

impl Net {
    /// Enters a namespace, and comes back at once. `tables` is the directory `net` of one of its
    /// processes, and empty if there is none.
    pub fn open(entry: &Entry, tables: PathBuf) -> Self {
        let diag = match entry {
            Entry::Own => Diag::open(),
            Entry::File(file) => Diag::open_in(file.as_fd()),
            Entry::Tables => Err(io::ErrorKind::Unsupported.into()),
        };
        let inside = match entry {
            Entry::File(file) if tables.as_os_str().is_empty() => file.try_clone().ok(),
            _ => None,
        };
        Self { tables, inside, diag }
    }

    /// Why there is no netlink, if there is none.
    pub fn refusal(&self) -> Option<&io::Error> {
        self.diag.as_ref().err()
    }

    /// The sockets that are asked for. A family that this kernel does not have has none.
    pub fn sockets(&mut self, request: &Request) -> Found {
        let mut found = Found::default();
        // The kernel would walk its one table twice.
        let both_tcp = [Family::Tcp, Family::Tcp6].iter().all(|family| request.families.contains(family))
            && self.diag.as_mut().is_ok_and(|diag| diag.tcp_sockets(request, &mut found.sockets).is_ok());
        let is_told = |family| both_tcp && matches!(family, Family::Tcp | Family::Tcp6);
        for &family in request.families.iter().filter(|family| !is_told(**family)) {
            self.family(family, request, &mut found);
        }
        found
    }

    /// The same sockets, to be looked up; nothing where some could not be read.
    pub(super) fn listed(&mut self, request: &Request) -> Option<Listed> {
        if let Ok(diag) = &mut self.diag
            && let Ok(messages) = diag.messages(request)
        {
            return Some(Listed::Told(messages));
        }
        let found = self.sockets(request);
        found.unread.is_empty().then(|| Listed::read(found.sockets))
    }

    /// Adds the sockets of one family.
    fn family(&mut self, family: Family, request: &Request, found: &mut Found) {
        let told = match &mut self.diag {
            Ok(diag) => diag.sockets(family, request, &mut found.sockets),
            Err(_) => Err(io::ErrorKind::Unsupported.into()),
        };
        let Err(error) = told else { return };
        let Some(table) = Table::of(family) else {
            // No table has these, so nothing tells whether there are any.
            if self.diag.is_ok() && error.kind() != io::ErrorKind::Unsupported {
                found.unread.push((family, error));
            } else {
                found.unlisted.push(family);
            }
            return;
        };
        match self.read(table, request) {
            Ok(sockets) => {
                // That there are none is not told worse by a table.
                if !sockets.is_empty() {
                    found.from_tables.push(family);
                }
                found.sockets.extend(sockets);
            }
            // The kernel was built without this protocol.
            Err(e)
                if e.kind() == io::ErrorKind::NotFound && (self.inside.is_some() || self.tables.is_dir()) => {
            }
            Err(e) => found.unread.push((family, e)),
        }
    }

    /// Reads a table.
    fn read(&self, table: Table, request: &Request) -> io::Result<Vec<Socket>> {
        match &self.inside {
            _ if !self.tables.as_os_str().is_empty() => table.sockets(&self.tables, request),
            // Nobody is in it who could show its tables but ourselves.
            Some(file) if self.diag.is_ok() => {
                within(file.as_fd(), || table.sockets(Path::new("/proc/thread-self/net"), request))
            }
            _ => Err(self.refused()),
        }
    }

    /// The unix socket of this inode, asked for alone. `None` where that cannot be done.
    pub(super) fn unix_socket(&mut self, inode: Inode, detail: bool) -> Option<io::Result<Option<Socket>>> {
        self.diag.as_mut().ok().map(|diag| diag.unix_socket(inode, detail))
    }

    /// The name of a network interface of the namespace, by its index; nothing where it may not be
    /// asked.
    pub fn interface(&self, index: u32) -> Option<String> {
        self.diag.as_ref().ok()?.interface(index).ok()
    }

    /// Has the kernel close a socket: see [`Diag::close`].
    pub fn close(&mut self, socket: &Socket) -> io::Result<()> {
        match &mut self.diag {
            Ok(diag) => diag.close(socket),
            Err(_) => Err(self.refused()),
        }
    }

    /// Why there is no netlink.
    fn refused(&self) -> io::Error {
        let kind = || self.refusal().map_or(io::ErrorKind::Unsupported, io::Error::kind).into();
        self.refusal().and_then(io::Error::raw_os_error).map_or_else(kind, io::Error::from_raw_os_error)
    }

    /// Has the tables read from elsewhere from now on: another process of the same namespace.
    pub(super) fn see_from(&mut self, tables: &Path) {
        if self.tables != tables {
            tables.clone_into(&mut self.tables);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Entry, Net};
    use crate::model::{Family, Inode, Socket};
    use crate::sock::{Request, States};
    use rustix::net::{AddressFamily, SocketType, ipproto};
    use std::net::{TcpListener, UdpSocket};
    use std::num::NonZero;
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::net::SocketAddr;
    use std::os::unix::net::{UnixDatagram, UnixStream};
    use std::path::PathBuf;

    fn nets() -> [Net; 2] {
        [Entry::Own, Entry::Tables].map(|entry| Net::open(&entry, PathBuf::from("/proc/self/net")))
    }

    fn inode(socket: impl std::os::fd::AsFd) -> Inode {
        Inode(rustix::fs::fstat(socket).unwrap().st_ino)
    }

    fn find(net: &mut Net, family: Family, inode: Inode) -> Option<Socket> {
        let found = net.sockets(&Request::all(&[family]));
        assert!(found.unread.is_empty(), "{:?}", found.unread);
        found.sockets.into_iter().find(|socket| socket.inode == inode)
    }

    #[test]
    fn netlink_and_the_tables_tell_the_same() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let _waiting = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
        let (stream, _other) = UnixStream::pair().unwrap();
        let unbound = UnixDatagram::unbound().unwrap();
        let wanted = [
            (Family::Tcp, inode(&listener)),
            (Family::Udp, inode(&datagrams)),
            (Family::Unix, inode(&stream)),
            (Family::Unix, inode(&unbound)),
        ];
        let [mut netlink, mut tables] = nets();
        for (family, inode) in wanted {
            let told = find(&mut netlink, family, inode).unwrap();
            let read = find(&mut tables, family, inode).unwrap();
            assert_eq!((told.state, told.local, told.remote), (read.state, read.local, read.remote));
            assert_eq!(told.socket_type, read.socket_type);
            assert_eq!((&told.path, told.drops), (&read.path, read.drops));
            assert!(told.cookie.is_some() && read.cookie.is_none());
            if family != Family::Unix {
                assert_eq!((told.recv_queue, told.uid), (read.recv_queue, read.uid));
            }
        }
        let queue = find(&mut netlink, Family::Tcp, inode(&listener)).unwrap().queue.unwrap();
        assert!(queue.waiting == 1 && queue.max.is_some_and(|max| max > 1));
        let queue = find(&mut tables, Family::Tcp, inode(&listener)).unwrap().queue.unwrap();
        assert_eq!((queue.waiting, queue.max), (1, None));
    }

    #[test]
    fn both_of_tcp_are_told_as_each_alone() {
        let four = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = std::net::TcpStream::connect(four.local_addr().unwrap()).unwrap();
        let six = TcpListener::bind("[::1]:0");
        if let Err(error) = &six {
            eprintln!("skipped: a listener of IPv6, because it cannot be bound: {error}");
        }
        let mut ours = vec![inode(&four), inode(&client)];
        ours.extend(six.as_ref().map(inode));
        let [mut net, _] = nets();
        for (states, detail) in [(States::ALL, true), (States::ALL, false), (States::LISTEN, false)] {
            let mut told = |families: &[Family]| {
                let request = Request { states, detail, ..Request::all(families) };
                let mut found = net.sockets(&request).sockets;
                found.retain(|socket| ours.contains(&socket.inode));
                // What changes by itself.
                found.iter_mut().flat_map(|socket| &mut socket.detail).for_each(|d| d.tcp_info = None);
                found
            };
            let [mut alone, six] = [Family::Tcp, Family::Tcp6].map(|family| told(&[family]));
            alone.extend(six);
            let mut both = told(&[Family::Tcp6, Family::Tcp]);
            for found in [&mut alone, &mut both] {
                found.sort_by_key(|socket| socket.inode);
            }
            assert_eq!(format!("{both:?}"), format!("{alone:?}"));
            assert_eq!(both.len(), ours.len() - usize::from(states == States::LISTEN));
        }
    }

    #[test]
    fn both_ways_take_states_and_a_port() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let client = std::net::TcpStream::connect(address).unwrap();
        let (server, _) = listener.accept().unwrap();
        for mut net in nets() {
            let mut seen = |states, port: Option<u16>| {
                let port = port.and_then(NonZero::new);
                let request = Request { states, port, ..Request::all(&[Family::Tcp]) };
                let found = net.sockets(&request).sockets;
                [inode(&listener), inode(&other), inode(&client), inode(&server)]
                    .map(|inode| found.iter().any(|socket| socket.inode == inode))
            };
            assert_eq!(seen(States::ALL, None), [true; 4]);
            assert_eq!(seen(States::LISTEN, None), [true, true, false, false]);
            assert_eq!(seen(States::ALL, Some(address.port())), [true, false, false, true]);
            assert_eq!(seen(States::LISTEN, Some(address.port())), [true, false, false, false]);
        }
    }

    #[test]
    fn who_is_at_the_other_end_of_a_unix_socket() {
        let [mut net, _] = nets();
        let (one, other) = UnixStream::pair().unwrap();
        let look = |net: &mut Net, socket| find(net, Family::Unix, inode(socket)).unwrap();
        assert_eq!(look(&mut net, &one).peer, Some(inode(&other)));
        drop(other);
        assert_eq!(look(&mut net, &one).peer, None);
        let (datagrams, other) = UnixDatagram::pair().unwrap();
        let look_at = |net: &mut Net| find(net, Family::Unix, inode(&datagrams)).unwrap();
        assert_eq!(look_at(&mut net).peer, Some(inode(&other)));
        drop(other);
        let left = look_at(&mut net);
        assert_eq!((left.peer, left.state), (None, Some("connected")));
        let name = format!("fdscope peer {}", std::process::id());
        let address = SocketAddr::from_abstract_name(name.as_bytes()).unwrap();
        let listener = std::os::unix::net::UnixListener::bind_addr(&address).unwrap();
        let client = UnixStream::connect_addr(&address).unwrap();
        assert_eq!(look(&mut net, &client).peer, Some(Inode(0)));
        let found = find(&mut net, Family::Unix, inode(&listener)).unwrap();
        assert_eq!((found.waiting.clone(), found.queue.unwrap().waiting), (vec![inode(&client)], 1));
        let (server, _) = listener.accept().unwrap();
        assert_eq!(look(&mut net, &client).peer, Some(inode(&server)));
        // Alone, as among all.
        let alone = net.unix_socket(inode(&server), false).unwrap().unwrap().unwrap();
        assert_eq!((alone.peer, alone.state), (Some(inode(&client)), Some("connected")));
        let gone = inode(&client);
        drop(client);
        assert!(net.unix_socket(gone, false).unwrap().unwrap().is_none());
    }

    /// A namespace that only its name keeps.
    #[test]
    fn where_nobody_is_the_tables_are_read_from_inside() {
        let raw = rustix::net::socket(AddressFamily::INET, SocketType::RAW, Some(ipproto::ICMP));
        let file = std::fs::File::open("/proc/self/ns/net").unwrap();
        let mut net = Net::open(&Entry::File(file), PathBuf::new());
        let (Ok(raw), None) = (raw, net.refusal()) else {
            eprintln!(
                "skipped: raw sockets of a namespace without processes, which take CAP_NET_RAW and CAP_SYS_ADMIN"
            );
            return;
        };
        assert!(find(&mut net, Family::Raw, inode(&raw)).is_some());
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        let mut net = Net::open(&Entry::Tables, PathBuf::from("/proc/self/no such"));
        let found = net.sockets(&Request::all(&[Family::Tcp, Family::Vsock]));
        assert!(net.refusal().is_some());
        assert_eq!(found.unread.iter().map(|(family, _)| *family).collect::<Vec<_>>(), [Family::Tcp]);
        assert_eq!(found.unlisted, [Family::Vsock]);
    }
}
