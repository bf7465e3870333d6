//! `fdscope loops`, live: which loops there are, whether they stall, and that they come to no harm.
//!
//! How long anything lasts is for the tests to say: a loop is held up until it is let go, and what must
//! never be seen is not waited for.

mod bad_input;
mod blocked;
mod ending;
pub(crate) mod harmless;
pub(crate) mod many;
mod output;
mod server;
pub(crate) mod shown;
pub(crate) mod spinning;

use crate::support::{Background, Fdscope};
use serde_json::Value;
use server::Server;

/// The run to be, with events as JSON lines.
fn fdscope(arguments: impl AsRef<str>) -> Fdscope {
    Fdscope::new(format!("loops --jsonl {}", arguments.as_ref()))
}

/// Starts judging, and waits until it looks at the loop of the server.
fn watch(server: &Server, arguments: &str) -> Background {
    let mut run = fdscope(format!("{} --watch {arguments}", server.pid())).start();
    run.record("the loop", |event| event["event"] == "loop" && event["thread"] == server.tid);
    run
}

/// One look, once it has served all that came.
fn look(server: &Server) -> Value {
    server.eventually_waits();
    let run = fdscope(server.pid().to_string()).run();
    let events = run.check(0, "").json_lines();
    let found = events.into_iter().find(|event| event["thread"] == server.tid);
    found.unwrap_or_else(|| run.fail("the loop is not there"))
}

/// Whether processes cannot be looked at here, which is then said.
fn cannot_look() -> bool {
    crate::watch::cannot_watch_others()
}
