//! Page faults handled in user space: `userfaultfd(2)`.

use super::{Kind, Probe};
use crate::model::{Fd, Field, Type};
use std::io::Write as _;

const FIELDS: &[Field] = &[
    Field::new("userfaultfd.pending", Type::Integer, "faults waiting to be read"),
    Field::new("userfaultfd.total", Type::Integer, "faults waiting to be read or resolved"),
];

pub(super) static KIND: Kind = Kind {
    name: "userfaultfd",
    help: "page faults to be handled by the process",
    object: "userfaultfd",
    fields: FIELDS,
    needs_info: true,
    can_block: true,
    quiet_poll: true,
    claim: |p| p.is_anon(b"userfaultfd"),
    decode,
    ..Kind::DEFAULT
};

fn decode(probe: &Probe<'_>, fd: &mut Fd) {
    let (pending, total) = (probe.info.decimal("pending"), probe.info.decimal("total"));
    if let (Some(pending), Some(total)) = (pending, total) {
        drop(write!(fd.name, "{pending} faults pending, {total} in all"));
    }
    if probe.values {
        fd.put_some("pending", pending);
        fd.put_some("total", total);
    }
}
