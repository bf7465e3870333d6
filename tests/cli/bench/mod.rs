//! `fdscope bench`: that all is counted, told and drawn. How fast anything is, no test says.

mod bad_input;
mod ending;
mod limits;
mod output;
mod plot;
mod selectors;
mod servers;

use crate::support::Fdscope;

/// The run to be: short, and as small as it can be where the arguments do not say otherwise.
fn bench(arguments: impl AsRef<str>) -> Fdscope {
    Fdscope::new(format!("bench --for 20ms {}", arguments.as_ref()))
}
