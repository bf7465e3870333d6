//! The global lock of CPython's interpreter, as far as it can be told from outside.
//!
//! A thread that wants it waits on a condition variable with a timeout of the switch interval, 5 ms
//! unless the program changed it, and again until it gets it. That variable is among the data of the
//! interpreter itself, where nothing else waits so.

use crate::model::{Doing, Timeout, Wait};
use crate::proc::ProcessDir;
use std::collections::HashMap;
use std::time::Duration;

/// The word for it in field `likely`.
pub(super) const WORD: &str = "gil";

/// `sys.getswitchinterval()`, unless it was changed.
const SWITCH_INTERVAL: Duration = Duration::from_millis(5);

/// The condition variable that a thread waits on for as short a time as for that lock. The C library
/// has two words in each, side by side, that take turns.
pub(super) fn variable(doing: &Doing) -> Option<u64> {
    match &doing.call()?.wait {
        Wait::Futex {
            op: "wait_bitset", words, timeout: Timeout::Until { left: Some(left), .. }, ..
        } if *left <= SWITCH_INTERVAL => words.first().map(|&word| variable_of(word)),
        _ => None,
    }
}

/// The variable that a word is of.
pub(super) fn variable_of(word: u64) -> u64 {
    word & !7
}

/// What is known of a process's memory: asked for only where a thread waits like that.
#[derive(Default)]
pub(super) struct Interpreter(HashMap<u64, bool>);

impl Interpreter {
    /// Whether a variable is among the data of a Python interpreter.
    pub(super) fn has(&mut self, dir: &ProcessDir, variable: u64) -> bool {
        *self.0.entry(variable).or_insert_with(|| {
            let image = dir.image_at(variable).unwrap_or_default();
            let file = image.rsplit(|&b| b == b'/').next().unwrap_or_default();
            file.windows(6).any(|part| part == b"python")
        })
    }
}
