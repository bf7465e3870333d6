//! Character and block devices that are nothing more special.

use super::{Kind, Probe, ShapeKind, directory};
use crate::model::{Fd, Field, Type};
use std::io::Write as _;

pub(super) static CHAR: Kind = Kind {
    name: "char",
    help: "a character device",
    groups: &["device"],
    shape: ShapeKind::Path,
    object: "char",
    fields: &[
        Field::new("char.device", Type::String, "major:minor of the device"),
        Field::new("char.driver", Type::String, "name of the driver, from /proc/devices or /proc/misc"),
    ],
    claim: |p| p.file_type() == Some(libc::S_IFCHR),
    decode: |p, fd| decode(p, fd, false),
    ..Kind::DEFAULT
};

pub(super) static BLOCK: Kind = Kind {
    name: "block",
    help: "a block device",
    groups: &["device"],
    shape: ShapeKind::Path,
    object: "block",
    fields: &[
        Field::new("block.device", Type::String, "major:minor of the device"),
        Field::new("block.disk", Type::String, "the kernel's name of the disk or partition"),
    ],
    claim: |p| p.file_type() == Some(libc::S_IFBLK),
    decode: |p, fd| decode(p, fd, true),
    ..Kind::DEFAULT
};

fn decode(probe: &Probe<'_>, fd: &mut Fd, block: bool) {
    directory::path_name(probe, fd);
    let Some(stat) = probe.stat else { return };
    // A node in /dev says what it is by its own name; one elsewhere does not.
    let elsewhere = !probe.link.starts_with(b"/dev/");
    if !elsewhere && !probe.values {
        return;
    }
    let driver = probe.lookup.device_name(stat.rdev, block);
    if elsewhere {
        match &driver {
            Some(driver) => {
                fd.name.extend_from_slice(b" (");
                fd.name.extend_from_slice(driver);
                drop(write!(fd.name, " {})", stat.rdev));
            }
            None => drop(write!(fd.name, " ({})", stat.rdev)),
        }
    }
    if probe.values {
        fd.put("device", stat.rdev);
        fd.put_some(if block { "disk" } else { "driver" }, driver);
    }
}

#[cfg(test)]
mod tests {
    use crate::kind::testing::{Fixture, name, stat, value};
    use crate::model::{Device, Value};

    #[test]
    fn a_node_outside_dev_shows_its_numbers() {
        let rdev = Device { major: 1, minor: 3 };
        let fixture = |link| Fixture { link, stat: stat(libc::S_IFCHR, rdev), ..Fixture::default() };
        let fd = fixture(b"/srv/null").decode();
        assert_eq!((fd.kind.as_ref(), name(&fd)), ("char", "/srv/null (1:3)"));
        assert_eq!(value(&fd, "device"), &Value::Device(rdev));
        assert_eq!(name(&fixture(b"/dev/null").decode()), "/dev/null");
    }
}
