//! Whether there are fds enough: `RLIMIT_NOFILE`.

use super::case::Case;
use super::kind::Kind;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Fds beside those that are watched: selectors, and what is opened meanwhile.
const SPARE: u64 = 16;

/// Raises the soft limit to the hard one, and parts those cases for which there are fds enough from the
/// others, of which it gives what to tell of them.
pub(super) fn fitting(plan: Vec<Case>, kind: Kind) -> (Vec<Case>, Vec<String>, u64) {
    let limit = getrlimit(Resource::Nofile);
    // It may always be raised so far. If not, the limit is what it was.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let open = std::fs::read_dir("/proc/self/fd").map_or(SPARE, |fds| fds.count() as u64);
    let needed = |case: &Case| case.fds as u64 * kind.fds() + open + SPARE;
    let (fitting, others): (Vec<Case>, Vec<Case>) = plan.into_iter().partition(|case| needed(case) <= limit);
    let of_fds = others.chunk_by(|a, b| a.fds == b.fds).map(|same| same[0]);
    let told = of_fds.map(|case| refusal(case.fds, kind, needed(&case), limit)).collect();
    (fitting, told, others.len() as u64)
}

fn refusal(fds: usize, kind: Kind, needed: u64, limit: u64) -> String {
    let nr_open = std::fs::read_to_string("/proc/sys/fs/nr_open").ok();
    let nr_open = nr_open.and_then(|text| text.trim().parse().ok()).unwrap_or(u64::MAX);
    let first = if needed > nr_open { format!("sysctl fs.nr_open={needed} && ") } else { String::new() };
    format!(
        "{fds} fds of kind {} are not measured: they take {needed} in all, and the hard nofile limit is {limit}; \
         as root, '{first}prlimit --pid $$ --nofile={needed}:{needed}' raises it for this shell",
        kind.name()
    )
}
