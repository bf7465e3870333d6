//! A socket as records have it.

use super::gather::Data;
use crate::kind::TcpFields;
use crate::model::{
    Cell, Emphasis, Endpoint, Escape, Family, Holder, Inode, Record, Socket, SocketDetail, SocketTimer,
    Value, escape, few_holders,
};
use crate::proc::Network;
use crate::sock::is_pending;
use std::io::Write as _;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;

/// A socket, and all that is told with it. One is used again for all rows.
pub(super) struct Row {
    pub(super) data: Arc<Data>,
    pub(super) place: usize,
    nth: usize,
    /// Which of all owners hold it.
    owners: Range<usize>,
    /// What stands for an address where there is no IP address, and for people where it is one of an
    /// interface.
    pub(super) local: Vec<u8>,
    pub(super) remote: Vec<u8>,
    /// The interface that it is bound to.
    pub(super) interface: Vec<u8>,
    /// Who holds the other end.
    pub(super) peers: Peers,
    pub(super) user: Option<String>,
    pub(super) cgroup: Option<Vec<u8>>,
    /// The fields `tcp.*`.
    tcp: Vec<(&'static str, Value)>,
    /// What people read in the place of numbers and lists.
    pub(super) queue: String,
    pub(super) holders: Vec<u8>,
    pub(super) others: Vec<u8>,
}

/// Who is at the other end.
#[derive(Default)]
pub(super) struct Peers {
    /// Who holds it. Nothing where that cannot be known here: it is not of this machine, or of
    /// processes that may not be read.
    pub(super) holders: Option<Held>,
    /// Whether there is one on this machine at all.
    pub(super) here: bool,
    /// Whether nobody has accepted the connection yet; those who hold it hold the listener.
    pub(super) pending: bool,
    /// Whether it asks to be connected, and those who hold the listener have not answered.
    pub(super) unanswered: bool,
    /// Whether the socket at the other end was seen, or is surely closed.
    pub(super) seen: bool,
    /// The name that the other end of a unix socket is bound to.
    pub(super) path: Option<Vec<u8>>,
}

/// Who holds the other end.
pub(super) enum Held {
    /// Those of all owners that hold one socket.
    One(Range<usize>),
    /// Those of several sockets.
    Several(Vec<Holder>),
}

impl Held {
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::One(range) => range.is_empty(),
            Self::Several(holders) => holders.is_empty(),
        }
    }
}

impl Row {
    pub(super) fn new(data: &Arc<Data>) -> Self {
        Self {
            data: Arc::clone(data),
            place: 0,
            nth: 0,
            owners: 0..0,
            local: Vec::new(),
            remote: Vec::new(),
            interface: Vec::new(),
            peers: Peers::default(),
            user: None,
            cgroup: None,
            tcp: Vec::new(),
            queue: String::new(),
            holders: Vec::new(),
            others: Vec::new(),
        }
    }

    /// Makes it the row of another socket, for which the peers, the user and the cgroup are set
    /// anew by whoever wants them.
    pub(super) fn set(&mut self, place: usize, nth: usize, tcp: &TcpFields) {
        (self.place, self.nth) = (place, nth);
        let data = &self.data;
        let socket = &data.sockets[place][nth];
        self.owners = data.range(socket.inode);
        self.local.clear();
        self.tcp.clear();
        (self.user, self.cgroup) = (None, None);
        self.interface.clear();
        match socket.interface {
            None => {}
            Some(0) => self.interface.push(b'*'),
            Some(index) => match data.interface(place, index) {
                Some(name) => self.interface.extend_from_slice(name.as_bytes()),
                None => self.interface.extend_from_slice(index.to_string().as_bytes()),
            },
        }
        let protocol = || socket.protocol.clone().unwrap_or_default();
        match (socket.family, socket.vsock) {
            (_, Some((local, _))) => self.local.extend_from_slice(local.to_string().as_bytes()),
            (Family::Netlink, _) => {
                let port = match socket.port_id {
                    Some(0) | None => "kernel".to_owned(),
                    Some(id) => id.to_string(),
                };
                self.local = [&protocol()[..], b":", port.as_bytes()].concat();
            }
            (Family::Packet, _) => self.local = [&protocol()[..], b":", &self.interface[..]].concat(),
            _ => {}
        }
        if let Some(detail) = &socket.detail {
            tcp.put(detail, socket.listens(), &mut self.tcp);
        }
    }

    /// Completes it, once all else is set, in words for people too if that is wanted.
    pub(super) fn describe(&mut self, words: bool) {
        let data = &self.data;
        let socket = &data.sockets[self.place][self.nth];
        self.remote.clear();
        match (socket.vsock, &self.peers.path) {
            (Some((_, remote)), _) if !remote.is_unset() => {
                self.remote.extend_from_slice(remote.to_string().as_bytes());
            }
            (None, Some(path)) => self.remote.extend_from_slice(path),
            _ => {}
        }
        if !words {
            return;
        }
        if let (Some(Endpoint(local)), false) = (socket.local, self.interface.is_empty()) {
            let name = escape(&self.interface, Escape::Table).into_owned();
            let _ = match local {
                SocketAddr::V4(v4) => write!(self.local, "{}%{name}:{}", v4.ip(), v4.port()),
                SocketAddr::V6(v6) => write!(self.local, "[{}%{name}]:{}", v6.ip(), v6.port()),
            };
        }
        self.queue.clear();
        let mut number = itoa::Buffer::new();
        match (socket.queue, socket.recv_queue) {
            (Some(queue), _) => {
                self.queue.push_str(number.format(queue.waiting));
                if let Some(max) = queue.max {
                    self.queue.push('/');
                    self.queue.push_str(number.format(max));
                }
            }
            (None, Some(n)) => self.queue.push_str(number.format(n)),
            (None, None) => self.queue.push('-'),
        }
        self.holders.clear();
        if !self.owners.is_empty() {
            some(&mut self.holders, data.held(&self.owners));
        } else if let Some(reason) = self.unowned() {
            let words = match reason {
                NOT_ACCEPTED => "not accepted yet",
                CLOSED => "closed by its owner",
                NO_FD => "no fd",
                other => other,
            };
            self.holders.extend_from_slice(words.as_bytes());
        } else {
            self.holders.push(b'?');
        }
        self.others.clear();
        match self.peers.holders(data) {
            Some(holders) if !holders.is_empty() => {
                if self.peers.pending {
                    self.others.extend_from_slice(b"waiting at ");
                } else if self.peers.unanswered {
                    self.others.extend_from_slice(b"not answered by ");
                }
                some(&mut self.others, holders);
            }
            Some(_) => self.others.extend_from_slice(b"closed"),
            None => self.others.push(if self.peers.here { b'?' } else { b'-' }),
        }
    }

    pub(super) fn socket(&self) -> &Socket {
        &self.data.sockets[self.place][self.nth]
    }

    pub(super) fn detail(&self) -> Option<&SocketDetail> {
        self.socket().detail.as_deref()
    }

    pub(super) fn timer(&self) -> Option<SocketTimer> {
        self.detail()?.timer
    }

    pub(super) fn memory(&self, nth: usize) -> Option<Cell<'_>> {
        self.detail()?.memory.map(|memory| Cell::Uint(memory[nth].into()))
    }

    pub(super) fn network(&self) -> &Network {
        &self.data.networks[self.place]
    }

    /// The fds that hold it.
    pub(super) fn owners(&self) -> &[Holder] {
        self.data.held(&self.owners)
    }

    /// The fds that hold the other end, if that is known.
    pub(super) fn peers(&self) -> Option<&[Holder]> {
        self.peers.holders(&self.data)
    }

    /// Why nobody holds it, if that is sure.
    pub(super) fn unowned(&self) -> Option<&'static str> {
        let socket = self.socket();
        if !self.owners().is_empty() {
            return None;
        }
        if socket.is_kernels() {
            return Some("kernel");
        }
        if socket.inode != Inode(0) {
            return (!self.data.may_hide_owners()).then_some(NO_FD);
        }
        Some(match socket.state {
            Some("time-wait") => "time-wait",
            Some("syn-recv") => "syn-recv",
            _ if is_pending(socket) => NOT_ACCEPTED,
            _ if socket.family.is_tcp() => CLOSED,
            _ => NO_FD,
        })
    }
}

impl Peers {
    fn holders<'h>(&'h self, data: &'h Data) -> Option<&'h [Holder]> {
        Some(match self.holders.as_ref()? {
            Held::One(range) => data.held(range),
            Held::Several(holders) => holders,
        })
    }
}

const NOT_ACCEPTED: &str = "not-accepted";
const CLOSED: &str = "closed";
const NO_FD: &str = "no-fd";

/// The first of them, with commands as they are: the table escapes the whole.
fn some(text: &mut Vec<u8>, holders: &[Holder]) {
    few_holders(holders, text, |text, command| text.extend_from_slice(command));
}

impl Record for Row {
    fn object(&self) -> Option<(&'static str, &[(&'static str, Value)])> {
        (!self.tcp.is_empty()).then_some(("tcp", &self.tcp[..]))
    }

    fn emphasis(&self) -> Emphasis {
        match self.socket().queue {
            Some(queue) if queue.is_full() => Emphasis::Alarm,
            Some(queue) if queue.waiting > 0 => Emphasis::Notice,
            _ => Emphasis::None,
        }
    }
}
