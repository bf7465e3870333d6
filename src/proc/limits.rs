//! Resource limits of a process: `prlimit(2)` where it is allowed, else `/proc/PID/limits`, which
//! everybody may read.

use super::process::OpenError;
use super::root::ProcRoot;
use crate::model::{Pid, Resource};
use crate::sys;
use procfs::process::{LimitValue as FileValue, Limits, Process};
use std::io;

/// One limit's value; `None` is unlimited.
pub type LimitValue = Option<u64>;

/// Soft and hard limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rlimit {
    /// What is enforced.
    pub soft: LimitValue,
    /// The most that the process may set the soft limit to.
    pub hard: LimitValue,
}

const INFINITY: u64 = libc::RLIM64_INFINITY;

impl Rlimit {
    fn from_kernel((soft, hard): (u64, u64)) -> Self {
        let value = |n| (n != INFINITY).then_some(n);
        Self { soft: value(soft), hard: value(hard) }
    }
}

/// One limit of a process.
pub fn limit_of(root: &ProcRoot, pid: Pid, resource: Resource) -> Result<Rlimit, OpenError> {
    if root.is_native()
        && let Ok(limits) = sys::prlimit(pid, resource, None)
    {
        return Ok(Rlimit::from_kernel(limits));
    }
    let limits = limits_of(root, pid)?;
    limits.into_iter().find(|(r, _)| *r == resource).map(|(_, l)| l).ok_or(OpenError::Gone)
}

/// All limits of a process, in the order of [`Resource::ALL`].
pub fn limits_of(root: &ProcRoot, pid: Pid) -> Result<Vec<(Resource, Rlimit)>, OpenError> {
    let process = Process::new_with_root(root.join(pid.to_string())).map_err(open_error)?;
    let limits = process.limits().map_err(open_error)?;
    Ok(Resource::ALL.iter().map(|&r| (r, from_file(&limits, r))).collect())
}

fn open_error(error: procfs::ProcError) -> OpenError {
    use procfs::ProcError;
    match error {
        ProcError::PermissionDenied(_) => OpenError::Denied,
        ProcError::Io(e, _) => {
            e.raw_os_error().map_or(OpenError::Gone, |n| rustix::io::Errno::from_raw_os_error(n).into())
        }
        // An empty file: the process ended between open and read.
        _ => OpenError::Gone,
    }
}

fn from_file(limits: &Limits, resource: Resource) -> Rlimit {
    let limit = match resource.name {
        "nofile" => limits.max_open_files,
        "nproc" => limits.max_processes,
        "as" => limits.max_address_space,
        "data" => limits.max_data_size,
        "stack" => limits.max_stack_size,
        "memlock" => limits.max_locked_memory,
        "sigpending" => limits.max_pending_signals,
        "msgqueue" => limits.max_msgqueue_size,
        "core" => limits.max_core_file_size,
        "cpu" => limits.max_cpu_time,
        "fsize" => limits.max_file_size,
        "locks" => limits.max_file_locks,
        "nice" => limits.max_nice_priority,
        "rss" => limits.max_resident_set,
        "rtprio" => limits.max_realtime_priority,
        _ => limits.max_realtime_timeout,
    };
    let value = |v| match v {
        FileValue::Unlimited => None,
        FileValue::Value(n) => Some(n),
    };
    Rlimit { soft: value(limit.soft_limit), hard: value(limit.hard_limit) }
}

/// Sets a limit of a running process, `prlimit(2)`, and returns the old one.
pub fn set_limit(pid: Pid, resource: Resource, new: Rlimit) -> io::Result<Rlimit> {
    let raw = |v: LimitValue| v.unwrap_or(INFINITY);
    sys::prlimit(pid, resource, Some((raw(new.soft), raw(new.hard)))).map(Rlimit::from_kernel)
}
