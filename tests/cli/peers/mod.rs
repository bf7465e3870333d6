//! Other ends: `list --peers`, and `peers`.

pub(crate) mod exhibits;
pub(crate) mod graph;
pub(crate) mod networks;
pub(crate) mod ptys;
pub(crate) mod stuck;

mod list;
mod misuse;
mod unseen;

use crate::support::{Fdscope, Helper, confine, die_with_parent, traceable};
use serde_json::{Value, json};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};

/// A process that holds an fd as its standard input, and does nothing with it.
fn holder(fd: OwnedFd) -> Child {
    holder_with(&["sleep", "600"], fd, |_| {})
}

/// The same, of another command that is changed first.
fn holder_with(words: &[&str], fd: OwnedFd, change: impl FnOnce(&mut Command)) -> Child {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).stdin(fd).stdout(Stdio::null()).stderr(Stdio::null());
    confine(&mut command, 120);
    change(&mut command);
    die_with_parent(&mut command);
    traceable(&mut command);
    command.spawn().expect("a process")
}

/// The record of an fd, with its peers.
fn record(pid: u32, fd: i64) -> Value {
    // What of all processes could not be read is not of interest.
    let run = Fdscope::new(format!("list {pid}:{fd} --peers --json --quiet")).ok();
    let mut records = run.records();
    if records.len() != 1 {
        run.fail("one record was expected");
    }
    records.remove(0)
}

/// Checks the peers of an fd of a helper, and how its name ends.
fn check(helper: &Helper, name: &str, peers: Value, ending: &str) {
    check_fd(helper.pid(), helper.fd(name), peers, ending);
}

fn check_fd(pid: u32, fd: i64, peers: Value, ending: &str) {
    let record = record(pid, fd);
    assert_eq!(record["peers"], peers, "{record}");
    let name = record["name"].as_str().unwrap();
    assert!(name.ends_with(ending), "{name:?} should end with {ending:?}");
}

/// A peer, as JSON has it.
fn peer(pid: u32, command: &str, fd: i64) -> Value {
    json!({"pid": pid, "command": command, "fd": fd})
}
