//! Shared memory that the kernel keeps in a tmpfs of its own: it shows a path, and there is none.

use super::{Kind, Probe, ShapeKind};
use crate::model::{Fd, Field, Type, bytes};
use std::io::Write as _;

pub(super) static KIND: Kind = Kind {
    name: "shm",
    help: "shared memory: anonymous, or a System V segment",
    shape: ShapeKind::Path,
    pathless: true,
    object: "shm",
    fields: &[
        Field::new("shm.type", Type::String, "anonymous, hugepages or sysv"),
        Field::new("shm.key", Type::String, "key of a System V segment, in hex"),
        Field::new("shm.size", Type::Size, "its size"),
    ],
    claim: |p| p.deleted && class(p).is_some(),
    decode,
    ..Kind::DEFAULT
};

/// Its type, and its key if it is a System V segment: `shmget(2)`.
fn class<'a>(probe: &Probe<'a>) -> Option<(&'static str, Option<&'a [u8]>)> {
    match probe.path() {
        // `mmap(2)` with MAP_SHARED and MAP_ANONYMOUS, or of the device.
        b"/dev/zero" if probe.file_type() == Some(libc::S_IFREG) => Some(("anonymous", None)),
        b"/anon_hugepage" => Some(("hugepages", None)),
        path => {
            let key = path.strip_prefix(b"/SYSV")?;
            let is_key = key.len() == 8 && key.iter().all(u8::is_ascii_hexdigit);
            is_key.then_some(("sysv", Some(key)))
        }
    }
}

fn decode(probe: &Probe<'_>, fd: &mut Fd) {
    let Some((class, key)) = class(probe) else { return };
    let size = probe.stat.and_then(|s| s.size);
    match key {
        Some(key) => {
            fd.name.extend_from_slice(b"System V segment, key 0x");
            fd.name.extend_from_slice(key);
        }
        None => drop(write!(fd.name, "shared memory, {class}")),
    }
    if let Some(size) = size {
        drop(write!(fd.name, ", {}", bytes(size)));
    }
    if probe.values {
        fd.put("type", class);
        fd.put_some("key", key);
        fd.put_some("size", size);
    }
}

#[cfg(test)]
mod tests {
    use crate::kind::testing::{Fixture, name, stat};
    use crate::model::Device;

    #[test]
    fn what_looks_like_a_deleted_file_and_is_none() {
        let shown = |link| {
            let stat = stat(libc::S_IFREG, Device { major: 0, minor: 0 });
            let fd = Fixture { link, stat, ..Fixture::default() }.decode();
            format!("{} {}", fd.kind, name(&fd))
        };
        assert_eq!(shown(b"/dev/zero (deleted)"), "shm shared memory, anonymous, 4K");
        assert_eq!(shown(b"/SYSV0000002a (deleted)"), "shm System V segment, key 0x0000002a, 4K");
        assert!(shown(b"/SYSVx (deleted)").starts_with("regular"));
    }
}
