//! Figures in cells of a table.

use crate::model::Cell;

/// A word, or a figure as people read it.
pub(super) fn word(text: &str) -> Option<Cell<'_>> {
    Some(Cell::Text(text.as_bytes()))
}

/// A number, as [`round`] has it.
pub(super) fn number(x: f64, parts: f64) -> Option<Cell<'static>> {
    Some(Cell::Float(round(x, parts)))
}

/// A number that may not be known.
pub(super) fn known(x: Option<f64>, parts: f64) -> Option<Cell<'static>> {
    x.map_or(Some(Cell::Null), |x| number(x, parts))
}

/// To the nearest of so many parts of one.
pub(super) fn round(x: f64, parts: f64) -> f64 {
    (x * parts).round() / parts
}
