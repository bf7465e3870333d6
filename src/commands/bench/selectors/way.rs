//! What is compared: selectors, each in the ways that it can report.

use crate::selector::{Backend, Trigger};
use std::fmt;

/// A selector in one of its ways to report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Way {
    pub(super) backend: Backend,
    pub(super) trigger: Trigger,
}

/// What `--selector` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Choice {
    /// select(2), by the raw call, which takes any number of fds
    Select,
    /// poll(2)
    Poll,
    /// epoll(7): level, edge and oneshot
    Epoll,
    /// epoll, which reports what is in force at every wait
    EpollLevel,
    /// epoll, which reports what comes
    EpollEdge,
    /// epoll, which reports once, and has to be armed again
    EpollOneshot,
    /// mio, which is edge-triggered epoll in Rust's event loops
    Mio,
}

const fn way(backend: Backend, trigger: Trigger) -> Way {
    Way { backend, trigger }
}

/// All that are compared, in the order in which they are shown.
const ALL: [Way; 6] = [
    way(Backend::Select, Trigger::Level),
    way(Backend::Poll, Trigger::Level),
    way(Backend::Epoll, Trigger::Level),
    way(Backend::Epoll, Trigger::Edge),
    way(Backend::Epoll, Trigger::Oneshot),
    way(Backend::Mio, Trigger::Edge),
];

impl Choice {
    fn means(self, way: Way) -> bool {
        let Way { backend, trigger } = way;
        match self {
            Self::Select => backend == Backend::Select,
            Self::Poll => backend == Backend::Poll,
            Self::Epoll => backend == Backend::Epoll,
            Self::EpollLevel => backend == Backend::Epoll && trigger == Trigger::Level,
            Self::EpollEdge => backend == Backend::Epoll && trigger == Trigger::Edge,
            Self::EpollOneshot => backend == Backend::Epoll && trigger == Trigger::Oneshot,
            Self::Mio => backend == Backend::Mio,
        }
    }
}

/// What is meant by several choices, each once; by none, all.
pub(super) fn chosen(choices: &[Choice]) -> Vec<Way> {
    let means = |way: &Way| choices.is_empty() || choices.iter().any(|choice| choice.means(*way));
    ALL.into_iter().filter(means).collect()
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.backend.name())?;
        if self.backend == Backend::Epoll { write!(f, " {}", self.trigger.name()) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::{ALL, Choice, chosen};
    use clap::ValueEnum as _;

    #[test]
    fn every_choice_is_one_and_every_way_can_be_chosen() {
        assert_eq!(chosen(&[]), ALL);
        assert_eq!(chosen(Choice::value_variants()), ALL);
        assert!(Choice::value_variants().iter().all(|&choice| !chosen(&[choice]).is_empty()));
        assert_eq!(chosen(&[Choice::EpollEdge, Choice::Epoll]).len(), 3);
        for way in ALL {
            assert!(way.backend.capabilities().has(crate::selector::Feature::Trigger(way.trigger)), "{way}");
        }
    }
}
