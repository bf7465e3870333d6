//! Regular files: size, links, locks.

use super::{Kind, Probe, ShapeKind, locks};
use crate::model::{Fd, Field, Type, bytes, quantity};
use std::io::Write as _;

pub(super) static KIND: Kind = Kind {
    name: "regular",
    help: "a regular file",
    groups: &["file"],
    shape: ShapeKind::Path,
    object: "regular",
    fields: &[
        Field::new("regular.size", Type::Size, "size of the file"),
        Field::new("regular.links", Type::Integer, "number of names that the file has"),
        Field::new("regular.locks", Type::Records, "locks held through this fd: type, mode, start, end")
            .with(locks::MEMBERS),
    ],
    // For the locks: /proc/locks would tell of all at once, but reading it waits for everybody who
    // takes or drops a lock, and they for us.
    needs_info: true,
    claim: |p| p.file_type() == Some(libc::S_IFREG),
    decode,
    ..Kind::DEFAULT
};

fn decode(probe: &Probe<'_>, fd: &mut Fd) {
    fd.name.extend_from_slice(probe.path());
    let size = probe.stat.and_then(|s| s.size);
    let locks = locks::held(&probe.info);
    if probe.deleted {
        fd.name.extend_from_slice(b" (deleted");
        if let Some(size) = size {
            drop(write!(fd.name, ", {}", bytes(size)));
        }
        // Its space is not freed then.
        if let Some(links) = probe.stat.and_then(|stat| stat.links).filter(|&links| links > 0) {
            drop(write!(fd.name, ", {} left", quantity(links as usize, "name", "names")));
        }
        fd.name.push(b')');
    }
    if let Some(word) = locks::summary(&locks) {
        drop(write!(fd.name, " ({word})"));
    }
    if probe.values {
        fd.put_some("size", size);
        fd.put_some("links", probe.stat.and_then(|s| s.links));
        fd.put("locks", locks::value(locks));
    }
}

#[cfg(test)]
mod tests {
    use crate::kind::FileStat;
    use crate::kind::testing::{Fixture, name, stat, value};
    use crate::model::{Device, Value};

    const NO_DEVICE: Device = Device { major: 0, minor: 0 };

    #[test]
    fn deleted_and_locked() {
        let fd = Fixture {
            link: b"/tmp/lk (deleted)",
            info: b"pos:\t0\nflags:\t02100002\nmnt_id:\t27\nino:\t5\n\
                lock:\t1: FLOCK  ADVISORY  WRITE 3502 fe:00:5 0 EOF\n\
                lock:\t2: POSIX  ADVISORY  READ 3502 fe:00:5 10 19\n",
            stat: stat(libc::S_IFREG, NO_DEVICE).map(|stat| FileStat { links: Some(0), ..stat }),
            ..Fixture::default()
        }
        .decode();
        assert_eq!(name(&fd), "/tmp/lk (deleted, 4K) (flock write lock, posix read lock)");
        assert_eq!(value(&fd, "size"), &Value::Uint(4096));
        let Value::List(locks) = value(&fd, "locks") else { panic!() };
        assert_eq!(
            locks[1],
            Value::Map(vec![
                ("type", Value::Word("posix")),
                ("mode", Value::Word("read")),
                ("start", Value::Uint(10)),
                ("end", Value::Uint(19)),
            ])
        );
    }

    #[test]
    fn a_name_may_hold_any_byte() {
        let fd =
            Fixture { link: b"/tmp/a\nb\xff", stat: stat(libc::S_IFREG, NO_DEVICE), ..Fixture::default() }
                .decode();
        assert_eq!(fd.name, b"/tmp/a\nb\xff");
    }
}
