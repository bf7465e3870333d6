//! Which threads of which processes a command line means.

use crate::commands::processes;
use crate::context::Context;
use crate::model::{FdNum, FdRanges, Pid};
use crate::proc::{Target, Task, resolve_tasks};

/// A process, and those of its threads that are asked for.
pub(super) struct Wanted {
    pub(super) pid: Pid,
    /// Nothing for all.
    pub(super) tids: Option<FdRanges>,
    /// The target, as it was written.
    pub(super) text: String,
}

impl Wanted {
    pub(super) fn takes(&self, tid: Pid) -> bool {
        self.tids.as_ref().is_none_or(|tids| tids.contains(FdNum(tid.0)))
    }
}

/// A target, whose numbers behind a colon are thread ids.
pub(super) fn parse(bytes: &[u8]) -> Result<Target, String> {
    let of_threads = |e: String| e.replace("an fd number", "a thread id").replace("PID:FDS", "PID:TIDS");
    Target::from_bytes(bytes).map_err(of_threads)
}

/// The processes that targets mean, each once, and how many targets are not there: of those the user
/// is told. The id of a thread that is not the first of its process means that thread.
pub(super) fn resolve(context: &Context, targets: &[Target]) -> (Vec<Wanted>, u64) {
    let (named, missing) = processes::found(context, targets, resolve_tasks);
    let mut wanted: Vec<Wanted> = Vec::new();
    for (task, target) in named {
        let (pid, tids) = match task {
            Task::Process(pid) => (pid, target.fds.clone()),
            Task::Thread { tid, pid } => (pid, Some([FdNum(tid.0)].into_iter().collect())),
        };
        match wanted.iter_mut().find(|known| known.pid == pid) {
            Some(known) => {
                known.tids = match (known.tids.take(), tids) {
                    (Some(some), Some(more)) => Some(some.union(&more)),
                    _ => None,
                };
            }
            None => wanted.push(Wanted { pid, tids, text: target.text().to_owned() }),
        }
    }
    (wanted, missing)
}
