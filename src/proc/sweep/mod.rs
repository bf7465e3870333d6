//! A look at every fd of every process, for what is asked of all of them at once: who holds a
//! socket, who is at the other end of a pipe. It reads links and nothing else, unless whoever asks
//! reads more of the few that it is after.

mod met;
mod piece;
mod sweeper;
mod swept;

pub(super) use met::Met;
pub(super) use piece::Piece;
pub(super) use sweeper::{Amount, ROOM, Sweeper};
pub use swept::{Failures, Swept};

use super::iterator::Wanted;
use super::part::{self, Part};
use super::pool::run_all;
use super::system::System;
use super::target::all_pids;
use crate::model::Pid;

/// A process with more fds than this is swept in parts.
const PART: i32 = 1300;

/// The fds of a process from `first` on, in parts.
pub(super) fn parts(system: &System, pid: Pid, first: i32) -> impl Iterator<Item = Part> + use<> {
    part::parts(system.root(), pid, first, PART, PART as u64 + 1)
}

/// Whether we count ourselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Own {
    /// We do: what we opened may be what is asked for.
    Included,
    /// We are here only because we look.
    LeftOut,
}

/// Whose fd tables are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FdTables {
    /// One of each process.
    Processes,
    /// Those of threads that have one of their own too, for which each thread is asked.
    Threads,
}

/// All processes, but for ourselves perhaps, and whether others may be hidden.
pub(super) fn everybody(system: &System, own: Own) -> std::io::Result<(Vec<Pid>, bool)> {
    let mut pids = all_pids(system.root())?;
    let root = system.root();
    let hides_processes = root.is_native() && (root.hides_processes() || !is_first_namespace());
    let left_out = if own == Own::LeftOut { system.root().own() } else { None };
    pids.retain(|&pid| Some(pid) != left_out);
    Ok((pids, hides_processes))
}

/// Looks at all fds of all processes, or at those that are `wanted`. `key` says of each whether it
/// matters.
pub(super) fn sweep<K: Ord + Send>(
    system: &System,
    own: Own,
    wanted: Wanted,
    tables: FdTables,
    key: impl Fn(&Met<'_>) -> Option<K> + Sync,
) -> std::io::Result<Swept<K>> {
    let (pids, hides_processes) = everybody(system, own)?;
    let parts: Vec<Part> = pids.into_iter().flat_map(|pid| parts(system, pid, 0)).collect();
    let mut all = Piece::new();
    run(
        &parts,
        || Sweeper::at_once(system, wanted).of(tables),
        |sweeper, part| sweeper.part(part, &key),
        |_, piece| {
            all.add(piece);
        },
    );
    Ok(all.sorted(hides_processes))
}

/// Does the work on all cores, and gives each piece in order.
pub(super) fn run<K: Send, W>(
    parts: &[Part],
    worker: impl Fn() -> W + Sync,
    work: impl Fn(&mut W, &Part) -> Piece<K> + Sync,
    mut each: impl FnMut(&Part, Piece<K>),
) {
    let mut nth = 0;
    run_all(parts, worker, work, |piece| {
        each(&parts[nth], piece);
        nth += 1;
    });
}

/// Whether no process is outside our pid namespace.
fn is_first_namespace() -> bool {
    /// `PROC_PID_INIT_INO`, the inode of the first pid namespace.
    const FIRST: u64 = 0xefff_fffc;
    rustix::fs::stat("/proc/self/ns/pid").is_ok_and(|stat| stat.st_ino == FIRST)
}
