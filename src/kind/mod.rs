//! What an fd can be: one file a kind.
//!
//! A kind's file holds one or more [`Kind`]s: the claim ("is it one of mine?"), the decoder, and
//! the fields that the decoder fills in. To add a kind, write its file and add its line to
//! [`ALL`]; help, man page, completions, `--columns`, `--where` and JSON follow from that.
//!
//! A claim is decided from a [`Probe`] that holds the link, what `stat` said (for paths) and the
//! socket (for sockets), but no fdinfo yet; first claim wins, so the order in [`ALL`] matters,
//! and `other` claims what is left. A decoder writes `name` and calls [`Fd::put`] for its own
//! fields, every key of which it has declared. It does no I/O: what it needs from elsewhere, it
//! asks of the [`Lookup`] that the collector passes. A kind that has another end says by [`Kind::tie`]
//! what the two have in common.

mod anon;
mod bpf;
mod device;
mod directory;
mod dmabuf;
mod epoll;
mod error;
mod eventfd;
mod fanotify;
mod fdinfo;
mod fifo;
mod inet;
mod inotify;
mod io_uring;
mod locks;
mod mark;
mod memfd;
mod mptcp;
mod mqueue;
mod namespace;
mod netlink;
mod other;
mod packet;
mod perf_event;
mod pidfd;
mod ping;
mod pipe;
mod probe;
mod pty;
mod raw;
mod regular;
mod shm;
mod signalfd;
mod socket;
mod symlink;
mod tcp;
mod tcp_info;
#[cfg(test)]
mod testing;
mod timerfd;
mod tty;
mod tun;
mod udp;
mod udplite;
mod unix;
mod userfaultfd;
mod vsock;

pub use epoll::{mark_stale, registrations};
pub use error::failed;
pub use fdinfo::FdInfo;
pub use mark::{has_common_inode, is_told_of};
pub use probe::{Borrowed, BpfObject, FileStat, Lookup, MqueueState, NoLookup, Probe, Shape, Slot};
pub use pty::slave_index;
pub use tcp_info::TcpFields;

use crate::model::{Fd, Field, Tie};
use std::sync::LazyLock;

/// A kind of fd.
#[derive(Debug)]
pub struct Kind {
    /// The name in field `kind`.
    pub name: &'static str,
    /// One line on what it is.
    pub help: &'static str,
    /// Other words by which `--kind` selects it.
    pub groups: &'static [&'static str],
    /// The shapes of link that its claim can hold for: the others need not ask it.
    pub shape: ShapeKind,
    /// Name of the object of its own fields; several kinds may share one.
    pub object: &'static str,
    /// Its own fields.
    pub fields: &'static [Field],
    /// More of them, which are filled in only where somebody asks for one by name.
    pub details: &'static [Field],
    /// Whether its NAME is made from fdinfo.
    pub needs_info: bool,
    /// What must be asked of a duplicate of the fd, held for the length of those calls.
    pub borrow: Borrow,
    /// Whether blocking or not is a question worth a column.
    pub can_block: bool,
    /// Whether `poll(2)` on a duplicate, or on an epoll fd that watches it, is known to change nothing.
    /// A signalfd answers for the asker's own signals, and an epoll fd that is told "no" forgets the
    /// event that its process has not seen; polling what /proc tells of changes (mounts, sysctl,
    /// pressure) or a perf event takes the news away.
    pub quiet_poll: bool,
    /// Whether the kernel's text looks like a path and is none.
    pub pathless: bool,
    /// Is it one of mine?
    pub claim: fn(&Probe<'_>) -> bool,
    /// Fills in name and own fields.
    pub decode: fn(&Probe<'_>, &mut Fd),
    /// What ties it to its other end, if it has one.
    pub tie: fn(&Probe<'_>) -> Option<Tie>,
}

impl Kind {
    /// What most kinds have in common.
    pub(crate) const DEFAULT: Self = Self {
        name: "",
        help: "",
        groups: &[],
        shape: ShapeKind::Anon,
        object: "",
        fields: &[],
        details: &[],
        needs_info: false,
        borrow: Borrow::Nothing,
        can_block: false,
        quiet_poll: false,
        pathless: false,
        claim: |_| false,
        decode: |_, _| {},
        tie: |_| None,
    };

    /// Whether `--kind word` selects it.
    pub fn answers_to(&self, word: &str) -> bool {
        self.name == word || self.groups.contains(&word)
    }
}

/// The sort of link text, by which the collector decides what it must read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShapeKind {
    /// `/some/path`: `stat` tells what it is.
    Path,
    /// `socket:[123]`: the socket tables tell what it is.
    Socket,
    /// `anon_inode:something`.
    Anon,
    /// `pipe:[123]`, `net:[123]`, `pidfd:[123]`.
    Numbered,
    /// Any of them.
    Any,
}

impl ShapeKind {
    const ALL: [Self; 5] = [Self::Path, Self::Socket, Self::Anon, Self::Numbered, Self::Any];
}

/// What only the description itself can tell, asked of a duplicate made by `pidfd_getfd(2)` that
/// is closed at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Borrow {
    /// Nothing.
    Nothing,
    /// `FIONREAD` and `F_GETPIPE_SZ`.
    Pipe,
    /// `F_GET_SEALS`.
    Seals,
    /// `mq_getattr(3)`.
    Mqueue,
}

/// All kinds, in the order in which they are asked.
pub static ALL: &[&Kind] = &[
    &pipe::KIND,
    &tcp::TCP,
    &tcp::TCP6,
    &udp::UDP,
    &udp::UDP6,
    &udplite::UDPLITE,
    &udplite::UDPLITE6,
    &unix::KIND,
    &netlink::KIND,
    &packet::KIND,
    &raw::RAW,
    &raw::RAW6,
    &ping::PING,
    &ping::PING6,
    &vsock::KIND,
    &mptcp::MPTCP,
    &mptcp::MPTCP6,
    &socket::KIND,
    &epoll::KIND,
    &eventfd::KIND,
    &timerfd::KIND,
    &signalfd::KIND,
    &inotify::KIND,
    &fanotify::KIND,
    &pidfd::KIND,
    &io_uring::KIND,
    &bpf::MAP,
    &bpf::PROG,
    &bpf::LINK,
    &bpf::OTHER,
    &perf_event::KIND,
    &userfaultfd::KIND,
    &anon::SECCOMP,
    &anon::LANDLOCK,
    &anon::FSCONTEXT,
    &namespace::KIND,
    &memfd::KIND,
    &memfd::SECRET,
    &shm::KIND,
    &dmabuf::KIND,
    &mqueue::KIND,
    &tun::KIND,
    &pty::KIND,
    &tty::KIND,
    &fifo::KIND,
    &device::CHAR,
    &device::BLOCK,
    &regular::KIND,
    &directory::KIND,
    &symlink::KIND,
    &anon::KIND,
    &error::KIND,
    &other::KIND,
];

/// Those of them whose claim can hold for each shape of link.
static ASKED: LazyLock<[Vec<&Kind>; ShapeKind::ALL.len()]> = LazyLock::new(|| {
    ShapeKind::ALL.map(|shape| {
        let may_claim = |kind: &&&Kind| kind.shape == shape || kind.shape == ShapeKind::Any;
        ALL.iter().filter(may_claim).copied().collect()
    })
});

/// The kind that claims `probe`.
pub fn claim(probe: &Probe<'_>) -> &'static Kind {
    let asked = &ASKED[probe.shape.sort() as usize];
    asked.iter().copied().find(|k| (k.claim)(probe)).unwrap_or(&other::KIND)
}

/// All fields that kinds own, each object's once.
pub fn fields() -> impl Iterator<Item = &'static Field> {
    let mut seen: Vec<&str> = Vec::new();
    ALL.iter()
        .filter(move |k| {
            let new = !k.object.is_empty() && !seen.contains(&k.object);
            seen.push(k.object);
            new
        })
        .flat_map(|k| k.fields.iter().chain(k.details))
}

/// Whether a field is one that must be asked for by name.
pub fn is_detail(name: &str) -> bool {
    ALL.iter().flat_map(|k| k.details).any(|field| field.name == name)
}

#[cfg(test)]
mod tests {
    use super::{ALL, ShapeKind, fields};
    use std::collections::HashSet;

    #[test]
    fn shapes_are_in_order() {
        for (nth, shape) in ShapeKind::ALL.into_iter().enumerate() {
            assert_eq!(shape as usize, nth, "{shape:?}");
        }
    }

    #[test]
    fn fields_are_unique_and_belong_to_their_object() {
        let mut names = HashSet::new();
        for field in fields() {
            assert!(names.insert(field.name), "{} is declared twice", field.name);
            assert!(!field.help.is_empty(), "{} has no help", field.name);
        }
        for kind in ALL {
            for field in kind.fields.iter().chain(kind.details) {
                let (object, _) = field.name.split_once('.').expect("a kind's field has a dot");
                assert_eq!(object, kind.object, "{}", field.name);
            }
        }
    }

    #[test]
    fn kinds_are_named_and_explained() {
        let mut names = HashSet::new();
        for kind in ALL {
            assert!(names.insert(kind.name), "{} twice", kind.name);
            assert!(!kind.help.is_empty(), "{} has no help", kind.name);
        }
    }
}
