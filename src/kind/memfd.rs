//! Memory as a file: `memfd_create(2)`, `memfd_secret(2)`.

use super::{Borrow, Kind, Probe, ShapeKind};
use crate::model::{BitSet, Fd, Field, Type, bytes};
use std::io::Write as _;

pub(super) static KIND: Kind = Kind {
    name: "memfd",
    help: "anonymous memory with a name",
    shape: ShapeKind::Path,
    pathless: true,
    object: "memfd",
    fields: &[
        Field::new("memfd.name", Type::String, "the name it was given"),
        Field::new("memfd.size", Type::Size, "its size"),
        Field::new(
            "memfd.seals",
            Type::List,
            "seal, shrink, grow, write, future-write, exec: fcntl(F_GET_SEALS)",
        ),
    ],
    borrow: Borrow::Seals,
    claim: |p| p.deleted && p.file_type() == Some(libc::S_IFREG) && p.link.starts_with(b"/memfd:"),
    decode,
    ..Kind::DEFAULT
};

pub(super) static SECRET: Kind = Kind {
    name: "secretmem",
    help: "memory that the kernel itself cannot see",
    shape: ShapeKind::Path,
    pathless: true,
    object: "secretmem",
    fields: &[Field::new("secretmem.size", Type::Size, "its size")],
    claim: |p| p.deleted && p.path() == b"/secretmem",
    decode: |p, fd| {
        let size = p.stat.and_then(|s| s.size);
        drop(write!(fd.name, "secret memory, {}", bytes(size.unwrap_or(0))));
        if p.values {
            fd.put_some("size", size);
        }
    },
    ..Kind::DEFAULT
};

/// `F_ADD_SEALS` of `fcntl(2)`.
const SEALS: &[(u64, &str)] =
    &[(0x1, "seal"), (0x2, "shrink"), (0x4, "grow"), (0x8, "write"), (0x10, "future-write"), (0x20, "exec")];

fn decode(probe: &Probe<'_>, fd: &mut Fd) {
    let name = probe.path().strip_prefix(b"/memfd:").unwrap_or_default();
    let size = probe.stat.and_then(|s| s.size);
    let seals = probe.borrowed.seals.map(|bits| BitSet { bits: bits.into(), names: SEALS });
    fd.name.extend_from_slice(if name.is_empty() { b"(no name)" } else { name });
    if let Some(size) = size {
        drop(write!(fd.name, ", {}", bytes(size)));
    }
    if let Some(seals) = seals.filter(|s| s.bits != 0) {
        drop(write!(fd.name, ", sealed: {}", seals.join(" ")));
    }
    if probe.values {
        fd.put("name", name);
        fd.put_some("size", size);
        fd.put_some("seals", seals);
    }
}

#[cfg(test)]
mod tests {
    use crate::kind::Borrowed;
    use crate::kind::testing::{Fixture, name, stat};
    use crate::model::Device;

    #[test]
    fn name_size_and_seals() {
        let fd = Fixture {
            link: b"/memfd:na me (deleted)",
            stat: stat(libc::S_IFREG, Device { major: 0, minor: 0 }),
            borrowed: Borrowed { seals: Some(0x46), ..Borrowed::default() },
            ..Fixture::default()
        }
        .decode();
        assert_eq!(fd.kind, "memfd");
        assert_eq!(name(&fd), "na me, 4K, sealed: shrink grow 0x40");
    }
}
