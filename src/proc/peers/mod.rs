//! Who is at the other end of an fd.
//!
//! [`PeerFinder`] sweeps the fds of all processes once, when the first fd is asked about that has
//! another end, and looks that up by what ties the two ([`Tie`]). `links` knows the fds that their
//! link tells apart, `ptys` which master belongs to which slave, `files` FIFOs and message queues,
//! which take a sweep of their own, and `sockets` the ends of connections. `look` sees what lies
//! unread between ends.
//!
//! That nobody is found does not mean that nobody is there: some processes may not be read, others
//! are not seen from here (those outside of a container), and an fd can be on its way in a message.
//! So it is said only where the kernel says it: by what `poll` tells of the fd, by the state of the
//! socket, or where every process of the machine was read.

mod files;
mod links;
mod look;
mod ptys;
mod sockets;

use super::io::numbers_in;
use super::process::ProcessDir;
use super::root::ProcRoot;
use super::sweep::FdTables;
use super::system::System;
use crate::model::{Access, Device, FdNum, Holder, Inode, Peers, Pid, Tally, Tie};
use crate::sys;
use files::Files;
use links::{End, Links};
pub use look::look;
use rustix::event::PollFlags;
use sockets::{Group, Sockets};
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

/// Finds other ends. Nothing is read until the first is asked for.
#[derive(Debug)]
pub(super) struct PeerFinder {
    own: Own,
    tables: FdTables,
    links: OnceLock<Option<Links>>,
    files: OnceLock<Option<Files>>,
    sockets: [OnceLock<Sockets>; Group::COUNT],
    sees_all: OnceLock<bool>,
    /// Whether somebody is somewhere who was not found.
    missed: AtomicBool,
}

/// Which of our own fds count: those that we were started with. The others we opened to look.
#[derive(Debug)]
struct Own {
    pid: Option<Pid>,
    fds: Vec<FdNum>,
}

impl Own {
    fn counts(&self, pid: Pid, fd: FdNum) -> bool {
        Some(pid) != self.pid || self.fds.contains(&fd)
    }
}

/// An fd whose other end is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// Its process.
    pub pid: Pid,
    /// Its number.
    pub fd: FdNum,
    /// What ties it to its other end.
    pub tie: Tie,
    /// How it was opened.
    pub access: Option<Access>,
}

impl PeerFinder {
    /// Before anything is opened that does not count.
    pub(super) fn new(root: &ProcRoot, tables: FdTables) -> Self {
        let fds: Vec<FdNum> = numbers_in("/proc/self/fd").into_iter().flatten().map(FdNum).collect();
        // The directory itself was among them, and is closed now.
        let fds = fds.into_iter().filter(|&fd| sys::is_open(fd) && !sys::was_closed(fd)).collect();
        let own = Own { pid: root.own(), fds };
        Self {
            own,
            tables,
            links: OnceLock::new(),
            files: OnceLock::new(),
            sockets: [const { OnceLock::new() }; Group::COUNT],
            sees_all: OnceLock::new(),
            missed: AtomicBool::new(false),
        }
    }

    /// Who is at the other end; nothing if the fd is no end. `poll` says what is ready of the fd.
    pub(super) fn find(
        &self,
        system: &System,
        asked: Asked,
        poll: impl FnOnce() -> Option<PollFlags>,
    ) -> Option<Peers> {
        if asked.access == Some(Access::Path) {
            return None;
        }
        Some(match asked.tie {
            Tie::Pipe(inode) => {
                let Some(links) = self.links(system) else { return Some(Peers::UNKNOWN) };
                let others = End::others(asked.access)?.iter().flat_map(|&end| links.pipe(inode, end));
                let alone = |ready| End::is_alone(asked.access, ready, true);
                self.pipe(system, links.tally(), &asked, others, || poll().and_then(alone))
            }
            Tie::Fifo(device, inode) => {
                let Some(files) = self.files(system) else { return Some(Peers::UNKNOWN) };
                let others =
                    End::others(asked.access)?.iter().flat_map(|&end| files.fifo(device, inode, end));
                let alone = |ready| End::is_alone(asked.access, ready, false);
                self.pipe(system, files.tally(), &asked, others, || poll().and_then(alone))
            }
            Tie::Queue(device, inode) => self.queue(system, &asked, device, inode),
            Tie::Eventfd(id) => {
                let Some(links) = self.links(system) else { return Some(Peers::UNKNOWN) };
                self.shared(system, links.tally(), &asked, links.eventfd(id))
            }
            Tie::Socket(inode, family) => match Group::of(family) {
                Some(group) => self.socket(system, group, inode),
                None => Peers::UNKNOWN,
            },
            Tie::Listener(inode, family) => return self.listener(system, Group::of(family)?, inode),
            Tie::Master(_) | Tie::Slave(..) => self.pty(system, &asked, poll),
            Tie::Elsewhere => Peers::UNKNOWN,
        })
    }

    /// Whether an other end that is there was not found, because not all may be read.
    pub(super) fn has_missed(&self) -> bool {
        self.missed.load(Relaxed) && self.tally().is_some_and(|tally| !tally.complete())
    }

    /// What the sweep left out, if there was one.
    pub(super) fn tally(&self) -> Option<Tally> {
        let links = self.links.get().and_then(Option::as_ref).map(Links::tally);
        links.or_else(|| self.files.get().and_then(Option::as_ref).map(Files::tally))
    }

    /// Those who have an end of a pipe or FIFO.
    fn holders(&self, system: &System, tie: Tie, end: End) -> &[Holder] {
        match tie {
            Tie::Pipe(inode) => self.links(system).map_or(&[], |links| links.pipe(inode, end)),
            Tie::Fifo(device, inode) => {
                self.files(system).map_or(&[], |files| files.fifo(device, inode, end))
            }
            _ => &[],
        }
    }

    fn links(&self, system: &System) -> Option<&Links> {
        self.links.get_or_init(|| Links::sweep(system, &self.own, self.tables).ok()).as_ref()
    }

    fn files(&self, system: &System) -> Option<&Files> {
        self.files.get_or_init(|| Files::sweep(system, &self.own, self.tables).ok()).as_ref()
    }

    /// Whether all that is open on this machine is open in a process that was read.
    fn is_exhaustive(&self, system: &System, tally: Tally) -> bool {
        tally.complete() && *self.sees_all.get_or_init(|| sees_all(system))
    }

    fn pipe<'h>(
        &self,
        system: &System,
        tally: Tally,
        asked: &Asked,
        others: impl Iterator<Item = &'h Holder>,
        alone: impl FnOnce() -> Option<bool>,
    ) -> Peers {
        let holders = others_than(asked, others);
        match holders.is_empty() {
            false => Peers::of(holders),
            true if alone().unwrap_or_else(|| self.is_exhaustive(system, tally)) => Peers::NOBODY,
            true => self.missed(),
        }
    }

    fn missed(&self) -> Peers {
        self.missed.store(true, Relaxed);
        Peers::UNKNOWN
    }

    /// What has one end, which all have.
    fn shared<'h>(
        &self,
        system: &System,
        tally: Tally,
        asked: &Asked,
        all: impl IntoIterator<Item = &'h Holder>,
    ) -> Peers {
        let holders = others_than(asked, all.into_iter());
        match holders.is_empty() && !self.is_exhaustive(system, tally) {
            // That others share it is rare.
            true => Peers::UNKNOWN,
            false => Peers::of(holders),
        }
    }

    fn queue(&self, system: &System, asked: &Asked, device: Device, inode: Inode) -> Peers {
        match self.files(system) {
            Some(files) => self.shared(system, files.tally(), asked, files.queue(device, inode)),
            None => Peers::UNKNOWN,
        }
    }

    fn sockets(&self, system: &System, group: Group) -> &Sockets {
        self.sockets[group as usize].get_or_init(|| Sockets::read(system, group, false))
    }

    /// Who waits to be accepted; nothing if nobody does, or nobody of this machine.
    fn listener(&self, system: &System, group: Group, inode: Inode) -> Option<Peers> {
        let waiting = self.sockets(system, group).waiting(inode);
        if waiting.is_empty() {
            return None;
        }
        let links = self.links(system)?;
        let mut holders: Vec<Holder> =
            waiting.iter().flat_map(|&client| links.socket(client)).cloned().collect();
        if holders.is_empty() {
            return None;
        }
        sort(&mut holders);
        Some(Peers { waiting: true, ..Peers::of(holders) })
    }

    fn socket(&self, system: &System, group: Group, inode: Inode) -> Peers {
        let Some(end) = self.sockets(system, group).end(inode) else { return Peers::UNKNOWN };
        if end.closed {
            return Peers::NOBODY;
        }
        if end.sockets.is_empty() {
            return Peers { waiting: end.waiting, ..Peers::UNKNOWN };
        }
        let Some(links) = self.links(system) else { return Peers::UNKNOWN };
        let mut holders: Vec<Holder> =
            end.sockets.iter().flat_map(|&socket| links.socket(socket)).cloned().collect();
        if holders.is_empty() {
            // The socket is there, and so somebody has it.
            return Peers { waiting: end.waiting, unanswered: end.unanswered, ..self.missed() };
        }
        sort(&mut holders);
        Peers { waiting: end.waiting, unanswered: end.unanswered, ..Peers::of(holders) }
    }

    fn pty(&self, system: &System, asked: &Asked, poll: impl FnOnce() -> Option<PollFlags>) -> Peers {
        let Some(links) = self.links(system) else { return Peers::UNKNOWN };
        let (holders, is_master) = match asked.tie {
            Tie::Slave(device, index) => (links.ptys.masters(device, index), false),
            Tie::Master(index) => {
                let device = links.ptys.instance(asked.pid, asked.fd, index);
                (device.map_or(&[][..], |device| links.slaves(device, index)), true)
            }
            _ => (&[][..], false),
        };
        if !holders.is_empty() {
            return Peers::of(holders.to_vec());
        }
        match poll() {
            Some(ready) if ready.contains(PollFlags::HUP) => Peers::NOBODY,
            // A master whose slave was never opened does not hang; a slave is open in some process
            // under the name of /dev/tty.
            _ if is_master && self.is_exhaustive(system, links.tally()) && !links.any_tty() => Peers::NOBODY,
            _ => self.missed(),
        }
    }
}

/// All but the fd that is asked about.
fn others_than<'h>(asked: &Asked, holders: impl Iterator<Item = &'h Holder>) -> Vec<Holder> {
    let is_other = |holder: &&Holder| holder.process.pid != asked.pid || holder.fd != asked.fd;
    let mut others: Vec<Holder> = holders.filter(is_other).cloned().collect();
    sort(&mut others);
    others
}

fn sort(holders: &mut Vec<Holder>) {
    holders.sort_by_key(|holder| (holder.process.pid, holder.fd));
    holders.dedup_by_key(|holder| (holder.process.pid, holder.fd));
}

/// Whether the processes of the whole machine are seen: in a container there is no kernel thread.
fn sees_all(system: &System) -> bool {
    const KTHREADD: Pid = Pid(2);
    ProcessDir::open(system.root(), KTHREADD, system).is_ok_and(|dir| dir.is_kernel_thread())
}
