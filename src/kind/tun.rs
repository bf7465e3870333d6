//! Network interfaces made by a program: tun and tap.

use super::{Kind, Probe, ShapeKind};
use crate::model::{Device, Fd, Field, Type};

/// `TUN_MINOR` of the misc devices.
const TUN: Device = Device { major: 10, minor: 200 };

pub(super) static KIND: Kind = Kind {
    name: "tun",
    help: "a tun or tap network interface",
    shape: ShapeKind::Path,
    object: "tun",
    fields: &[Field::new("tun.interface", Type::String, "name of the interface; empty before TUNSETIFF")],
    needs_info: true,
    can_block: true,
    quiet_poll: true,
    claim: |p| p.stat.is_some_and(|s| s.file_type() == libc::S_IFCHR && s.rdev == TUN),
    decode,
    ..Kind::DEFAULT
};

fn decode(probe: &Probe<'_>, fd: &mut Fd) {
    let interface = probe.info.get("iff").unwrap_or_default();
    if interface.is_empty() {
        fd.name.extend_from_slice(b"no interface yet");
    } else {
        fd.name.extend_from_slice(b"interface ");
        fd.name.extend_from_slice(interface);
    }
    if probe.values {
        fd.put("interface", interface);
    }
}
