//! The sockets that the fds of processes are, looked up by inode: for listings of fds.

use super::listed::{Listed, Place};
use super::net::{Entry, Net};
use super::procnet;
use super::protocol;
use super::request::{Request, States, WITH_PORTS};
use crate::model::{Family, Inode, Socket};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The sockets of one network namespace, as one of its processes sees them, asked for as they are
/// needed: a family whole when a socket of it is first looked up, but for unix sockets, of which a
/// few are asked for alone, and TCP sockets that listen, which are asked for before all others.
#[derive(Clone, Debug)]
pub struct Tables {
    /// The directory `net` of the process.
    net: PathBuf,
    shared: Arc<Mutex<Shared>>,
}

/// What all processes of the namespace share.
#[derive(Debug)]
struct Shared {
    way: Way,
    /// Whether sockets have their details.
    detail: bool,
    /// What was asked for: the sockets of one family, or of some that are in one table.
    read: Vec<(Vec<Family>, Arc<Listed>)>,
    /// The TCP sockets that listen, once they were asked for.
    listeners: Option<Arc<Listed>>,
    /// The sockets of the ports that are asked about, once they were.
    on_ports: Option<Arc<Listed>>,
    /// How many unix sockets were asked for alone.
    asked: usize,
    /// How many TCP sockets were asked whether they are multipath sockets.
    asked_apart: usize,
    multipath: Option<bool>,
}

/// How the namespace is asked.
#[derive(Debug)]
enum Way {
    /// It was not asked yet.
    Entry(Entry),
    Net(Net),
}

/// How many unix sockets are asked for alone before all are, and TCP sockets for their protocol. A call
/// for one costs as much as ten in a list of all, and a twentieth of what the list of protocols does.
const ALONE: usize = 16;

/// They are in one table of the kernel.
const TCP: &[Family] = &[Family::Tcp, Family::Tcp6];

impl Tables {
    /// The sockets of a namespace. `net` is a directory such as `/proc/PID/net`, of one of its
    /// processes.
    pub fn new(entry: Entry, net: PathBuf, detail: bool) -> Self {
        let way = Way::Entry(entry);
        let shared = Shared {
            way,
            detail,
            read: Vec::new(),
            listeners: None,
            on_ports: None,
            asked: 0,
            asked_apart: 0,
            multipath: None,
        };
        Self { net, shared: Arc::new(Mutex::new(shared)) }
    }

    /// The same for another process of the namespace, with its own `net`: the one before may have
    /// ended, and its directory with it.
    pub fn seen_from(&self, net: PathBuf) -> Self {
        Self { net, shared: Arc::clone(&self.shared) }
    }

    /// The socket `inode` with nothing but its family, where that can be told without reading all
    /// of them.
    pub fn identify(&self, inode: Inode, protocol: impl FnOnce() -> Option<Vec<u8>>) -> Option<Socket> {
        match self.known(inode) {
            Some(socket) => Some(self.told_apart(socket, protocol)),
            None => protocol().map(|name| Socket::new(inode, protocol::family(&name))),
        }
    }

    /// Whether the own port of a socket may be one of `ports`, which are the same in all calls. Only
    /// what has these is asked for, and not all sockets.
    pub fn may_be_on(&self, inode: Inode, ports: &[u16]) -> bool {
        let list = self.shared().on_ports(&self.net, ports);
        list.is_none_or(|list| Place::find(&list, inode).is_some())
    }

    /// What is known of the socket `inode`. `protocol` gives the kernel's name of its protocol
    /// (`system.sockprotoname`); it is asked only where what was read so far does not list it.
    pub fn find(&self, inode: Inode, protocol: impl FnOnce() -> Option<Vec<u8>>) -> Option<Socket> {
        if let Some(socket) = self.known(inode) {
            return Some(self.told_apart(socket, protocol));
        }
        let protocol = protocol();
        let family = protocol.as_deref().map(protocol::family);
        let found = match family {
            Some(family) => self.shared().find(&self.net, inode, family),
            None => {
                let mut shared = self.shared();
                Family::ALL.iter().find_map(|&family| shared.find(&self.net, inode, family))
            }
        };
        found.or_else(|| {
            let family = family?;
            Some(Socket {
                protocol: protocol.filter(|_| family == Family::Other),
                ..Socket::new(inode, family)
            })
        })
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The socket, if it was asked for already.
    fn known(&self, inode: Inode) -> Option<Socket> {
        let place = self.shared().place(inode)?;
        place.socket()
    }

    /// A multipath socket is listed as its first subflow too, a TCP socket of the same inode.
    fn told_apart(&self, socket: Socket, protocol: impl FnOnce() -> Option<Vec<u8>>) -> Socket {
        if !TCP.contains(&socket.family) || !self.shared().may_have_multipath(&self.net) {
            return socket;
        }
        match protocol().as_deref().map(protocol::family) {
            Some(family @ (Family::Mptcp | Family::Mptcp6)) => {
                let whole = self.shared().find(&self.net, socket.inode, family);
                whole.unwrap_or_else(|| as_whole(socket, family))
            }
            _ => socket,
        }
    }
}

impl Shared {
    /// Where the socket stands, if it was asked for already.
    fn place(&self, inode: Inode) -> Option<Place> {
        let of_families = self.read.iter().map(|(_, list)| list);
        let mut lists = of_families.chain(&self.listeners).chain(&self.on_ports);
        lists.find_map(|list| Place::find(list, inode))
    }

    /// The sockets of some ports; nothing where they cannot be asked for.
    fn on_ports(&mut self, net: &Path, ports: &[u16]) -> Option<Arc<Listed>> {
        if self.on_ports.is_none() {
            let mut all = Vec::new();
            for port in ports {
                let request = Request {
                    port: Some(NonZero::new(*port)?),
                    detail: self.detail,
                    ..Request::all(WITH_PORTS)
                };
                let found = self.net(net).sockets(&request);
                if !found.unread.is_empty() {
                    return None;
                }
                all.extend(found.sockets);
            }
            // Of multipath TCP the whole, and not its first subflow, which has the same inode.
            all.sort_by_key(|socket| {
                (socket.inode, !matches!(socket.family, Family::Mptcp | Family::Mptcp6))
            });
            all.dedup_by_key(|socket| socket.inode);
            self.on_ports = Some(Arc::new(Listed::read(all)));
        }
        self.on_ports.clone()
    }

    /// Looks the socket up in its family.
    fn find(&mut self, net: &Path, inode: Inode, family: Family) -> Option<Socket> {
        if !self.has_read(family) {
            let detail = self.detail;
            if family == Family::Unix && self.asked < ALONE {
                self.asked += 1;
                if let Some(Ok(socket)) = self.net(net).unix_socket(inode, detail) {
                    return socket;
                }
            }
            if TCP.contains(&family)
                && let Some(socket) = self.listener(net, inode).filter(|socket| socket.family == family)
            {
                return Some(socket);
            }
            self.read(net, family);
        }
        let (_, list) = self.read.iter().find(|(read, _)| read.contains(&family))?;
        let socket = Place::find(list, inode).and_then(|place| place.socket());
        match socket.filter(|socket| socket.family == family) {
            Some(socket) => Some(socket),
            None => {
                // Its first subflow, in whose place it stands in the table of TCP.
                let subflow = match family {
                    Family::Mptcp => self.find(net, inode, Family::Tcp),
                    Family::Mptcp6 => self.find(net, inode, Family::Tcp6),
                    _ => None,
                }?;
                Some(as_whole(subflow, family))
            }
        }
    }

    /// The socket, if it is one of TCP that listens, so that the others need not be asked for: the
    /// kernel has a small table of those that listen, and a large one of all others, which takes it half
    /// a millisecond and more to go through, however few there are.
    fn listener(&mut self, net: &Path, inode: Inode) -> Option<Socket> {
        if self.listeners.is_none() {
            let request = Request { states: States::LISTEN, detail: self.detail, ..Request::all(TCP) };
            let net = self.net(net);
            // A table of /proc is read whole in any case.
            if net.refusal().is_some() {
                return None;
            }
            self.listeners = Some(Arc::new(net.listed(&request)?));
        }
        Place::find(self.listeners.as_ref()?, inode)?.socket()
    }

    fn has_read(&self, family: Family) -> bool {
        self.read.iter().any(|(read, _)| read.contains(&family))
    }

    fn read(&mut self, net: &Path, family: Family) {
        let families = if TCP.contains(&family) { TCP } else { &[family] };
        let request = Request { detail: self.detail, ..Request::all(families) };
        // What cannot be read is asked for again: the process may have ended, and others of the
        // namespace have not.
        if let Some(list) = self.net(net).listed(&request) {
            self.read.push((families.to_vec(), Arc::new(list)));
        }
    }

    /// The namespace, entered when it is first asked.
    fn net(&mut self, net: &Path) -> &mut Net {
        if let Way::Entry(entry) = &self.way {
            self.way = Way::Net(Net::open(entry, net.to_owned()));
        }
        match &mut self.way {
            Way::Net(way) => {
                way.see_from(net);
                way
            }
            Way::Entry(_) => unreachable!("it was just entered"),
        }
    }

    /// Whether there may be multipath sockets, so that it need not be asked of each of many.
    fn may_have_multipath(&mut self, net: &Path) -> bool {
        if self.asked_apart < ALONE {
            self.asked_apart += 1;
            return true;
        }
        if self.multipath.is_none() {
            self.multipath = procnet::has_multipath(net);
        }
        self.multipath.unwrap_or(false)
    }
}

/// A multipath socket by its first subflow: the address is its own, and so are the connections
/// that wait, but bytes are queued elsewhere.
fn as_whole(subflow: Socket, family: Family) -> Socket {
    let recv_queue = subflow.recv_queue.filter(|_| subflow.listens());
    Socket { family, recv_queue, send_queue: None, ..subflow }
}

#[cfg(test)]
mod tests {
    use super::{Entry, Tables};
    use crate::model::{Family, Inode};
    use std::net::{TcpListener, TcpStream};
    use std::path::PathBuf;

    const TCP: &str = "heading\n\
        0: 0100007F:07E8 00000000:0000 0A 00000001:00000002 00:00000000 00000000     0        0 7 1 0\n";

    fn net(test: &str, files: &[(&str, &str)]) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("fdscope-net-{test}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        for (name, text) in files {
            std::fs::write(dir.join(name), text).unwrap();
        }
        dir
    }

    #[test]
    fn a_process_that_ended_leaves_the_others_their_sockets() {
        let dir = net("ended", &[("tcp", TCP)]);
        let protocol = || Some(b"TCP".to_vec());
        let first = Tables::new(Entry::Tables, dir.join("ended"), false);
        assert_eq!(first.find(Inode(7), protocol).unwrap().state, None);
        let second = first.seen_from(dir.clone());
        assert_eq!(second.find(Inode(7), protocol).unwrap().state, Some("listen"));
        // What was read is kept for all.
        assert_eq!(first.find(Inode(7), protocol).unwrap().state, Some("listen"));
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn a_multipath_listener_is_found_by_its_subflow_whatever_was_read_before() {
        let protocols = "protocol  size sockets  memory\nMPTCPv6   2064      0     183\nMPTCP 1936 1 183\n";
        let dir = net("multipath", &[("tcp", TCP), ("protocols", protocols)]);
        let multipath = || Some(b"MPTCP".to_vec());
        let check = |tables: &Tables| {
            let socket = tables.find(Inode(7), multipath).unwrap();
            assert_eq!((socket.family, socket.state), (Family::Mptcp, Some("listen")));
            assert_eq!(socket.local.unwrap().0.port(), 2024);
            assert_eq!((socket.recv_queue, socket.send_queue), (Some(2), None));
        };
        check(&Tables::new(Entry::Tables, dir.clone(), false));
        let tables = Tables::new(Entry::Tables, dir.clone(), false);
        tables.find(Inode(8), || Some(b"TCP".to_vec()));
        check(&tables);
        assert_eq!(tables.identify(Inode(7), multipath).unwrap().family, Family::Mptcp);
        // A plain one stays one.
        assert_eq!(tables.find(Inode(7), || Some(b"TCP".to_vec())).unwrap().family, Family::Tcp);
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn listeners_take_no_look_at_connections_and_are_the_same_with_one() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let [listener, client] = [rustix::fs::fstat(&listener), rustix::fs::fstat(&client)]
            .map(|stat| Inode(stat.unwrap().st_ino));
        let protocol = || Some(b"TCP".to_vec());
        for detail in [false, true] {
            let new = || Tables::new(Entry::Own, PathBuf::from("/proc/self/net"), detail);
            let tables = new();
            let find = |tables: &Tables, inode| {
                let mut socket = tables.find(inode, protocol).unwrap();
                // What changes by itself.
                socket.detail.iter_mut().for_each(|detail| detail.tcp_info = None);
                format!("{socket:?}")
            };
            let alone = find(&tables, listener);
            assert!(alone.contains("listen"), "{alone}");
            assert!(tables.shared.lock().unwrap().read.is_empty());
            assert!(find(&tables, client).contains("established"));
            assert!(!tables.shared.lock().unwrap().read.is_empty());
            assert_eq!(find(&tables, listener), alone);
            let among_all = new();
            among_all.shared.lock().unwrap().read(&among_all.net, Family::Tcp);
            assert_eq!(find(&among_all, listener), alone);
        }
    }
}
