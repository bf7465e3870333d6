//! What shows that somebody serves an fd.

use std::time::Duration;

/// Counters of an fd at one moment. Whoever compares two of them knows whether it was served between.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Bytes that its owner has taken from it since it was made. Of TCP alone.
    pub taken: Option<u64>,
    /// Bytes that its owner has given to it since it was made. Of TCP alone.
    pub given: Option<u64>,
    /// What waits in it to be taken.
    pub waiting: Option<Waiting>,
    /// Bytes that its owner has given to it and nobody has taken yet, where `given` is not known.
    pub unsent: Option<u64>,
    /// For how long nothing has come. Of TCP alone.
    pub quiet_for: Option<Duration>,
    /// What they are good for.
    pub worth: Worth,
}

/// What waits to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// Bytes.
    Bytes(u64),
    /// Connections to be accepted.
    Connections(u64),
}

impl Waiting {
    /// How much it is.
    pub fn amount(self) -> u64 {
        match self {
            Self::Bytes(n) | Self::Connections(n) => n,
        }
    }
}

/// What it means that marks have not moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Worth {
    /// Nothing: it may have been served and be as it was before.
    #[default]
    Nothing,
    /// That it was not served, if its owner has not read or written anything by `read(2)` and
    /// `write(2)` meanwhile: this is how such an fd is served.
    ByCalls,
    /// That it was probably not served, and the more probably the more often they were the same: it
    /// would have to have been filled again to the same amount just then.
    Roughly,
    /// That it was not served.
    Exactly,
}

impl Marks {
    /// Whether it was served since `before`: something was taken from it, or given to it.
    pub fn were_served_since(&self, before: &Self) -> bool {
        let grown = |now: Option<u64>, then: Option<u64>| now.zip(then).is_some_and(|(now, then)| now > then);
        let taken = match (self.taken, before.taken) {
            (Some(now), Some(then)) => now > then,
            // It may have become more meanwhile; less it becomes only by being taken.
            _ => grown(before.amount(), self.amount()),
        };
        taken || grown(self.given, before.given) || grown(self.unsent, before.unsent)
    }

    fn amount(&self) -> Option<u64> {
        self.waiting.map(Waiting::amount)
    }

    /// Whether it is known that nothing waits in it.
    pub fn is_empty(&self) -> bool {
        self.amount() == Some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Marks, Waiting};

    #[test]
    fn of_tcp() {
        let marks = |taken, given| Marks { taken: Some(taken), given: Some(given), ..Marks::default() };
        assert!(marks(10, 5).were_served_since(&marks(9, 5)));
        assert!(marks(10, 6).were_served_since(&marks(10, 5)));
        assert!(!marks(10, 5).were_served_since(&marks(10, 5)));
        // Shutting down makes the sum of what was given smaller by one; it is no service.
        assert!(!marks(10, 4).were_served_since(&marks(10, 5)));
    }

    #[test]
    fn what_waits_becomes_less_only_by_being_taken() {
        let waits = |n| Marks { waiting: Some(Waiting::Bytes(n)), ..Marks::default() };
        assert!(waits(5).were_served_since(&waits(6)));
        assert!(!waits(7).were_served_since(&waits(6)));
        assert!(!waits(5).were_served_since(&Marks::default()));
        let unsent = |n| Marks { unsent: Some(n), ..Marks::default() };
        assert!(unsent(7).were_served_since(&unsent(6)));
        assert!(!unsent(5).were_served_since(&unsent(6)), "the other end has taken it");
    }

    #[test]
    fn where_it_is_known_what_was_taken_what_waits_does_not_matter() {
        // The end of the stream came, and with it nothing of what was counted before.
        let marks =
            |taken, n| Marks { taken: Some(taken), waiting: Some(Waiting::Bytes(n)), ..Marks::default() };
        assert!(!marks(9, 4).were_served_since(&marks(9, 5)));
    }
}
