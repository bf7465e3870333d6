//! Beginning to look at subjects.

use super::super::event::{Event, Seen, What};
use super::super::lines;
use super::super::lookout::{Lookout, Sight};
use super::super::options::Until;
use super::super::subject::Subject;
use super::{Session, refused};
use crate::context::complain;
use crate::error::Error;
use crate::selector::{Backend, Feature, RegisterError, Trigger};
use jiff::Timestamp;
use std::rc::Rc;
use std::time::{Duration, Instant};

impl Session<'_> {
    pub(super) fn arm(&mut self) -> Result<(), Error> {
        // One that only its own wait can wake up must be woken up by signals, too.
        for lookout in self.lookouts.iter_mut().filter(|l| l.fd().is_none()) {
            lookout.register_alarm(self.signals.as_fd()).map_err(|e| Error::Refused(e.to_string()))?;
        }
        for process in &mut self.stage.processes {
            process.has_changed(self.system);
        }
        let mut constant = Vec::new();
        // Connections that could not even be begun.
        let mut unbegun = Vec::new();
        for token in 0..self.stage.subjects.len() {
            self.stage.subjects[token].drained =
                self.bounds.drains && self.stage.subjects[token].own_fd().is_some();
            if self.stage.subjects[token].open {
                constant.extend(self.register(token));
            } else {
                unbegun.push(token);
            }
        }
        let subjects = self.stage.subjects.iter().enumerate();
        let watched = subjects
            .filter(|(token, s)| s.open || s.remote.is_some() || constant.binary_search(token).is_ok());
        let targets = watched.map(|(_, s)| Rc::clone(&s.who)).collect();
        self.tell(Event::new(Timestamp::now(), self.elapsed(), What::Armed { targets }))?;
        for &token in &constant {
            self.show_constant(token)?;
        }
        let alone = self.stage.subjects.iter().all(|s| !s.open);
        constant.iter().for_each(|token| self.note_constant(*token, alone));
        for token in unbegun {
            self.tell_unbegun(token)?;
        }
        self.sink.flush("")
    }

    /// Has all lookouts look at a subject. Gives it back if it is one that is always ready and
    /// shall be shown as that.
    pub(super) fn register(&mut self, token: usize) -> Option<usize> {
        let constant = self.attach(token);
        let subject = &mut self.stage.subjects[token];
        if let (false, Some(process), Some(fd)) = (subject.open, subject.process(), subject.who.fd) {
            self.stage.processes[process].forget(fd);
            if let Some(number) = subject.number.take() {
                self.stage.numbers.give_back(number);
            }
        }
        constant
    }

    pub(super) fn attach(&mut self, token: usize) -> Option<usize> {
        let subject = &mut self.stage.subjects[token];
        let follows = subject.process().is_some_and(|p| self.stage.processes[p].follow);
        let refuse = |subject: &mut Subject, reason: &str| {
            subject.open = false;
            if !follows {
                complain(&format!("{}: {reason}", lines::short(&subject.who)));
            }
            !follows
        };
        if subject.process().is_some() && subject.who.kind == "signalfd" {
            let reason = "a signalfd shows whoever asks his own signals, and not those of its process: \
                          it cannot be watched from outside";
            self.stage.failed |= refuse(subject, reason);
            return None;
        }
        let foreign = subject.process().is_some();
        if foreign {
            let epolls: Vec<_> = self.lookouts.iter().filter_map(Lookout::fd).collect();
            subject.number = if epolls.is_empty() { None } else { self.stage.numbers.take(&epolls) };
        }
        let mut refusals = Vec::new();
        for lookout in &mut self.lookouts {
            match lookout.register(token, subject, &mut self.stage.processes) {
                Ok(()) => {}
                Err(RegisterError::Refused { what: Feature::Files, .. }) if self.bounds.auto => {
                    subject.open = false;
                    return (!follows).then_some(token);
                }
                Err(RegisterError::Io(e)) if e.raw_os_error() == Some(libc::EBADF) => subject.open = false,
                Err(e) => {
                    // Who has not registered it cannot tell whether it is closed.
                    if let (Some(_), Some(number)) = (lookout.fd(), subject.number.take_if(|_| foreign)) {
                        self.stage.numbers.give_back(number);
                    }
                    refusals.push(e.to_string());
                }
            }
        }
        // Those that can go on: that one cannot is what is to be seen.
        let all = refusals.len() == self.lookouts.len();
        for reason in refusals {
            if all {
                self.stage.failed |= refuse(subject, &reason);
            } else if !follows {
                complain(&format!("{}: {reason}", lines::short(&subject.who)));
            }
        }
        None
    }

    /// Says why what is waited for does not come of what was shown as always ready; of most of that,
    /// if nothing else is watched.
    fn note_constant(&self, token: usize, alone: bool) {
        let subject = &self.stage.subjects[token];
        let reason = match self.bounds.until {
            Some(Until::Closed) if subject.process().is_some() => {
                "that it is closed is not seen, as epoll does not take what is always ready: --with poll sees it"
            }
            Some(Until::Closed | Until::Clear | Until::Hup | Until::Error) if alone => {
                "it is always ready, and what --until waits for does not come of it"
            }
            _ => return,
        };
        if !self.bounds.quiet {
            complain(&format!("{}: {reason}", lines::short(&subject.who)));
        }
    }

    /// What epoll refuses, as poll sees it: it will never be otherwise.
    pub(super) fn show_constant(&mut self, token: usize) -> Result<(), Error> {
        let mut poll = Lookout::new(Backend::Poll, Trigger::Level).map_err(refused)?;
        let subject = &mut self.stage.subjects[token];
        if poll.register(token, subject, &mut self.stage.processes).is_err() {
            return Ok(());
        }
        subject.open = true;
        let sights = poll.look(Some(Duration::ZERO), &self.stage.subjects, &mut self.stage.processes);
        // To be read, it is not over yet.
        let drained = self.stage.subjects[token].drained;
        self.stage.subjects[token].open = drained;
        self.drained |= drained;
        for (seen, sight) in sights.map_err(refused)? {
            if let Sight::Ready { readiness, raw } = sight
                && seen == token
            {
                let seen = Seen { selector: "poll", trigger: "level", readiness, raw };
                let subject = &mut self.stage.subjects[token];
                subject.trackers[0].level(readiness, Instant::now());
                let who = Rc::clone(&subject.who);
                self.tell(self.event(What::Ready, &who).seen(seen))?;
            }
        }
        Ok(())
    }
}
