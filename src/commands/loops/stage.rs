//! Which processes are looked at.

use super::process::Process;
use crate::commands::processes;
use crate::commands::rlimit::raise;
use crate::context::Context;
use crate::model::{FdRanges, Inode, Pid, errno_words};
use crate::proc::{OpenError, System, Target, socket_holders};
use crate::watch::turning::Limits;
use rustix::process::Resource;
use std::collections::HashSet;

/// The processes, with their loops.
pub(super) struct Stage {
    pub(super) processes: Vec<Process>,
    /// The targets, each with the processes that it means.
    targets: Vec<(Aim, Vec<Pid>)>,
    /// Whether a target was not there, or may not be looked at.
    pub(super) failed: bool,
}

/// What a target is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Aim {
    One,
    /// All processes of a name, of which some may come and go.
    Name(String),
}

impl Stage {
    /// Finds the processes and their loops. What cannot be looked at is told.
    pub(super) fn set(targets: &[Target], limits: Limits, context: &Context, system: &System) -> Self {
        let (named, missing) = processes::named(context, targets);
        // Each process takes a few fds.
        raise(Resource::Nofile);
        let mut stage = Self { processes: Vec::new(), targets: Vec::new(), failed: missing > 0 };
        let mut wanted: Vec<(Pid, Option<FdRanges>)> = Vec::new();
        for (pid, target) in named {
            let aim = if target.is_name() { Aim::Name(target.text().to_owned()) } else { Aim::One };
            match stage.targets.iter_mut().find(|(known, _)| aim != Aim::One && *known == aim) {
                Some((_, pids)) => pids.push(pid),
                None => stage.targets.push((aim, vec![pid])),
            }
            let only = target.fds.clone();
            // Named twice, by number and by name perhaps, is looked at once.
            match wanted.iter_mut().find(|(known, _)| *known == pid) {
                Some((_, fds)) => {
                    *fds = match (fds.take(), only) {
                        (Some(some), Some(more)) => Some(some.union(&more)),
                        _ => None,
                    }
                }
                None => wanted.push((pid, only)),
            }
        }
        for (pid, only) in wanted {
            match stage.open(system, pid, only.clone(), limits) {
                Ok(process) => {
                    if process.loops.is_empty() && only.is_some() {
                        context.complain(&format!("process {pid} has no epoll fd of that number"));
                        stage.failed = true;
                    }
                    stage.processes.push(process);
                }
                Err(reason) => {
                    context.complain(&reason);
                    stage.failed = true;
                }
            }
        }
        stage.share(system);
        stage
    }

    fn open(
        &self,
        system: &System,
        pid: Pid,
        only: Option<FdRanges>,
        limits: Limits,
    ) -> Result<Process, String> {
        if let Some(why) = system.root().strangeness() {
            return Err(format!("{pid}: its loops cannot be looked at: {why}"));
        }
        let describe = |error: OpenError| match error {
            OpenError::Gone => format!("process {pid} has ended"),
            OpenError::Denied => denied(pid),
            OpenError::Failed(e) => {
                format!("process {pid} cannot be looked at: {}", errno_words(e.raw_os_error()))
            }
        };
        let mut process = Process::open(system, pid, only).map_err(describe)?;
        process.find(system, limits).map_err(describe)?;
        if process.may_not_be_asked() {
            return Err(denied(pid));
        }
        process.survey(system, limits, std::time::Instant::now());
        Ok(process)
    }

    /// Finds out which listeners other processes have, too: what they accept is no work of the loop.
    fn share(&mut self, system: &System) {
        let listeners: HashSet<Inode> = self.processes.iter().flat_map(Process::listeners).collect();
        if listeners.is_empty() {
            return;
        }
        let Ok(swept) = socket_holders(system, Some(&listeners)) else { return };
        let is_shared = |inode: &Inode| {
            let mut pids: Vec<Pid> = swept.of(inode).iter().map(|holder| holder.process.pid).collect();
            pids.dedup();
            pids.len() > 1
        };
        let shared: Vec<Inode> = listeners.into_iter().filter(is_shared).collect();
        for process in &mut self.processes {
            process.share(shared.iter().copied());
        }
    }

    /// Whether the user named this very process.
    pub(super) fn is_named(&self, pid: Pid) -> bool {
        self.targets.iter().any(|(aim, pids)| *aim == Aim::One && pids.contains(&pid))
    }

    /// Whether a target that the user named has ended: for a name, all that had it.
    pub(super) fn has_lost_a_target(&self) -> bool {
        let ended = |pid: &Pid| self.processes.iter().any(|process| process.pid() == *pid && process.ended);
        self.targets.iter().any(|(_, pids)| pids.iter().all(ended))
    }
}

fn denied(pid: Pid) -> String {
    format!(
        "the loops of process {pid} may not be looked at: that takes the right to trace it (the same user and \
         Yama's leave, or CAP_SYS_PTRACE)"
    )
}
