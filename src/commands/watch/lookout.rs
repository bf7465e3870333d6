//! One selector that looks at all subjects.

use super::processes::Process;
use super::subject::{Identity, Subject};
use crate::model::{FdNum, Interest, Readiness};
use crate::selector::{Backend, Event, RegisterError, Selector, Token, Trigger, Wake};
use rustix::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use std::io;
use std::time::Duration;

/// The token of what is not a subject: whatever else must wake a selector that blocks.
pub(super) const ALARM: Token = Token(u64::MAX);

/// How many duplicates a sampling lookout holds at a time.
const HANDFUL: usize = 64;

/// A selector, and how it looks.
pub(super) struct Lookout {
    pub(super) backend: Backend,
    pub(super) trigger: Trigger,
    selector: Box<dyn Selector>,
    /// Whether subjects of other processes are sampled: registered, asked without waiting and taken
    /// out again each time, because the selector can only watch what is held.
    samples: bool,
    /// Subjects that were ready at the last look.
    pub(super) ready: Vec<usize>,
    events: Vec<Event>,
    /// What sampled subjects were at first.
    identities: Vec<Option<Identity>>,
}

/// What came of one subject.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sight {
    /// This is in force.
    Ready { readiness: Readiness, raw: Option<u32> },
    /// It is closed, or its number is another's.
    Closed { reused: bool },
    /// It could not be asked this time.
    Unknown,
}

impl Lookout {
    /// A lookout with nothing to look at.
    pub(super) fn new(backend: Backend, trigger: Trigger) -> io::Result<Self> {
        let selector = backend.open()?;
        let samples = !backend.capabilities().outlives_fd;
        Ok(Self {
            backend,
            trigger,
            selector,
            samples,
            ready: Vec::new(),
            events: Vec::new(),
            identities: Vec::new(),
        })
    }

    /// Whether it looks at fds of other processes now and then only.
    pub(super) fn samples(&self) -> bool {
        self.samples
    }

    /// An fd that is readable when there is something to see; `None` if only
    /// [`Lookout::look`] can wait for that.
    pub(super) fn fd(&self) -> Option<FdNum> {
        self.selector.own_number()
    }

    /// Also wakes up for this fd, which is no subject.
    pub(super) fn register_alarm(&mut self, fd: BorrowedFd<'_>) -> Result<(), RegisterError> {
        self.selector.register(fd, ALARM, Interest::IN, Trigger::Level)
    }

    /// Looks at a subject from now on. An fd of another process is not held: the selector keeps the
    /// registration, or it is asked for again each time.
    pub(super) fn register(
        &mut self,
        token: usize,
        subject: &mut Subject,
        processes: &mut [Process],
    ) -> Result<(), RegisterError> {
        let (want, trigger) = (self.possible(subject), self.trigger);
        let at = Token(token as u64);
        if let Some(fd) = subject.own_fd() {
            return self.selector.register(fd, at, want, trigger);
        }
        let (samples, number) = (self.samples, subject.number);
        let selector = &mut self.selector;
        let mut identity = None;
        let registered = subject.with_fd(processes, |fd| {
            identity = Subject::identity(fd);
            if samples {
                // To learn now whether it can be done.
                return selector.register(fd, at, want, trigger).and_then(|()| {
                    selector.deregister(fd, at)?;
                    Ok(None)
                });
            }
            let numbered = number.and_then(|number| numbered(fd, number));
            let (fd, number) = match &numbered {
                Some(own) => (own.as_fd(), Some(FdNum(own.as_raw_fd()))),
                None => (fd, None),
            };
            selector.register(fd, at, want, trigger).map(|()| number)
        });
        match registered {
            Ok(Ok(number)) => {
                if !samples {
                    subject.number = number;
                }
                if self.identities.len() <= token {
                    self.identities.resize(token + 1, None);
                }
                self.identities[token] = identity;
                Ok(())
            }
            Ok(Err(e)) => Err(e),
            Err(errno) => Err(RegisterError::Io(errno.into())),
        }
    }

    /// What is asked of a subject: what the user says, or of what is usual as much as the selector
    /// knows.
    fn possible(&self, subject: &Subject) -> Interest {
        if subject.wished { subject.want } else { subject.want & self.backend.capabilities().interest }
    }

    /// Looks again at a oneshot subject of our own.
    pub(super) fn rearm(&mut self, token: usize, subject: &Subject) {
        if let Some(fd) = subject.own_fd() {
            let want = self.possible(subject);
            let _ = self.selector.modify(fd, Token(token as u64), want, self.trigger);
        }
    }

    /// Looks no more at a subject of our own.
    pub(super) fn deregister(&mut self, token: usize, subject: &Subject) {
        if let Some(fd) = subject.own_fd() {
            let _ = self.selector.deregister(fd, Token(token as u64));
        }
    }

    /// Waits for as long as it is told and nothing happens, and gives what it sees of each subject
    /// that it sees anything of. The alarm is not among them.
    pub(super) fn look(
        &mut self,
        timeout: Option<Duration>,
        subjects: &[Subject],
        processes: &mut [Process],
    ) -> io::Result<Vec<(usize, Sight)>> {
        let mut sights = Vec::new();
        self.events.clear();
        if self.selector.wait(timeout, &mut self.events)? != Wake::Interrupted {
            sights.extend(self.events.iter().filter(|e| e.token != ALARM).map(sight));
        }
        if self.samples {
            let foreign = |(_, s): &(usize, &Subject)| s.open && s.process().is_some();
            let mut rest = subjects.iter().enumerate().filter(foreign).peekable();
            while rest.peek().is_some() {
                self.sample(rest.by_ref().take(HANDFUL), processes, &mut sights)?;
            }
        }
        Ok(sights)
    }

    /// Looks at a few subjects for a moment.
    fn sample<'s>(
        &mut self,
        subjects: impl Iterator<Item = (usize, &'s Subject)>,
        processes: &mut [Process],
        sights: &mut Vec<(usize, Sight)>,
    ) -> io::Result<()> {
        let mut held: Vec<(usize, OwnedFd)> = Vec::with_capacity(HANDFUL);
        for (token, subject) in subjects {
            let (Some(process), Some(fd)) = (subject.process(), subject.who.fd) else { continue };
            let duplicate = match processes[process].table.duplicate(fd) {
                Ok(duplicate) => duplicate,
                Err(Errno::BADF) => {
                    sights.push((token, Sight::Closed { reused: false }));
                    continue;
                }
                Err(_) => {
                    sights.push((token, Sight::Unknown));
                    continue;
                }
            };
            if Subject::identity(duplicate.as_fd()) != self.identities.get(token).copied().flatten() {
                sights.push((token, Sight::Closed { reused: true }));
                continue;
            }
            let want = self.possible(subject);
            if self.selector.register(duplicate.as_fd(), Token(token as u64), want, self.trigger).is_ok() {
                held.push((token, duplicate));
            }
        }
        self.events.clear();
        let woken = self.selector.wait(Some(Duration::ZERO), &mut self.events);
        for (token, duplicate) in &held {
            let _ = self.selector.deregister(duplicate.as_fd(), Token(*token as u64));
        }
        woken?;
        // Our own subjects may be among them: they were seen already. What is held is in order.
        let is_held = |e: &&Event| held.binary_search_by_key(&e.token.0, |(token, _)| *token as u64).is_ok();
        let fresh = self.events.iter().filter(is_held).map(sight);
        sights.extend(fresh);
        Ok(())
    }
}

fn sight(event: &Event) -> (usize, Sight) {
    (event.token.0 as usize, Sight::Ready { readiness: event.readiness, raw: event.raw })
}

/// A duplicate at that number; `None` where the limit of numbers or another fd does not allow that.
fn numbered(fd: BorrowedFd<'_>, number: FdNum) -> Option<OwnedFd> {
    let duplicate = rustix::io::fcntl_dupfd_cloexec(fd, number.0).ok()?;
    (duplicate.as_raw_fd() == number.0).then_some(duplicate)
}
