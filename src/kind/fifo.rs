//! FIFOs: pipes with a name, `fifo(7)`.

use super::{Borrow, Kind, ShapeKind, Tie, directory, pipe};
use crate::model::{Access, Field, Type, append};

pub(super) static KIND: Kind = Kind {
    name: "fifo",
    help: "one end of a named pipe",
    shape: ShapeKind::Path,
    object: "fifo",
    fields: &[
        Field::new("fifo.end", Type::String, "read, write or both"),
        Field::new("fifo.queued", Type::Size, "bytes written and not yet read"),
        Field::new("fifo.capacity", Type::Size, "bytes that fit in, fcntl(F_GETPIPE_SZ)"),
    ],
    needs_info: true,
    borrow: Borrow::Pipe,
    can_block: true,
    quiet_poll: true,
    claim: |p| p.file_type() == Some(libc::S_IFIFO),
    decode: |p, fd| {
        directory::path_name(p, fd);
        if fd.access == Some(Access::Path) {
            return;
        }
        let end = pipe::end(fd);
        append!(fd.name, ", ", end, if end == "both" { " ends" } else { " end" });
        if p.values {
            fd.put("end", end);
        }
        pipe::queue(p, fd);
    },
    tie: |p| p.stat.map(|stat| Tie::Fifo(stat.device, stat.inode)),
    ..Kind::DEFAULT
};
