//! Which selectors there are.

use super::capabilities::{Capabilities, Cost, Feature};
use super::error::RegisterError;
use super::event::Trigger;
use super::{Selector, epoll, mio, poll, select};
use crate::model::{FdNum, Interest};
use std::fmt;
use std::io;
use std::time::Duration;

/// A kind of selector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, clap::ValueEnum)]
pub enum Backend {
    /// `pselect6(2)`, by the raw call.
    Select,
    /// `ppoll(2)`.
    Poll,
    /// `epoll(7)`.
    Epoll,
    /// The crate mio, as it is: edge-triggered epoll.
    Mio,
}

const NANOSECOND: Duration = Duration::from_nanos(1);

/// What select cannot do is what it has in common with nobody.
const SELECT: Capabilities = Capabilities {
    level: true,
    edge: false,
    oneshot: false,
    interest: Interest::IN_OUT_PRI,
    any_interest: false,
    files: true,
    invalid_fds: true,
    sees_nval: true,
    outlives_fd: false,
    highest_fd: None,
    highest_fd_in_c: Some(FdNum(libc::FD_SETSIZE as i32 - 1)),
    resolution: NANOSECOND,
    cost: Cost::HighestFd,
};

const POLL: Capabilities = Capabilities {
    interest: Interest::ALL,
    any_interest: true,
    highest_fd_in_c: None,
    cost: Cost::Watched,
    ..SELECT
};

const EPOLL: Capabilities = Capabilities {
    edge: true,
    oneshot: true,
    files: false,
    invalid_fds: false,
    sees_nval: false,
    outlives_fd: true,
    cost: Cost::Ready,
    ..POLL
};

const MIO: Capabilities = Capabilities {
    level: false,
    oneshot: false,
    any_interest: false,
    resolution: Duration::from_millis(1),
    ..EPOLL
};

impl Backend {
    /// All there are.
    pub const ALL: [Self; 4] = [Self::Select, Self::Poll, Self::Epoll, Self::Mio];

    /// Its name on the command line and in output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Select => "select",
            Self::Poll => "poll",
            Self::Epoll => "epoll",
            Self::Mio => "mio",
        }
    }

    /// What it can do.
    pub fn capabilities(self) -> &'static Capabilities {
        match self {
            Self::Select => &SELECT,
            Self::Poll => &POLL,
            Self::Epoll => &EPOLL,
            Self::Mio => &MIO,
        }
    }

    /// Those that can do something.
    pub fn able(feature: Feature) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |backend| backend.capabilities().has(feature))
    }

    /// Whether it can be asked for `want` in this way.
    pub fn check(self, want: Interest, trigger: Trigger) -> Result<(), RegisterError> {
        let able = self.capabilities();
        let missing = want - able.interest;
        let in_or_rdhup = want & (Interest::IN | Interest::RDHUP);
        let refused = |what| Err(RegisterError::Refused { by: self, what });
        if !able.has(Feature::Trigger(trigger)) {
            refused(Feature::Trigger(trigger))
        } else if !missing.is_empty() {
            refused(Feature::Interest(missing))
        } else if !able.any_interest && (want.is_empty() || in_or_rdhup == Interest::RDHUP) {
            refused(Feature::Only(want))
        } else {
            Ok(())
        }
    }

    /// A selector of this kind, watching nothing. An error is one of `epoll_create1(2)`.
    pub fn open(self) -> io::Result<Box<dyn Selector>> {
        Ok(match self {
            Self::Select => Box::<select::Select>::default(),
            Self::Poll => Box::<poll::Poll>::default(),
            Self::Epoll => Box::new(epoll::Epoll::new()?),
            Self::Mio => Box::new(mio::Mio::new()?),
        })
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::Backend;
    use clap::ValueEnum as _;

    #[test]
    fn names_are_those_of_the_command_line() {
        assert_eq!(Backend::value_variants(), Backend::ALL);
        for backend in Backend::ALL {
            assert_eq!(backend.to_possible_value().expect("none is hidden").get_name(), backend.name());
            assert_eq!(backend.open().expect("an epoll fd can be made").backend(), backend);
        }
    }
}
