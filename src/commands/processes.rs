//! Which processes a command line means.

use crate::context::Context;
use crate::error::Error;
use crate::model::Pid;
use crate::proc::{ProcRoot, Target, TargetError, all_pids, resolve};

/// All processes.
pub(super) fn all(context: &Context) -> Result<Vec<Pid>, Error> {
    let root = &context.root;
    all_pids(root).map_err(|e| Error::Io(root.path().display().to_string(), e))
}

/// fdscope itself.
pub(super) fn own(context: &Context) -> Result<Pid, Error> {
    let unseen = || format!("fdscope itself is not to be seen in {}", context.root.path().display());
    context.root.own().ok_or_else(|| Error::Refused(unseen()))
}

/// The processes that targets mean, each with its target, and how many targets are not there:
/// of those the user is told.
pub(super) fn named<'t>(context: &Context, targets: &'t [Target]) -> (Vec<(Pid, &'t Target)>, u64) {
    found(context, targets, resolve)
}

/// What `resolve` finds of targets, as [`named`].
pub(super) fn found<'t, T>(
    context: &Context,
    targets: &'t [Target],
    resolve: impl Fn(&ProcRoot, &Target) -> Result<Vec<T>, TargetError>,
) -> (Vec<(T, &'t Target)>, u64) {
    let mut found = Vec::new();
    let mut missing = 0;
    for target in targets {
        match resolve(&context.root, target) {
            Ok(tasks) => found.extend(tasks.into_iter().map(|task| (task, target))),
            Err(e) => {
                context.complain(&format!("{}: {}", e.target, e.reason));
                missing += 1;
            }
        }
    }
    (found, missing)
}
