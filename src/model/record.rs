//! What a renderer sees of a record: columns that give cells.

use super::field::Field;
use super::ids::Pid;
use super::process::Process;
use super::value::{Cell, Value};
use std::sync::Arc;

/// One record of an output.
pub trait Record {
    /// The fields that only depend on [`Record::subject`].
    const OF_SUBJECT: &'static [&'static str] = &[];

    /// The process that the record is of, and the thread where that is told: most records have both in
    /// common with the one before, and what is the same need be encoded once.
    fn subject(&self) -> Option<(&Arc<Process>, Option<Pid>)> {
        None
    }

    /// The record's own object (`tcp`, `epoll`, ...), nested in JSON under its name.
    fn object(&self) -> Option<(&'static str, &[(&'static str, Value)])> {
        None
    }

    /// How much the record should stand out for a person.
    fn emphasis(&self) -> Emphasis {
        Emphasis::None
    }
}

/// How much a row stands out on a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emphasis {
    /// As the others.
    None,
    /// Worth a look.
    Notice,
    /// Something failed.
    Alarm,
}

impl Emphasis {
    /// For how much of a limit is used, in percent.
    pub fn of_share(percent: Option<f64>) -> Self {
        match percent {
            Some(p) if p >= 90.0 => Self::Alarm,
            Some(p) if p >= 75.0 => Self::Notice,
            _ => Self::None,
        }
    }
}

/// A field together with the way to read it from a record.
pub struct Column<R: 'static> {
    /// Name, type and help.
    pub field: &'static Field,
    /// How to read it.
    pub get: Getter<R>,
}

/// The way to read a column's value.
pub enum Getter<R: 'static> {
    /// All records of this sort have it.
    Own(fn(&R) -> Option<Cell<'_>>),
    /// It sits in the record's object, if that is called `object`.
    Object {
        /// The object's name.
        object: &'static str,
        /// The name in it.
        key: &'static str,
    },
}

/// A table of columns that all records of a sort have: name, type, help and getter of each.
macro_rules! column_table {
    ($($name:literal, $ty:ident $([$members:expr])?, $help:literal, $get:expr;)*) => {
        &[$($crate::model::Column {
            field: &$crate::model::Field::new($name, $crate::model::Type::$ty, $help)$(.with($members))?,
            get: $crate::model::Getter::Own($get),
        }),*]
    };
}
pub(crate) use column_table;

impl<R> Clone for Column<R> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<R> Copy for Column<R> {}
impl<R> Clone for Getter<R> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<R> Copy for Getter<R> {}

impl<R: Record> Column<R> {
    /// The value in `record`; `None` where the record has no such field.
    #[inline]
    pub fn cell<'r>(&self, record: &'r R) -> Option<Cell<'r>> {
        match self.get {
            Getter::Own(get) => get(record),
            Getter::Object { object, key } => {
                let (name, values) = record.object()?;
                if name != object {
                    return None;
                }
                values.iter().find(|(k, _)| *k == key).map(|(_, v)| v.cell())
            }
        }
    }
}
