//! Ways to wait for readiness: one contract, and one file a backend.
//!
//! A [`Selector`] is told of fds and waits until something is in force on one of them. Which
//! [`Backend`] to take is for the user to say; what each can do is data, its [`Capabilities`], and
//! what it cannot is [`RegisterError::Refused`], which names those that can.
//!
//! # What every backend keeps
//!
//! - A registration is made for an fd and carries a [`Token`], which comes back unchanged with
//!   every event and is never looked at: two registrations may have the same. An fd number has one
//!   registration at most.
//! - `modify` and `deregister` take fd and token of the registration, since some kernels find it
//!   by the one, some by the other.
//! - What is asked for is an [`Interest`]; `hup`, `err` and `nval` come unasked. Bits that nobody
//!   knows are handed on.
//! - A wait empties `events` before it fills it, and allocates only to make room for as many
//!   events as it has never had before. It may leave some of what is ready for the next wait, in
//!   which case it gives others before it gives the same again. Their order means nothing.
//! - A timeout is rounded up, never down, and none is too long: if a wait ends with
//!   [`Wake::TimedOut`], at least so much time has passed. A timeout of zero asks and does not
//!   wait.
//! - A signal whose handler ran is [`Wake::Interrupted`], with no events, whatever `SA_RESTART`
//!   says. Errors are what ends the use of the selector.
//! - Registering holds no reference to the file: closing it elsewhere has all its effects, and
//!   nothing is done to the description that others could see.
//! - A backend that watches a number sees whatever has that number now: once it is closed, `nval`,
//!   and if it is reused, the new file. One that [outlives the fd](Capabilities::outlives_fd)
//!   watches the description until it is closed by everybody, whatever becomes of the number; its
//!   end makes no event. Exclusive wake-ups (`EPOLLEXCLUSIVE`) are never asked for: they take
//!   wake-ups from the others who wait.
//!
//! Nothing here needs an fd to wait on, or the state of a registration, so that `kqueue` (found by
//! fd) would fit, and `io_uring` (multishot poll, found by token) in all but one: a poll request that
//! is pending holds the file, so that a pipe whose last reader closes it still takes what is written.

mod backend;
mod capabilities;
mod epoll;
mod error;
mod event;
mod mio;
mod poll;
mod select;
mod states;
mod timeout;

pub use backend::Backend;
pub use capabilities::{Capabilities, Cost, Feature};
pub use error::RegisterError;
pub use event::{Event, Token, Trigger, Wake};
pub use states::{EpollTells, Object, STATES, State};

use crate::model::{FdNum, Interest};
use std::fmt;
use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::time::Duration;

/// A way to wait, with what it waits for. The rules are those of this module.
pub trait Selector: fmt::Debug + Send {
    /// Which it is.
    fn backend(&self) -> Backend;

    /// Watches an fd from now on.
    fn register(
        &mut self,
        fd: BorrowedFd<'_>,
        token: Token,
        want: Interest,
        trigger: Trigger,
    ) -> Result<(), RegisterError>;

    /// Changes what is asked for, or how. Arms an edge-triggered or oneshot registration again:
    /// what is in force is reported.
    fn modify(
        &mut self,
        fd: BorrowedFd<'_>,
        token: Token,
        want: Interest,
        trigger: Trigger,
    ) -> Result<(), RegisterError>;

    /// Watches an fd no more.
    fn deregister(&mut self, fd: BorrowedFd<'_>, token: Token) -> Result<(), RegisterError>;

    /// The number of an fd of its own that is readable when there is something to report, for those
    /// who wait for other things too; `None` where only [`Selector::wait`] can tell.
    fn own_number(&self) -> Option<FdNum> {
        None
    }

    /// Waits until something is in force, a signal comes, or so much time has passed; with no
    /// timeout for ever.
    fn wait(&mut self, timeout: Option<Duration>, events: &mut Vec<Event>) -> io::Result<Wake>;
}

fn number(fd: BorrowedFd<'_>) -> FdNum {
    FdNum(fd.as_raw_fd())
}
