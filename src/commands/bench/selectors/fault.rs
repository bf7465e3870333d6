//! What ends a measurement.

use crate::model::Readiness;
use crate::selector::RegisterError;
use nix::sys::signal::Signal;
use std::fmt;
use std::io;

/// What ends a measurement.
#[derive(Debug)]
pub(super) enum Fault {
    /// A signal that asks for it.
    Signal(Signal),
    /// A call failed.
    Io(&'static str, io::Error),
    /// An fd could not be watched.
    Register(RegisterError),
    /// So many events did not come.
    Lost(usize),
    /// An event came without a reason.
    Unfounded {
        /// Of which fd.
        index: usize,
        /// What it said.
        readiness: Readiness,
    },
    /// What was read from this fd is not what was written.
    Changed(usize),
}

impl Fault {
    /// What would allow it, where a limit of the machine forbids it.
    pub(super) fn remedy(&self) -> Option<&'static str> {
        match self {
            Self::Register(RegisterError::NoMoreWatches) => Some(
                "as root, 'sysctl fs.epoll.max_user_watches=N' raises that, and 'fdscope limits --system' \
                 shows who uses them",
            ),
            _ => None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signal(signal) => write!(f, "ended by {signal}"),
            Self::Io(call, error) => write!(f, "cannot {call}: {error}"),
            Self::Register(error) => write!(f, "cannot watch: {error}"),
            Self::Lost(1) => f.write_str("1 event did not come, though its fd is ready"),
            Self::Lost(n) => write!(f, "{n} events did not come, though their fds are ready"),
            Self::Unfounded { index, readiness } => {
                write!(f, "it told of fd {index} of them that it is ready ({readiness}), which it is not")
            }
            Self::Changed(index) => write!(f, "fd {index} of them did not hold what was written to it"),
        }
    }
}
