//! `vsock(7)`. /proc has no table of them: addresses come with sock_diag.

use super::{Kind, ShapeKind, inet};
use crate::model::Family;

pub(super) static KIND: Kind = Kind {
    name: "vsock",
    help: "a socket between a virtual machine and its host",
    groups: &["socket"],
    shape: ShapeKind::Socket,
    needs_info: true,
    can_block: true,
    quiet_poll: true,
    claim: |p| inet::is(p, Family::Vsock),
    decode: |_, fd| fd.name.extend_from_slice(b"not listed in /proc"),
    ..Kind::DEFAULT
};
