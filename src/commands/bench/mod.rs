//! `fdscope bench`: what waiting for fds costs on this machine.

mod options;
mod selectors;

pub use options::Args;
pub(super) use selectors::fields;

use crate::context::Context;
use crate::error::{Error, Outcome};

/// Runs `fdscope bench`.
pub fn run(args: Args, context: &mut Context) -> Result<Outcome, Error> {
    selectors::run(&args.selectors, context)
}
