//! Why an fd is not watched.

use super::backend::Backend;
use super::capabilities::Feature;
use rustix::io::Errno;
use std::fmt;
use std::io;

/// Why a registration could not be made, changed or ended.
#[derive(Debug)]
pub enum RegisterError {
    /// This backend cannot do it. Others may.
    Refused {
        /// Which.
        by: Backend,
        /// What it cannot do.
        what: Feature,
    },
    /// The fd has a registration already.
    AlreadyRegistered,
    /// The fd has none, or one with another token.
    NotRegistered,
    /// The fd is closed, so that its registration cannot be named any more.
    Closed,
    /// poll takes no more fds than `RLIMIT_NOFILE`.
    TooMany {
        /// The limit.
        limit: u64,
    },
    /// This user has as many registrations as `fs.epoll.max_user_watches` allows.
    NoMoreWatches,
    /// An epoll fd that would watch itself, or be watched through too many others.
    Nested,
    /// Something else.
    Io(io::Error),
}

impl RegisterError {
    /// What `epoll_ctl(2)` says of adding an fd.
    pub(super) fn of_adding(by: Backend, error: io::Error) -> Self {
        match Errno::from_io_error(&error) {
            Some(Errno::EXIST) => Self::AlreadyRegistered,
            Some(Errno::PERM) => Self::Refused { by, what: Feature::Files },
            Some(Errno::BADF) => Self::Refused { by, what: Feature::InvalidFds },
            Some(Errno::NOSPC) => Self::NoMoreWatches,
            Some(Errno::LOOP | Errno::INVAL) => Self::Nested,
            _ => Self::Io(error),
        }
    }

    /// What `epoll_ctl(2)` says of changing or removing one. A file that it does not take is not
    /// registered.
    pub(super) fn of_changing(error: io::Error) -> Self {
        match Errno::from_io_error(&error) {
            Some(Errno::NOENT | Errno::PERM) => Self::NotRegistered,
            Some(Errno::BADF) => Self::Closed,
            _ => Self::Io(error),
        }
    }
}

impl fmt::Display for RegisterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { by, what } => {
                write!(f, "{by} cannot {what}")?;
                let able: Vec<_> = Backend::able(*what).filter(|b| b != by).map(Backend::name).collect();
                match able.split_last() {
                    None => Ok(()),
                    Some((one, [])) => write!(f, ": {one} can"),
                    Some((last, others)) => write!(f, ": {} and {last} can", others.join(", ")),
                }
            }
            Self::AlreadyRegistered => f.write_str("the fd is watched already"),
            Self::NotRegistered => f.write_str("the fd is not watched"),
            Self::Closed => f.write_str("the fd is closed"),
            Self::TooMany { limit } => {
                write!(f, "poll takes no more fds than RLIMIT_NOFILE, which is {limit}: select and epoll do")
            }
            Self::NoMoreWatches => {
                f.write_str("this user watches as many fds as fs.epoll.max_user_watches allows")
            }
            Self::Nested => {
                f.write_str("an epoll fd cannot watch itself, or be watched through too many others")
            }
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RegisterError {}

#[cfg(test)]
mod tests {
    use super::{Backend, Feature, RegisterError};
    use crate::model::Interest;
    use crate::selector::Trigger;

    #[test]
    fn a_refusal_names_who_can() {
        let text = |by, what| RegisterError::Refused { by, what }.to_string();
        let edge = Feature::Trigger(Trigger::Edge);
        assert_eq!(text(Backend::Select, edge), "select cannot be edge-triggered: epoll and mio can");
        assert_eq!(
            text(Backend::Mio, Feature::Trigger(Trigger::Level)),
            "mio cannot be level-triggered: select, poll and epoll can"
        );
        assert_eq!(
            text(Backend::Poll, Feature::Trigger(Trigger::Oneshot)),
            "poll cannot be oneshot: epoll can"
        );
        assert_eq!(
            text(Backend::Select, Feature::Interest(Interest::RDHUP)),
            "select cannot be asked for rdhup: poll, epoll and mio can"
        );
        assert_eq!(
            text(Backend::Mio, Feature::Only(Interest::RDHUP)),
            "mio cannot be asked for rdhup alone: poll and epoll can"
        );
        assert_eq!(
            text(Backend::Mio, Feature::Only(Interest::EMPTY)),
            "mio cannot be asked for hup and err alone: poll and epoll can"
        );
        assert!(text(Backend::Epoll, Feature::Files).ends_with(": select and poll can"));
        assert!(text(Backend::Epoll, Feature::InvalidFds).ends_with(": select and poll can"));
    }
}
