//! `ppoll(2)`: an array of fds.

use super::backend::Backend;
use super::error::RegisterError;
use super::event::{Event, Token, Trigger, Wake};
use super::{Selector, number};
use crate::model::{FdNum, Interest, Readiness};
use crate::sys;
use rustix::process::{Resource, getrlimit};
use std::collections::HashMap;
use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

/// A selector on poll.
#[derive(Debug, Default)]
pub(super) struct Poll {
    /// What the kernel reads and writes.
    fds: Vec<libc::pollfd>,
    /// The tokens of `fds`.
    tokens: Vec<Token>,
    /// Where in `fds` an fd is.
    places: HashMap<FdNum, usize>,
    /// `RLIMIT_NOFILE` when last asked.
    limit: u64,
}

impl Selector for Poll {
    fn backend(&self) -> Backend {
        Backend::Poll
    }

    fn register(
        &mut self,
        fd: BorrowedFd<'_>,
        token: Token,
        want: Interest,
        trigger: Trigger,
    ) -> Result<(), RegisterError> {
        Backend::Poll.check(want, trigger)?;
        let fd = number(fd);
        if self.places.contains_key(&fd) {
            return Err(RegisterError::AlreadyRegistered);
        }
        if self.fds.len() as u64 >= self.limit {
            self.limit = limit();
            if self.fds.len() as u64 >= self.limit {
                return Err(RegisterError::TooMany { limit: self.limit });
            }
        }
        self.places.insert(fd, self.fds.len());
        self.fds.push(libc::pollfd { fd: fd.0, events: bits(want), revents: 0 });
        self.tokens.push(token);
        Ok(())
    }

    fn modify(
        &mut self,
        fd: BorrowedFd<'_>,
        token: Token,
        want: Interest,
        trigger: Trigger,
    ) -> Result<(), RegisterError> {
        Backend::Poll.check(want, trigger)?;
        let place = self.find(number(fd), token)?;
        self.fds[place].events = bits(want);
        Ok(())
    }

    fn deregister(&mut self, fd: BorrowedFd<'_>, token: Token) -> Result<(), RegisterError> {
        let fd = number(fd);
        let place = self.find(fd, token)?;
        self.places.remove(&fd);
        self.fds.swap_remove(place);
        self.tokens.swap_remove(place);
        if let Some(moved) = self.fds.get(place) {
            self.places.insert(FdNum(moved.fd), place);
        }
        Ok(())
    }

    fn wait(&mut self, timeout: Option<Duration>, events: &mut Vec<Event>) -> io::Result<Wake> {
        events.clear();
        let ready = match sys::poll(&mut self.fds, timeout) {
            Ok(ready) => ready,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => return Ok(Wake::Interrupted),
            // It was lowered since they were registered.
            Err(e) if e.raw_os_error() == Some(libc::EINVAL) && self.fds.len() as u64 > limit() => {
                return Err(io::Error::other(RegisterError::TooMany { limit: limit() }));
            }
            Err(e) => return Err(e),
        };
        let reported = self.fds.iter().zip(&self.tokens).filter(|(fd, _)| fd.revents != 0);
        events.extend(reported.take(ready).map(|(fd, &token)| {
            let bits = u32::from(fd.revents as u16);
            Event { token, readiness: Readiness::from_bits(bits), raw: Some(bits) }
        }));
        Ok(Wake::with(events))
    }
}

impl Poll {
    fn find(&self, fd: FdNum, token: Token) -> Result<usize, RegisterError> {
        let place = self.places.get(&fd).copied().filter(|&place| self.tokens[place] == token);
        place.ok_or(RegisterError::NotRegistered)
    }
}

fn bits(want: Interest) -> libc::c_short {
    want.readiness().bits() as libc::c_short
}

/// `RLIMIT_NOFILE`.
fn limit() -> u64 {
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}
