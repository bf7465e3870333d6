//! Selectors beside each other: what they cost as fds grow.
//!
//! A `Case` is a selector in one of its ways, with so many fds of which so many become ready at a
//! time. All cases are measured in each run, one after the other, so that whatever slows the
//! machine down for a while slows all of them; a run's measurement of one is a `Sample`, and what is
//! shown is the median.

mod asleep;
mod attendant;
mod case;
mod fault;
mod kind;
mod options;
mod room;
mod row;
mod sample;
mod session;
mod turn;
mod way;

pub(super) use options::Options;
pub(in super::super) use row::fields;

use crate::context::Context;
use crate::error::{Error, Outcome};
use crate::model::Tally;
use crate::render::{Format, Renderer};
use session::End;

/// Measures, and shows what was measured.
pub(super) fn run(options: &Options, context: &mut Context) -> Result<Outcome, Error> {
    let plan = case::plan(options)?;
    let (plan, refused) = room::fitting(plan, options.kind, context);
    let measured = session::run(&plan, options)?;
    let columns = if context.style.format == Format::Table { row::TABLE } else { row::RECORD };
    let renderer = Renderer::new(context.style, "bench", row::columns(columns), false);
    let rows = row::rows(&measured, options.kind);
    let tally = Tally { denied: refused, ..Tally::default() };
    renderer.write_all(&mut context.out, rows, tally).map_err(Error::Output)?;
    match measured.end {
        End::Signal(signal) => Ok(Outcome::Signalled(signal as i32)),
        End::Done if refused > 0 => Err(Error::Target),
        End::Done => Ok(Outcome::Met),
    }
}
