//! Marks on files, mounts and filesystems: `fanotify(7)`.

use super::fdinfo::Words;
use super::{Kind, Lookup, Probe, inotify};
use crate::model::{BitSet, Device, Fd, Field, Type, Value, quantity};
use std::io::Write as _;

pub(super) static KIND: Kind = Kind {
    name: "fanotify",
    help: "marks on files, mounts and filesystems",
    object: "fanotify",
    fields: &[
        Field::new(
            "fanotify.class",
            Type::String,
            "notif, content or pre-content: the last two may deny access",
        ),
        Field::new("fanotify.marks", Type::Integer, "number of marks"),
        Field::new(
            "fanotify.marked",
            Type::Records,
            "each mark: type (inode, mount or filesystem), events, inode, device, path where it can be found",
        )
        .with(&[
            ("type", Type::String),
            ("events", Type::List),
            ("inode", Type::Integer),
            ("device", Type::String),
            ("path", Type::String),
        ]),
    ],
    needs_info: true,
    can_block: true,
    quiet_poll: true,
    claim: |p| p.is_anon(b"fanotify"),
    decode,
    ..Kind::DEFAULT
};

/// `fanotify_mark(2)`.
const EVENTS: &[(u64, &str)] = &[
    (0x1, "access"),
    (0x2, "modify"),
    (0x4, "attrib"),
    (0x8, "close-write"),
    (0x10, "close-nowrite"),
    (0x20, "open"),
    (0x40, "moved-from"),
    (0x80, "moved-to"),
    (0x100, "create"),
    (0x200, "delete"),
    (0x400, "delete-self"),
    (0x800, "move-self"),
    (0x1000, "open-exec"),
    (0x8000, "fs-error"),
    (0x1_0000, "open-perm"),
    (0x2_0000, "access-perm"),
    (0x4_0000, "open-exec-perm"),
    (0x10_0000, "pre-access"),
    (0x100_0000, "mnt-attach"),
    (0x200_0000, "mnt-detach"),
    (0x0800_0000, "event-on-child"),
    (0x1000_0000, "rename"),
    (0x4000_0000, "ondir"),
];

fn decode(probe: &Probe<'_>, fd: &mut Fd) {
    let mut class = None;
    let mut marks = Vec::new();
    for line in probe.info.records(b"fanotify") {
        match line.hex("flags") {
            Some(flags) => class = Some(class_of(flags)),
            None => marks.push(line),
        }
    }
    fd.name.extend_from_slice(quantity(marks.len(), "mark", "marks").as_bytes());
    for (i, mark) in marks.iter().take(3).enumerate() {
        fd.name.extend_from_slice(if i == 0 { b": " } else { b", " });
        let (scope, path) = place(*mark, probe.lookup);
        fd.name.extend_from_slice(scope.as_bytes());
        if let Some(path) = path {
            fd.name.push(b' ');
            fd.name.extend_from_slice(&path);
        }
    }
    if let Some(class) = class.filter(|&c| c != "notif") {
        drop(write!(fd.name, ", class {class}"));
    }
    if probe.values {
        fd.put_some("class", class);
        fd.put("marks", marks.len() as u64);
        let records = marks.iter().map(|m| record(*m, probe.lookup)).collect();
        fd.put("marked", Value::List(records));
    }
}

/// `FAN_CLASS_*` of `fanotify_init(2)`.
fn class_of(flags: u64) -> &'static str {
    match flags & 0xc {
        0 => "notif",
        0x4 => "content",
        0x8 => "pre-content",
        _ => "unknown",
    }
}

/// What a mark is on: the line has `mnt_id`, or `ino` and `sdev`, or `sdev` alone.
fn place(line: Words<'_>, lookup: &dyn Lookup) -> (&'static str, Option<Vec<u8>>) {
    if let Some(mount) = line.hex("mnt_id") {
        ("mount", lookup.mount_point(mount as u32))
    } else if line.get("ino").is_some() {
        ("inode", inotify::path(line, lookup))
    } else {
        ("filesystem", None)
    }
}

fn record(line: Words<'_>, lookup: &dyn Lookup) -> Value {
    let (scope, path) = place(line, lookup);
    let mut record = vec![
        ("type", Value::Word(scope)),
        ("events", Value::Set(BitSet { bits: line.hex("mask").unwrap_or(0), names: EVENTS })),
    ];
    if let Some(inode) = line.hex("ino") {
        record.push(("inode", inode.into()));
    }
    if let Some(device) = line.hex("sdev") {
        record.push(("device", Device::from_kernel(device).into()));
    }
    if let Some(path) = path {
        record.push(("path", path.into()));
    }
    Value::Map(record)
}

#[cfg(test)]
mod tests {
    use crate::kind::testing::{Fixture, name};

    #[test]
    fn all_three_sorts_of_mark() {
        let fd = Fixture {
            link: b"anon_inode:[fanotify]",
            info: b"pos:\t0\nflags:\t02\nfanotify flags:4 event-flags:8000\n\
                fanotify mnt_id:1b mflags:0 mask:2 ignored_mask:0\n\
                fanotify ino:13 sdev:fe00000 mflags:0 mask:2 ignored_mask:0 fhandle-bytes:8 fhandle-type:1 f_handle:13\n\
                fanotify sdev:fe00000 mflags:0 mask:2 ignored_mask:0\n",
            ..Fixture::default()
        }
        .decode();
        assert_eq!(name(&fd), "3 marks: mount, inode, filesystem, class content");
    }
}
