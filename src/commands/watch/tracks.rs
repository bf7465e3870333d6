//! What is kept of each fd under each selector, found by the events that tell of it.

use super::event::{Event, Who};
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::rc::Rc;

/// A track for each fd under each selector, in the order in which the fds came.
pub(super) struct Tracks<T> {
    selectors: Vec<&'static str>,
    tracks: BTreeMap<usize, Track<T>>,
    /// The first track of each fd. The tracks keep what the keys point to, so that no other fd has
    /// the same.
    first: HashMap<*const Who, usize>,
    next: usize,
}

/// One fd under one selector.
pub(super) struct Track<T> {
    pub(super) who: Rc<Who>,
    pub(super) selector: &'static str,
    pub(super) value: T,
}

impl<T: Default> Tracks<T> {
    /// No fd yet, under these selectors.
    pub(super) fn new(selectors: Vec<&'static str>) -> Self {
        Self { selectors, tracks: BTreeMap::new(), first: HashMap::new(), next: 0 }
    }

    /// Whether an fd has more than one.
    pub(super) fn several(&self) -> bool {
        self.selectors.len() > 1
    }

    /// The tracks of an fd, which are made where there are none yet.
    pub(super) fn add(&mut self, who: &Rc<Who>) -> Range<usize> {
        let count = self.selectors.len();
        if let Some(&first) = self.first.get(&Rc::as_ptr(who)) {
            return first..first + count;
        }
        let first = self.next;
        self.next += count;
        self.first.insert(Rc::as_ptr(who), first);
        for (id, selector) in (first..).zip(&self.selectors) {
            self.tracks.insert(id, Track { who: Rc::clone(who), selector, value: T::default() });
        }
        first..self.next
    }

    /// The tracks that an event is about: that of the selector that saw it, or all of the fd, or of
    /// the process.
    pub(super) fn of(&mut self, event: &Event) -> Vec<usize> {
        let Some(who) = &event.who else { return Vec::new() };
        if who.fd.is_none() {
            return self.iter().filter(|(_, t)| t.who.pid == who.pid).map(|(id, _)| id).collect();
        }
        let ids = self.add(who);
        match event.seen {
            // A selector that stands in for the only one is not among them.
            Some(seen) => {
                let at = self.selectors.iter().position(|s| *s == seen.selector).unwrap_or(0);
                vec![ids.start + at]
            }
            None => ids.collect(),
        }
    }

    /// A track, by its number.
    pub(super) fn get_mut(&mut self, id: usize) -> Option<&mut Track<T>> {
        self.tracks.get_mut(&id)
    }

    /// All, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &Track<T>)> {
        self.tracks.iter().map(|(id, track)| (*id, track))
    }

    /// Forgets a track.
    pub(super) fn remove(&mut self, id: usize) {
        let Some(track) = self.tracks.remove(&id) else { return };
        if let Some(&first) = self.first.get(&Rc::as_ptr(&track.who))
            && self.tracks.range(first..first + self.selectors.len()).next().is_none()
        {
            self.first.remove(&Rc::as_ptr(&track.who));
        }
    }
}

#[cfg(test)]
pub(super) mod testing {
    use super::super::event::{Event, Seen, What, Who};
    use crate::model::{FdNum, Pid, Readiness};
    use jiff::Timestamp;
    use std::rc::Rc;
    use std::time::Duration;

    pub(in super::super) fn who(pid: i32, fd: i32, kind: &str) -> Rc<Who> {
        Rc::new(Who {
            target: format!("{pid}:{fd}").into_bytes(),
            pid: Some(Pid(pid)),
            command: Some(b"server".to_vec()),
            fd: Some(FdNum(fd)),
            kind: kind.to_owned(),
            name: b"name\x1b".to_vec(),
        })
    }

    /// Without an fd: the whole process.
    pub(in super::super) fn process(pid: i32) -> Rc<Who> {
        let target = pid.to_string().into_bytes();
        let (kind, name) = (String::new(), Vec::new());
        Rc::new(Who { target, pid: Some(Pid(pid)), command: None, fd: None, kind, name })
    }

    pub(in super::super) fn event(ms: u64, what: What) -> Event {
        Event::new(Timestamp::UNIX_EPOCH, Duration::from_millis(ms), what)
    }

    pub(in super::super) fn seen(selector: &'static str, readiness: Readiness) -> Seen {
        Seen { selector, trigger: "level", readiness, raw: None }
    }
}

#[cfg(test)]
mod tests {
    use super::super::event::What;
    use super::Tracks;
    use super::testing::{event, process, seen, who};
    use crate::model::Readiness;

    #[test]
    fn tracks_are_found_by_events() {
        let mut tracks = Tracks::<u8>::new(vec!["poll", "epoll"]);
        let (a, b, c) = (who(1, 3, "pipe"), who(1, 3, "pipe"), who(2, 3, "pipe"));
        assert_eq!(tracks.add(&a), 0..2);
        assert_eq!(tracks.of(&event(0, What::Opened).of(&b)), [2, 3]);
        let ready = |who, selector| event(0, What::Ready).of(who).seen(seen(selector, Readiness::IN));
        assert_eq!(tracks.of(&ready(&c, "epoll")), [5]);
        assert_eq!(tracks.of(&ready(&a, "poll")), [0]);
        assert_eq!(tracks.of(&ready(&a, "another")), [0]);
        assert_eq!(tracks.of(&event(0, What::Exited).of(&process(1))), [0, 1, 2, 3]);
        assert!(tracks.of(&event(0, What::Timeout)).is_empty());
    }

    #[test]
    fn a_track_that_is_gone_is_not_found() {
        let mut tracks = Tracks::<u8>::new(vec!["poll", "epoll"]);
        let a = who(1, 3, "pipe");
        tracks.add(&a);
        tracks.remove(0);
        assert!(tracks.get_mut(0).is_none() && tracks.get_mut(1).is_some());
        assert_eq!(tracks.add(&a), 0..2);
        tracks.remove(1);
        assert_eq!(tracks.iter().count(), 0);
        assert_eq!(tracks.add(&a), 2..4);
    }
}
