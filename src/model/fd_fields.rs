//! The fields that all rows of `list` have, whatever their kind.

use super::access::Access;
use super::fd::{Assoc, Fd};
use super::holder::MEMBERS as HOLDER;
use super::record::{Column, column_table};
use super::value::Cell;
use std::borrow::Cow;

/// The common columns of `list`, in the order of its JSON.
pub const COMMON: &[Column<Fd>] = column_table! {
    "pid", Integer, "process id", |r| Some(Cell::Int(r.process.pid.0.into()));
    "tid", Integer, "thread id, where the thread has an fd table of its own (--threads)",
        |r| r.tid.map(|t| Cell::Int(t.0.into()));
    "command", String, "command name of the process, at most 15 bytes",
        |r| Some(Cell::Text(&r.process.command));
    "user", String, "name of the process's effective user; its number where it has no name",
        |r| r.process.user.as_deref().map(|u| Cell::Text(u.as_bytes()));
    "uid", Integer, "effective user id of the process", |r| Some(Cell::Uint(r.process.uid.into()));
    "fd", Integer, "number of the fd; absent for what is held without one", fd;
    "assoc", String, "how it is held: fd, cwd, root, exe or mem",
        |r| Some(Cell::Word(r.assoc.word()));
    "access", String, "r, w, rw, path (O_PATH) or none (ioctl only)",
        |r| r.access.map(|a| Cell::Word(a.word()));
    "mode", String, "access, and whether reads and writes block (sockets, pipes, ttys)", mode;
    "kind", String, "what it is: regular, pipe, tcp, epoll, ...",
        kind;
    "flags", List, "open flags by name: nonblock, cloexec, append, ...; unknown bits in hex",
        |r| r.flags.map(|f| Cell::Set(f.set()));
    "cloexec", Bool, "whether exec(2) closes it; without that, programs that are run inherit it",
        |r| r.flags.map(|f| Cell::Bool(f.closes_on_exec()));
    "shared", Integer, "number of the description, the same for all fds that share it (--shared)",
        |r| r.shared.map(|n| Cell::Uint(n.into()));
    "pos", Integer, "file position in bytes", |r| r.pos.map(Cell::Uint);
    "inode", Integer, "inode number", |r| r.inode.map(|i| Cell::Uint(i.0));
    "device", String, "major:minor of the device that the file is on", |r| r.device.map(Cell::Device);
    "mount", Integer, "mount id, as in /proc/PID/mountinfo", |r| r.mount.map(|m| Cell::Uint(m.into()));
    "name", String, "the most useful thing about it, in a few words", |r| Some(Cell::Text(&r.name));
    "path", String, "path of a file, directory or device, without ' (deleted)'",
        |r| r.path().map(Cell::Text);
    "deleted", Bool, "whether the path is gone from its directory", |r| r.deleted.map(Cell::Bool);
    "link", String, "text of the link /proc/PID/fd/N, as the kernel gives it",
        |r| Some(Cell::Text(&r.link));
    "peers", Records[HOLDER], "who is at the other end: fds of processes; empty if nobody is, null if it cannot be known",
        peers;
    "pending", Bool, "whether nobody has accepted the connection yet: peers listen, or wait at this listener",
        |r| r.peers.as_ref().map(|p| Cell::Bool(p.waiting));
};

/// The columns of all sockets, whatever their kind.
pub const SOCKETS: &[Column<Fd>] = column_table! {
    "socket.netns", Integer, "inode of its network namespace, as in the link /proc/PID/ns/net; null if not known",
        |r| r.network.as_ref().map(|n| n.id.map_or(Cell::Null, Cell::Uint));
    "socket.netns_name", String, "name of that namespace by ip-netns(8), or its container; null if it has none",
        |r| r.network.as_ref().map(|n| n.name.as_deref().map_or(Cell::Null, Cell::Text));
};

fn peers(row: &Fd) -> Option<Cell<'_>> {
    let peers = row.peers.as_ref()?;
    Some(peers.holders.as_deref().map_or(Cell::Null, Cell::Holders))
}

fn fd(row: &Fd) -> Option<Cell<'_>> {
    match row.assoc {
        Assoc::Fd(n) => Some(Cell::Int(n.0.into())),
        _ => None,
    }
}

fn kind(row: &Fd) -> Option<Cell<'_>> {
    Some(match &row.kind {
        Cow::Borrowed(word) => Cell::Word(word),
        Cow::Owned(name) => Cell::Text(name.as_bytes()),
    })
}

fn mode(row: &Fd) -> Option<Cell<'_>> {
    let access = row.access?;
    let text = match (access, row.blocking) {
        (_, None) => access.word(),
        (Access::Read, Some(true)) => "r block",
        (Access::Read, Some(false)) => "r nonblock",
        (Access::Write, Some(true)) => "w block",
        (Access::Write, Some(false)) => "w nonblock",
        (Access::ReadWrite, Some(true)) => "rw block",
        (Access::ReadWrite, Some(false)) => "rw nonblock",
        (Access::Path | Access::None, _) => access.word(),
    };
    Some(Cell::Word(text))
}
