//! A row of `threads`: a thread at one look, or what it was seen in over many.

use super::serving::Serving;
use super::track::Seen;
use crate::model::{Doing, Emphasis, Process, Record, Thread, ThreadState, Timeout, Value};
use std::sync::Arc;
use std::time::Duration;

/// A row.
pub(super) struct Row {
    /// The process.
    pub(super) process: Arc<Process>,
    /// The thread.
    pub(super) thread: Thread,
    /// What it waits for, in words.
    pub(super) waits_for: Vec<u8>,
    /// The call, in a word.
    pub(super) call: Option<String>,
    /// The arguments of the call, in hex.
    pub(super) args: Option<Vec<Value>>,
    /// The fds that it waits for.
    pub(super) fds: Option<Vec<Value>>,
    /// The words that a futex call waits on, in hex.
    pub(super) words: Option<Vec<Value>>,
    /// How many other threads of the process wait on the same word.
    pub(super) others: Option<usize>,
    /// The function of the kernel in which it waits, where it was read.
    pub(super) wchan: Option<Vec<u8>>,
    /// Why it is not known what it does.
    pub(super) error: Option<String>,
    /// For how long it waits, where that is one time.
    pub(super) timeout: Option<Timeout>,
    /// How long it has not run, at least.
    pub(super) asleep: Option<Duration>,
    /// What it likely waits for, beyond what the call says.
    pub(super) likely: Option<&'static str>,
    /// How the process serves connections, where that was asked for.
    pub(super) serving: Option<Arc<Serving>>,
    /// Whether it is the first row of its process.
    pub(super) leads: bool,
    /// Over many looks, how often.
    pub(super) seen: Option<Seen>,
}

impl Row {
    /// A thread in more ways than are told apart.
    pub(super) fn of_others(process: &Arc<Process>, thread: &Thread, seen: Seen) -> Self {
        Self {
            process: Arc::clone(process),
            thread: Thread { doing: Doing::Running, state: ThreadState(b'?'), ..thread.clone() },
            waits_for: b"other calls, too many to tell them apart".to_vec(),
            call: None,
            args: None,
            fds: None,
            words: None,
            others: None,
            wchan: None,
            error: None,
            timeout: None,
            asleep: None,
            likely: None,
            serving: None,
            leads: false,
            seen: Some(seen),
        }
    }
}

impl Record for Row {
    fn emphasis(&self) -> Emphasis {
        match self.thread.state {
            ThreadState(b'D') => Emphasis::Notice,
            state if state.is_stopped() => Emphasis::Notice,
            _ => Emphasis::None,
        }
    }
}
