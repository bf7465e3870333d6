//! How a process serves connections, as far as what its threads wait for shows it.
//!
//! [`Facts`] sorts the waits; [`judge`] names the model that they show, and says from what; `family`
//! looks at the processes next to it. What is not seen is not guessed: then the model is unknown, and
//! the evidence says what is missing.

mod facts;
mod family;
mod judge;

pub(super) use facts::{Facts, Seat};
pub(super) use family::with_family;
pub(super) use judge::judge;

use crate::model::Value;

/// How a process serves connections.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Serving {
    pub(super) model: Model,
    /// Whether other models would look the same.
    pub(super) likely: bool,
    /// What that is seen from, a sentence each.
    pub(super) evidence: Vec<Value>,
}

/// The models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Model {
    /// One thread waits for many fds.
    EventLoop,
    /// Several threads take turns in waiting for the same fds.
    SharedLoop,
    /// Several threads wait for many fds, each for its own.
    EventLoops,
    /// A thread accepts, and one waits for each connection.
    ThreadPerConnection,
    /// A number of threads takes what comes.
    ThreadPool,
    /// Several processes accept from one listener.
    Prefork,
    /// A process accepts, and starts one for each connection.
    ProcessPerConnection,
    /// Calls are handed to the kernel, and their completions waited for.
    Completion,
    /// It can't be told.
    Unknown,
}

impl Model {
    /// The word for it in every output.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::EventLoop => "event-loop",
            Self::SharedLoop => "shared-event-loop",
            Self::EventLoops => "event-loops",
            Self::ThreadPerConnection => "thread-per-connection",
            Self::ThreadPool => "thread-pool",
            Self::Prefork => "prefork",
            Self::ProcessPerConnection => "process-per-connection",
            Self::Completion => "completion",
            Self::Unknown => "unknown",
        }
    }

    /// As part of a sentence.
    fn phrase(self) -> &'static str {
        match self {
            Self::EventLoop => "serves with one event loop",
            Self::SharedLoop => "serves with one event loop that several threads share",
            Self::EventLoops => "serves with several event loops",
            Self::ThreadPerConnection => "serves with a thread a connection",
            Self::ThreadPool => "serves with a pool of threads",
            Self::Prefork => "is one of several processes that serve one listener (prefork)",
            Self::ProcessPerConnection => "serves with a process a connection",
            Self::Completion => "serves by completions (asynchronous I/O of the kernel)",
            Self::Unknown => "can't be told how it serves",
        }
    }
}

impl Serving {
    /// One that is seen.
    fn seen(model: Model, evidence: impl IntoIterator<Item = String>) -> Self {
        Self { model, likely: false, evidence: evidence.into_iter().map(Value::from).collect() }
    }

    /// What is said of the process.
    pub(super) fn phrase(&self) -> String {
        format!("{}{}", if self.likely { "likely " } else { "" }, self.model.phrase())
    }

    /// The evidence, as one text.
    pub(super) fn because(&self) -> String {
        let texts = self.evidence.iter().filter_map(|value| match value {
            Value::Text(text) => Some(String::from_utf8_lossy(text)),
            _ => None,
        });
        texts.collect::<Vec<_>>().join("; ")
    }
}
