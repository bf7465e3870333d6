//! Submission and completion rings: `io_uring(7)`.

use super::{Kind, Probe};
use crate::model::{Fd, Field, Type, signed};
use std::io::Write as _;

pub(super) static KIND: Kind = Kind {
    name: "io_uring",
    help: "a submission and a completion ring",
    object: "io_uring",
    fields: &[
        Field::new("io_uring.sq_entries", Type::Integer, "size of the submission queue"),
        Field::new("io_uring.sq_pending", Type::Integer, "entries submitted and not yet taken by the kernel"),
        Field::new("io_uring.cq_entries", Type::Integer, "size of the completion queue"),
        Field::new("io_uring.cq_pending", Type::Integer, "completions that the process has not taken yet"),
        Field::new(
            "io_uring.sq_thread",
            Type::Integer,
            "thread that polls the submission queue; -1 for none",
        ),
        Field::new("io_uring.files", Type::Integer, "registered files"),
        Field::new("io_uring.buffers", Type::Integer, "registered buffers"),
    ],
    needs_info: true,
    quiet_poll: true,
    claim: |p| p.is_anon(b"io_uring"),
    decode,
    ..Kind::DEFAULT
};

fn decode(probe: &Probe<'_>, fd: &mut Fd) {
    let info = &probe.info;
    let entries = |mask| info.hex(mask).map(|m| m + 1);
    // Heads and tails are 32-bit counters that wrap.
    let pending = |head, tail| {
        let (head, tail) = (info.decimal(head)?, info.decimal(tail)?);
        Some(u64::from((tail as u32).wrapping_sub(head as u32)))
    };
    let (sq, sq_pending) = (entries("SqMask"), pending("SqHead", "SqTail"));
    let (cq, cq_pending) = (entries("CqMask"), pending("CqHead", "CqTail"));
    if let (Some(sq), Some(sq_pending), Some(cq), Some(cq_pending)) = (sq, sq_pending, cq, cq_pending) {
        drop(write!(fd.name, "{sq_pending} of {sq} submissions, {cq_pending} of {cq} completions waiting"));
    } else {
        // A busy ring keeps its state to itself: the kernel shows nothing while it is locked.
        fd.name.extend_from_slice(b"ring");
    }
    if probe.values {
        fd.put_some("sq_entries", sq);
        fd.put_some("sq_pending", sq_pending);
        fd.put_some("cq_entries", cq);
        fd.put_some("cq_pending", cq_pending);
        fd.put_some("sq_thread", info.get("SqThread").and_then(signed));
        fd.put_some("files", info.decimal("UserFiles"));
        fd.put_some("buffers", info.decimal("UserBufs"));
    }
}

#[cfg(test)]
mod tests {
    use crate::kind::testing::{Fixture, name, value};
    use crate::model::Value;

    #[test]
    fn counters_wrap() {
        let fd = Fixture {
            link: b"anon_inode:[io_uring]",
            info: b"SqMask:\t0x7\nSqHead:\t4294967295\nSqTail:\t1\nCqMask:\t0xf\nCqHead:\t3\nCqTail:\t3\nSqThread:\t-1\nUserFiles:\t2\n",
            ..Fixture::default()
        }
        .decode();
        assert_eq!(name(&fd), "2 of 8 submissions, 0 of 16 completions waiting");
        assert_eq!(value(&fd, "sq_thread"), &Value::Int(-1));
    }
}
