//! Terminals that are not pseudoterminals: consoles and serial lines.

use super::{Kind, Probe, ShapeKind, directory};
use crate::model::{Fd, Field, Type};

pub(super) static KIND: Kind = Kind {
    name: "tty",
    help: "a console or serial line",
    shape: ShapeKind::Path,
    object: "tty",
    fields: &[Field::new("tty.device", Type::String, "major:minor of the device")],
    needs_info: true,
    can_block: true,
    quiet_poll: true,
    claim: is_tty,
    decode,
    ..Kind::DEFAULT
};

/// By the majors of `Documentation/admin-guide/devices.txt`: virtual consoles and serial ports,
/// /dev/tty and /dev/console, USB serial lines, ARM's serial ports, hypervisor consoles.
fn is_tty(probe: &Probe<'_>) -> bool {
    probe.stat.is_some_and(|s| {
        s.file_type() == libc::S_IFCHR && matches!(s.rdev.major, 4 | 5 | 166 | 188 | 204 | 229)
    })
}

fn decode(probe: &Probe<'_>, fd: &mut Fd) {
    directory::path_name(probe, fd);
    if probe.values {
        fd.put_some("device", probe.stat.map(|s| s.rdev));
    }
}
