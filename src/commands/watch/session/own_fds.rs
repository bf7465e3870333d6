//! Our own fds: reading what comes, and connections that fail.

use super::super::connect::connect;
use super::super::drain::{Drained, drain};
use super::super::event::What;
use super::Session;
use crate::error::Error;
use crate::model::Readiness;
use crate::selector::Trigger;
use std::io::Write;
use std::rc::Rc;
use std::time::Instant;

impl Session<'_> {
    /// Reads what has come on our own fds.
    pub(super) fn drain(&mut self) -> Result<(), Error> {
        self.drained = false;
        if !self.bounds.drains {
            return Ok(());
        }
        for token in 0..self.stage.subjects.len() {
            let subject = &mut self.stage.subjects[token];
            let readable = subject.trackers.iter().any(|t| {
                t.readiness().intersects(Readiness::IN | Readiness::HUP | Readiness::ERR | Readiness::RDHUP)
            });
            let reads = subject.open && subject.drained && readable;
            let Some(fd) = subject.own_fd().filter(|_| reads) else { continue };
            let tee = self.tee.as_mut().map(|t| &mut **t as &mut dyn Write);
            let drained = drain(fd, &mut self.buffer, tee).map_err(Error::Output)?;
            let (bytes, ends) = match drained {
                Drained::Some(bytes) | Drained::Dry(bytes) => (bytes, false),
                Drained::End(bytes) => (bytes, true),
                Drained::Never => {
                    subject.drained = false;
                    continue;
                }
            };
            subject.bytes += bytes;
            subject.clear_bytes();
            self.drained |= bytes > 0;
            if ends {
                self.finish_own(token, true)?;
                continue;
            }
            for lookout in &mut self.lookouts {
                match lookout.trigger {
                    Trigger::Oneshot => lookout.rearm(token, &self.stage.subjects[token]),
                    // What was told is read: it is over.
                    Trigger::Edge if drained == Drained::Dry(bytes) => {
                        for tracker in &mut self.stage.subjects[token].trackers {
                            tracker.end(Instant::now());
                        }
                    }
                    _ => {}
                }
            }
        }
        if let Some(tee) = &mut self.tee {
            tee.flush().map_err(Error::Output)?;
        }
        Ok(())
    }

    /// Connections of our own that have failed are over, or begun again.
    pub(super) fn look_for_failed(&mut self) -> Result<(), Error> {
        if !self.connects {
            return Ok(());
        }
        let now = Instant::now();
        for token in 0..self.stage.subjects.len() {
            let subject = &mut self.stage.subjects[token];
            if subject.remote.is_none() {
                continue;
            }
            let readiness = subject.trackers.iter().fold(Readiness::EMPTY, |all, t| all | t.readiness());
            if subject.open && readiness.intersects(Readiness::ERR) {
                // Another address of the host at once, and the first again after a while.
                let again = self.bounds.retry.map(|retry| now + retry);
                self.retries.push((token, subject.next_address.map(|_| now).or(again)));
                self.finish_own(token, false)?;
            } else if subject.open && readiness.intersects(Readiness::OUT) {
                // It is connected.
                subject.remote = None;
            }
        }
        let due = |(_, at): &(usize, Option<Instant>)| at.is_some_and(|at| at <= now);
        for (token, _) in self.retries.extract_if(.., |r| due(r)).collect::<Vec<_>>() {
            let subject = &mut self.stage.subjects[token];
            let Some(remote) = &subject.remote else { continue };
            match connect(remote, subject.next_address.unwrap_or(0)) {
                Ok(begun) => {
                    subject.next_address = begun.next;
                    subject.replace(begun.fd);
                    self.register(token);
                }
                // As if it had been refused.
                Err(_) => self.retries.push((token, self.bounds.retry.map(|retry| now + retry))),
            }
        }
        Ok(())
    }

    /// Nothing will come on an fd of our own any more.
    pub(super) fn finish_own(&mut self, token: usize, tells: bool) -> Result<(), Error> {
        for lookout in &mut self.lookouts {
            lookout.deregister(token, &self.stage.subjects[token]);
            lookout.ready.retain(|t| *t != token);
        }
        let subject = &mut self.stage.subjects[token];
        subject.end();
        let who = Rc::clone(&subject.who);
        if tells { self.tell(self.event(What::End, &who)) } else { Ok(()) }
    }
}
