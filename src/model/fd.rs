//! One row of `list`: something that a process holds.

use super::access::{Access, OpenFlags};
use super::ids::{Device, FdNum, Inode, Pid};
use super::network::Network;
use super::peers::Peers;
use super::process::Process;
use super::record::{Emphasis, Record};
use super::tie::Tie;
use super::value::Value;
use std::borrow::Cow;
use std::sync::Arc;

/// How the process holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assoc {
    /// By an fd of this number.
    Fd(FdNum),
    /// As the working directory.
    Cwd,
    /// As the root directory.
    Root,
    /// As the program that it runs.
    Exe,
    /// Mapped into memory.
    Mem,
}

impl Assoc {
    /// The word used in every output.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fd(_) => "fd",
            Self::Cwd => "cwd",
            Self::Root => "root",
            Self::Exe => "exe",
            Self::Mem => "mem",
        }
    }
}

/// An fd, or what a process holds without one. The scan reuses one of these for all rows, so a
/// collector clears it with [`Fd::reset`] first.
#[derive(Clone, Debug)]
pub struct Fd {
    /// Who holds it.
    pub process: Arc<Process>,
    /// The thread, where its fd table is not the leader's.
    pub tid: Option<Pid>,
    /// The task whose fd table it is in, for system calls: a thread too where the process's first
    /// one has ended.
    pub task: Pid,
    /// How it is held.
    pub assoc: Assoc,
    /// The access mode, where known.
    pub access: Option<Access>,
    /// Status flags and close-on-exec, where they were read.
    pub flags: Option<OpenFlags>,
    /// The number that a listing gives its description, where fds are compared.
    pub shared: Option<u32>,
    /// Whether reads and writes block; `None` where the question makes no sense.
    pub blocking: Option<bool>,
    /// The file position.
    pub pos: Option<u64>,
    /// The inode number.
    pub inode: Option<Inode>,
    /// The device that the file is on.
    pub device: Option<Device>,
    /// The mount, as numbered in the holder's mountinfo.
    pub mount: Option<u32>,
    /// What it is.
    pub kind: Cow<'static, str>,
    /// The most useful thing about it, in a few words.
    pub name: Vec<u8>,
    /// How much of the link is the path, for what has one: all but the kernel's ` (deleted)`.
    pub path_length: Option<usize>,
    /// Whether the path is gone from its directory.
    pub deleted: Option<bool>,
    /// The link text, as the kernel gives it.
    pub link: Vec<u8>,
    /// What ties it to its other end, of what has one, where that is asked for.
    pub tie: Option<Tie>,
    /// Who is there.
    pub peers: Option<Peers>,
    /// The network namespace of a socket, where that is asked for.
    pub network: Option<Arc<Network>>,
    /// Name of the object of the kind's own fields.
    pub object: &'static str,
    /// The kind's own fields.
    pub values: Vec<(&'static str, Value)>,
}

impl Fd {
    /// An empty row of `process`.
    pub fn new(process: Arc<Process>) -> Self {
        Self {
            task: process.pid,
            process,
            tid: None,
            assoc: Assoc::Cwd,
            access: None,
            flags: None,
            shared: None,
            blocking: None,
            pos: None,
            inode: None,
            device: None,
            mount: None,
            kind: Cow::Borrowed(""),
            name: Vec::new(),
            path_length: None,
            deleted: None,
            link: Vec::new(),
            tie: None,
            peers: None,
            network: None,
            object: "",
            values: Vec::new(),
        }
    }

    /// Clears all but the process, thread and task, keeping the buffers.
    pub fn reset(&mut self, assoc: Assoc) {
        self.assoc = assoc;
        self.access = None;
        self.flags = None;
        self.shared = None;
        self.blocking = None;
        self.pos = None;
        self.inode = None;
        self.device = None;
        self.mount = None;
        self.kind = Cow::Borrowed("");
        self.name.clear();
        self.path_length = None;
        self.deleted = None;
        self.link.clear();
        self.tie = None;
        self.peers = None;
        self.network = None;
        self.object = "";
        self.values.clear();
    }
}

impl Fd {
    /// The path, for what has one, without the kernel's ` (deleted)`.
    pub fn path(&self) -> Option<&[u8]> {
        self.link.get(..self.path_length?)
    }

    /// Sets one of the kind's own fields.
    pub fn put(&mut self, key: &'static str, value: impl Into<Value>) {
        self.values.push((key, value.into()));
    }

    /// Sets one of the kind's own fields, if it is known.
    pub fn put_some(&mut self, key: &'static str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.put(key, value);
        }
    }
}

impl Record for Fd {
    const OF_SUBJECT: &'static [&'static str] = &["pid", "tid", "command", "user", "uid"];

    fn subject(&self) -> Option<(&Arc<Process>, Option<Pid>)> {
        Some((&self.process, self.tid))
    }

    fn object(&self) -> Option<(&'static str, &[(&'static str, Value)])> {
        (!self.values.is_empty()).then_some((self.object, &self.values[..]))
    }

    fn emphasis(&self) -> Emphasis {
        if self.kind == "error" {
            Emphasis::Alarm
        } else if self.deleted == Some(true) {
            Emphasis::Notice
        } else {
            Emphasis::None
        }
    }
}
