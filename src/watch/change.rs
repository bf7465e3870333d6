//! Changes of readiness.

use crate::model::Readiness;
use std::time::Duration;

/// A change of what is in force on an fd.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A condition has come.
    Ready,
    /// The other end has hung up.
    Hup,
    /// An error is pending.
    Error,
    /// A condition has gone.
    Clear {
        /// The conditions that have gone.
        gone: Readiness,
        /// How long the one that was there longest was in force, as far as it was seen.
        ready_for: Duration,
    },
}

impl Change {
    /// What conditions that have come amount to: the worst of them.
    pub fn of(gained: Readiness) -> Option<Self> {
        if gained.intersects(Readiness::ERR | Readiness::NVAL) {
            Some(Self::Error)
        } else if gained.intersects(Readiness::HUP) {
            Some(Self::Hup)
        } else {
            (!gained.is_empty()).then_some(Self::Ready)
        }
    }
}
