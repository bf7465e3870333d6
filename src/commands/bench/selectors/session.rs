//! All cases, run after run.

use super::attendant::Attendant;
use super::case::Case;
use super::fault::Fault;
use super::kind::{Ends, Kind};
use super::sample::{self, Sample};
use crate::commands::bench::options::Extent;
use crate::commands::bench::progress::Progress;
use crate::context::complain;
use crate::error::Error;
use nix::sys::signal::Signal;
use std::time::Duration;

/// What was measured.
pub(super) struct Measured {
    /// Each case with what its runs gave.
    pub(super) cases: Vec<Measuring>,
    /// The signal that ended it before all was.
    pub(super) signal: Option<Signal>,
}

/// A case, as it is measured.
pub(super) struct Measuring {
    pub(super) case: Case,
    /// What each run gave.
    pub(super) samples: Vec<Sample>,
    /// The machine's limits do not allow it.
    pub(super) refused: bool,
}

/// Measures each case once in each run. An error of one is an error of all.
pub(super) fn run(plan: &[Case], kind: Kind, extent: Extent, quiet: bool) -> Result<Measured, Error> {
    let mut attendant = Attendant::new().map_err(|e| Error::Io("signals".to_owned(), e))?;
    let measuring = |&case: &Case| Measuring { case, samples: Vec::new(), refused: false };
    let mut cases: Vec<Measuring> = plan.iter().map(measuring).collect();
    let time = extent.time / extent.runs / u32::try_from(plan.len().max(1)).unwrap_or(u32::MAX);
    let progress = Progress::new(u64::from(extent.runs) * plan.len() as u64, quiet);
    for nth in 1..=extent.runs {
        for same in cases.chunk_by_mut(|a, b| a.case.fds == b.case.fds) {
            let ends = open(kind, same[0].case.fds)?;
            for measuring in same {
                progress.next(format!("run {nth} of {}: {}", extent.runs, measuring.case));
                match measuring.measure(&ends, time, &mut attendant, &progress) {
                    Ok(()) => progress.done(),
                    Err(Fault::Signal(signal)) => return Ok(Measured { cases, signal: Some(signal) }),
                    Err(fault) => return Err(Error::Refused(format!("{}: {fault}", measuring.case))),
                }
            }
        }
    }
    Ok(Measured { cases, signal: None })
}

fn open(kind: Kind, count: usize) -> Result<Ends, Error> {
    Ends::open(kind, count)
        .map_err(|e| Error::Refused(format!("cannot open {count} of kind {}: {e}", kind.name())))
}

impl Measuring {
    fn measure(
        &mut self,
        ends: &Ends,
        time: Duration,
        attendant: &mut Attendant,
        progress: &Progress,
    ) -> Result<(), Fault> {
        attendant.check()?;
        if self.refused {
            return Ok(());
        }
        match sample::take(&self.case, ends, time, attendant) {
            Ok(sample) => self.samples.push(sample),
            Err(fault) => {
                let Some(remedy) = fault.remedy() else { return Err(fault) };
                let text = format!("{} is not measured: {fault}; {remedy}", self.case);
                progress.aside(|| complain(&text));
                self.refused = true;
            }
        }
        Ok(())
    }
}
