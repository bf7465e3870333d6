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

    /// Its kind; where it was not asked for, what is known of it all the same.
    pub(super) fn kind(&self) -> &str {
        match (&self.what, self.sort) {
            (Some(what), _) => &what.kind,
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
type Key = (FdNum, Option<Identity>);

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
        for registration in now {
            let key = key(&registration);
            if let Some(&token) = self.keys.get(&key) {
                kept[token] = true;
                if let Some(watched) = &mut self.watched[token] {
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
        }
        for (token, _) in kept.iter().enumerate().filter(|(_, kept)| !**kept) {
            if let Some(watched) = self.watched[token].take() {
                self.keys.remove(&key(&watched.registration));
                self.free.push(token);
                changed.gone.push((token, watched));
            }
        }
        if !changed.new.is_empty() || !changed.gone.is_empty() {
            self.arrange();
        }
        changed
    }

    /// Takes in which are stale.
    pub(super) fn mark_stale(&mut self, registrations: &[Registration]) {
        for registration in registrations {
            if let Some(&token) = self.keys.get(&key(registration))
                && let Some(watched) = &mut self.watched[token]
            {
                watched.registration.stale = registration.stale;
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
    pub(super) fn find(&self, registration: &Registration) -> Option<&Watched> {
        self.get(*self.keys.get(&key(registration))?)
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
            Err(Errno::BADF | Errno::STALE) => {
                watched.registration.stale = Some(true);
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

fn key(registration: &Registration) -> Key {
    (registration.fd, identity(registration))
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
        let Changed { new, gone, other } = update(&[(4, 1, 1), (5, 2, 1)]);
        assert!(new.is_empty() && gone.is_empty() && other.is_empty());
        // Its number is another's; and of one, more is asked.
        let changed = update(&[(4, 3, 1), (5, 2, 5)]);
        let gone: Vec<usize> = changed.gone.iter().map(|(token, _)| *token).collect();
        assert_eq!((&changed.new[..], &gone[..], &changed.other[..]), (&[2][..], &[0][..], &[1][..]));
        assert_eq!(update(&[(4, 3, 1), (5, 2, 5), (6, 4, 1)]).new, [0]);
        assert_eq!(set.len(), 3);
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
