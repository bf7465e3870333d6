//! What we may use ourselves.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises our soft limit to the hard one, and gives it; nothing where it is unlimited.
pub(super) fn raise(resource: Resource) -> Option<u64> {
    let limit = getrlimit(resource);
    // It may always be raised so far. If not, the limit is what it was.
    let _ = setrlimit(resource, Rlimit { current: limit.maximum, ..limit });
    getrlimit(resource).current
}
