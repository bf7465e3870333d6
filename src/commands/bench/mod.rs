//! `fdscope bench`: what waiting for fds costs on this machine.

mod options;
mod plot;
mod progress;
mod selectors;

pub use options::Args;
pub(super) use selectors::fields;

use crate::context::Context;
use crate::error::{Error, Outcome};
use plot::PlotFile;

/// Runs `fdscope bench`.
pub fn run(args: Args, context: &mut Context) -> Result<Outcome, Error> {
    let plot = args.plot.as_deref().map(PlotFile::open).transpose()?;
    selectors::run(&args.selectors, plot, context)
}
