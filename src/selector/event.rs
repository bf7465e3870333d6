//! What goes into a selector and comes out of it.

use crate::model::Readiness;

/// What the caller knows a registration by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u64);

/// When a selector reports what is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Trigger {
    /// At every wait, for as long as it is.
    Level,
    /// Once it comes into force, and again when more arrives.
    Edge,
    /// Once, then nothing, not even hup, until the registration is modified.
    Oneshot,
}

impl Trigger {
    /// Its name on the command line and in output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Level => "level",
            Self::Edge => "edge",
            Self::Oneshot => "oneshot",
        }
    }
}

/// What is in force on one fd.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// That of the registration.
    pub token: Token,
    /// The conditions, in the kernel's terms.
    pub readiness: Readiness,
    /// The selector's own bits: `revents` of poll, `events` of epoll, and of select 1, 2 and 4 for
    /// the sets for reading, writing and exceptions. mio hides them.
    pub raw: Option<u32>,
}

/// Why a wait has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// There are events.
    Ready,
    /// The time is over.
    TimedOut,
    /// A signal came.
    Interrupted,
}

impl Wake {
    /// How a wait ended that was no error and brought these.
    pub(super) fn with(events: &[Event]) -> Self {
        if events.is_empty() { Self::TimedOut } else { Self::Ready }
    }
}
