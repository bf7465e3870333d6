//! What the reader of the figures should know.

use super::row::Row;
use super::session::Measured;
use crate::commands::bench::options::Extent;
use crate::commands::bench::statistics::WIDE;
use crate::context::Context;
use crate::model::quantity;

/// Tells it on standard error.
pub(super) fn tell(rows: &[Row], measured: &Measured, extent: Extent, context: &Context) {
    if let Some(signal) = measured.signal {
        let cases = &measured.cases;
        let done: usize = cases.iter().map(|measuring| measuring.samples.len()).sum();
        let all = cases.len() * extent.runs as usize;
        context.note(&format!("ended by {signal} after {done} of {all} measurements"));
    }
    let wide = rows.iter().filter(|row| row.event.is_wide()).count();
    if wide > 0 {
        context.note(&format!(
            "{} of {} a spread of {WIDE}% or more: something else ran meanwhile, or --for is too short",
            quantity(wide, "figure", "figures"),
            if wide == 1 { "ns_per_event has" } else { "ns_per_event have" },
        ));
    }
    let most = |row: &Row| row.case.way.backend.capabilities().highest_fd_in_c;
    let beyond = |row: &Row| most(row).is_some_and(|most| row.case.fds as i32 > most.0);
    if let Some(row) = rows.iter().find(|row| beyond(row)) {
        context.note(&format!(
            "{} was measured by its system call; with the fd_set of the C library it takes no fd of {} or above",
            row.case.way,
            libc::FD_SETSIZE
        ));
    }
}
