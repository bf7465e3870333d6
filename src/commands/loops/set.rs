//! What a loop watches, and looking at it bit by bit.

use crate::model::{FdNum, Marks, Readiness, Registration};
use crate::proc::{Donor, Identity, Pulse, Sort, pulse};
use rustix::io::Errno;
use std::collections::HashMap;
use std::rc::Rc;

/// What is known of an fd.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct What {
    pub(super) kind: String,
    pub(super) name: Vec<u8>,
    /// Whether it is a socket that listens.
    pub(super) listens: bool,
}

/// An fd that a loop watches.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) registration: Registration,
    /// Which of all it is, as they were read.
    place: usize,
    /// Whether its number is another's now, rather than closed, if it is stale.
    pub(super) reused: bool,
    /// Nothing until it is asked for.
    pub(super) what: Option<Rc<What>>,
    /// How it can be asked; nothing until it was.
    pub(super) sort: Option<Sort>,
    /// Whether others may serve it, too.
    pub(super) shared: bool,
    /// What it was like at the last look, and whether there was one.
    pub(super) readiness: Option<Readiness>,
    pub(super) marks: Marks,
}

impl Watched {
    /// Whether it is closed, or its number is another's, though it is registered still.
    pub(super) fn is_stale(&self) -> bool {
        self.registration.stale == Some(true)
    }

    /// Whether its loop is woken up for it again and again, though it is stale.
    pub(super) fn wakes_for_nothing(&self) -> bool {
        self.is_stale() && !self.registration.is_edge()
    }

    /// Whether to ask it tells whether its loop has something to do: what is edge-triggered, it may have
    /// been told of.
    pub(super) fn tells(&self) -> bool {
        !self.is_stale() && !self.registration.is_edge() && self.sort != Some(Sort::Untouchable)
    }

    /// Its kind; where it was not asked for, what is known of it all the same.
    pub(super) fn kind(&self) -> &str {
        match (&self.what, self.sort) {
            (Some(what), _) => &what.kind,
            _ if self.is_stale() && self.reused => "reused",
            _ if self.is_stale() => "closed",
            (None, Some(Sort::Tcp)) => "tcp",
            (None, Some(Sort::Stream | Sort::UnixListener)) => "unix",
            (None, Some(Sort::Datagrams)) => "socket",
            (None, Some(Sort::Reader | Sort::Writer)) => "pipe",
            _ => "unknown",
        }
    }
}

/// What tells registrations apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    fd: FdNum,
    identity: Option<Identity>,
    /// Which it is of so many with the same number and inode, in the kernel's order: all anonymous inodes
    /// are one, and the ends of a pipe have one.
    nth: (u32, u32),
}

impl Key {
    /// Those of registrations, which are in the order of their numbers.
    pub(super) fn all(registrations: &[Registration]) -> impl Iterator<Item = Self> {
        registrations.chunk_by(|a, b| a.fd == b.fd).flat_map(|same| {
            same.iter().enumerate().map(|(at, registration)| {
                let identity = identity(registration);
                let count =
                    |some: &[Registration]| some.iter().filter(|r| self::identity(r) == identity).count();
                Self { fd: registration.fd, identity, nth: (count(&same[..at]) as u32, count(same) as u32) }
            })
        })
    }
}

/// What a loop watches, each under a number of its own that is used again.
#[derive(Debug, Default)]
pub(super) struct Set {
    watched: Vec<Option<Watched>>,
    keys: HashMap<Key, usize>,
    free: Vec<usize>,
    /// The numbers in the order in which they are looked at, and where to go on.
    ring: Vec<usize>,
    next: usize,
    /// How many are left until all have been looked at.
    left: usize,
}

/// How a set has changed.
#[derive(Debug, Default)]
pub(super) struct Changed {
    pub(super) new: Vec<usize>,
    /// Those that went away, as they were.
    pub(super) gone: Vec<(usize, Watched)>,
    /// Those of which something else is asked now.
    pub(super) other: Vec<usize>,
    /// Whether of those that are new some have the same number and inode: which are stale is to be asked.
    pub(super) alike: bool,
}

/// What came of looking at one.
pub(super) enum Felt {
    Pulse(Pulse),
    /// It is closed, or its number is another's.
    Gone,
    /// It is not to be looked at.
    Untouchable,
    /// It can't be, for this reason.
    Failed(Errno),
}

impl Set {
    /// Takes in what is registered now.
    pub(super) fn update(&mut self, now: Vec<Registration>) -> Changed {
        let mut changed = Changed::default();
        let mut kept = vec![false; self.watched.len()];
        let keys: Vec<Key> = Key::all(&now).collect();
        for (place, (registration, key)) in now.into_iter().zip(keys).enumerate() {
            if let Some(&token) = self.keys.get(&key) {
                kept[token] = true;
                if let Some(watched) = &mut self.watched[token] {
                    watched.place = place;
                    if watched.registration.events != registration.events {
                        changed.other.push(token);
                    }
                    let stale = registration.stale.or(watched.registration.stale);
                    watched.registration = Registration { stale, ..registration };
                }
                continue;
            }
            let watched = Watched {
                registration,
                place,
                reused: false,
                what: None,
                sort: None,
                shared: false,
                readiness: None,
                marks: Marks::default(),
            };
            let token = self.free();
            if token == kept.len() {
                kept.push(true);
            } else {
                kept[token] = true;
            }
            self.watched[token] = Some(watched);
            self.keys.insert(key, token);
            changed.new.push(token);
            changed.alike |= key.nth.1 > 1;
        }
        self.keys.retain(|_, token| kept[*token]);
        for (token, _) in kept.iter().enumerate().filter(|(_, kept)| !**kept) {
            if let Some(watched) = self.watched[token].take() {
                self.free.push(token);
                changed.gone.push((token, watched));
            }
        }
        if !changed.new.is_empty() || !changed.gone.is_empty() {
            self.arrange();
        }
        changed
    }

    /// All that is registered, in the order in which it was read, by number.
    pub(super) fn registered(&self) -> Vec<(usize, Registration)> {
        let mut all: Vec<(usize, &Watched)> = self.iter().collect();
        all.sort_by_key(|(_, watched)| watched.place);
        all.into_iter().map(|(token, watched)| (token, watched.registration)).collect()
    }

    /// Takes in which are stale, by number: and of those, whether theirs is another's.
    pub(super) fn mark_stale(&mut self, found: impl IntoIterator<Item = (usize, Option<bool>, bool)>) {
        for (token, stale, reused) in found {
            if let Some(watched) = self.get_mut(token) {
                watched.registration.stale = stale;
                watched.reused = reused;
            }
        }
        self.arrange();
    }

    /// Lists anew what is to be looked at.
    fn arrange(&mut self) {
        self.ring = self.iter().filter(|(_, w)| !w.is_stale()).map(|(token, _)| token).collect();
        self.next = self.next.min(self.ring.len().saturating_sub(1));
        self.left = self.ring.len();
    }

    /// One that is registered as this.
    pub(super) fn find(&self, key: &Key) -> Option<&Watched> {
        self.get(*self.keys.get(key)?)
    }

    /// A number that is free.
    fn free(&mut self) -> usize {
        self.free.pop().unwrap_or_else(|| {
            self.watched.push(None);
            self.watched.len() - 1
        })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &Watched)> {
        self.watched.iter().enumerate().filter_map(|(token, w)| Some((token, w.as_ref()?)))
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (usize, &mut Watched)> {
        self.watched.iter_mut().enumerate().filter_map(|(token, w)| Some((token, w.as_mut()?)))
    }

    pub(super) fn get(&self, token: usize) -> Option<&Watched> {
        self.watched.get(token)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, token: usize) -> Option<&mut Watched> {
        self.watched.get_mut(token)?.as_mut()
    }

    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// How many of them can be looked at.
    pub(super) fn lookable(&self) -> usize {
        self.ring.len()
    }

    /// The next to look at, and whether all have been looked at with it.
    pub(super) fn step(&mut self) -> Option<(usize, bool)> {
        let token = *self.ring.get(self.next)?;
        self.next = (self.next + 1) % self.ring.len();
        self.left = self.left.saturating_sub(1);
        let whole = self.left == 0;
        if whole {
            self.left = self.ring.len();
        }
        Some((token, whole))
    }

    /// Begins anew to count until all have been looked at.
    pub(super) fn begin(&mut self) {
        self.left = self.ring.len();
    }

    /// Looks at one.
    pub(super) fn feel(&mut self, token: usize, donor: &Donor) -> Felt {
        let Some(watched) = self.get_mut(token) else { return Felt::Gone };
        let registration = watched.registration;
        let expected = identity(&registration);
        let is_it = |found: Identity| expected.is_none_or(|expected| expected == found);
        match pulse(donor, registration.fd, registration.reports(), &mut watched.sort, is_it) {
            Ok(mut pulse) => {
                pulse.readiness = pulse.readiness & registration.reports();
                watched.readiness = Some(pulse.readiness);
                watched.marks = pulse.marks;
                Felt::Pulse(pulse)
            }
            Err(errno @ (Errno::BADF | Errno::STALE)) => {
                watched.registration.stale = Some(true);
                watched.reused = errno == Errno::STALE;
                self.ring.retain(|&other| other != token);
                self.next = self.next.min(self.ring.len().saturating_sub(1));
                self.left = self.left.min(self.ring.len());
                Felt::Gone
            }
            Err(Errno::OPNOTSUPP) => Felt::Untouchable,
            Err(errno) => Felt::Failed(errno),
        }
    }
}

fn identity(registration: &Registration) -> Option<Identity> {
    Some(Identity { device: registration.device?, inode: registration.inode? })
}

#[cfg(test)]
mod tests {
    use super::{Changed, FdNum, Registration, Set};
    use crate::model::{Device, Inode};

    fn registration(fd: i32, inode: u64, events: u64) -> Registration {
        let device = Some(Device { major: 0, minor: 8 });
        Registration { events, device, inode: Some(Inode(inode)), ..Registration::new(FdNum(fd)) }
    }

    #[test]
    fn what_has_changed() {
        let mut set = Set::default();
        let mut update = |now: &[(i32, u64, u64)]| {
            let now = now.iter().map(|&(fd, inode, events)| registration(fd, inode, events)).collect();
            set.update(now)
        };
        assert_eq!(update(&[(4, 1, 1), (5, 2, 1)]).new, [0, 1]);
        let Changed { new, gone, other, .. } = update(&[(4, 1, 1), (5, 2, 1)]);
        assert!(new.is_empty() && gone.is_empty() && other.is_empty());
        // Its number is another's; and of one, more is asked.
        let changed = update(&[(4, 3, 1), (5, 2, 5)]);
        let gone: Vec<usize> = changed.gone.iter().map(|(token, _)| *token).collect();
        assert_eq!((&changed.new[..], &gone[..], &changed.other[..]), (&[2][..], &[0][..], &[1][..]));
        assert_eq!(update(&[(4, 3, 1), (5, 2, 5), (6, 4, 1)]).new, [0]);
        assert_eq!(set.len(), 3);
    }

    /// Of one number and one inode: eventfds, or the ends of a pipe.
    #[test]
    fn what_looks_alike_is_told_apart() {
        let mut set = Set::default();
        let changed = set.update(vec![registration(4, 1, 1), registration(4, 2, 1), registration(5, 1, 1)]);
        assert_eq!((&changed.new[..], changed.alike), (&[0, 1, 2][..], false));
        let two = || vec![registration(4, 1, 1), registration(4, 1, 4), registration(5, 1, 1)];
        let changed = set.update(two());
        let gone: Vec<usize> = changed.gone.iter().map(|(token, _)| *token).collect();
        assert_eq!((&changed.new[..], &gone[..], changed.alike), (&[3, 4][..], &[0, 1][..], true));
        let Changed { new, gone, other, .. } = set.update(two());
        assert!(new.is_empty() && gone.is_empty() && other.is_empty());
        set.mark_stale([(3, Some(true), true), (4, Some(false), false)]);
        let kinds: Vec<&str> = set.registered().iter().map(|(t, _)| set.get(*t).unwrap().kind()).collect();
        assert_eq!(kinds, ["reused", "unknown", "unknown"]);
        // Which of them is left is to be asked anew.
        let changed = set.update(vec![registration(4, 1, 4), registration(5, 1, 1)]);
        assert_eq!(changed.new.len(), 1);
        assert_eq!(set.get(changed.new[0]).map(|watched| watched.registration.stale), Some(None));
    }

    #[test]
    fn all_are_looked_at_in_turn() {
        let mut set = Set::default();
        assert_eq!(set.step(), None);
        let three = (0..3).map(|n| registration(n, n as u64, 1)).collect();
        set.update(three);
        let steps: Vec<_> = (0..4).filter_map(|_| set.step()).collect();
        assert_eq!(steps, [(0, false), (1, false), (2, true), (0, false)]);
        set.begin();
        assert_eq!(set.step(), Some((1, false)));
    }
}
