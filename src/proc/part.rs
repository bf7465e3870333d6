//! Processes with many fds are read in parts, on all cores.

use super::iterator::SharedTable;
use super::root::ProcRoot;
use crate::model::Pid;

/// A piece of the work: fds of a process, by number.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) pid: Pid,
    pub(super) first: i32,
    pub(super) last: i32,
    /// What all parts of a process may have in common.
    pub(super) shared: Option<SharedTable>,
}

/// The fds of a process from `first` on, in parts of about `step`, if there are as many as `least`.
pub(super) fn parts(
    root: &ProcRoot,
    pid: Pid,
    first: i32,
    step: i32,
    least: u64,
) -> impl Iterator<Item = Part> + use<> {
    // Since Linux 6.2 the size of the directory is the number of fds.
    let size = || rustix::fs::stat(root.join(format!("{pid}/fd"))).map_or(0, |s| s.st_size as u64);
    let count = if root.is_native() { size().saturating_sub(first as u64) } else { 0 };
    let number = if count < least { 1 } else { count.div_ceil(step as u64) as i32 };
    let shared = (number > 1).then(SharedTable::default);
    (0..number).map(move |part| Part {
        pid,
        first: first + part * step,
        // Numbers may have gaps: the last part takes all that is left.
        last: if part + 1 == number { i32::MAX } else { first + (part + 1) * step - 1 },
        shared: shared.clone(),
    })
}
