//! How full the accept queue of a listener is.

/// The accept queue of a listener at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AcceptQueue {
    /// Connections that nobody has accepted yet.
    pub waiting: u32,
    /// The backlog that the kernel keeps, where it tells: one connection more is admitted.
    pub max: Option<u32>,
    /// Connections that were refused a place since the socket was made, where the kernel counts
    /// them. One client may count several times.
    pub drops: Option<u64>,
}

impl AcceptQueue {
    /// How many connections find a place: the kernel refuses one only if more than the backlog
    /// wait already.
    pub fn admits(self) -> Option<u64> {
        self.max.map(|max| u64::from(max) + 1)
    }

    /// Whether the next connection would be refused a place.
    pub fn is_full(self) -> bool {
        self.max.is_some_and(|max| self.waiting > max)
    }
}

#[cfg(test)]
mod tests {
    use super::AcceptQueue;

    #[test]
    fn one_more_than_the_backlog_is_admitted() {
        let queue = |waiting| AcceptQueue { waiting, max: Some(0), drops: None };
        assert_eq!(queue(0).admits(), Some(1));
        assert!(!queue(0).is_full());
        assert!(queue(1).is_full());
        let unknown = AcceptQueue { waiting: 9, max: None, drops: None };
        assert_eq!((unknown.admits(), unknown.is_full()), (None, false));
    }
}
