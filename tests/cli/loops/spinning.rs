//! Loops that turn without serving what is ready.

use super::server::{Server, echo};
use super::watch;
use crate::support::check;
use serde_json::json;
use std::io::Write as _;

/// A client has gone, and is left in the set; others are served.
#[test]
fn what_is_at_its_end() {
    if super::cannot_look() {
        return;
    }
    let server = Server::start("level");
    let mut run = watch(&server, "");
    let (mut ignored, mut client) = (server.connect(), server.connect());
    ignored.write_all(b"d").unwrap();
    echo(&mut client);
    drop(ignored);
    let spinning = loop {
        echo(&mut client);
        std::thread::sleep(std::time::Duration::from_millis(1));
        run.poll();
        if let Some(event) = run.seen().into_iter().find(|e| e["event"] == "spinning") {
            break event;
        }
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
