//! What lies unread between ends, at one moment.

use super::links::End;
use super::sockets::{Group, Sockets};
use super::{Asked, PeerFinder};
use crate::model::{Holder, Lying, Pid, Pile, Taken, Tie, decimal};
use crate::proc::borrow::Lender;
use crate::proc::root::ProcRoot;
use crate::proc::system::System;
use std::cell::OnceCell;
use std::collections::HashMap;

/// Looks at some fds. What cannot be known of one is left out.
///
/// Sockets are read as often as this is called, all of a family at once; pipes are asked through a
/// duplicate that is closed at once.
pub fn look(system: &System, fds: &[Asked]) -> Vec<Lying> {
    let sockets: [OnceCell<Sockets>; Group::COUNT] = [const { OnceCell::new() }; Group::COUNT];
    let mut readers = Readers { root: system.root(), known: HashMap::new() };
    let group = |group: Group| sockets[group as usize].get_or_init(|| Sockets::read(system, group, true));
    let each = |asked: &Asked| match asked.tie {
        Tie::Socket(inode, family) => group(Group::of(family)?).end(inode).map(|end| end.lying),
        Tie::Listener(inode, family) => {
            let unread = group(Group::of(family)?).sent_early(inode);
            Some(Lying { unread, ..Lying::default() })
        }
        Tie::Pipe(inode) | Tie::Fifo(_, inode) => {
            let (bytes, room) = Lender::new(system, asked.pid, asked.pid).pipe(asked.fd, inode)?;
            let finder = system.peers.as_ref();
            let taken = finder.map_or(Taken::BySize, |finder| readers.have_read(finder, system, asked.tie));
            let pile = Some(Pile { bytes, room, taken });
            Some(match End::of(asked.access?)? {
                End::Write => Lying { unsent: pile, ..Lying::default() },
                End::Read | End::Both => Lying { unread: pile, ..Lying::default() },
            })
        }
        _ => None,
    };
    fds.iter().map(each).map(Option::unwrap_or_default).collect()
}

/// How much processes have read, each asked once.
struct Readers<'r> {
    root: &'r ProcRoot,
    known: HashMap<Pid, Option<u64>>,
}

impl Readers<'_> {
    /// How much those who have the reading end have read, from anywhere.
    fn have_read(&mut self, finder: &PeerFinder, system: &System, tie: Tie) -> Taken {
        let reading = [End::Read, End::Both].map(|end| finder.holders(system, tie, end));
        let mut pids: Vec<Pid> =
            reading.iter().copied().flatten().map(|holder: &Holder| holder.process.pid).collect();
        pids.sort_unstable();
        pids.dedup();
        let read: Option<u64> = pids.iter().map(|&pid| self.read_by(pid)).sum();
        match read {
            Some(read) if !pids.is_empty() => Taken::AtMost(read),
            _ => Taken::BySize,
        }
    }

    /// `rchar` of `proc_pid_io(5)`: what read(2) and the like have given. What else reads from pipes,
    /// splice(2), is seen by what lies there.
    fn read_by(&mut self, pid: Pid) -> Option<u64> {
        *self.known.entry(pid).or_insert_with(|| {
            let text = std::fs::read(self.root.join(format!("{pid}/io"))).ok()?;
            let value = text.split(|&b| b == b'\n').find_map(|line| line.strip_prefix(b"rchar: "))?;
            decimal(value)
        })
    }
}
