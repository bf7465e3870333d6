//! Whether there are fds enough: `RLIMIT_NOFILE`.

use super::case::Case;
use super::kind::Kind;
use crate::commands::bench::room::{nofile_remedy, open_fds};
use crate::commands::rlimit::raise;
use rustix::process::Resource;

/// Fds beside those that are watched: selectors, and what is opened meanwhile.
const SPARE: u64 = 16;

/// Raises the soft limit to the hard one, and parts those cases for which there are fds enough from the
/// others, of which it gives what to tell of them.
pub(super) fn fitting(plan: Vec<Case>, kind: Kind) -> (Vec<Case>, Vec<String>, u64) {
    let limit = raise(Resource::Nofile).unwrap_or(u64::MAX);
    let open = open_fds(SPARE);
    let needed = |case: &Case| case.fds as u64 * kind.fds() + open + SPARE;
    let (fitting, others): (Vec<Case>, Vec<Case>) = plan.into_iter().partition(|case| needed(case) <= limit);
    let of_fds = others.chunk_by(|a, b| a.fds == b.fds).map(|same| same[0]);
    let told = of_fds.map(|case| refusal(case.fds, kind, needed(&case), limit)).collect();
    (fitting, told, others.len() as u64)
}

fn refusal(fds: usize, kind: Kind, needed: u64, limit: u64) -> String {
    format!(
        "{fds} fds of kind {} are not measured: they take {needed} in all, and the hard nofile limit is {limit}; {}",
        kind.name(),
        nofile_remedy(needed)
    )
}
