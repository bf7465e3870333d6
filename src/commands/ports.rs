//! `list --port` of all processes: who has a port is known before any process is listed.

use super::listing::{Job, Mode, Report};
use crate::model::{FdNum, Pid};
use crate::proc::{Slice, holders_on_ports};
use std::collections::BTreeMap;

/// What is left to be listed once those who have a port are known; what could not be read, and in
/// [`Mode::Pids`] perhaps all that was asked for, is in the report. Nothing where they cannot be known.
pub(super) fn slices(job: &Job<'_>, report: &mut Report) -> Option<Vec<Slice>> {
    let filter = &job.plan.filter;
    if filter.ports.is_empty() || job.user.is_some() || job.plan.threads {
        return None;
    }
    // Whether a process has any, or which ones it has.
    let asks_more = job.query.is_some()
        || filter.fds.is_some()
        || !filter.kinds.is_empty()
        || filter.path.is_some()
        || filter.deleted;
    let only_pids = job.mode == Mode::Pids && !asks_more;
    // The listing tells what is wrong with /proc, if anything is.
    let swept = holders_on_ports(job.system, &filter.ports, only_pids).ok().flatten()?;
    report.add_unread(&swept);
    let holders = swept.iter().flat_map(|(_, holders)| holders);
    if only_pids {
        for holder in holders {
            report.add_process(&holder.process);
        }
        return Some(Vec::new());
    }
    let mut fds: BTreeMap<Pid, Vec<FdNum>> = BTreeMap::new();
    for holder in holders {
        fds.entry(holder.process.pid).or_default().push(holder.fd);
    }
    Some(fds.into_iter().map(|(pid, fds)| Slice::whole(pid, Some(fds.into_iter().collect()))).collect())
}
