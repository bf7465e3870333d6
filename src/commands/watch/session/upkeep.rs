//! What no selector tells: more of the same, what is closed, what is opened, processes that end.

use super::super::event::{Facts, What, Who};
use super::super::lookout::Lookout;
use super::super::stage::Wishes;
use super::super::subject::Subject;
use super::Session;
use crate::error::Error;
use crate::model::Readiness;
use crate::selector::Trigger;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// How often processes are asked for new fds, at most.
const FOLLOW: Duration = Duration::from_millis(100);
/// How often more of the same is told, at most.
const MORE: Duration = Duration::from_millis(100);
/// How many subjects are asked in one turn whether they have more to read.
const SHARE: usize = 128;
/// For how long subjects are asked in one turn whether they are closed, and how many times as long
/// none is, unless one is known to be.
const CHECK: Duration = Duration::from_millis(2);
const UNCHECKED: u32 = 20;

impl Session<'_> {
    /// Tells of subjects that have more to read than was told.
    pub(super) fn look_for_more(&mut self) -> Result<(), Error> {
        let Some(lookout) = self.lookouts.iter().position(|l| l.trigger == Trigger::Level) else {
            return Ok(());
        };
        let ready = std::mem::take(&mut self.lookouts[lookout].ready);
        for n in 0..ready.len().min(SHARE) {
            let token = ready[(self.next_more + n) % ready.len()];
            let subject = &mut self.stage.subjects[token];
            let readable = subject.trackers[lookout].readiness().contains(Readiness::IN);
            if !readable || !subject.open || !subject.has_bytes() {
                continue;
            }
            let Some(bytes) = subject.readable_bytes(&mut self.stage.processes) else { continue };
            subject.note_bytes(Some(bytes));
            if subject.has_more() && subject.may_tell_more(MORE) && !self.bounds.repeat {
                let readiness = subject.trackers[lookout].readiness();
                let who = Rc::clone(&subject.who);
                let facts = Facts { readable_bytes: Some(bytes), ..Facts::default() };
                let seen = self.seen(lookout, readiness, None);
                self.tell(self.event(What::More, &who).seen(seen).facts(facts))?;
            }
        }
        self.next_more = self.next_more.wrapping_add(SHARE) % ready.len().max(1);
        self.lookouts[lookout].ready = ready;
        Ok(())
    }

    /// Asks some of the subjects whether they are still what was registered. The kernel goes
    /// through all that is registered for that.
    pub(super) fn look_for_closed(&mut self) -> Result<(), Error> {
        let began = Instant::now();
        let Some(epoll) = self.lookouts.iter().find_map(Lookout::fd).filter(|_| began >= self.check) else {
            return Ok(());
        };
        let count = self.stage.subjects.len();
        let mut closed = Vec::new();
        let mut asked = 0;
        let most = if self.hurried > 0 { CHECK * 5 } else { CHECK };
        while asked < count && (asked % 16 != 0 || began.elapsed() < most) {
            let token = (self.next_check + asked) % count;
            let fate = self.stage.closed(token, Some(epoll)).ok().flatten();
            closed.extend(fate.map(|reused| (token, reused)));
            asked += 1;
        }
        self.next_check = (self.next_check + asked) % count.max(1);
        self.hurried = self.hurried.saturating_sub(asked);
        let pause = if self.hurried > 0 { 0 } else { UNCHECKED };
        let now = Instant::now();
        self.check = now + self.bounds.interval.max((now - began) * pause);
        for (token, reused) in closed {
            self.close(token, reused)?;
        }
        Ok(())
    }

    /// A subject is closed by its owner.
    pub(super) fn close(&mut self, token: usize, reused: bool) -> Result<(), Error> {
        let subject = &mut self.stage.subjects[token];
        if !subject.open {
            return Ok(());
        }
        subject.end();
        if let Some(number) = subject.number.take() {
            self.stage.numbers.give_back(number);
        }
        self.ended = true;
        let who = Rc::clone(&subject.who);
        // Its number may be another's now or soon, and there may be another in its place.
        if let (Some(process), Some(fd)) = (subject.process(), who.fd) {
            self.stage.processes[process].forget(fd);
        }
        self.tell(self.event(What::Closed { reused }, &who))
    }

    /// Takes in what followed processes have opened since.
    pub(super) fn look_for_new(&mut self) -> Result<(), Error> {
        let now = Instant::now();
        if now < self.follow {
            return Ok(());
        }
        self.follow = now + FOLLOW.max(self.bounds.interval);
        for index in 0..self.stage.processes.len() {
            let process = &mut self.stage.processes[index];
            if process.ended {
                continue;
            }
            let changed = process.has_changed(self.system);
            if changed {
                (self.hurried, self.check) = (self.stage.subjects.len(), now);
            }
            if !process.follow || !(changed || process.is_due()) {
                continue;
            }
            let Ok(found) = process.list(None, self.system.root()) else { continue };
            let wishes = Wishes { events: self.bounds.events, lookouts: self.lookouts.len(), retries: false };
            for one in found {
                let token = self.stage.subjects.len();
                self.stage.subjects.push(Subject::foreign(one.who, index, one.want, wishes));
                self.register(token);
                let subject = &self.stage.subjects[token];
                if subject.open {
                    let who = Rc::clone(&subject.who);
                    self.tell(self.event(What::Opened, &who))?;
                } else {
                    // No selector has it, and none its token.
                    self.stage.subjects.truncate(token);
                }
            }
        }
        Ok(())
    }

    pub(super) fn exit(&mut self, index: usize) -> Result<(), Error> {
        let process = &mut self.stage.processes[index];
        if std::mem::replace(&mut process.ended, true) {
            return Ok(());
        }
        self.ended = true;
        let who = Who {
            target: process.target.clone(),
            pid: Some(process.pid),
            command: None,
            fd: None,
            kind: String::new(),
            name: Vec::new(),
        };
        for subject in self.stage.subjects.iter_mut().filter(|s| s.process() == Some(index)) {
            subject.end();
            if let Some(number) = subject.number.take() {
                self.stage.numbers.give_back(number);
            }
        }
        self.tell(self.event(What::Exited, &Rc::new(who)))
    }
}
