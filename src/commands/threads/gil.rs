//! The global lock of CPython's interpreter, as far as it can be told from outside.
//!
//! A thread that wants it waits on a condition variable with a timeout of the switch interval, 5 ms
//! unless the program changed it, and again until it gets it. That variable is among the data of the
//! interpreter itself, where nothing else waits with a timeout: locks of Python programs are allocated.

use crate::model::{Doing, Timeout, Wait};
use crate::proc::ProcessDir;
use std::collections::HashMap;

/// The word for it in field `likely`.
pub(super) const WORD: &str = "gil";

/// The condition variable that a thread waits on until some time, as for that lock. The C library has
/// two words in each, side by side, that take turns.
pub(super) fn variable(doing: &Doing) -> Option<u64> {
    match &doing.call()?.wait {
        Wait::Futex { op: "wait_bitset", words, timeout: Timeout::Until { .. }, .. } => {
            words.first().map(|&word| variable_of(word))
        }
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
            // Not `_queue.cpython-311-x86_64-linux-gnu.so`, an extension.
            file.strip_prefix(b"lib").unwrap_or(file).starts_with(b"python")
        })
    }
}
