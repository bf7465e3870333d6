//! Namespaces held open: `namespaces(7)`.

use super::{Kind, Shape, ShapeKind};
use crate::model::{Field, Type};
use std::io::Write as _;

const TYPES: &[&[u8]] = &[b"cgroup", b"ipc", b"mnt", b"net", b"pid", b"time", b"user", b"uts"];

pub(super) static KIND: Kind = Kind {
    name: "namespace",
    help: "a namespace held open",
    groups: &["ns"],
    shape: ShapeKind::Numbered,
    object: "namespace",
    fields: &[
        Field::new("namespace.type", Type::String, "cgroup, ipc, mnt, net, pid, time, user or uts"),
        Field::new("namespace.id", Type::Integer, "id of the namespace, as in /proc/PID/ns"),
    ],
    claim: |p| matches!(p.shape, Shape::Numbered(class, _) if TYPES.contains(&class)),
    decode: |p, fd| {
        let Shape::Numbered(class, inode) = p.shape else { return };
        fd.name.extend_from_slice(class);
        drop(write!(fd.name, " namespace {}", inode.0));
        if p.values {
            fd.put("type", class);
            fd.put("id", inode.0);
        }
    },
    ..Kind::DEFAULT
};
