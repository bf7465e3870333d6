//! The registry of `list`'s fields: the common ones, then those that kinds own.

use crate::kind;
use crate::model::{Column, FD_FIELDS, Fd, Getter, SOCKET_FIELDS};

/// All columns of `list`, in the order of the manual.
pub fn all() -> Vec<Column<Fd>> {
    let own = kind::fields().filter_map(|field| {
        let (object, key) = field.name.split_once('.')?;
        Some(Column { field, get: Getter::Object { object, key } })
    });
    FD_FIELDS.iter().chain(SOCKET_FIELDS).copied().chain(own).collect()
}
