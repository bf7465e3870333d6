//! Handles on processes: `pidfd_open(2)`.

use super::{Kind, Probe, Shape, ShapeKind};
use crate::model::{Fd, Field, Pid, Type, signed};
use std::io::Write as _;

pub(super) static KIND: Kind = Kind {
    name: "pidfd",
    help: "a handle on a process",
    // Linux 6.9 moved pidfds to a filesystem of their own; some versions name them pidfd:[N].
    shape: ShapeKind::Any,
    object: "pidfd",
    fields: &[
        Field::new("pidfd.pid", Type::Integer, "the process; -1 when it has ended and was reaped"),
        Field::new("pidfd.command", Type::String, "command name of that process"),
    ],
    needs_info: true,
    quiet_poll: true,
    claim: |p| p.is_anon(b"pidfd") || matches!(p.shape, Shape::Numbered(b"pidfd", _)),
    decode,
    ..Kind::DEFAULT
};

fn decode(probe: &Probe<'_>, fd: &mut Fd) {
    let pid = probe.info.get("Pid").and_then(signed);
    let command = pid.filter(|&pid| pid > 0).and_then(|pid| probe.lookup.command(Pid(pid as i32)));
    match pid {
        Some(-1) => fd.name.extend_from_slice(b"process has ended"),
        Some(0) => fd.name.extend_from_slice(b"process in another pid namespace"),
        Some(pid) => drop(write!(fd.name, "process {pid}")),
        None => fd.name.extend_from_slice(b"process not known"),
    }
    if let Some(command) = &command {
        fd.name.push(b' ');
        fd.name.extend_from_slice(command);
    }
    if probe.values {
        fd.put_some("pid", pid);
        fd.put_some("command", command);
    }
}

#[cfg(test)]
mod tests {
    use crate::kind::testing::{Fixture, name};

    #[test]
    fn old_and_new_links() {
        for link in [&b"anon_inode:[pidfd]"[..], b"pidfd:[3500]"] {
            let fixture = |info| Fixture { link, info, ..Fixture::default() };
            assert_eq!(name(&fixture(b"Pid:\t3499\nNSpid:\t3499\n").decode()), "process 3499");
            assert_eq!(name(&fixture(b"Pid:\t-1\n").decode()), "process has ended");
        }
    }
}
