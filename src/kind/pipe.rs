//! Pipes without a name: `pipe(2)`. FIFOs share the decoder.

use super::{Borrow, Kind, Probe, Shape, ShapeKind, Tie};
use crate::model::{Access, Fd, Field, Type, append, bytes};

pub(super) static KIND: Kind = Kind {
    name: "pipe",
    help: "one end of a pipe",
    shape: ShapeKind::Numbered,
    object: "pipe",
    fields: &[
        Field::new("pipe.end", Type::String, "read, write or both"),
        Field::new("pipe.inode", Type::Integer, "inode of the pipe, the same at both ends"),
        Field::new("pipe.queued", Type::Size, "bytes written and not yet read"),
        Field::new("pipe.capacity", Type::Size, "bytes that fit in, fcntl(F_GETPIPE_SZ)"),
    ],
    needs_info: true,
    borrow: Borrow::Pipe,
    can_block: true,
    quiet_poll: true,
    claim: |p| matches!(p.shape, Shape::Numbered(b"pipe", _)),
    decode: |p, fd| {
        let end = end(fd);
        if let Shape::Numbered(_, inode) = p.shape {
            let noun = if end == "both" { " ends of " } else { " end of " };
            append!(fd.name, end, noun, inode.0);
            if p.values {
                fd.put("end", end);
                fd.put("inode", inode.0);
            }
        }
        queue(p, fd);
    },
    tie: |p| match p.shape {
        Shape::Numbered(_, inode) => Some(Tie::Pipe(inode)),
        _ => None,
    },
    ..Kind::DEFAULT
};

/// Which end the access mode makes it.
pub(super) fn end(fd: &Fd) -> &'static str {
    match fd.access {
        Some(Access::Read) => "read",
        Some(Access::Write) => "write",
        Some(Access::ReadWrite) => "both",
        _ => "neither",
    }
}

/// What lies in it, for the name and as fields `queued` and `capacity`.
pub(super) fn queue(probe: &Probe<'_>, fd: &mut Fd) {
    let (queued, capacity) = (probe.borrowed.queued, probe.borrowed.capacity);
    match (queued, capacity) {
        (Some(0), _) => fd.name.extend_from_slice(b", empty"),
        (Some(n), Some(size)) if n >= size => append!(fd.name, ", full (", bytes(n), ")"),
        (Some(n), Some(size)) => append!(fd.name, ", ", bytes(n), " of ", bytes(size), " queued"),
        (Some(n), None) => append!(fd.name, ", ", bytes(n), " queued"),
        (None, _) => {}
    }
    if probe.values {
        fd.put_some("queued", queued);
        fd.put_some("capacity", capacity);
    }
}

#[cfg(test)]
mod tests {
    use crate::kind::Borrowed;
    use crate::kind::testing::{Fixture, name, value};
    use crate::model::Value;

    fn fixture(info: &[u8], queued: u64) -> Fixture<'_> {
        Fixture {
            link: b"pipe:[9491]",
            info,
            borrowed: Borrowed { queued: Some(queued), capacity: Some(65536), ..Borrowed::default() },
            ..Fixture::default()
        }
    }

    #[test]
    fn ends_and_queue() {
        let read = fixture(b"pos:\t0\nflags:\t02000000\n", 12).decode();
        assert_eq!(name(&read), "read end of 9491, 12 of 64K queued");
        assert_eq!(value(&read, "end"), &Value::Word("read"));
        let full = fixture(b"pos:\t0\nflags:\t01\n", 65536).decode();
        assert_eq!(name(&full), "write end of 9491, full (64K)");
        let empty = fixture(b"pos:\t0\nflags:\t02\n", 0).decode();
        assert_eq!(name(&empty), "both ends of 9491, empty");
    }
}
