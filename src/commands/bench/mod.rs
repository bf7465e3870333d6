//! `fdscope bench`: what waiting for fds costs on this machine.

mod cells;
mod options;
mod plot;
mod progress;
mod room;
mod selectors;
mod servers;
mod statistics;

pub use options::Args;
pub(super) use selectors::fields;
pub(super) use servers::fields as fields_of_servers;

use crate::context::Context;
use crate::error::{Error, Outcome};
use plot::PlotFile;

/// Runs `fdscope bench`.
pub fn run(args: Args, context: &mut Context) -> Result<Outcome, Error> {
    if args.servers.servers {
        return servers::run(&args.servers, args.extent, context);
    }
    let plot = args.plot.as_deref().map(PlotFile::open).transpose()?;
    selectors::run(&args.selectors, args.extent, plot, context)
}
