//! The same small service in three ways: a thread for each connection, a process for each, or one
//! event loop for all.
//!
//! A `Scene` is a load with so many connections. For each, one [`server`] of each model is started,
//! `fdscope listen` in processes of its own, and all are measured in turns, so that whatever slows
//! the machine down for a while slows all of them. What a `Contest` gave in its runs is a `Row`.

mod contest;
mod load;
mod options;
mod room;
mod row;
mod scene;
mod seen;
mod server;
mod session;

pub(super) use options::Options;
pub(in super::super) use row::fields;

use super::options::Extent;
use crate::context::Context;
use crate::error::{Error, Outcome};
use crate::model::Tally;
use crate::render::{Format, Renderer};
use std::io::Write as _;

/// Measures, and shows what was measured.
pub(super) fn run(options: &Options, extent: Extent, context: &mut Context) -> Result<Outcome, Error> {
    if let Some(why) = context.root.strangeness() {
        return Err(Error::Usage(format!("--servers looks at processes of its own: {why}")));
    }
    let (plan, refused) = room::fitting(scene::plan(options)?, options, context);
    let measured = session::run(&plan, extent, context)?;
    if let Some(signal) = measured.signal {
        let all: usize = plan.iter().map(|scene| scene.models.len()).sum();
        context.note(&format!("ended by {signal} with {} of {all} figures", measured.rows.len()));
    }
    let none = measured.rows.is_empty();
    let table = context.style.format == Format::Table;
    let columns = if table { row::SHOWN } else { row::COLUMNS };
    let renderer = Renderer::new(context.style, "bench", columns.to_vec(), false);
    let seen = if table { seen::sentences(&measured.rows) } else { Vec::new() };
    let tally = Tally { denied: refused, ..Tally::default() };
    renderer.write_all(&mut context.out, measured.rows, tally).map_err(Error::Output)?;
    for (nth, sentence) in seen.iter().enumerate() {
        let before = if nth == 0 { "\n" } else { "" };
        writeln!(context.out, "{before}{sentence}").map_err(Error::Output)?;
    }
    context.out.flush().map_err(Error::Output)?;
    match measured.signal {
        Some(signal) => Ok(Outcome::Signalled(signal as i32)),
        None if none || refused > 0 && options.names_connections() => Err(Error::Target),
        None => Ok(Outcome::Met),
    }
}
