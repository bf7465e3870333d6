//! Watches on files: `inotify(7)`.

use super::fdinfo::Words;
use super::{Kind, Lookup, Probe};
use crate::model::{BitSet, Device, Fd, Field, Type, Value, hex, quantity};
use std::io::Write as _;

pub(super) static KIND: Kind = Kind {
    name: "inotify",
    help: "watches on files and directories",
    object: "inotify",
    fields: &[
        Field::new("inotify.watches", Type::Integer, "number of watches"),
        Field::new(
            "inotify.watched",
            Type::Records,
            "each watch: wd, events, inode, device, path where it can be found",
        )
        .with(&[
            ("wd", Type::Integer),
            ("events", Type::List),
            ("inode", Type::Integer),
            ("device", Type::String),
            ("path", Type::String),
        ]),
    ],
    needs_info: true,
    can_block: true,
    quiet_poll: true,
    claim: |p| p.is_anon(b"inotify"),
    decode,
    ..Kind::DEFAULT
};

/// `inotify(7)`. The flags above `unmount` are of the watch, not of events.
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
    (0x2000, "unmount"),
    (0x0100_0000, "onlydir"),
    (0x0200_0000, "dont-follow"),
    (0x0400_0000, "excl-unlink"),
    (0x8000_0000, "oneshot"),
];

fn decode(probe: &Probe<'_>, fd: &mut Fd) {
    const SHOWN: usize = 3;
    let watches: Vec<_> = probe.info.records(b"inotify").collect();
    if watches.is_empty() {
        fd.name.extend_from_slice(b"no watches");
    } else {
        drop(write!(fd.name, "{}:", quantity(watches.len(), "watch", "watches")));
        for watch in watches.iter().take(SHOWN) {
            fd.name.push(b' ');
            match path(*watch, probe.lookup) {
                Some(path) => fd.name.extend_from_slice(&path),
                None => drop(write!(fd.name, "inode {}", watch.hex("ino").unwrap_or(0))),
            }
        }
        if watches.len() > SHOWN {
            fd.name.extend_from_slice(" …".as_bytes());
        }
    }
    if probe.values {
        fd.put("watches", watches.len() as u64);
        let records = watches.iter().map(|w| record(*w, probe.lookup)).collect();
        fd.put("watched", Value::List(records));
    }
}

/// The path of the file that a line of inotify or fanotify marks by its handle.
pub(super) fn path(line: Words<'_>, lookup: &dyn Lookup) -> Option<Vec<u8>> {
    let device = Device::from_kernel(line.hex("sdev")?);
    let handle_type = line.hex("fhandle-type")? as i32;
    let digits = line.get("f_handle")?;
    let handle: Vec<u8> = digits.chunks(2).map(|pair| hex(pair).map(|n| n as u8)).collect::<Option<_>>()?;
    let length = line.hex("fhandle-bytes")? as usize;
    lookup.handle_path(device, handle_type, handle.get(..length)?)
}

fn record(line: Words<'_>, lookup: &dyn Lookup) -> Value {
    let mut record = vec![
        ("wd", line.decimal("wd").into()),
        ("events", Value::Set(BitSet { bits: line.hex("mask").unwrap_or(0), names: EVENTS })),
        ("inode", line.hex("ino").into()),
        ("device", line.hex("sdev").map(Device::from_kernel).into()),
    ];
    if let Some(path) = path(line, lookup) {
        record.push(("path", path.into()));
    }
    Value::Map(record)
}

#[cfg(test)]
mod tests {
    use crate::kind::testing::{Fixture, name, value};
    use crate::model::{Device, Value};

    #[test]
    fn watches_without_the_right_to_resolve_them() {
        let fd = Fixture {
            link: b"anon_inode:inotify",
            info: b"pos:\t0\nflags:\t00\ninotify wd:2 ino:13 sdev:fe00000 mask:102 ignored_mask:0 \
                fhandle-bytes:8 fhandle-type:1 f_handle:1300000000000000\n",
            ..Fixture::default()
        }
        .decode();
        assert_eq!(name(&fd), "1 watch: inode 19");
        let Value::List(watched) = value(&fd, "watched") else { panic!() };
        let Value::Map(watch) = &watched[0] else { panic!() };
        assert_eq!(watch[0], ("wd", Value::Uint(2)));
        let Value::Set(events) = watch[1].1 else { panic!() };
        assert_eq!(events.join(","), "modify,create");
        assert_eq!(watch[3], ("device", Value::Device(Device { major: 254, minor: 0 })));
    }
}
