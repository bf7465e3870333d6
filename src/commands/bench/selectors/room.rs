//! Whether there are fds enough: `RLIMIT_NOFILE`.

use super::case::Case;
use super::kind::Kind;
use crate::context::Context;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Fds beside those that are watched: selectors, and what is opened meanwhile.
const SPARE: u64 = 16;

/// The cases for which there are fds enough, and how many others there are, of which the user is
/// told. Raises the soft limit to the hard one.
pub(super) fn fitting(plan: Vec<Case>, kind: Kind, context: &Context) -> (Vec<Case>, u64) {
    let limit = getrlimit(Resource::Nofile);
    // It may always be raised so far. If not, the limit is what it was.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let open = std::fs::read_dir("/proc/self/fd").map_or(SPARE, |fds| fds.count() as u64);
    let needed = |case: &Case| case.fds as u64 * kind.fds() + open + SPARE;
    let (fitting, others): (Vec<Case>, Vec<Case>) = plan.into_iter().partition(|case| needed(case) <= limit);
    let mut told = 0;
    for case in &others {
        if case.fds != told {
            told = case.fds;
            context.complain(&refusal(case.fds, kind, needed(case), limit));
        }
    }
    (fitting, others.len() as u64)
}

fn refusal(fds: usize, kind: Kind, needed: u64, limit: u64) -> String {
    format!(
        "{fds} {}s are not measured: they take {needed} fds, and the hard nofile limit is {limit}; as root, \
         'prlimit --pid $$ --nofile={needed}:{needed}' raises it for this shell",
        kind.name()
    )
}
