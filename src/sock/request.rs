//! What is asked of a network namespace.

use crate::model::Family;
use std::num::NonZero;

/// Which sockets are asked for, and what of them. The kernel passes over the others where it can;
/// what `/proc/PID/net` lists is sorted out here.
#[derive(Clone, Debug)]
pub struct Request {
    /// The families.
    pub families: Vec<Family>,
    /// The states.
    pub states: States,
    /// The own port, of sockets that have ports.
    pub port: Option<NonZero<u16>>,
    /// Whether to fill in [`crate::model::SocketDetail`].
    pub detail: bool,
}

impl Request {
    /// All sockets of some families.
    pub fn all(families: &[Family]) -> Self {
        Self { families: families.to_vec(), states: States::ALL, port: None, detail: false }
    }
}

/// The families whose sockets have ports.
pub const WITH_PORTS: &[Family] = &[
    Family::Tcp,
    Family::Tcp6,
    Family::Udp,
    Family::Udp6,
    Family::Udplite,
    Family::Udplite6,
    Family::Mptcp,
    Family::Mptcp6,
];

/// Bits of `1 << TCP_*`, `include/net/tcp_states.h`, which other families use as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct States(pub(super) u32);

impl States {
    /// All, with those that later kernels may have.
    pub const ALL: Self = Self(u32::MAX);
    /// Listeners.
    pub const LISTEN: Self = Self(1 << 10);

    /// The words for states, as the field `state` has them, with the states of the kernel that
    /// they stand for: a word can mean one number for TCP and another for datagrams.
    const WORDS: &[(&str, u32)] = &[
        ("established", 1 << 1),
        ("connected", 1 << 1),
        ("syn-sent", 1 << 2),
        ("connecting", 1 << 2),
        ("syn-recv", 1 << 3 | 1 << 12),
        ("fin-wait-1", 1 << 4),
        ("fin-wait-2", 1 << 5),
        ("time-wait", 1 << 6),
        ("close", 1 << 7 | 1 << 13),
        // A unix socket for datagrams that others are connected with counts as connected.
        ("unconnected", 1 << 7 | 1 << 1),
        ("close-wait", 1 << 8),
        ("last-ack", 1 << 9),
        ("listen", 1 << 10),
        ("closing", 1 << 11),
    ];

    /// All words.
    pub fn words() -> impl Iterator<Item = &'static str> {
        Self::WORDS.iter().map(|(word, _)| *word)
    }

    /// The states that can be called so.
    pub fn of(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(w, _)| *w == word).map(|(_, bits)| Self(*bits))
    }

    /// These and others.
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::States;
    use crate::sock::protocol::{datagram_state, tcp_state};

    #[test]
    fn every_state_has_its_word() {
        for number in 1..=13 {
            let words = [tcp_state(number), datagram_state(number)];
            for word in words.into_iter().filter(|&w| w != "unknown") {
                assert_ne!(States::of(word).unwrap().0 & 1 << number, 0, "{word}");
            }
        }
        assert_eq!(States::of("lissen"), None);
    }
}
