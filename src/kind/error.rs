//! Fds that could not be read: a row with the system call and the error, never a hole.

use super::{Kind, ShapeKind};
use crate::model::{Fd, Field, Type, errno_name, errno_words};
use std::io::Write as _;

pub(super) static KIND: Kind = Kind {
    name: "error",
    help: "an fd that could not be read",
    shape: ShapeKind::Path,
    object: "error",
    fields: &[
        Field::new("error.call", Type::String, "the system call that failed"),
        Field::new("error.errno", Type::String, "its error, such as EACCES"),
    ],
    // Made by `failed` alone.
    claim: |_| false,
    ..Kind::DEFAULT
};

/// Turns `fd` into an error row: `call` failed with `errno`.
pub fn failed(fd: &mut Fd, call: &'static str, errno: i32) {
    fd.kind = KIND.name.into();
    fd.object = KIND.object;
    drop(write!(fd.name, "{call}: {}", errno_words(errno)));
    fd.put("call", call);
    fd.put("errno", errno_name(errno));
}
