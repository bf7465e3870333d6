//! Symbolic links, which only `O_PATH | O_NOFOLLOW` can open.

use super::{Kind, ShapeKind, directory};

pub(super) static KIND: Kind = Kind {
    name: "symlink",
    help: "a symbolic link itself (O_PATH with O_NOFOLLOW)",
    shape: ShapeKind::Path,
    claim: |p| p.file_type() == Some(libc::S_IFLNK),
    decode: directory::path_name,
    ..Kind::DEFAULT
};
