//! Anonymous inodes that say little of themselves, and those that no other file claims.

use super::{Kind, Probe, Shape};
use crate::model::{Fd, Field, Type};

pub(super) static SECCOMP: Kind = Kind {
    name: "seccomp",
    help: "a seccomp user-notification listener",
    can_block: true,
    claim: |p| p.is_anon(b"seccomp notify"),
    decode: |_, fd| fd.name.extend_from_slice(b"system calls of a supervised process"),
    ..Kind::DEFAULT
};

pub(super) static LANDLOCK: Kind = Kind {
    name: "landlock",
    help: "a landlock ruleset",
    claim: |p| p.is_anon(b"landlock-ruleset"),
    decode: |_, fd| fd.name.extend_from_slice(b"ruleset"),
    ..Kind::DEFAULT
};

pub(super) static FSCONTEXT: Kind = Kind {
    name: "fscontext",
    help: "a filesystem being configured, fsopen(2)",
    claim: |p| p.is_anon(b"fscontext"),
    decode: |_, fd| fd.name.extend_from_slice(b"filesystem being configured"),
    ..Kind::DEFAULT
};

/// Whatever else the kernel calls `anon_inode:`.
pub(super) static KIND: Kind = Kind {
    name: "anon_inode",
    help: "another kernel object without a file",
    groups: &["anon"],
    object: "anon_inode",
    fields: &[
        Field::new("anon_inode.class", Type::String, "what the kernel calls it"),
        Field::new("anon_inode.info", Type::List, "what its fdinfo says beyond the usual lines"),
    ],
    needs_info: true,
    claim: |p| matches!(p.shape, Shape::Anon(_)),
    decode: |p, fd| {
        let Shape::Anon(class) = p.shape else { return };
        fd.name.extend_from_slice(class);
        own_lines(p, fd);
        if p.values {
            fd.put("class", class);
            fd.put("info", info(p));
        }
    },
    ..Kind::DEFAULT
};

/// Appends the first few of the kind's own fdinfo lines to the name.
pub(super) fn own_lines(probe: &Probe<'_>, fd: &mut Fd) {
    for (i, (key, value)) in probe.info.lines().take(3).enumerate() {
        fd.name.extend_from_slice(if i == 0 { b": " } else { b", " });
        fd.name.extend_from_slice(key);
        fd.name.push(b' ');
        fd.name.extend_from_slice(value);
    }
}

/// All of the kind's own fdinfo lines.
pub(super) fn info(probe: &Probe<'_>) -> crate::model::Value {
    let line = |(key, value): (&[u8], &[u8])| [key, b": ", value].concat();
    crate::model::Value::texts(probe.info.lines().map(line))
}

#[cfg(test)]
mod tests {
    use crate::kind::testing::{Fixture, name};

    #[test]
    fn an_unknown_class_shows_what_the_kernel_says() {
        let fd = Fixture {
            link: b"anon_inode:[brand-new]",
            info: b"pos:\t0\nflags:\t02\nmnt_id:\t1\nino:\t2\nwidgets:\t7\n",
            ..Fixture::default()
        }
        .decode();
        assert_eq!((fd.kind.as_ref(), name(&fd)), ("anon_inode", "brand-new: widgets 7"));
    }

    #[test]
    fn seccomp_and_landlock() {
        let kind = |link| Fixture { link, ..Fixture::default() }.decode().kind;
        assert_eq!(kind(b"anon_inode:seccomp notify"), "seccomp");
        assert_eq!(kind(b"anon_inode:[landlock-ruleset]"), "landlock");
        assert_eq!(kind(b"anon_inode:landlock-ruleset"), "landlock");
    }
}
