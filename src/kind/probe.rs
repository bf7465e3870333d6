//! What a collector knows of an fd when it asks the kinds.

use super::ShapeKind;
use super::fdinfo::FdInfo;
use crate::model::{self, Device, FdNum, Inode, OpenFlags, Pid, Socket};
use std::borrow::Cow;

/// The text of a link `/proc/PID/fd/N`, taken apart: `proc_pid_fd(5)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape<'a> {
    /// A path in some filesystem.
    Path(&'a [u8]),
    /// `anon_inode:[class]` or `anon_inode:class`.
    Anon(&'a [u8]),
    /// `class:[inode]`.
    Numbered(&'a [u8], Inode),
    /// Something else.
    Other,
}

impl<'a> Shape<'a> {
    /// Takes a link's text apart.
    pub fn of(link: &'a [u8]) -> Self {
        if link.first() == Some(&b'/') {
            return Self::Path(link);
        }
        if let Some(class) = link.strip_prefix(b"anon_inode:") {
            let bare = class.strip_prefix(b"[").and_then(|c| c.strip_suffix(b"]"));
            return Self::Anon(bare.unwrap_or(class));
        }
        let numbered = || {
            let colon = link.iter().position(|&b| b == b':')?;
            let digits = link[colon + 1..].strip_prefix(b"[")?.strip_suffix(b"]")?;
            Some(Self::Numbered(&link[..colon], Inode(model::digits(digits)?)))
        };
        numbered().unwrap_or(Self::Other)
    }

    /// Its sort.
    pub fn sort(self) -> ShapeKind {
        match self {
            Self::Path(_) => ShapeKind::Path,
            Self::Anon(_) => ShapeKind::Anon,
            Self::Numbered(b"socket", _) => ShapeKind::Socket,
            Self::Numbered(..) => ShapeKind::Numbered,
            Self::Other => ShapeKind::Any,
        }
    }

    /// The inode of `socket:[inode]`.
    pub fn socket(self) -> Option<Inode> {
        match self {
            Self::Numbered(b"socket", inode) => Some(inode),
            _ => None,
        }
    }
}

/// What `statx(2)` said, as far as it was asked.
#[derive(Clone, Copy, Debug)]
pub struct FileStat {
    /// File type and permissions.
    pub mode: u32,
    /// Inode.
    pub inode: Inode,
    /// Device that the file is on.
    pub device: Device,
    /// Device that the file is.
    pub rdev: Device,
    /// Size in bytes, where it is known.
    pub size: Option<u64>,
    /// Number of names, where it is known.
    pub links: Option<u32>,
    /// The mount by which it is reached, since Linux 5.8.
    pub mount: Option<u32>,
}

impl FileStat {
    /// The file type, `S_IFREG` and so on.
    pub fn file_type(&self) -> u32 {
        self.mode & libc::S_IFMT
    }
}

/// State of a POSIX message queue, `mq_getattr(3)`.
#[derive(Clone, Copy, Debug)]
pub struct MqueueState {
    /// Most messages it holds.
    pub max_messages: i64,
    /// Largest message in bytes.
    pub message_size: i64,
    /// Messages in it now.
    pub messages: i64,
}

/// What a borrowed duplicate told.
#[derive(Clone, Copy, Debug, Default)]
pub struct Borrowed {
    /// Of a pipe: which one it is, and its access mode and status flags, `F_GETFL`.
    pub pipe: Option<(Inode, OpenFlags)>,
    /// Bytes in a pipe.
    pub queued: Option<u64>,
    /// Bytes that fit into a pipe.
    pub capacity: Option<u64>,
    /// Seals of a memfd, `F_GET_SEALS`.
    pub seals: Option<u32>,
    /// A message queue's state.
    pub mqueue: Option<MqueueState>,
}

/// The sorts of bpf objects that have a name in the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BpfObject {
    /// A map.
    Map,
    /// A program.
    Prog,
}

/// An entry of a process's fd table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// Not open.
    Closed,
    /// Open; the inode, where the link names it.
    Open(Option<Inode>),
}

/// What decoders may ask about the rest of the system. Every answer may be "not known",
/// and is unless an implementation knows better.
pub trait Lookup {
    /// The kind of another fd of the same process, now.
    fn kind_of(&self, _fd: FdNum) -> Option<Cow<'static, str>> {
        None
    }
    /// Whether `target` is still the description registered under that number in `epoll`: the
    /// `nth` registration of that number. `KCMP_EPOLL_TFD` of `kcmp(2)`.
    fn still_watched(&self, _epoll: FdNum, _target: FdNum, _nth: u32) -> Option<bool> {
        None
    }
    /// What another fd of the same process is, as far as its link tells.
    fn slot(&self, _fd: FdNum) -> Slot {
        Slot::Open(None)
    }
    /// The command name of a process.
    fn command(&self, _pid: Pid) -> Option<Vec<u8>> {
        None
    }
    /// The driver's or disk's name of a device.
    fn device_name(&self, _device: Device, _block: bool) -> Option<Vec<u8>> {
        None
    }
    /// The path of a file by its handle, `open_by_handle_at(2)`.
    fn handle_path(&self, _device: Device, _handle_type: i32, _handle: &[u8]) -> Option<Vec<u8>> {
        None
    }
    /// The name of a bpf object.
    fn bpf_name(&self, _object: BpfObject, _id: u32) -> Option<String> {
        None
    }
    /// The mount point of a mount id in the process's mount namespace.
    fn mount_point(&self, _mount: u32) -> Option<Vec<u8>> {
        None
    }
    /// The type of a namespace that is mounted in the process's mount namespace.
    fn namespace_type(&self, _device: Device, _id: Inode) -> Option<Vec<u8>> {
        None
    }
    /// The name of a network interface by index.
    fn interface(&self, _index: u32) -> Option<Vec<u8>> {
        None
    }
}

/// A lookup that knows nothing.
#[derive(Debug)]
pub struct NoLookup;

impl Lookup for NoLookup {}

/// Everything that was collected about one fd.
pub struct Probe<'a> {
    /// Its number, where it has one.
    pub fd: Option<FdNum>,
    /// The link's text.
    pub link: &'a [u8],
    /// The same, taken apart.
    pub shape: Shape<'a>,
    /// For a path: what `statx(2)` said.
    pub stat: Option<FileStat>,
    /// For a path on a nameless device: the type of its filesystem, as mountinfo has it.
    pub filesystem: Option<&'a str>,
    /// For a path: whether its name is gone from its directory.
    pub deleted: bool,
    /// For a socket: what the socket tables said.
    pub socket: Option<&'a Socket>,
    /// `/proc/PID/fdinfo/N`; empty while kinds are asked for their claim, and where not needed.
    pub info: FdInfo<'a>,
    /// What a borrowed duplicate told.
    pub borrowed: Borrowed,
    /// For questions about the rest of the system.
    pub lookup: &'a dyn Lookup,
    /// Whether the kind's own fields are wanted, and not the name alone.
    pub values: bool,
}

impl<'a> Probe<'a> {
    /// With nothing known but the link.
    pub fn new(fd: Option<FdNum>, link: &'a [u8], lookup: &'a dyn Lookup) -> Self {
        Self {
            fd,
            link,
            shape: Shape::of(link),
            stat: None,
            filesystem: None,
            deleted: false,
            socket: None,
            info: FdInfo::default(),
            borrowed: Borrowed::default(),
            lookup,
            values: false,
        }
    }

    /// The file type of a path.
    pub fn file_type(&self) -> Option<u32> {
        self.stat.map(|s| s.file_type())
    }

    /// Whether it is `anon_inode:` of one of these classes.
    pub fn is_anon(&self, class: &[u8]) -> bool {
        self.shape == Shape::Anon(class)
    }

    /// The path without ` (deleted)`, or the whole link.
    pub fn path(&self) -> &'a [u8] {
        if self.deleted { self.link.strip_suffix(b" (deleted)").unwrap_or(self.link) } else { self.link }
    }
}

#[cfg(test)]
mod tests {
    use super::{Inode, Shape};

    #[test]
    fn shapes_of_links() {
        assert_eq!(Shape::of(b"/a b"), Shape::Path(b"/a b"));
        assert_eq!(Shape::of(b"anon_inode:[eventfd]"), Shape::Anon(b"eventfd"));
        assert_eq!(Shape::of(b"anon_inode:inotify"), Shape::Anon(b"inotify"));
        assert_eq!(Shape::of(b"socket:[12]"), Shape::Numbered(b"socket", Inode(12)));
        assert_eq!(Shape::of(b"socket:[12]").socket(), Some(Inode(12)));
        assert_eq!(Shape::of(b"pipe:[12]").socket(), None);
        assert_eq!(Shape::of(b"/socket:[12]").socket(), None);
        assert_eq!(Shape::of(b"socket:[12]").socket(), Some(Inode(12)));
        assert_eq!(Shape::of(b"pipe:[x]"), Shape::Other);
        assert_eq!(Shape::of(b""), Shape::Other);
        assert_eq!(Shape::of(b"(unreachable)/x"), Shape::Other);
    }
}
