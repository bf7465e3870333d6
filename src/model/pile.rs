//! What lies in a connection until somebody reads it.

/// What lies unread in one direction, at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pile {
    /// Bytes; of datagrams and multipath TCP, the memory that they take.
    pub bytes: u64,
    /// Bytes that fit in, where that is known.
    pub room: Option<u64>,
    /// What tells whether it is read.
    pub taken: Taken,
}

/// How much was read, as far as anything tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// So many bytes, since the connection was made.
    Exactly(u64),
    /// At most so many: what the readers have read from anywhere.
    AtMost(u64),
    /// What lies there tells it alone: as long as it stays the same, nothing is read.
    BySize,
    /// Nothing tells it.
    Untold,
}

/// What lies in a connection, as seen from one of its ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lying {
    /// What came from the other end and was not read here.
    pub unread: Option<Pile>,
    /// What was sent, came to the other end, and was not read there.
    pub unsent: Option<Pile>,
    /// Bytes on their way there.
    pub under_way: u64,
}

impl Lying {
    /// Bytes that the other end has not read, wherever they are.
    pub fn unsent_bytes(&self) -> Option<u64> {
        match self.unsent {
            Some(pile) => Some(pile.bytes + self.under_way),
            None => Some(self.under_way).filter(|&bytes| bytes > 0),
        }
    }
}

/// Whether something lay there at each of these looks and nothing of it was read from the first to
/// the last. Where that cannot be told, it is not so.
pub fn stays(looks: &[Pile]) -> bool {
    let ([first, ..], [.., last]) = (looks, looks) else { return false };
    if looks.len() < 2 || looks.iter().any(|pile| pile.bytes == 0) {
        return false;
    }
    let never_less = looks.is_sorted_by_key(|pile| pile.bytes);
    match (first.taken, last.taken) {
        (Taken::Exactly(before), Taken::Exactly(now)) => before == now,
        (Taken::AtMost(before), Taken::AtMost(now)) if before == now => never_less,
        // What is full at every look may have been refilled as fast as it was read.
        (Taken::AtMost(_) | Taken::BySize, _) => {
            let is_full = first.room.is_some_and(|room| first.bytes >= room);
            looks.iter().all(|pile| pile.bytes == first.bytes) && !is_full
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Pile, Taken, stays};

    fn looks(room: Option<u64>, seen: &[(u64, Taken)]) -> bool {
        let piles: Vec<Pile> = seen.iter().map(|&(bytes, taken)| Pile { bytes, room, taken }).collect();
        stays(&piles)
    }

    #[test]
    fn a_count_of_what_was_read_tells_it() {
        let at = Taken::Exactly;
        assert!(looks(None, &[(10, at(5)), (10, at(5))]));
        assert!(looks(None, &[(10, at(5)), (30, at(5))]), "more came");
        assert!(!looks(None, &[(10, at(5)), (10, at(15))]), "as much came as was read");
        assert!(!looks(None, &[(0, at(5)), (10, at(5))]), "it did not lie there before");
        assert!(!looks(None, &[(10, at(5))]), "one look tells nothing");
        assert!(!looks(None, &[]));
    }

    #[test]
    fn readers_that_read_nothing_at_all() {
        let at_most = Taken::AtMost;
        assert!(looks(Some(64), &[(64, at_most(5)), (64, at_most(5))]));
        assert!(looks(Some(64), &[(10, at_most(5)), (20, at_most(5))]));
        assert!(!looks(Some(64), &[(20, at_most(5)), (10, at_most(5))]), "read by other calls");
        assert!(!looks(Some(64), &[(64, at_most(5)), (64, at_most(6))]), "refilled, perhaps");
        assert!(looks(Some(64), &[(10, at_most(5)), (10, at_most(6))]), "they read elsewhere");
        assert!(!looks(Some(64), &[(10, at_most(5)), (20, at_most(6))]));
    }

    #[test]
    fn the_same_size_at_every_look() {
        let size = |seen: &[u64]| looks(None, &seen.iter().map(|&n| (n, Taken::BySize)).collect::<Vec<_>>());
        assert!(size(&[10, 10, 10]));
        assert!(!size(&[10, 20, 10]));
        assert!(!size(&[10, 20]), "some may have been read before more came");
        assert!(!looks(None, &[(10, Taken::Untold), (10, Taken::Untold)]));
    }
}
