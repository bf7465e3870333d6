//! Loops that turn without serving what is ready.

use super::server::{Server, echo};
use super::watch;
use crate::support::{PATIENCE, check};
use serde_json::json;
use std::io::Write as _;
use std::time::{Duration, Instant};

/// A client has gone, and is left in the set; others are served.
#[test]
fn what_is_at_its_end() {
    if super::cannot_look() {
        return;
    }
    let server = Server::start("level");
    let mut run = watch(&server, "");
    let mut client = server.connect();
    let leave = || server.connect().write_all(b"d").unwrap();
    let mut left = 0;
    let until = Instant::now() + PATIENCE;
    let spinning = loop {
        run.poll();
        let told: Vec<_> = run.seen().into_iter().filter(|e| e["event"] == "spinning").collect();
        if let Some(event) = told.iter().find(|e| e["turns"] == true) {
            break event.clone();
        }
        assert!(Instant::now() < until, "{told:?}");
        // If this test had no CPU for long, nobody was served meanwhile: then with another one.
        if told.len() == left {
            leave();
            left += 1;
        }
        echo(&mut client);
        std::thread::sleep(Duration::from_millis(1));
    };
    check(
        &spinning,
        &json!({
            "loop": server.epoll, "turns": true, "lasted": {"$between": [1, 60]},
            "progress": "others were served meanwhile",
            "fds": [{"kind": "tcp", "readiness": {"$set": ["in"]}, "bytes": 0}],
        }),
    );
}

/// There are no others: its thread runs, and nobody is kept waiting.
#[test]
fn with_nothing_else_to_do() {
    if super::cannot_look() {
        return;
    }
    let server = Server::start("level");
    let mut run = watch(&server, "");
    let mut ignored = server.connect();
    ignored.write_all(b"d").unwrap();
    drop(ignored);
    check(&run.event("spinning"), &json!({"loop": server.epoll, "turns": false, "thread": server.tid}));
}
