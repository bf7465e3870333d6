//! `fdscope listen`, live: what it listens with, accepts, serves and tells, and how it ends.

mod accepting;
mod adopting;
mod backlog;
mod bad_input;
mod client;
mod command;
mod ending;
mod events;
mod exec;
mod exhaustion;
pub(crate) mod models;
mod options;
mod output;
mod serving;
mod socket_file;
pub(crate) mod watch_only;

use crate::support::{Background, Fdscope};
use serde_json::Value;

/// The kernel's clock for how long a connection waited ticks at least so often, in seconds.
const TICK: f64 = 0.011;

/// Starts `fdscope listen` with events as JSON lines, and gives its first one, `listening`.
fn listen(arguments: impl AsRef<str>) -> (Background, Value) {
    start(fdscope(arguments))
}

/// The run to be, for those that change it further.
fn fdscope(arguments: impl AsRef<str>) -> Fdscope {
    Fdscope::new(format!("listen --jsonl {}", arguments.as_ref()))
}

/// Starts a run, and gives its first event.
fn start(fdscope: Fdscope) -> (Background, Value) {
    let mut run = fdscope.start();
    let listening = run.event("listening");
    (run, listening)
}

/// The address in an event.
fn address(event: &Value) -> &str {
    event["address"].as_str().unwrap_or_else(|| panic!("no address: {event}"))
}

/// The events of this name, in order.
fn named<'e>(events: &'e [Value], name: &str) -> Vec<&'e Value> {
    events.iter().filter(|e| e["event"] == name).collect()
}

/// An abstract name that nobody else has, of unix sockets: this process's, and the test's.
fn abstract_name(test: &str) -> String {
    format!("unix:@fdscope-{}-{test}", std::process::id())
}
