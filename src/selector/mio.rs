//! The crate mio, as programs use it: edge-triggered epoll behind its own words.

use super::backend::Backend;
use super::error::RegisterError;
use super::event::{Event, Token, Trigger, Wake};
use super::timeout::in_slices;
use super::{Selector, number};
use crate::model::{FdNum, Interest, Readiness};
use mio::unix::SourceFd;
use std::fmt;
use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::time::Duration;

/// How many events a wait takes: at least, and at most.
const LEAST: usize = 64;
const MOST: usize = 1 << 14;

/// A selector on mio.
pub(super) struct Mio {
    poll: mio::Poll,
    events: mio::Events,
    /// How many were registered and not deregistered. The kernel may have fewer.
    registered: usize,
}

impl Mio {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { poll: mio::Poll::new()?, events: mio::Events::with_capacity(LEAST), registered: 0 })
    }
}

impl Selector for Mio {
    fn backend(&self) -> Backend {
        Backend::Mio
    }

    fn register(
        &mut self,
        fd: BorrowedFd<'_>,
        token: Token,
        want: Interest,
        trigger: Trigger,
    ) -> Result<(), RegisterError> {
        let (token, interest) = (convert(token)?, interest(want, trigger)?);
        self.poll
            .registry()
            .register(&mut SourceFd(&number(fd).0), token, interest)
            .map_err(|e| RegisterError::of_adding(Backend::Mio, e))?;
        self.registered += 1;
        Ok(())
    }

    fn modify(
        &mut self,
        fd: BorrowedFd<'_>,
        token: Token,
        want: Interest,
        trigger: Trigger,
    ) -> Result<(), RegisterError> {
        let (token, interest) = (convert(token)?, interest(want, trigger)?);
        self.poll
            .registry()
            .reregister(&mut SourceFd(&number(fd).0), token, interest)
            .map_err(RegisterError::of_changing)
    }

    fn deregister(&mut self, fd: BorrowedFd<'_>, _token: Token) -> Result<(), RegisterError> {
        let removed = self.poll.registry().deregister(&mut SourceFd(&number(fd).0));
        removed.map_err(RegisterError::of_changing)?;
        self.registered = self.registered.saturating_sub(1);
        Ok(())
    }

    fn own_number(&self) -> Option<FdNum> {
        Some(FdNum(self.poll.as_raw_fd()))
    }

    fn wait(&mut self, timeout: Option<Duration>, events: &mut Vec<Event>) -> io::Result<Wake> {
        events.clear();
        let room = self.registered.clamp(LEAST, MOST);
        if self.events.capacity() < room {
            self.events = mio::Events::with_capacity(room.next_power_of_two());
        }
        let waited = in_slices(timeout, |slice| {
            self.poll.poll(&mut self.events, slice)?;
            Ok(!self.events.is_empty())
        });
        match waited {
            Ok(()) => {}
            Err(e) if e.kind() == io::ErrorKind::Interrupted => return Ok(Wake::Interrupted),
            Err(e) => return Err(e),
        }
        events.extend(self.events.iter().map(|event| Event {
            token: Token(event.token().0 as u64),
            readiness: readiness(event),
            raw: None,
        }));
        Ok(Wake::with(events))
    }
}

impl fmt::Debug for Mio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mio").field("poll", &self.poll).field("registered", &self.registered).finish()
    }
}

/// mio's tokens are as long as a pointer.
fn convert(token: Token) -> Result<mio::Token, RegisterError> {
    let too_long = |_| RegisterError::Io(io::Error::other("mio takes no token longer than a pointer here"));
    token.0.try_into().map(mio::Token).map_err(too_long)
}

/// mio asks for rdhup along with in, asked or not.
fn interest(want: Interest, trigger: Trigger) -> Result<mio::Interest, RegisterError> {
    Backend::Mio.check(want, trigger)?;
    let words = [
        (Interest::IN, mio::Interest::READABLE),
        (Interest::OUT, mio::Interest::WRITABLE),
        (Interest::PRI, mio::Interest::PRIORITY),
    ];
    let asked = words.into_iter().filter(|(condition, _)| want.contains(*condition)).map(|(_, word)| word);
    // There is one at least, or it would have been refused.
    Ok(asked.reduce(|all, one| all | one).unwrap_or(mio::Interest::READABLE))
}

/// What mio's words say and no more: of the kernel's bits it tells readable from priority only
/// half, and hup as both sides being closed.
fn readiness(event: &mio::event::Event) -> Readiness {
    let mut readiness = Readiness::EMPTY;
    let mut put = |holds: bool, condition| {
        if holds {
            readiness |= condition;
        }
    };
    put(event.is_readable(), Readiness::IN);
    put(event.is_writable(), Readiness::OUT);
    put(event.is_priority(), Readiness::PRI);
    put(event.is_read_closed() && !event.is_write_closed(), Readiness::RDHUP);
    put(event.is_read_closed() && event.is_write_closed(), Readiness::HUP);
    put(event.is_error(), Readiness::ERR);
    readiness
}
