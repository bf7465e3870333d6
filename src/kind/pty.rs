//! Pseudoterminals: `pty(7)`.

use super::{FileStat, Kind, Probe, ShapeKind, Tie, directory};
use crate::model::{Fd, Field, Type};
use std::io::Write as _;

/// `/dev/ptmx`, and the first and last major of `/dev/pts/N`.
const TTYAUX_MAJOR: u32 = 5;
const PTMX_MINOR: u32 = 2;
const UNIX98_PTY_SLAVES: std::ops::RangeInclusive<u32> = 136..=143;

pub(super) static KIND: Kind = Kind {
    name: "pty",
    help: "one side of a pseudoterminal",
    shape: ShapeKind::Path,
    object: "pty",
    fields: &[
        Field::new("pty.side", Type::String, "master (the terminal emulator's) or slave"),
        Field::new("pty.index", Type::Integer, "number of the pair: N of /dev/pts/N"),
    ],
    needs_info: true,
    can_block: true,
    quiet_poll: true,
    claim: |p| is_master(p) || p.stat.as_ref().and_then(slave_index).is_some(),
    decode,
    tie,
    ..Kind::DEFAULT
};

fn is_master(probe: &Probe<'_>) -> bool {
    probe.stat.is_some_and(|s| {
        s.file_type() == libc::S_IFCHR && s.rdev.major == TTYAUX_MAJOR && s.rdev.minor == PTMX_MINOR
    })
}

/// The number of a pseudoterminal, if this is the slave of one.
pub fn slave_index(stat: &FileStat) -> Option<u32> {
    let is_slave = stat.file_type() == libc::S_IFCHR && UNIX98_PTY_SLAVES.contains(&stat.rdev.major);
    is_slave.then(|| (stat.rdev.major - UNIX98_PTY_SLAVES.start()) * 256 + stat.rdev.minor)
}

fn master_index(probe: &Probe<'_>) -> Option<u32> {
    probe.info.decimal("tty-index").and_then(|index| index.try_into().ok())
}

fn tie(probe: &Probe<'_>) -> Option<Tie> {
    if is_master(probe) {
        return Some(master_index(probe).map_or(Tie::Elsewhere, Tie::Master));
    }
    let stat = probe.stat?;
    Some(Tie::Slave(stat.device, slave_index(&stat)?))
}

fn decode(probe: &Probe<'_>, fd: &mut Fd) {
    directory::path_name(probe, fd);
    let (side, index) = if is_master(probe) {
        ("master", master_index(probe))
    } else {
        ("slave", probe.stat.as_ref().and_then(slave_index))
    };
    if let ("master", Some(index)) = (side, index) {
        drop(write!(fd.name, ", master of /dev/pts/{index}"));
    }
    if probe.values {
        fd.put("side", side);
        fd.put_some("index", index);
    }
}

#[cfg(test)]
mod tests {
    use crate::kind::testing::{Fixture, name, stat, value};
    use crate::model::{Device, Value};

    #[test]
    fn master_and_slave() {
        let master = Fixture {
            link: b"/dev/ptmx",
            info: b"pos:\t0\nflags:\t02\ntty-index:\t4\n",
            stat: stat(libc::S_IFCHR, Device { major: 5, minor: 2 }),
            ..Fixture::default()
        }
        .decode();
        assert_eq!(name(&master), "/dev/ptmx, master of /dev/pts/4");
        assert_eq!(value(&master, "index"), &Value::Uint(4));
        let slave = Fixture {
            link: b"/dev/pts/300",
            stat: stat(libc::S_IFCHR, Device { major: 137, minor: 44 }),
            ..Fixture::default()
        }
        .decode();
        assert_eq!(name(&slave), "/dev/pts/300");
        assert_eq!(value(&slave, "index"), &Value::Uint(300));
        assert_eq!(value(&slave, "side"), &Value::Word("slave"));
    }
}
