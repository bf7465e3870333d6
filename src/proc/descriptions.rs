//! Which fds are one open file description.
//!
//! `kcmp(2)` tells for sure, and gives an order besides, so that n fds are sorted into their
//! descriptions by n log n calls. It is asked only within what is alike as far as the scan can see
//! for nothing: of a path device and inode, of anything else the text of its link, which has the
//! kind, and the inode where there is one for each object.
//!
//! It is asked about every pair that is alike, for no likeness is proof. A pipe has one inode and a
//! description for each end. All eventfds have one inode; their ids in fdinfo tell them apart, but to
//! read that costs more than the calls it would save. A socket has one file in the kernel, but
//! `O_PATH` on its link in `/proc` gives another description with the same link, and inode numbers of
//! sockets and pipes are 32 bits of a counter that wraps: `get_next_ino()` in fs/inode.c.

use crate::kind::Shape;
use crate::model::{Assoc, Fd, FdNum, Pid};
use crate::sys;
use std::cmp::Ordering;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// An fd, as system calls name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Member {
    /// The process.
    pub pid: Pid,
    /// The task that has the fd table: the process, or a thread of it.
    pub task: Pid,
    /// The fd.
    pub fd: FdNum,
}

/// An fd that may share its description with others: those that are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    /// The same for all fds of one description, and different for most others.
    pub likeness: u64,
    /// The fd.
    pub member: Member,
}

impl Candidate {
    /// From a row that a plan with `identity` gave; nothing for an fd that could not be read at all.
    pub fn of(row: &Fd) -> Option<Self> {
        let Assoc::Fd(fd) = row.assoc else { return None };
        if row.link.is_empty() {
            return None;
        }
        let mut hasher = DefaultHasher::new();
        match (Shape::of(&row.link), row.device, row.inode) {
            // A path may be renamed from one fd to the next.
            (Shape::Path(_), Some(device), Some(inode)) => (device, inode).hash(&mut hasher),
            _ => row.link.hash(&mut hasher),
        }
        let member = Member { pid: row.process.pid, task: row.task, fd };
        Some(Self { likeness: hasher.finish(), member })
    }
}

/// Why an fd cannot be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incomparable {
    /// It was closed, or its process ended.
    Gone,
    /// The caller may not.
    Denied,
}

/// A way to compare descriptions.
pub trait Compare {
    /// The order of the descriptions of two fds, equal if they are one; or why at least one of the
    /// two, it need not be said which, cannot be compared.
    fn compare(&self, a: Member, b: Member) -> Result<Ordering, Incomparable>;
}

/// The kernel's own: `kcmp(2)`.
#[derive(Debug)]
pub struct Kernel;

impl Compare for Kernel {
    fn compare(&self, a: Member, b: Member) -> Result<Ordering, Incomparable> {
        sys::compare_descriptions((a.task, a.fd), (b.task, b.fd)).map_err(|e| match e.raw_os_error() {
            Some(libc::EBADF | libc::ESRCH) => Incomparable::Gone,
            _ => Incomparable::Denied,
        })
    }
}

/// What is shared among candidates, and what could not be compared.
#[derive(Debug, Default)]
pub struct Shared {
    /// For each description that several fds share, those fds in order.
    pub groups: Vec<Vec<Member>>,
    /// What may not be compared, though others are like it.
    pub denied: Vec<Member>,
    /// How many fds went away.
    pub vanished: u64,
}

impl Shared {
    /// Compares what is alike.
    pub fn among(mut candidates: Vec<Candidate>, with: &impl Compare) -> Self {
        candidates.sort_unstable();
        let mut sorting = Sorting { with, shared: Self::default() };
        for alike in candidates.chunk_by(|a, b| a.likeness == b.likeness).filter(|alike| alike.len() > 1) {
            let single = sorting.comparable(alike);
            let groups = sorting.sort(single);
            sorting.shared.groups.extend(groups.into_iter().filter(|group| group.len() > 1));
        }
        for group in &mut sorting.shared.groups {
            group.sort_unstable();
        }
        sorting.shared
    }
}

/// How often two fds are compared before they are given up, where each of them alone can be.
const TRIES: usize = 3;

/// The fds of one description, as far as is known.
type Group = Vec<Member>;

/// A merge sort that joins what is equal, and goes on without what cannot be compared.
struct Sorting<'c, C> {
    with: &'c C,
    shared: Shared,
}

impl<C: Compare> Sorting<'_, C> {
    /// Those that can be compared, each by itself. What may not be is told here, before it
    /// matters what it is compared with: it is a matter of the process.
    fn comparable(&mut self, alike: &[Candidate]) -> Vec<Group> {
        let mut known = None;
        let mut groups = Vec::with_capacity(alike.len());
        for &Candidate { member, .. } in alike {
            let verdict = match known {
                Some((task, verdict)) if task == member.task => verdict,
                _ => self.with.compare(member, member).map(drop),
            };
            match verdict {
                Ok(()) => groups.push(vec![member]),
                Err(why) => self.leave_out(member, why),
            }
            // One fd that was closed says nothing of the next.
            known = (verdict != Err(Incomparable::Gone)).then_some((member.task, verdict));
        }
        groups
    }

    fn leave_out(&mut self, member: Member, why: Incomparable) {
        match why {
            Incomparable::Gone => self.shared.vanished += 1,
            Incomparable::Denied => self.shared.denied.push(member),
        }
    }

    /// Groups in the order of their descriptions, no two of one.
    fn sort(&mut self, mut groups: Vec<Group>) -> Vec<Group> {
        if groups.len() < 2 {
            return groups;
        }
        let right = groups.split_off(groups.len() / 2);
        let (left, right) = (self.sort(groups), self.sort(right));
        let mut sorted = Vec::with_capacity(left.len() + right.len());
        let (mut lefts, mut rights) = (left.into_iter(), right.into_iter());
        let (mut left, mut right) = (lefts.next(), rights.next());
        while let (Some(a), Some(b)) = (&mut left, &mut right) {
            match self.order(a, b) {
                Some(Ordering::Less) => sorted.extend(std::mem::replace(&mut left, lefts.next())),
                Some(Ordering::Greater) => sorted.extend(std::mem::replace(&mut right, rights.next())),
                Some(Ordering::Equal) => {
                    a.append(b);
                    sorted.extend(std::mem::replace(&mut left, lefts.next()));
                    right = rights.next();
                }
                None => {
                    if a.is_empty() {
                        left = lefts.next();
                    }
                    if b.is_empty() {
                        right = rights.next();
                    }
                }
            }
        }
        sorted.extend(left.into_iter().chain(lefts));
        sorted.extend(right.into_iter().chain(rights));
        sorted
    }

    /// The order of two groups; nothing where an fd of theirs had to be left out first.
    fn order(&mut self, a: &mut Group, b: &mut Group) -> Option<Ordering> {
        let (&first, &second) = (a.last()?, b.last()?);
        let mut why = Incomparable::Gone;
        for _ in 0..TRIES {
            match self.with.compare(first, second) {
                Ok(order) => return Some(order),
                Err(e) => why = e,
            }
            // Which of the two it was, each tells by itself.
            let alone = [first, second].map(|member| self.with.compare(member, member).err());
            if alone != [None, None] {
                for (group, why) in [a, b].into_iter().zip(alone) {
                    if let Some((member, why)) = why.and_then(|why| Some((group.pop()?, why))) {
                        self.leave_out(member, why);
                    }
                }
                return None;
            }
        }
        for member in [a.pop(), b.pop()].into_iter().flatten() {
            self.leave_out(member, why);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{Candidate, Compare, Incomparable, Member, Shared};
    use crate::model::{Assoc, Device, Fd, FdNum, Inode, Pid, Process};
    use std::cell::RefCell;
    use std::cmp::Ordering;
    use std::collections::HashMap;
    use std::sync::Arc;

    /// Says of each fd which description it is, as long as it is there.
    #[derive(Default)]
    struct Script {
        descriptions: HashMap<Member, u32>,
        denied: Vec<Pid>,
        /// Fds that are closed once so many comparisons were made.
        closing: Vec<(Member, usize)>,
        asked: RefCell<usize>,
        /// Pairs that cannot be compared, though each alone can.
        odd: Vec<(Member, Member)>,
    }

    impl Compare for Script {
        fn compare(&self, a: Member, b: Member) -> Result<Ordering, Incomparable> {
            *self.asked.borrow_mut() += 1;
            let of = |member: Member| {
                let closed = |&(m, when): &(Member, usize)| m == member && *self.asked.borrow() > when;
                match self.descriptions.get(&member) {
                    _ if self.denied.contains(&member.pid) => Err(Incomparable::Denied),
                    Some(description) if !self.closing.iter().any(closed) => Ok(description),
                    _ => Err(Incomparable::Gone),
                }
            };
            if self.odd.contains(&(a, b)) || self.odd.contains(&(b, a)) {
                return Err(Incomparable::Denied);
            }
            Ok(of(a)?.cmp(of(b)?))
        }
    }

    fn member(pid: i32, fd: i32) -> Member {
        Member { pid: Pid(pid), task: Pid(pid), fd: FdNum(fd) }
    }

    /// A script in which all fds are alike: process, fd, description.
    fn script(fds: &[(i32, i32, u32)]) -> (Script, Vec<Candidate>) {
        let descriptions = fds.iter().map(|&(pid, fd, number)| (member(pid, fd), number)).collect();
        let candidate = |&(pid, fd, _): &(i32, i32, u32)| Candidate { likeness: 0, member: member(pid, fd) };
        (Script { descriptions, ..Script::default() }, fds.iter().map(candidate).collect())
    }

    fn sorted(shared: &Shared) -> Vec<Vec<(i32, i32)>> {
        let numbers = |group: &Vec<Member>| group.iter().map(|m| (m.pid.0, m.fd.0)).collect();
        let mut groups: Vec<Vec<(i32, i32)>> = shared.groups.iter().map(numbers).collect();
        groups.sort_unstable();
        groups
    }

    #[test]
    fn what_is_equal_stands_together() {
        let (script, candidates) =
            script(&[(2, 3, 7), (1, 0, 9), (1, 5, 7), (1, 1, 9), (2, 4, 8), (1, 2, 7)]);
        let shared = Shared::among(candidates, &script);
        assert_eq!(sorted(&shared), [vec![(1, 0), (1, 1)], vec![(1, 2), (1, 5), (2, 3)]]);
        assert_eq!((shared.denied, shared.vanished), (vec![], 0));
    }

    #[test]
    fn only_what_is_alike_is_compared() {
        let (script, mut candidates) = script(&[(1, 0, 7), (2, 0, 7), (3, 0, 8)]);
        for (i, candidate) in candidates.iter_mut().enumerate() {
            candidate.likeness = i as u64;
        }
        assert_eq!(sorted(&Shared::among(candidates, &script)), [] as [Vec<(i32, i32)>; 0]);
        assert_eq!(*script.asked.borrow(), 0);
    }

    #[test]
    fn calls_grow_as_n_log_n() {
        let n = 1024;
        let distinct: Vec<_> = (0..n).map(|i| (1, i, (i as u32).wrapping_mul(2_654_435_761))).collect();
        let (script_of_many, candidates) = script(&distinct);
        assert!(Shared::among(candidates, &script_of_many).groups.is_empty());
        assert!(*script_of_many.asked.borrow() <= n as usize * 10 + 1);
        // What is all one takes a call each.
        let one: Vec<_> = (0..n).map(|i| (1, i, 1)).collect();
        let (script_of_one, candidates) = script(&one);
        assert_eq!(Shared::among(candidates, &script_of_one).groups[0].len(), n as usize);
        assert_eq!(*script_of_one.asked.borrow(), n as usize);
    }

    #[test]
    fn what_may_not_be_compared_is_told_and_the_rest_is_not_lost() {
        let (mut script, candidates) =
            script(&[(1, 0, 7), (2, 0, 7), (2, 1, 7), (3, 0, 7), (4, 0, 8), (4, 1, 8)]);
        script.denied = vec![Pid(2)];
        let shared = Shared::among(candidates, &script);
        assert_eq!(sorted(&shared), [vec![(1, 0), (3, 0)], vec![(4, 0), (4, 1)]]);
        assert_eq!(shared.denied, [member(2, 0), member(2, 1)]);
    }

    #[test]
    fn even_where_nothing_may_be_compared() {
        let (mut script, candidates) = script(&[(2, 0, 7), (2, 1, 7), (2, 2, 7)]);
        script.denied = vec![Pid(2)];
        let shared = Shared::among(candidates, &script);
        assert_eq!((shared.groups.len(), shared.denied.len()), (0, 3));
    }

    /// Whenever an fd is closed, the others are grouped as they would be without it.
    #[test]
    fn what_goes_away_meanwhile_is_counted() {
        let fds = [(1, 0, 7), (1, 1, 8), (2, 0, 7), (2, 1, 8), (3, 0, 7), (3, 1, 9)];
        for when in 0..30 {
            for closed in fds {
                let (mut script, candidates) = script(&fds);
                script.closing = vec![(member(closed.0, closed.1), when)];
                let shared = Shared::among(candidates, &script);
                let groups = sorted(&shared);
                let there = |group: Vec<(i32, i32)>| -> Vec<(i32, i32)> {
                    let is_there = |fd: &(i32, i32)| shared.vanished == 0 || *fd != (closed.0, closed.1);
                    group.into_iter().filter(is_there).collect()
                };
                for group in [vec![(1, 0), (2, 0), (3, 0)], vec![(1, 1), (2, 1)]] {
                    let whole = groups.contains(&group);
                    assert!(
                        whole || there(group.clone()).len() < 2 || groups.contains(&there(group)),
                        "{groups:?}"
                    );
                }
                assert!(shared.vanished <= 1 && shared.denied.is_empty());
                if when == 0 {
                    assert_eq!(shared.vanished, 1);
                }
            }
        }
    }

    #[test]
    fn a_pair_that_cannot_be_compared_does_not_go_on_for_ever() {
        let (mut script, candidates) = script(&[(1, 0, 7), (2, 0, 7)]);
        script.odd = vec![(member(1, 0), member(2, 0))];
        let shared = Shared::among(candidates, &script);
        assert_eq!((shared.groups.len(), shared.denied.len()), (0, 2));
    }

    #[test]
    fn likeness_is_that_of_the_file_or_of_the_link() {
        let process = Process { pid: Pid(1), command: Vec::new(), uid: 0, user: None };
        let row = |link: &[u8], inode: Option<u64>| {
            let mut row = Fd::new(Arc::new(process.clone()));
            row.reset(Assoc::Fd(FdNum(3)));
            row.link.extend_from_slice(link);
            row.inode = inode.map(Inode);
            row.device = inode.map(|_| Device { major: 8, minor: 1 });
            Candidate::of(&row).map(|candidate| candidate.likeness)
        };
        assert_eq!(row(b"/log", Some(7)), row(b"/log.1", Some(7)), "it was renamed meanwhile");
        assert_ne!(row(b"/log", Some(7)), row(b"/log", Some(8)));
        assert_ne!(row(b"pipe:[7]", None), row(b"pipe:[8]", None));
        assert_ne!(row(b"pipe:[7]", None), row(b"socket:[7]", None));
        assert_eq!(row(b"/remote", None), row(b"/remote", None));
        assert_eq!(row(b"", None), None);
    }
}
