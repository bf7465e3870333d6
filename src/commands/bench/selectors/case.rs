//! What is to be measured.

use super::options::Options;
use super::way::{Way, chosen};
use crate::error::Error;
use std::fmt;

/// One thing that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Case {
    pub(super) way: Way,
    /// How many fds it watches.
    pub(super) fds: usize,
    /// How many of them become ready at a time.
    pub(super) active: usize,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { way, fds, active } = self;
        write!(f, "{way}, {fds} fds, {active} active")
    }
}

/// All cases, those with the same fds together. More active ones than there are fds make no case.
pub(super) fn plan(options: &Options) -> Result<Vec<Case>, Error> {
    let numbers = |given: &[u32]| {
        let mut numbers: Vec<usize> = given.iter().map(|&n| n as usize).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    };
    let (fds, active) = (numbers(options.fds()), numbers(options.active()));
    if let (Some(most), Some(largest)) = (active.last(), fds.last())
        && most > largest
        && options.names_active()
    {
        return Err(Error::Usage(format!(
            "--active {most} is more than there are fds: --fds is {largest} at most"
        )));
    }
    let ways = chosen(&options.selector);
    let mut plan = Vec::new();
    for &fds in &fds {
        for &active in active.iter().filter(|&&active| active <= fds) {
            plan.extend(ways.iter().map(|&way| Case { way, fds, active }));
        }
    }
    Ok(plan)
}

/// Whether anything grows in it: without, there is nothing to draw.
pub(super) fn grows(plan: &[Case]) -> bool {
    plan.iter().any(|case| case.fds != plan[0].fds || case.active != plan[0].active)
}
