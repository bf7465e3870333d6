//! Our own fds: reading what comes, and connections that fail.

use super::super::connect::connect;
use super::super::drain::{Drained, drain};
use super::super::event::{Facts, What, Who};
use super::super::lines;
use super::Session;
use crate::context::complain;
use crate::error::Error;
use crate::model::{Readiness, errno_name, errno_words};
use crate::selector::Trigger;
use rustix::io::Errno;
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
            let (bytes, ends, failure) = match drained {
                Drained::Some(bytes) | Drained::Dry(bytes) => (bytes, false, None),
                // A failure that was asked for is not told by reading any more.
                Drained::End(bytes) => (bytes, true, subject.failure),
                Drained::Failed(bytes, errno) => (bytes, true, Some(errno)),
                Drained::Never => {
                    subject.drained = false;
                    continue;
                }
            };
            subject.bytes += bytes;
            subject.clear_bytes();
            self.drained |= bytes > 0;
            if ends {
                self.end_reading(token, failure)?;
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
            // One that has brought something was there, and is read to its end.
            let has_failed = (subject.failure.is_some() || readiness.intersects(Readiness::ERR))
                && !(self.bounds.drains && subject.readable_bytes(&mut self.stage.processes) > Some(0));
            if subject.open && has_failed {
                // Another address of the host at once, and the first again after a while.
                let again = self.bounds.retry.map(|retry| now + retry);
                let next = subject.next_address.map(|_| now).or(again);
                self.finish_own(token);
                self.try_again(token, next);
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
                Err(failure) => {
                    // That was the last of its addresses. Where others came so far as to fail, why this
                    // one did not is told too.
                    let is_later = subject.next_address.take().is_some();
                    subject.failure = failure.errno.filter(|_| is_later || failure.is_refusal());
                    if subject.failure.is_none() && self.bounds.retry.is_none() {
                        complain(&failure.reason);
                        self.stage.failed = true;
                    }
                    self.tell_unbegun(token)?;
                }
            }
        }
        Ok(())
    }

    /// Tells of a connection that failed before any selector could see it, as of one that they saw.
    /// What is not there is tried again as silently as a name that is not known.
    pub(super) fn tell_unbegun(&mut self, token: usize) -> Result<(), Error> {
        self.try_again(token, self.bounds.retry.map(|retry| Instant::now() + retry));
        let subject = &self.stage.subjects[token];
        let Some(failure) = subject.failure else { return Ok(()) };
        let facts = Facts { socket_error: Some(errno_name(failure.raw_os_error())), ..Facts::default() };
        self.tell(self.event(What::Error, &subject.who).facts(facts))
    }

    /// A connection that has failed is tried again then, or never.
    fn try_again(&mut self, token: usize, at: Option<Instant>) {
        self.retries.push((token, at));
        let subject = &self.stage.subjects[token];
        if let (None, Some(failure), true) = (at, subject.failure, self.bounds.reads_all()) {
            complain_of(&subject.who, failure);
            self.stage.failed = true;
        }
    }

    /// Nothing can be read from an fd of our own any more. Who has read less than all is told so.
    fn end_reading(&mut self, token: usize, failure: Option<Errno>) -> Result<(), Error> {
        self.finish_own(token);
        let who = Rc::clone(&self.stage.subjects[token].who);
        if let Some(failure) = failure {
            complain_of(&who, failure);
            self.stage.failed = true;
        }
        let read_error = failure.map(|e| errno_name(e.raw_os_error()));
        self.tell(self.event(What::End, &who).facts(Facts { read_error, ..Facts::default() }))
    }

    /// An fd of our own is looked at no more.
    fn finish_own(&mut self, token: usize) {
        for lookout in &mut self.lookouts {
            lookout.deregister(token, &self.stage.subjects[token]);
            lookout.ready.retain(|t| *t != token);
        }
        self.stage.subjects[token].end();
    }
}

fn complain_of(who: &Who, failure: Errno) {
    complain(&format!("{}: {}", lines::short(who), errno_words(failure.raw_os_error())));
}
