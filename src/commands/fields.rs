//! The registry of `list`'s fields: the common ones, then those that kinds own.

use crate::kind;
use crate::model::{Cell, Column, FD_FIELDS, Fd, Getter, SOCKET_FIELDS, column_table};

/// All columns of `list`, in the order of the manual.
pub fn all() -> Vec<Column<Fd>> {
    let own = kind::fields().filter_map(|field| {
        let (object, key) = field.name.split_once('.')?;
        Some(Column { field, get: Getter::Object { object, key } })
    });
    FD_FIELDS.iter().chain(SOCKET_FIELDS).copied().chain(own).collect()
}

/// How people read some of them: a position only where there can be one, and not the 0 of sockets,
/// pipes and terminals.
pub(super) const SHOWN: &[Column<Fd>] = column_table! {
    "pos", Integer, "file position in bytes", |r| {
        let is_file = r.blocking.is_none() && r.link.starts_with(b"/");
        r.pos.filter(|&pos| is_file || pos > 0).map(Cell::Uint)
    };
};
