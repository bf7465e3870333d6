//! How a run ends: by a count, by the clock, by a signal, or because nobody reads.

use super::client::{attempt, connect, exchange};
use super::models::MODELS;
use super::{address, fdscope, listen, named, start};
use crate::support::{Fdscope, check, eventually};
use nix::sys::signal::Signal;
use rustix::net::SocketType;
use serde_json::json;
use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::time::{Duration, Instant};

/// With status 0, once that many were accepted and have ended.
#[test]
fn count() {
    for model in MODELS {
        let (mut run, listening) = listen(format!("127.0.0.1:0 --model {model} --serve echo --count 2"));
        let clients = [connect(address(&listening)), connect(address(&listening))];
        run.record("the second", |e| e["number"] == 2);
        for client in clients {
            assert_eq!(exchange(client, b"x"), b"x", "{model}");
        }
        let run = run.end();
        let events = run.check(0, "").json_lines();
        check(events.last().unwrap(), &json!({"event": "summary", "accepted": 2}));
    }
}

/// Those that are held never end, and are not waited for.
#[test]
fn count_of_those_that_never_end() {
    for model in MODELS {
        let (run, listening) = listen(format!("127.0.0.1:0 --model {model} --serve hold --count 1"));
        // It may be over before the client has looked.
        let client = attempt(address(&listening), SocketType::STREAM).unwrap();
        let run = run.end();
        check(run.check(0, "").json_lines().last().unwrap(), &json!({"event": "summary", "accepted": 1}));
        drop(client);
    }
}

/// Where none is accepted, changes of the queue are counted.
#[test]
fn count_of_changes() {
    let (mut run, listening) = listen("127.0.0.1:0 --accept none --count 2");
    let first = connect(address(&listening));
    run.record("the first", |e| e["waiting"] == 1);
    let second = attempt(address(&listening), SocketType::STREAM).unwrap();
    let run = run.end();
    let events = run.check(0, "").json_lines();
    assert_eq!(named(&events, "queue").len(), 2);
    check(events.last().unwrap(), &json!({"event": "summary", "accepted": 0, "waiting": 2, "peak": 2}));
    drop((first, second));
}

#[test]
fn timeout() {
    for model in MODELS {
        let begin = Instant::now();
        let (run, _) = listen(format!("127.0.0.1:0 --model {model} --timeout 60ms"));
        let run = run.end();
        assert!(begin.elapsed() >= Duration::from_millis(60));
        let events = run.check(124, "").json_lines();
        assert_eq!(events.len(), 2);
        check(&events[1], &json!({"event": "summary", "accepted": 0, "elapsed": {"$between": [0.06, 1e3]}}));
    }
}

/// With its summary, and then by the signal itself.
#[test]
fn signals() {
    for (model, signal) in MODELS.iter().zip([Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP]) {
        let (mut run, listening) = listen(format!("127.0.0.1:0 --model {model} --serve echo"));
        let client = connect(address(&listening));
        run.event("accepted");
        let run = run.end_by(signal);
        let events = run.check_signal(signal, "").json_lines();
        check(events.last().unwrap(), &json!({"event": "summary", "accepted": 1}));
        // Nobody has the connection any more, processes included.
        let end = (&client).read(&mut [0]).map_err(|e| e.kind());
        assert!(matches!(end, Ok(0) | Err(ErrorKind::ConnectionReset)), "{model}: {end:?}");
    }
}

/// As nohup(1) has it: what is ignored stays ignored.
#[test]
fn an_ignored_signal() {
    let nohup = ["sh", "-c", "trap '' HUP; exec \"$0\" \"$@\""];
    let (mut run, listening) = start(Fdscope::through(&nohup, "listen 127.0.0.1:0 --jsonl"));
    run.signal(Signal::SIGHUP);
    let client = connect(address(&listening));
    check(&run.event("accepted"), &json!({"number": 1}));
    drop(client);
    run.end_by(Signal::SIGTERM).check_signal(Signal::SIGTERM, "");
}

/// Into a pipe that nobody reads any more, it ends quietly at the next event.
#[test]
fn a_closed_pipe() {
    for format in ["table", "jsonl", "tsv"] {
        let (reader, writer) = std::io::pipe().unwrap();
        let run = Fdscope::new(format!("listen 127.0.0.1:0 --format {format}")).stdout(writer).start();
        let mut line = Vec::new();
        let mut reader = std::io::BufReader::new(reader);
        let address = loop {
            line.clear();
            std::io::BufRead::read_until(&mut reader, b'\n', &mut line).unwrap();
            let text = String::from_utf8_lossy(&line).into_owned();
            let at = text.find("127.0.0.1:");
            if let Some(at) = at {
                break text[at..].split(['"', ' ', '\t', ',']).next().unwrap().to_owned();
            }
        };
        drop(reader);
        // A child that another test is starting may have the pipe until it is that other program.
        eventually("it ends", || {
            let _ = attempt(&address, SocketType::STREAM);
            run.has_ended()
        });
        run.end().check(0, "").prints("");
    }
}

#[test]
fn a_full_disk() {
    for format in ["table", "json", "jsonl", "tsv"] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let run = Fdscope::new(format!("listen 127.0.0.1:0 -t 10ms --format {format}")).stdout(full).run();
        run.check(2, "fdscope: cannot write the output: No space left on device");
    }
    let run = fdscope("127.0.0.1:0 -t 10ms --output /dev/full").run();
    run.check(2, "fdscope: cannot write the output: No space left on device").prints("");
}

/// A COMMAND goes on without, and that is told: once, and by a status if it has none of its own.
#[test]
fn a_full_disk_beside_a_command() {
    for format in ["table", "json", "jsonl", "tsv"] {
        for (command, status) in [("true", 2), ("exit 7", 7)] {
            let full = File::options().write(true).open("/dev/full").unwrap();
            let run = Fdscope::new(format!("listen 127.0.0.1:0 --format {format} -- sh -c")).arg(command);
            let run = run.stdout(full).run();
            run.check(status, "fdscope: cannot write the output: No space left on device");
            assert_eq!(run.stderr().lines().count(), 1, "{format}: {}", run.stderr());
        }
    }
}
