//! All scenes, one after the other, and in each the models in turns.

use super::contest::{Contest, Look};
use super::row::Row;
use super::scene::Scene;
use crate::commands::bench::options::Extent;
use crate::commands::bench::progress::Progress;
use crate::commands::signals::{self, Signals};
use crate::context::Context;
use crate::error::Error;
use crate::load::Failure;
use crate::proc::System;
use nix::sys::signal::Signal;

/// What was measured.
pub(super) struct Measured {
    pub(super) rows: Vec<Row>,
    /// What ended it before its time.
    pub(super) signal: Option<Signal>,
}

/// Measures every scene. An error of one is an error of all.
pub(super) fn run(plan: &[Scene], extent: Extent, context: &Context) -> Result<Measured, Error> {
    let io = |e| Error::Io("signals".to_owned(), e);
    let caught = signals::catch(&signals::ENDING).map_err(io)?;
    let signals = Signals::open(caught).map_err(io)?;
    let models: usize = plan.iter().map(|scene| scene.models.len()).sum();
    let runs = extent.runs.saturating_mul(u32::try_from(models.max(1)).unwrap_or(u32::MAX));
    // Of one run from now on.
    let extent = Extent { time: extent.time / runs, ..extent };
    let system = System::new(context.root.clone(), false);
    let look = Look { root: &context.root, system: &system, stop: signals.as_fd() };
    let mut measured = Measured { rows: Vec::new(), signal: None };
    let steps = models as u64 * (1 + u64::from(extent.runs));
    let progress = Progress::new(steps, context.quiet);
    let mut interrupted = false;
    for scene in plan {
        let mut contests = Vec::new();
        let ended = perform(scene, &mut contests, extent, &look, &progress);
        let done = contests.into_iter().filter(Contest::has_run);
        measured.rows.extend(done.map(|contest| Row::new(scene, contest.model, contest.finish(&look))));
        match ended {
            Ok(()) => {}
            Err((_, Failure::Interrupted)) => {
                interrupted = true;
                break;
            }
            Err((model, failure)) => return Err(Error::Refused(format!("{model}, {scene}: {failure}"))),
        }
    }
    if interrupted {
        let mut signals = signals;
        measured.signal = signals.next().map(|received| received.signal);
    }
    Ok(measured)
}

/// Starts the servers of a scene, and measures them.
fn perform(
    scene: &Scene,
    contests: &mut Vec<Contest>,
    extent: Extent,
    look: &Look<'_>,
    progress: &Progress,
) -> Result<(), (&'static str, Failure)> {
    for &model in &scene.models {
        let name = model.name();
        let told = |n: usize| progress.next(format!("{name}: connection {n} of {}", scene.connections));
        let contest = Contest::open(model, (scene, extent), look, &mut { told });
        contests.push(contest.map_err(|failure| (name, failure))?);
        progress.done();
    }
    for nth in 1..=extent.runs {
        for contest in contests.iter_mut() {
            let name = contest.model.name();
            progress.next(format!("run {nth} of {}: {name}, {scene}", extent.runs));
            contest.run(extent.time, look).map_err(|failure| (name, failure))?;
            progress.done();
        }
    }
    Ok(())
}
