//! What we may use ourselves.

use crate::context::Context;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::sched_getaffinity;

/// Raises our soft limit to the hard one, and gives it; nothing where it is unlimited.
pub(super) fn raise(resource: Resource) -> Option<u64> {
    let limit = getrlimit(resource);
    // It may always be raised so far. If not, the limit is what it was.
    let _ = setrlimit(resource, Rlimit { current: limit.maximum, ..limit });
    getrlimit(resource).current
}

/// Raises our soft limit on open files so far that so many fds can be open at once, and no further: what
/// fdscope says of its own limits stays what it was given, as a rule. Gives how many can be.
pub(super) fn allow_fds(needed: u64) -> u64 {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < needed) {
        limit.current = limit.maximum.map_or(Some(needed), |maximum| Some(needed.min(maximum)));
        // What cannot be raised is told where it matters.
        let _ = setrlimit(Resource::Nofile, limit);
    }
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// Has each worker have the fds that it takes, or tells that it may not.
pub(super) fn allow_for_workers(context: &Context) {
    /// What is open whoever works, and what a worker takes at the most, with some to spare.
    const ALL: u64 = 32;
    const EACH: u64 = 8;
    let needed = |cores: u64| ALL + EACH * cores;
    // As a rule there is enough for as many cores as there can be. Cgroups may allow fewer, and to ask them
    // takes several files.
    let most = sched_getaffinity(None).ok().map(|cores| needed(cores.count().into()));
    let current = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    if most.is_some_and(|most| current >= most) {
        return;
    }
    let needed = needed(std::thread::available_parallelism().map_or(1, |n| n.get() as u64));
    let allowed = allow_fds(needed);
    if allowed < needed {
        context.note(&format!(
            "fdscope itself may have only {allowed} fds open (RLIMIT_NOFILE): what is shown may lack something"
        ));
    }
}
