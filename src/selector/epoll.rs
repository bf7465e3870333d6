//! `epoll(7)`: a list of descriptions that the kernel keeps.

use super::Selector;
use super::backend::Backend;
use super::error::RegisterError;
use super::event::{Event, Token, Trigger, Wake};
use super::timeout::in_slices;
use crate::model::{FdNum, Interest, Readiness};
use crate::sys;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use std::fmt;
use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, OwnedFd};
use std::time::Duration;

/// How many events a wait takes at most.
const MOST: usize = 1 << 14;

/// A selector on epoll. Which fds are registered is for the kernel alone to know: a number may be
/// closed here, reused and registered again, and all those registrations live.
pub(super) struct Epoll {
    fd: OwnedFd,
    /// What the kernel fills.
    buffer: Vec<libc::epoll_event>,
    /// How many were registered and not deregistered. The kernel may have fewer.
    registered: usize,
    /// The kernel has no `epoll_pwait2(2)`.
    coarse: bool,
}

impl Epoll {
    pub(super) fn new() -> io::Result<Self> {
        let fd = epoll::create(CreateFlags::CLOEXEC)?;
        Ok(Self { fd, buffer: Vec::new(), registered: 0, coarse: false })
    }

    /// Fills the buffer.
    fn fill(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        let room = self.registered.clamp(1, MOST);
        self.buffer.clear();
        self.buffer.reserve(room);
        if !self.coarse {
            match sys::epoll_pwait2(&self.fd, &mut self.buffer, timeout) {
                // Before Linux 5.11; and sandboxes that do not know it say EPERM.
                Err(e) if matches!(e.raw_os_error(), Some(libc::ENOSYS | libc::EPERM)) => {
                    self.coarse = true;
                }
                done => return done,
            }
        }
        in_slices(timeout, |slice| {
            sys::epoll_wait(&self.fd, &mut self.buffer, slice)?;
            Ok(!self.buffer.is_empty())
        })
    }
}

impl Selector for Epoll {
    fn backend(&self) -> Backend {
        Backend::Epoll
    }

    fn register(
        &mut self,
        fd: BorrowedFd<'_>,
        token: Token,
        want: Interest,
        trigger: Trigger,
    ) -> Result<(), RegisterError> {
        Backend::Epoll.check(want, trigger)?;
        epoll::add(&self.fd, fd, EventData::new_u64(token.0), flags(want, trigger))
            .map_err(|e| RegisterError::of_adding(Backend::Epoll, e.into()))?;
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
        Backend::Epoll.check(want, trigger)?;
        epoll::modify(&self.fd, fd, EventData::new_u64(token.0), flags(want, trigger))
            .map_err(|e| RegisterError::of_changing(e.into()))
    }

    fn deregister(&mut self, fd: BorrowedFd<'_>, _token: Token) -> Result<(), RegisterError> {
        epoll::delete(&self.fd, fd).map_err(|e| RegisterError::of_changing(e.into()))?;
        self.registered = self.registered.saturating_sub(1);
        Ok(())
    }

    fn own_number(&self) -> Option<FdNum> {
        Some(FdNum(self.fd.as_raw_fd()))
    }

    fn wait(&mut self, timeout: Option<Duration>, events: &mut Vec<Event>) -> io::Result<Wake> {
        events.clear();
        match self.fill(timeout) {
            Ok(()) => {}
            Err(e) if e.kind() == io::ErrorKind::Interrupted => return Ok(Wake::Interrupted),
            Err(e) => return Err(e),
        }
        events.extend(self.buffer.iter().map(|&libc::epoll_event { events: bits, u64: token }| Event {
            token: Token(token),
            readiness: Readiness::from_bits(bits),
            raw: Some(bits),
        }));
        Ok(Wake::with(events))
    }
}

impl fmt::Debug for Epoll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Epoll").field("fd", &self.fd).field("registered", &self.registered).finish()
    }
}

fn flags(want: Interest, trigger: Trigger) -> EventFlags {
    let trigger = match trigger {
        Trigger::Level => EventFlags::empty(),
        Trigger::Edge => EventFlags::ET,
        Trigger::Oneshot => EventFlags::ONESHOT,
    };
    EventFlags::from_bits_retain(want.readiness().bits()) | trigger
}

#[cfg(test)]
mod tests {
    use super::{Epoll, Selector as _, Wake};
    use crate::model::{Interest, Readiness};
    use crate::selector::{Event, Token, Trigger};
    use rustix::event::epoll::EventFlags;
    use std::os::fd::AsFd as _;
    use std::time::{Duration, Instant};

    /// That `Readiness` can hold the bits of epoll as they are.
    #[test]
    fn the_bits_are_those_of_poll() {
        let bits = |flags: EventFlags| flags.bits();
        assert_eq!(Readiness::IN.bits(), bits(EventFlags::IN));
        assert_eq!(Readiness::OUT.bits(), bits(EventFlags::OUT));
        assert_eq!(Readiness::PRI.bits(), bits(EventFlags::PRI));
        assert_eq!(Readiness::RDHUP.bits(), bits(EventFlags::RDHUP));
        assert_eq!(Readiness::HUP.bits(), bits(EventFlags::HUP));
        assert_eq!(Readiness::ERR.bits(), bits(EventFlags::ERR));
    }

    #[test]
    fn without_epoll_pwait2_timeouts_are_still_rounded_up() {
        let mut epoll = Epoll { coarse: true, ..Epoll::new().expect("an epoll fd") };
        let mut events = Vec::new();
        for micros in [0, 1, 999, 1001] {
            let (begin, timeout) = (Instant::now(), Duration::from_micros(micros));
            assert_eq!(epoll.wait(Some(timeout), &mut events).expect("a wait"), Wake::TimedOut);
            assert!(begin.elapsed() >= timeout, "{timeout:?}");
        }
        let (_reader, writer) = rustix::pipe::pipe().expect("a pipe");
        epoll.register(writer.as_fd(), Token(7), Interest::OUT, Trigger::Level).expect("a registration");
        for timeout in [None, Some(Duration::MAX)] {
            assert_eq!(epoll.wait(timeout, &mut events).expect("a wait"), Wake::Ready);
            let out = Readiness::OUT;
            assert_eq!(events, [Event { token: Token(7), readiness: out, raw: Some(out.bits()) }]);
        }
    }
}
