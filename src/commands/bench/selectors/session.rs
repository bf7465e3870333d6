//! All cases, run after run.

use super::attendant::Attendant;
use super::case::Case;
use super::fault::Fault;
use super::kind::Ends;
use super::options::Options;
use super::sample::{self, Sample};
use crate::error::Error;
use nix::sys::signal::Signal;

/// What was measured.
pub(super) struct Measured {
    /// Each case with what its runs gave.
    pub(super) cases: Vec<(Case, Vec<Sample>)>,
    pub(super) end: End,
}

/// Why no more was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// That was all.
    Done,
    /// A signal.
    Signal(Signal),
}

/// Measures each case once in each run. An error of one is an error of all.
pub(super) fn run(plan: &[Case], options: &Options) -> Result<Measured, Error> {
    let mut attendant = Attendant::new().map_err(|e| Error::Io("signals".to_owned(), e))?;
    let mut cases: Vec<(Case, Vec<Sample>)> = plan.iter().map(|&case| (case, Vec::new())).collect();
    let time = options.time / options.runs / u32::try_from(plan.len().max(1)).unwrap_or(u32::MAX);
    let mut end = End::Done;
    'runs: for _ in 0..options.runs {
        for same in cases.chunk_by_mut(|(a, _), (b, _)| a.fds == b.fds) {
            let fds = same[0].0.fds;
            let ends = Ends::open(options.kind, fds).map_err(|e| {
                Error::Refused(format!("cannot open {fds} of kind {}: {e}", options.kind.name()))
            })?;
            for (case, samples) in same {
                match attendant.check().and_then(|()| sample::take(case, &ends, time, &mut attendant)) {
                    Ok(sample) => samples.push(sample),
                    Err(Fault::Signal(signal)) => {
                        end = End::Signal(signal);
                        break 'runs;
                    }
                    Err(fault) => {
                        let Case { way, fds, active } = case;
                        return Err(Error::Refused(format!("{way}, {fds} fds, {active} active: {fault}")));
                    }
                }
            }
        }
    }
    Ok(Measured { cases, end })
}
