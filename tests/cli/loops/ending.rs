//! How a run ends, and with which status.

use super::server::{Server, echo};
use super::{fdscope, watch};
use crate::support::{Fdscope, check, number};
use nix::sys::signal::Signal;
use serde_json::json;
use std::io::Write as _;
use std::process::{Command, Stdio};

/// Nothing waits, so that nothing can stall, however slow the machine is.
#[test]
fn well() {
    if super::cannot_look() {
        return;
    }
    let server = Server::start("level");
    let run = fdscope(format!("{} --for 300ms", server.pid())).run();
    let events = run.check(0, "").json_lines();
    let summary = events.iter().find(|e| e["event"] == "summary" && e["loop"] == server.epoll).unwrap();
    check(
        summary,
        &json!({"stalls": 0, "waits": 0, "busy": 0.0, "stalled": 0.0, "idle": {"$between": [0.0, 60]}}),
    );
    // From the first look on, but for what is rounded.
    assert!(number(summary, "idle") <= number(summary, "elapsed") + 1e-5, "{summary}");
    assert!(events.iter().all(|e| e["event"] != "stalled"));
}

#[test]
fn a_stall() {
    if super::cannot_look() {
        return;
    }
    let mut server = Server::start("level");
    let (mut one, mut other) = (server.connect(), server.connect());
    echo(&mut one);
    echo(&mut other);
    server.hold_up(&mut one, b"b");
    other.write_all(b"e").unwrap();
    // As long as it takes on a machine that has much to do.
    let stalled = ["1s", "5s", "20s"].into_iter().find_map(|time| {
        let run = fdscope(format!("{} --for {time} --stall 50ms", server.pid())).run();
        (run.status() != 0).then_some(run)
    });
    let events = stalled.expect("it is held up").check(1, "").json_lines();
    assert!(events.iter().any(|event| event["event"] == "stalled"));
    assert!(events.iter().all(|event| event["event"] != "recovered"));
}

/// It ends by itself, and says so: with or without a stall before.
#[test]
fn the_process_ends() {
    if super::cannot_look() {
        return;
    }
    for blocked in [false, true] {
        let mut server = Server::start("level");
        let mut run = watch(&server, "");
        if blocked {
            let mut client = server.connect();
            server.hold_up(&mut client, b"b");
            let _other = server.connect();
            run.event("stalled");
        }
        server.end();
        check(&run.event("exited"), &json!({"pid": server.pid(), "loop": {"$absent": true}}));
        run.event("summary");
        run.end().check(3, "");
    }
}

/// Of two, one goes on.
#[test]
fn one_of_two_ends() {
    if super::cannot_look() {
        return;
    }
    let (mut one, two) = (Server::start("level"), Server::start("level"));
    let mut run = fdscope(format!("{} {} --watch", one.pid(), two.pid())).start();
    run.until("both", |events| events.iter().filter(|e| e["event"] == "loop").count() >= 2);
    one.end();
    run.event("exited");
    let run = run.end_by(Signal::SIGTERM);
    run.check_signal(Signal::SIGTERM, "");
    let summaries = run.json_lines().iter().filter(|e| e["event"] == "summary").count();
    assert_eq!(summaries, 2);
}

/// Another program in its place: its epoll fd is closed.
#[test]
fn another_program() {
    if super::cannot_look() {
        return;
    }
    let mut server = Server::start("level");
    let mut run = watch(&server, "");
    server.tell("exec");
    check(&run.event("closed"), &json!({"pid": server.pid(), "loop": server.epoll}));
    check(&run.event("summary"), &json!({"loop": server.epoll}));
    server.end();
    run.event("exited");
    run.end().check(3, "");
}

/// What was summed up when the loop closed is not summed up again when its process ends.
#[test]
fn the_loop_closes_before_its_process_ends() {
    if super::cannot_look() {
        return;
    }
    let mut server = Server::start("level");
    let mut run = watch(&server, "");
    server.tell("exec");
    run.event("closed");
    run.event("summary");
    server.end();
    run.event("exited");
    let run = run.end();
    let events = run.check(3, "").json_lines();
    let summaries = events.iter().filter(|e| e["event"] == "summary" && e["loop"] == server.epoll);
    assert_eq!(summaries.count(), 1);
}

#[test]
fn no_loop() {
    if super::cannot_look() {
        return;
    }
    let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let pid = child.id();
    let told = format!("process {pid} has no event loop that can be seen");
    fdscope(pid.to_string()).run().check(1, &told).prints("");
    let run = fdscope(format!("{pid} --for 200ms")).run();
    run.check(3, &told).check(3, "there was no event loop that can be judged").prints("");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn quiet() {
    if super::cannot_look() {
        return;
    }
    let mut server = Server::start("level");
    for format in ["table", "json", "jsonl", "tsv"] {
        let arguments = format!("loops {} --for 200ms -q --format {format}", server.pid());
        Fdscope::new(arguments).run().check(0, "").prints("");
    }
    server.end();
}
