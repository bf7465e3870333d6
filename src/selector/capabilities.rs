//! What a backend can do, as data: errors, help and manual are made of it.

use super::event::Trigger;
use crate::model::{FdNum, Interest};
use std::fmt;
use std::time::Duration;

/// What a backend can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// It reports what is in force at every wait.
    pub level: bool,
    /// It reports what comes into force.
    pub edge: bool,
    /// It reports once.
    pub oneshot: bool,
    /// What can be asked for.
    pub interest: Interest,
    /// Any part of that can be asked for: rdhup without in, or nothing, since hup and err come all
    /// the same.
    pub any_interest: bool,
    /// It takes files that are always ready: regular files, directories, `/dev/null` and the like.
    pub files: bool,
    /// It takes a number that is no open fd, or one opened with `O_PATH`.
    pub invalid_fds: bool,
    /// It reports `nval` if an fd is closed.
    pub sees_nval: bool,
    /// It goes on watching a description whose fd here is closed.
    pub outlives_fd: bool,
    /// The highest fd number that it takes, if there is one.
    pub highest_fd: Option<FdNum>,
    /// The highest that it takes by way of the C library: `FD_SETSIZE - 1`.
    pub highest_fd_in_c: Option<FdNum>,
    /// The unit to which timeouts are rounded up.
    pub resolution: Duration,
    /// What a wait costs.
    pub cost: Cost,
}

/// What a wait costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    /// As much as there are fds up to the highest that is watched.
    HighestFd,
    /// As much as there are fds that are watched.
    Watched,
    /// As much as there are fds that are ready.
    Ready,
}

/// Something that not every backend can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// To report in this way.
    Trigger(Trigger),
    /// To be asked for this.
    Interest(Interest),
    /// To be asked for this and nothing else.
    Only(Interest),
    /// To watch files that are always ready.
    Files,
    /// To watch a number that is no open fd, or one opened with `O_PATH`.
    InvalidFds,
}

impl Capabilities {
    /// Whether `feature` is among them.
    pub fn has(&self, feature: Feature) -> bool {
        match feature {
            Feature::Trigger(Trigger::Level) => self.level,
            Feature::Trigger(Trigger::Edge) => self.edge,
            Feature::Trigger(Trigger::Oneshot) => self.oneshot,
            Feature::Interest(want) => self.interest.contains(want),
            Feature::Only(want) => self.any_interest && self.interest.contains(want),
            Feature::Files => self.files,
            Feature::InvalidFds => self.invalid_fds,
        }
    }
}

/// As what follows "cannot".
impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trigger(Trigger::Level) => f.write_str("be level-triggered"),
            Self::Trigger(Trigger::Edge) => f.write_str("be edge-triggered"),
            Self::Trigger(Trigger::Oneshot) => f.write_str("be oneshot"),
            Self::Interest(want) => write!(f, "be asked for {want}"),
            Self::Only(want) if want.is_empty() => f.write_str("be asked for hup and err alone"),
            Self::Only(want) => write!(f, "be asked for {want} alone"),
            Self::Files => {
                f.write_str("watch files that are always ready, such as regular files and directories")
            }
            Self::InvalidFds => f.write_str("watch an fd that is closed or opened with O_PATH"),
        }
    }
}
