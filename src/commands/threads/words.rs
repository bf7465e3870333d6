//! What one thread waits for, in words, for other commands.

use super::gil::{self, Interpreter};
use super::held::{self, Held};
use super::text::{Surroundings, waits_for};
use crate::model::Thread;
use crate::proc::{ProcessDir, Scanner, System, command_of};

/// The words that `threads` has for what a thread does, or did. `is_now` is whether it does this now, so
/// that the time that is left to it is of interest.
pub(in crate::commands) fn in_words(
    system: &System,
    dir: &ProcessDir,
    thread: &Thread,
    is_now: bool,
) -> Vec<u8> {
    let plan = held::plan(false);
    let mut scanner = Scanner::new(system, &plan);
    let held = Held::read(system, &mut scanner, dir, std::iter::once((thread.tid, &thread.doing)));
    let waits = |variable| Interpreter::default().has(dir, variable);
    let around = Surroundings {
        held: &held,
        others: None,
        wchan: None,
        timeout: thread.doing.call().and_then(|call| call.wait.timeout()).filter(|_| is_now),
        asleep: None,
        likely: gil::variable(&thread.doing).is_some_and(waits).then_some(gil::WORD),
        running: None,
        command: &|pid| command_of(system.root(), pid),
    };
    waits_for(thread, &around)
}
