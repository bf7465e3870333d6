//! Having every lookout look, and telling what has changed.

use super::super::event::{Event, Facts, Seen, What};
use super::super::lookout::{Lookout, Sight};
use super::{Session, Sighting, refused};
use crate::error::Error;
use crate::model::Readiness;
use crate::selector::Trigger;
use crate::watch::Change;
use std::time::{Duration, Instant};

/// How long after something has come it is looked at again.
const AGAIN: Duration = Duration::from_micros(200);

impl Session<'_> {
    /// Has every lookout look, and tells what has changed.
    pub(super) fn look(&mut self, timeout: Option<Duration>) -> Result<(), Error> {
        let mut changes: Vec<Sighting> = Vec::new();
        let mut closed = Vec::new();
        for i in 0..self.lookouts.len() {
            let lookout = &mut self.lookouts[i];
            // The first waits for all.
            let timeout = if i == 0 { timeout } else { Some(Duration::ZERO) };
            let sights =
                lookout.look(timeout, &self.stage.subjects, &mut self.stage.processes).map_err(refused)?;
            let now = Instant::now();
            let level = lookout.trigger == Trigger::Level;
            let before = std::mem::take(&mut lookout.ready);
            let mut ready = Vec::with_capacity(sights.len());
            for (token, sight) in sights {
                let Some(subject) = self.stage.subjects.get_mut(token).filter(|s| s.open) else { continue };
                let (readiness, raw) = match sight {
                    Sight::Ready { readiness, raw } => (readiness, raw),
                    Sight::Closed { reused } => {
                        closed.push((token, reused));
                        continue;
                    }
                    Sight::Unknown => {
                        // It counts as what it was.
                        ready.extend(before.binary_search(&token).is_ok().then_some(token));
                        continue;
                    }
                };
                if self.bounds.repeat {
                    subject.trackers[i].level(readiness, now);
                    // Each return tells all that is in force.
                    let told = Change::of(readiness);
                    changes.extend(told.map(|change| Sighting {
                        subject: token,
                        lookout: i,
                        change,
                        readiness,
                        raw,
                    }));
                } else if level {
                    let told = subject.trackers[i].level(readiness, now);
                    changes.extend(told.into_iter().flatten().map(|change| Sighting {
                        subject: token,
                        lookout: i,
                        change,
                        readiness,
                        raw,
                    }));
                } else if let Some(change) = subject.trackers[i].edge(readiness) {
                    changes.push(Sighting { subject: token, lookout: i, change, readiness, raw });
                }
                ready.push(token);
            }
            if level {
                ready.sort_unstable();
                let mut unknown = Vec::new();
                for token in before.into_iter().filter(|t| ready.binary_search(t).is_err()) {
                    // A registration ends without an event: that is no clear.
                    match self.stage.closed(token, lookout.fd()) {
                        Ok(None) => {}
                        Ok(Some(reused)) => {
                            closed.push((token, reused));
                            continue;
                        }
                        Err(_) => {
                            unknown.push(token);
                            continue;
                        }
                    }
                    if closed.iter().any(|(other, _)| *other == token) {
                        continue;
                    }
                    let subject = &mut self.stage.subjects[token];
                    let nothing = Readiness::default();
                    let told = subject.trackers[i].level(nothing, now);
                    if subject.open && !self.bounds.repeat {
                        changes.extend(told.into_iter().flatten().map(|change| Sighting {
                            subject: token,
                            lookout: i,
                            change,
                            readiness: nothing,
                            raw: Some(0),
                        }));
                    }
                }
                // They count as what they were.
                ready.append(&mut unknown);
                ready.sort_unstable();
            }
            self.lookouts[i].ready = ready;
        }
        self.ask_connections(&mut changes);
        self.tell_changes(changes)?;
        for (token, reused) in closed {
            self.close(token, reused)?;
        }
        Ok(())
    }

    /// Has the sockets of connections that we make say whether they have failed: select shows one that
    /// has as it shows one that is there. Asking clears the error, so all have looked before.
    fn ask_connections(&mut self, changes: &mut [Sighting]) {
        if !self.connects {
            return;
        }
        for sighting in changes.iter_mut().filter(|s| !matches!(s.change, Change::Clear { .. })) {
            let subject = &mut self.stage.subjects[sighting.subject];
            if subject.remote.is_some() && subject.has_failed() {
                sighting.change = Change::Error;
            }
        }
    }

    /// Looks once more, soon after something has come. What wakes us up is that it comes, so whoever
    /// takes it at once and gets more soon would otherwise be seen to let it wait all the time.
    pub(super) fn look_again(&mut self) -> Result<(), Error> {
        let sees_it_go = self.lookouts.iter().any(|l| l.trigger == Trigger::Level);
        let came = std::mem::take(&mut self.came);
        if came && sees_it_go && !self.bounds.repeat && !self.stage.processes.is_empty() {
            std::thread::sleep(AGAIN);
            self.look(Some(Duration::ZERO))?;
            self.came = false;
        }
        Ok(())
    }

    /// Whether it is time to look: always, unless every return is shown.
    pub(super) fn may_look(&mut self) -> bool {
        let now = Instant::now();
        let may = !self.bounds.repeat || now >= self.next_return;
        if may {
            self.next_return = now + self.bounds.interval;
        }
        may
    }

    pub(super) fn tell_changes(&mut self, mut changes: Vec<Sighting>) -> Result<(), Error> {
        self.came |= changes.iter().any(|c| !matches!(c.change, Change::Clear { .. }));
        if !changes.is_empty() {
            self.changed = Instant::now();
        }
        // What several selectors see of one fd at once is one event, in however many records.
        let (several, together) = (self.lookouts.len() > 1, self.bounds.together);
        if several {
            let rank = |change| match change {
                Change::Error => 0,
                Change::Hup => 1,
                Change::Ready => 2,
                Change::Clear { .. } => 3,
            };
            changes.sort_by_key(|c| (c.subject, if together { rank(c.change) } else { 0 }, c.lookout));
        }
        for seen in changes.chunk_by(|a, b| several && a.subject == b.subject) {
            if self.end.is_some() {
                break;
            }
            // A line is named for the worst of it.
            for sighting in if together { &seen[..1] } else { seen } {
                let event = self.sighted(sighting);
                self.sink.write(&event)?;
            }
            self.count(seen.iter().any(|s| self.is_met_by(What::from(s.change).name(), s.readiness)));
        }
        Ok(())
    }

    /// The event that a selector has seen.
    fn sighted(&mut self, sighting: &Sighting) -> Event {
        let &Sighting { subject: token, lookout, change, readiness, raw } = sighting;
        let what = What::from(change);
        let facts = self.facts(token, &what, readiness);
        let seen = self.seen(lookout, readiness, raw);
        let subject = &self.stage.subjects[token];
        let mut event = self.event(what, &subject.who).seen(seen).facts(facts);
        if self.bounds.together {
            let view = |(l, t): (&Lookout, &crate::watch::Tracker)| (l.backend.name(), t.readiness());
            event.views = self.lookouts.iter().zip(&subject.trackers).map(view).collect();
        }
        event
    }

    pub(super) fn seen(&self, lookout: usize, readiness: Readiness, raw: Option<u32>) -> Seen {
        let lookout = &self.lookouts[lookout];
        Seen { selector: lookout.backend.name(), trigger: lookout.trigger.name(), readiness, raw }
    }

    /// What the fd says of itself, and what that adds to what is known of it.
    pub(super) fn facts(&mut self, token: usize, what: &What, readiness: Readiness) -> Facts {
        let subject = &mut self.stage.subjects[token];
        if matches!(what, What::Clear { .. }) {
            if !readiness.contains(Readiness::IN) {
                subject.clear_bytes();
            }
            return Facts::default();
        }
        let has_error = readiness.contains(Readiness::ERR) || matches!(what, What::Error);
        if has_error {
            subject.has_failed();
        }
        let facts = subject.facts(&mut self.stage.processes, self.system.root(), &mut self.diag, has_error);
        subject.note_bytes(facts.readable_bytes);
        subject.tell_bytes();
        facts
    }
}
