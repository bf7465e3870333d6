//! Namespaces held open: `namespaces(7)`.

use super::{Kind, Probe, Shape, ShapeKind};
use crate::model::{Fd, Field, Type};
use std::io::Write as _;

/// Types of namespaces, as links and mountinfo have them.
const TYPES: &[&[u8]] = &[b"cgroup", b"ipc", b"mnt", b"net", b"pid", b"time", b"user", b"uts"];

pub(super) static KIND: Kind = Kind {
    name: "namespace",
    help: "a namespace held open",
    groups: &["ns"],
    // Opened by its link in /proc, or by a name that it was mounted on, as `ip netns` does.
    shape: ShapeKind::Any,
    object: "namespace",
    fields: &[
        Field::new("namespace.type", Type::String, "cgroup, ipc, mnt, net, pid, time, user or uts"),
        Field::new("namespace.id", Type::Integer, "id of the namespace, as in /proc/PID/ns"),
    ],
    claim: |p| match p.shape {
        Shape::Numbered(class, _) => TYPES.contains(&class),
        Shape::Path(_) => p.filesystem == Some("nsfs"),
        _ => false,
    },
    decode,
    ..Kind::DEFAULT
};

fn decode(probe: &Probe<'_>, fd: &mut Fd) {
    let (class, id, path) = match (probe.shape, probe.stat) {
        (Shape::Numbered(class, id), _) => (Some(class.to_vec()), id, None),
        (_, Some(stat)) => {
            let class = probe.lookup.namespace_type(stat.device, stat.inode);
            (class, stat.inode, Some(probe.path()))
        }
        _ => return,
    };
    if let Some(class) = &class {
        fd.name.extend_from_slice(class);
        fd.name.push(b' ');
    }
    drop(write!(fd.name, "namespace {}", id.0));
    if let Some(path) = path {
        fd.name.extend_from_slice(b", ");
        fd.name.extend_from_slice(path);
    }
    if probe.values {
        fd.put_some("type", class);
        fd.put("id", id.0);
    }
}

#[cfg(test)]
mod tests {
    use crate::kind::testing::{Fixture, name, stat};
    use crate::model::Device;

    #[test]
    fn mounted_where_nobody_knows_its_type() {
        let stat = stat(libc::S_IFREG, Device { major: 0, minor: 0 });
        let fixture = Fixture { link: b"/run/netns/x", stat, filesystem: Some("nsfs"), ..Fixture::default() };
        let fd = fixture.decode();
        assert_eq!((&*fd.kind, name(&fd)), ("namespace", "namespace 1, /run/netns/x"));
        let regular = Fixture { filesystem: None, ..fixture }.decode();
        assert_eq!(regular.kind, "regular");
    }
}
