//! POSIX message queues: `mq_overview(7)`.

use super::{Borrow, Kind, Probe, ShapeKind, Tie};
use crate::model::{Fd, Field, Type};
use std::io::Write as _;

pub(super) static KIND: Kind = Kind {
    name: "mqueue",
    help: "a POSIX message queue",
    shape: ShapeKind::Path,
    object: "mqueue",
    fields: &[
        Field::new("mqueue.path", Type::String, "name of the queue"),
        Field::new("mqueue.messages", Type::Integer, "messages waiting"),
        Field::new("mqueue.max_messages", Type::Integer, "messages that fit in"),
        Field::new("mqueue.message_size", Type::Size, "the largest message that it takes"),
    ],
    needs_info: true,
    borrow: Borrow::Mqueue,
    can_block: true,
    quiet_poll: true,
    claim: |p| p.file_type() == Some(libc::S_IFREG) && p.filesystem == Some("mqueue"),
    decode,
    tie: |p| p.stat.map(|stat| Tie::Queue(stat.device, stat.inode)),
    ..Kind::DEFAULT
};

fn decode(probe: &Probe<'_>, fd: &mut Fd) {
    fd.name.extend_from_slice(probe.path());
    let state = probe.borrowed.mqueue;
    if let Some(s) = state {
        drop(write!(fd.name, ", {} of {} messages", s.messages, s.max_messages));
    }
    if probe.deleted {
        fd.name.extend_from_slice(b" (deleted)");
    }
    if probe.values {
        fd.put("path", probe.path());
        fd.put_some("messages", state.map(|s| s.messages));
        fd.put_some("max_messages", state.map(|s| s.max_messages));
        fd.put_some("message_size", state.map(|s| s.message_size));
    }
}
