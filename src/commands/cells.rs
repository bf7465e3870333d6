//! Values of events in cells.

use crate::model::Cell;
use std::time::Duration;

/// Text that every event of the sort has.
pub(super) fn text(bytes: &[u8]) -> Option<Cell<'_>> {
    Some(Cell::Text(bytes))
}

/// A time in seconds, to the microsecond.
pub(super) fn seconds(duration: Duration) -> Cell<'static> {
    Cell::Float(duration.as_micros() as f64 / 1e6)
}
