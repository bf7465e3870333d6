//! Who holds a few sockets: one fd that holds each is looked for, and all other fds are compared with
//! these by `kcmp(2)`, which takes a third of the time that reading a link does.
//!
//! A socket has one open file description, however many fds lead to it (`sock_alloc_file()` in
//! `net/socket.c`), so that an fd holds it exactly if it is the same description as another that does.
//! An `O_PATH` fd of a socket has the same link, but a description of its own that keeps nothing open: it is
//! not compared with, and found among the early fds alone.

use super::io::{go_to, link_mode_at, number_of, readlink_at};
use super::iterator::Wanted;
use super::part::Part;
use super::sweep::{Amount, Met, Own, Piece, ROOM, Sweeper, Swept, everybody, parts, run};
use super::system::System;
use crate::kind::Shape;
use crate::model::{Access, FdNum, Holder, Inode, Pid, Process};
use crate::sys::compare_descriptions;
use rustix::fs::{Mode, OFlags, RawDir};
use rustix::io::Errno;
use std::cmp::Ordering;
use std::collections::HashSet;
use std::ffi::CString;
use std::mem::MaybeUninit;
use std::sync::Arc;

/// Above so many sockets, the comparisons that an fd takes cost as much as its link.
const FEW: usize = 16;

/// The fds of each process that are looked at first: what listens was opened early, as a rule.
const EARLY: i32 = 64;

/// The fds that hold these sockets, or one of each process that has any, where no more is wanted.
pub(super) fn holders_of(
    system: &System,
    own: Own,
    amount: Amount,
    sockets: &HashSet<Inode>,
    counts: impl Fn(Pid, Inode) -> bool + Sync,
) -> std::io::Result<Swept<Inode>> {
    let (pids, hides_processes) = everybody(system, own)?;
    if sockets.is_empty() {
        return Ok(Piece::new().sorted(hides_processes));
    }
    let key = |met: &Met<'_>| {
        let inode = Shape::of(met.link).socket().filter(|inode| sockets.contains(inode))?;
        counts(met.pid, inode).then_some(inode)
    };
    let mut all = Piece::new();
    let mut rest = Vec::new();
    let early: Vec<Part> =
        pids.iter().map(|&pid| Part { pid, first: 0, last: EARLY - 1, shared: None }).collect();
    run(
        &early,
        || Sweeper::new(system, amount),
        |sweeper, part| sweeper.part(part, &key),
        |part, piece| {
            let is_done = amount == Amount::First && !piece.found.is_empty();
            if piece.has_more && !is_done {
                rest.extend(parts(system, part.pid, EARLY));
            }
            all.add(piece);
        },
    );
    let known = Known::of(system, sockets, &all.found);
    let look = |known: Option<&Known>| {
        let mut late = Piece::new();
        let sweeper = || match amount {
            Amount::All => Sweeper::at_once(system, Wanted::Sockets),
            Amount::First => Sweeper::new(system, amount),
        };
        let worker = || (sweeper(), Comparer::new(system, amount, known));
        let work = |(sweeper, comparer): &mut (Sweeper<'_>, Comparer<'_>), part: &Part| {
            let compared = comparer.part(part, &counts);
            compared.unwrap_or_else(|| sweeper.part(part, &key))
        };
        run(&rest, worker, work, |_, piece| late.add(piece));
        late
    };
    let late = match &known {
        Some(known) => {
            let late = look(Some(known));
            // What was compared with must have been the same all the time.
            if known.is_held(system) { late } else { look(None) }
        }
        None => look(None),
    };
    all.add(late);
    // The early ones of each process come first.
    all.found.sort_by_key(|(_, holder)| (holder.process.pid, holder.fd));
    Ok(all.sorted(hides_processes))
}

/// An fd that holds each of some sockets, in the order that the kernel gives their descriptions.
struct Known(Vec<(Inode, Pid, FdNum)>);

impl Known {
    /// Nothing where one of the sockets was not found yet, or what was found cannot be compared.
    fn of(system: &System, sockets: &HashSet<Inode>, found: &[(Inode, Holder)]) -> Option<Self> {
        if sockets.len() > FEW {
            return None;
        }
        let mut known: Vec<(Inode, Pid, FdNum)> = Vec::with_capacity(sockets.len());
        for &inode in sockets {
            let (_, holder) =
                found.iter().find(|(held, holder)| *held == inode && holds_it(system, holder))?;
            let one = (inode, holder.process.pid, holder.fd);
            let place = known.binary_search_by(|other| order(other, one.1, one.2).unwrap_or(Ordering::Equal));
            // Two sockets are never the same: one of them is not there any more.
            known.insert(place.err()?, one);
        }
        Some(Self(known))
    }

    /// Which of the sockets an fd holds.
    fn find(&self, pid: Pid, fd: FdNum) -> Result<Option<Inode>, Errno> {
        let (mut low, mut high) = (0, self.0.len());
        while low < high {
            let middle = low.midpoint(high);
            match order(&self.0[middle], pid, fd)? {
                Ordering::Less => low = middle + 1,
                Ordering::Equal => return Ok(Some(self.0[middle].0)),
                Ordering::Greater => high = middle,
            }
        }
        Ok(None)
    }

    /// Whether each fd still holds its socket.
    fn is_held(&self, system: &System) -> bool {
        let mut link = Vec::new();
        self.0.iter().all(|&(inode, pid, fd)| {
            let read =
                link_of(system, pid, fd).and_then(|path| readlink_at(rustix::fs::CWD, &path, &mut link));
            read.is_ok() && Shape::of(&link).socket() == Some(inode)
        })
    }
}

/// Whether an fd that leads to a socket is one of the socket's own description, and not of `O_PATH`.
fn holds_it(system: &System, holder: &Holder) -> bool {
    let mode =
        link_of(system, holder.process.pid, holder.fd).and_then(|link| link_mode_at(rustix::fs::CWD, &link));
    mode.is_ok_and(|mode| Access::from_link_mode(mode) != Access::Path)
}

/// The path of the link of an fd.
fn link_of(system: &System, pid: Pid, fd: FdNum) -> Result<CString, Errno> {
    Ok(rustix::path::Arg::into_c_str(system.root().join(format!("{pid}/fd/{fd}")))?.into_owned())
}

fn order(known: &(Inode, Pid, FdNum), pid: Pid, fd: FdNum) -> Result<Ordering, Errno> {
    compare_descriptions((known.1, known.2), (pid, fd))
        .map_err(|e| Errno::from_io_error(&e).unwrap_or(Errno::IO))
}

/// One thread's tools.
struct Comparer<'k> {
    system: &'k System,
    amount: Amount,
    known: Option<&'k Known>,
    names: Vec<MaybeUninit<u8>>,
    numbers: Vec<i32>,
}

impl<'k> Comparer<'k> {
    fn new(system: &'k System, amount: Amount, known: Option<&'k Known>) -> Self {
        Self { system, amount, known, names: vec![MaybeUninit::uninit(); ROOM], numbers: Vec::new() }
    }

    /// The fds of a part that hold any of the sockets; nothing where that cannot be told so.
    fn part(&mut self, part: &Part, counts: &impl Fn(Pid, Inode) -> bool) -> Option<Piece<Inode>> {
        let known = self.known?;
        let mut piece = Piece::new();
        let mut process = None;
        let mut next = part.first;
        loop {
            // Numbers mostly follow each other. Only behind a gap need it be asked what there is.
            while next <= part.last {
                let fd = (part.pid, FdNum(next));
                match self.look(known, fd, counts, &mut process, &mut piece) {
                    Ok(()) => {}
                    Err(Errno::BADF) => break,
                    Err(_) => return None,
                }
                if self.amount == Amount::First && !piece.found.is_empty() {
                    return Some(piece);
                }
                next = next.checked_add(1)?;
            }
            if next > part.last {
                return Some(piece);
            }
            self.list(part, next).ok()?;
            let &last = match self.numbers.last() {
                Some(last) => last,
                // Perhaps the main thread has ended, and others have the fds.
                None if next == part.first => return None,
                None => return Some(piece),
            };
            for number in std::mem::take(&mut self.numbers) {
                let fd = (part.pid, FdNum(number));
                match self.look(known, fd, counts, &mut process, &mut piece) {
                    Ok(()) => {}
                    Err(Errno::BADF) => piece.tally.vanished += 1,
                    Err(_) => return None,
                }
            }
            next = last.checked_add(1)?;
        }
    }

    /// Looks at an fd, and adds it if it holds any of the sockets. `EBADF` if there is none.
    fn look(
        &self,
        known: &Known,
        (pid, fd): (Pid, FdNum),
        counts: &impl Fn(Pid, Inode) -> bool,
        process: &mut Option<Arc<Process>>,
        piece: &mut Piece<Inode>,
    ) -> Result<(), Errno> {
        if let Some(inode) = known.find(pid, fd)?.filter(|&inode| counts(pid, inode)) {
            piece.push(self.system, pid, fd, inode, process);
        }
        Ok(())
    }

    /// Lists some numbers of a part from `first` on; none if there are no more.
    fn list(&mut self, part: &Part, first: i32) -> Result<(), Errno> {
        self.numbers.clear();
        let path = self.system.root().join(format!("{}/fd", part.pid));
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fds = rustix::fs::open(path, flags, Mode::empty())?;
        go_to(&fds, first)?;
        let mut names = RawDir::new(&fds, &mut self.names);
        while let Some(entry) = names.next() {
            self.numbers.extend(number_of(entry?.file_name()).filter(|number| *number <= part.last));
            if names.is_buffer_empty() {
                break;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Amount, Known, holders_of};
    use crate::kind::Shape;
    use crate::model::{FdNum, Holder, Inode, Pid, Process};
    use crate::proc::iterator::Wanted;
    use crate::proc::sweep::{FdTables, Own, Swept, sweep};
    use crate::proc::{ProcRoot, System};
    use rustix::fd::{AsRawFd as _, OwnedFd};
    use rustix::fs::{Mode, OFlags};
    use std::collections::HashSet;
    use std::net::TcpListener;
    use std::process::{Command, Stdio};
    use std::sync::Arc;

    fn listeners(count: usize) -> (Vec<TcpListener>, Vec<Inode>) {
        let all: Vec<_> = (0..count).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let inodes = all.iter().map(|l| Inode(rustix::fs::fstat(l).unwrap().st_ino)).collect();
        (all, inodes)
    }

    fn told(swept: &Swept<Inode>) -> Vec<(Inode, i32, i32)> {
        let each = |(inode, holders): (&Inode, &[Holder])| {
            holders.iter().map(|h| (*inode, h.process.pid.0, h.fd.0)).collect::<Vec<_>>()
        };
        swept.iter().flat_map(each).collect()
    }

    #[test]
    fn comparing_finds_what_links_tell() {
        let system = System::new(ProcRoot::from_env(), false);
        for count in [1, 2, 3, 16, 17] {
            let (held, inodes) = listeners(count);
            let at = |nth: usize, least| rustix::io::fcntl_dupfd_cloexec(&held[nth], least).unwrap();
            // Behind gaps, and beyond what is looked at early.
            let copies = [at(0, 40), at(0, 70), at(count - 1, 71), at(count / 2, 300), at(0, 900)];
            let fillers: Vec<OwnedFd> = (0..150).map(|_| at_least(100)).collect();
            let mut child = Command::new("cat")
                .stdin(Stdio::piped())
                .stdout(OwnedFd::from(held[0].try_clone().unwrap()))
                .stderr(OwnedFd::from(held[count - 1].try_clone().unwrap()))
                .spawn()
                .unwrap();
            let wanted: HashSet<Inode> = inodes.iter().copied().collect();
            let links = sweep(&system, Own::Included, Wanted::Sockets, FdTables::Processes, |met| {
                Shape::of(met.link).socket().filter(|inode| wanted.contains(inode))
            });
            let links = told(&links.unwrap());
            assert_eq!(links.len(), count + copies.len() + 2);
            let few = holders_of(&system, Own::Included, Amount::All, &wanted, |_, _| true).unwrap();
            assert_eq!(told(&few), links);
            let first = holders_of(&system, Own::Included, Amount::First, &wanted, |_, _| true).unwrap();
            let pids = |told: &[(Inode, i32, i32)]| told.iter().map(|t| t.1).collect::<HashSet<_>>();
            assert_eq!(pids(&told(&first)), pids(&links));
            let none = holders_of(&system, Own::Included, Amount::All, &wanted, |_, _| false).unwrap();
            assert_eq!(told(&none), []);
            drop((child.stdin.take(), fillers));
            child.wait().unwrap();
        }
    }

    fn at_least(number: i32) -> OwnedFd {
        let null = std::fs::File::open("/dev/null").unwrap();
        rustix::io::fcntl_dupfd_cloexec(&null, number).unwrap()
    }

    #[test]
    fn a_path_to_a_socket_is_not_compared_with() {
        let system = System::new(ProcRoot::from_env(), false);
        let (mut held, inodes) = listeners(1);
        let real = rustix::io::fcntl_dupfd_cloexec(&held[0], 200).unwrap();
        let path = format!("/proc/self/fd/{}", held[0].as_raw_fd());
        let _path = rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).unwrap();
        held.clear();
        let wanted: HashSet<Inode> = inodes.iter().copied().collect();
        let few = holders_of(&system, Own::Included, Amount::All, &wanted, |_, _| true).unwrap();
        let fds: Vec<i32> = told(&few).into_iter().map(|(_, _, fd)| fd).collect();
        assert!(fds.contains(&real.as_raw_fd()), "{fds:?}");
        assert_eq!(fds.len(), 2, "{fds:?}");
    }

    #[test]
    fn what_is_compared_with_must_stay() {
        let system = System::new(ProcRoot::from_env(), false);
        let (mut held, inodes) = listeners(3);
        let pid = Pid(std::process::id() as i32);
        let process = Arc::new(Process { pid, command: Vec::new(), uid: 0, user: None });
        let holder = |fd: i32| Holder { process: Arc::clone(&process), fd: FdNum(fd) };
        let found: Vec<_> = inodes.iter().zip(&held).map(|(&i, l)| (i, holder(l.as_raw_fd()))).collect();
        let wanted: HashSet<Inode> = inodes.iter().copied().collect();
        assert!(Known::of(&system, &wanted, &found[1..]).is_none(), "one was not found");
        let known = Known::of(&system, &wanted, &found).unwrap();
        for (inode, holder) in &found {
            assert_eq!(known.find(pid, holder.fd), Ok(Some(*inode)));
        }
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        assert_eq!(known.find(pid, FdNum(other.as_raw_fd())), Ok(None));
        assert!(known.is_held(&system));
        drop(held.pop());
        assert!(!known.is_held(&system));
        drop(held);
        assert!(known.find(pid, FdNum(other.as_raw_fd())).is_err());
        assert!(Known::of(&system, &wanted, &found).is_none());
    }
}
