//! `fdscope threads`, live: threads that a helper has wait in every call that is decoded, and what is
//! said of them; ways of serving; and what cannot be known.

pub(crate) mod bad_input;
pub(crate) mod calls;
mod common;
mod fake;
pub(crate) mod gil;
pub(crate) mod many;
mod output;
mod programs;
pub(crate) mod sample;
pub(crate) mod serving;
pub(crate) mod states;
pub(crate) mod waits;

use crate::support::{Fdscope, Helper, Keeper, PATIENCE, difference};
use serde_json::{Value, json};
use std::sync::mpsc::channel;
use std::time::Instant;

/// Starts a thread of this name, which goes and does this, and tells its id under that name.
fn thread(keeper: &mut Keeper, name: &str, run: impl FnOnce() + Send + 'static) {
    let (sender, receiver) = channel();
    let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        sender.send(rustix::thread::gettid().as_raw_nonzero().get()).expect("somebody listens");
        run();
        // Whatever woke it up, it is not to be seen elsewhere.
        loop {
            std::thread::park();
        }
    });
    thread.expect("a thread");
    keeper.told[name] = json!({"tid": receiver.recv().expect("the thread started")});
}

/// `fdscope threads` of a helper.
fn of(helper: &Helper, arguments: &str) -> Fdscope {
    Fdscope::new(format!("threads {} {arguments}", helper.pid()))
}

/// The record of a thread by its name.
fn named<'r>(records: &'r [Value], name: &str) -> Option<&'r Value> {
    records.iter().find(|r| r["name"] == name)
}

/// Looks until the threads of these names are as expected: they get there in their own time. Gives all
/// records then.
#[track_caller]
fn settle(look: impl Fn() -> Vec<Value>, expected: &[(&str, Value)]) -> Vec<Value> {
    let until = Instant::now() + PATIENCE;
    loop {
        let records = look();
        let mut wrong = String::new();
        for (name, expected) in expected {
            for line in difference(expected, named(&records, name)) {
                wrong.push_str(&format!("{name}{line}\n"));
            }
        }
        if wrong.is_empty() {
            return records;
        }
        assert!(Instant::now() < until, "{wrong}");
    }
}

/// Waits until a run of fdscope that looks many times has looked once.
fn eventually_waits(pid: u32) {
    crate::support::eventually_in(pid, pid.into(), &[libc::SYS_ppoll]);
}

/// Waits until a run of fdscope has caught a signal: from then on it ends with what it has.
fn eventually_catches(pid: u32, signal: nix::sys::signal::Signal) {
    crate::support::eventually("it catches signals", || {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        let mask = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
        mask >> (signal as i32 - 1) & 1 == 1
    });
}
