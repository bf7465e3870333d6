//! Selectors beside each other: what they cost as fds grow.
//!
//! A `Case` is a selector in one of its ways, with so many fds of which so many become ready at a
//! time. All cases are measured in each run, one after the other, so that whatever slows the
//! machine down for a while slows all of them; a run's measurement of one is a `Sample`, and what is
//! shown is the median.

mod asleep;
mod attendant;
mod case;
mod charts;
mod fault;
mod kind;
mod notes;
mod options;
mod room;
mod row;
mod sample;
mod session;
mod turn;
mod way;

pub(super) use options::Options;
pub(in super::super) use row::fields;

use super::options::Extent;
use super::plot::{Chart, PlotFile, Terminal};
use crate::commands::sink::terminal_size;
use crate::commands::{columns, locale};
use crate::context::Context;
use crate::error::{Error, Outcome};
use crate::model::Tally;
use crate::render::{Format, Renderer};
use row::Row;
use std::io::Write as _;

/// Measures, and shows what was measured.
pub(super) fn run(
    options: &Options,
    extent: Extent,
    plot: Option<PlotFile>,
    context: &mut Context,
) -> Result<Outcome, Error> {
    let plan = case::plan(options)?;
    if plot.is_some() && !case::grows(&plan) {
        let text = "--plot draws curves, which take several numbers of --fds or of --active that go together";
        return Err(Error::Usage(text.to_owned()));
    }
    let (plan, told, mut refused) = room::fitting(plan, options.kind);
    told.iter().for_each(|text| context.complain(text));
    let measured = session::run(&plan, options.kind, extent, context.quiet)?;
    refused += measured.cases.iter().filter(|measuring| measuring.refused).count() as u64;
    let rows = row::rows(&measured, options.kind);
    notes::tell(&rows, &measured, extent, context);
    // First, since whoever reads the table may go away.
    let drawn = plot.map_or(Ok(()), |plot| draw(plot, &charts::charts(&rows, options.kind), context));
    show(&rows, options, refused, context)?;
    drawn?;
    match measured.signal {
        Some(signal) => Ok(Outcome::Signalled(signal as i32)),
        None if rows.is_empty() || refused > 0 && options.names_fds() => Err(Error::Target),
        None => Ok(Outcome::Met),
    }
}

/// Pictures in a file, which is left as it is if there are none.
fn draw(plot: PlotFile, charts: &[Chart], context: &Context) -> Result<(), Error> {
    if charts.is_empty() {
        context.complain("nothing is drawn, since too little was measured for a curve");
        return Ok(());
    }
    plot.write(charts)
}

/// A table and pictures, or records.
fn show(rows: &[Row], options: &Options, refused: u64, context: &mut Context) -> Result<(), Error> {
    let table = context.style.format == Format::Table;
    let mut columns = row::columns(if table { row::TABLE } else { row::RECORD });
    if table {
        columns::for_people(&mut columns, row::SHOWN);
    }
    let renderer = Renderer::new(context.style, "bench", columns, false);
    let tally = Tally { denied: refused, ..Tally::default() };
    renderer.write_all(&mut context.out, rows.iter().cloned(), tally).map_err(Error::Output)?;
    if !table {
        return Ok(());
    }
    let terminal =
        Terminal { width: terminal_size().0, color: context.style.color, unicode: locale::is_utf8() };
    for chart in charts::charts(rows, options.kind) {
        let lines = terminal.draw(&chart).join("\n");
        writeln!(context.out, "\n{lines}").map_err(Error::Output)?;
    }
    context.out.flush().map_err(Error::Output)
}
