//! Several selectors, which look at the same moments.

use super::{fdscope, watch_fd, with_fd};
use crate::support::{Fdscope, check, eventually};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::{Value, json};
use std::io::{Write as _, pipe};

/// One event of each in JSON.
#[test]
fn events_of_each() {
    let (reader, mut writer) = pipe().unwrap();
    let mut run = watch_fd(&reader, "3 --with select,poll,epoll -u hup");
    writer.write_all(b"hello").unwrap();
    run.until("all are ready", |all| all.iter().filter(|e| e["event"] == "ready").count() == 3);
    let seen = run.seen();
    for (with, event) in ["select", "poll", "epoll"].iter().zip(&seen[1..]) {
        check(
            event,
            &json!({"event": "ready", "selector": with, "readiness": ["in"], "raw": 1, "readable_bytes": 5}),
        );
    }
    drop(writer);
    check(&run.event("hup"), &json!({"selector": "poll", "readiness": ["in", "hup"]}));
    let run = run.end();
    let events = run.check(0, "").json_lines();
    let summaries: Vec<&Value> =
        events.iter().filter(|e| e["event"] == "summary").map(|e| &e["selector"]).collect();
    assert_eq!(summaries, ["select", "poll", "epoll"]);
}

/// One line in the table, and what differs is said.
#[test]
fn a_line_of_all() {
    let (reader, mut writer) = pipe().unwrap();
    writer.write_all(b"x").unwrap();
    let arguments = "watch 3 --with select,poll,epoll";
    let lines = with_fd(&reader, Fdscope::new(format!("{arguments} -u ready"))).ok().lines();
    assert!(
        lines[1].contains("  ready    3           select: in | poll: in | epoll: in  1 to read"),
        "{lines:#?}"
    );
    drop((reader, writer));

    let (reader, writer) = pipe().unwrap();
    drop(writer);
    let lines = with_fd(&reader, Fdscope::new(format!("{arguments} -n 1"))).ok().lines();
    assert!(lines[1].contains("select: in | poll: hup | epoll: hup (they differ)"), "{lines:#?}");
    // Which are one event of as many records.
    let events = with_fd(&reader, fdscope("3 --with select,poll,epoll -n 1")).run();
    let events = events.check(0, "").json_lines();
    for (event, expected) in events[1..].iter().zip([
        json!({"event": "ready", "selector": "select", "readiness": ["in"]}),
        json!({"event": "hup", "selector": "poll", "readiness": ["hup"]}),
        json!({"event": "hup", "selector": "epoll", "readiness": ["hup"]}),
    ]) {
        check(event, &expected);
    }
}

/// How it ends does not depend on how it is shown: what one of them sees is enough, and what all see
/// at once counts once.
#[test]
fn the_end_is_the_same_in_every_format() {
    let (reader, writer) = pipe().unwrap();
    drop(writer);
    // Other tests may be starting programs, which have all that we have for a moment.
    eventually("nobody writes", || {
        let mut fds = [PollFd::new(&reader, PollFlags::empty())];
        poll(&mut fds, Some(&Timespec::default())) == Ok(1)
    });
    for format in ["table", "json", "jsonl", "tsv", "trace"] {
        for (arguments, status) in [("-u ready", 0), ("-u hup", 0), ("-n 1", 0), ("-n 2 -t 20ms", 124)] {
            let arguments = format!("watch 3 --with select,poll,epoll --format {format} {arguments}");
            with_fd(&reader, Fdscope::new(arguments)).run().check(status, "");
        }
    }
}
