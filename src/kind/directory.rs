//! Directories.

use super::{Kind, Probe, ShapeKind};
use crate::model::Fd;

pub(super) static KIND: Kind = Kind {
    name: "directory",
    help: "a directory",
    groups: &["dir"],
    shape: ShapeKind::Path,
    claim: |p| p.file_type() == Some(libc::S_IFDIR),
    decode: path_name,
    ..Kind::DEFAULT
};

/// The path, and whether it is gone.
pub(super) fn path_name(probe: &Probe<'_>, fd: &mut Fd) {
    fd.name.extend_from_slice(probe.path());
    if probe.deleted {
        fd.name.extend_from_slice(b" (deleted)");
    }
}
