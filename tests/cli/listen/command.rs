//! `-- COMMAND`: a server that is given the listeners, and fdscope beside it.

use super::client::{connect, exchange};
use super::{abstract_name, address, fdscope, named, start};
use crate::support::{Fdscope, check, eventually, numbers};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::path::Path;

/// Its events go to a file, as the command has the output.
fn beside(events: &Path, arguments: &str, command: &[&str]) -> Fdscope {
    let run = Fdscope::new(format!("listen --jsonl {arguments} --output")).arg(events).arg("--");
    command.iter().fold(run, |run, word| run.arg(word))
}

fn read(events: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(events).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn its_environment() {
    let directory = tempfile::tempdir().unwrap();
    let events = directory.path().join("events");
    let script = "echo $LISTEN_FDS $LISTEN_PID = $$, $LISTEN_FDNAMES, $OTHER, $1";
    let one = "127.0.0.1:0";
    let unix = abstract_name("environment");
    let cases = [
        (one.to_owned(), "1", "unknown"),
        (format!("{one} --fd-name web"), "1", "web"),
        (format!("{one} {unix} --fd-name web --fd-name admin"), "2", "web:admin"),
        (format!("{one} {unix} --fd-name web"), "2", "web:unknown"),
    ];
    for (arguments, count, names) in cases {
        let run = beside(&events, &arguments, &["sh", "-c", script, "sh", "on {}"]);
        // Whoever started us may have been passed others, and the rest is the command's, too.
        let run = run.env("LISTEN_PID", "1").env("LISTEN_FDNAMES", "x").env("OTHER", "thing").run();
        run.check(0, "");
        let words: Vec<String> = run.stdout().split_whitespace().map(str::to_owned).collect();
        let pid = format!("{},", words[1]);
        let names = format!("{names},");
        assert_eq!(words, [count, &words[1], "=", &pid, &names, "thing,", "on", "3"], "{arguments}");
        let events = read(&events);
        let started = named(&events, "started")[0];
        check(started, &json!({"command": "sh", "pid": words[1].parse::<u32>().unwrap()}));
        check(named(&events, "exited")[0], &json!({"pid": started["pid"], "status": 0}));
    }
}

/// The listeners, without close-on-exec, and nothing else of ours.
#[test]
fn its_fds() {
    let unix = abstract_name("fds");
    let run = fdscope(format!("127.0.0.1:0 {unix} -- sleep 60"));
    let (mut run, listening) = start(run);
    check(&listening, &json!({"fd": 3, "family": "tcp"}));
    check(&run.event("listening"), &json!({"fd": 4, "address": unix}));
    let pid = run.event("started")["pid"].as_u64().unwrap() as u32;
    // It opens libraries of its own as it starts.
    eventually("it has these fds alone", || numbers(pid) == [0, 1, 2, 3, 4]);
    for fd in [3, 4] {
        let socket = |pid: u32| std::fs::read_link(format!("/proc/{pid}/fd/{fd}")).unwrap();
        assert_eq!(socket(pid), socket(run.pid()));
        let info = std::fs::read_to_string(format!("/proc/{pid}/fdinfo/{fd}")).unwrap();
        let flags = info.lines().find_map(|l| l.strip_prefix("flags:\t")).unwrap();
        let flags = i32::from_str_radix(flags, 8).unwrap();
        assert_eq!(flags & (libc::O_CLOEXEC | libc::O_NONBLOCK), 0, "{info}");
    }
    // No signal is blocked, and none ignored but those that were.
    let mask = |pid: u32, name: &str| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find_map(|l| l.strip_prefix(name)).unwrap();
        u64::from_str_radix(line.trim(), 16).unwrap()
    };
    assert_eq!(mask(pid, "SigBlk:"), 0);
    // Programs in Rust, such as this one, ignore SIGPIPE for themselves alone.
    let ignored = mask(run.pid(), "SigIgn:") & !(1 << (libc::SIGPIPE - 1));
    assert_eq!(mask(pid, "SigIgn:"), ignored);
    let run = run.end_by(Signal::SIGTERM);
    let events = run.check(128 + libc::SIGTERM, "").json_lines();
    check(named(&events, "exited")[0], &json!({"pid": pid, "status": null, "signal": "SIGTERM"}));
}

#[test]
fn its_status_is_ours() {
    let directory = tempfile::tempdir().unwrap();
    let events = directory.path().join("events");
    for (script, status, expected) in [
        ("exit 0", 0, json!({"status": 0, "signal": {"$absent": true}})),
        ("exit 7", 7, json!({"status": 7})),
        ("kill -KILL $$", 137, json!({"status": null, "signal": "SIGKILL"})),
    ] {
        let run = beside(&events, "127.0.0.1:0", &["sh", "-c", script]).run();
        run.check(status, "").prints("");
        let events = read(&events);
        check(named(&events, "exited")[0], &expected);
        // We do not accept, so we cannot tell how many were.
        check(events.last().unwrap(), &json!({"event": "summary", "accepted": null}));
    }
}

#[test]
fn one_that_cannot_be_started() {
    let directory = tempfile::tempdir().unwrap();
    let events = directory.path().join("events");
    let script = directory.path().join("script");
    std::fs::write(&script, "#!/bin/sh\n").unwrap();
    let script = script.to_str().unwrap();
    for (command, status, why) in [
        ("fdscope-no-such-command", 127, "No such file or directory"),
        ("/nonexistent/command", 127, "No such file or directory"),
        (script, 126, "Permission denied"),
        (directory.path().to_str().unwrap(), 126, "Permission denied"),
    ] {
        // Not where some directory of the path may not be looked into.
        let run = beside(&events, "127.0.0.1:0", &[command]).env("PATH", "/usr/bin:/bin").run();
        run.check(status, &format!("fdscope: cannot start {command}: {why}")).prints("");
        assert_eq!(named(&read(&events), "started").len(), 0);
    }
}

/// To the command, once each; it is the command that ends us.
#[test]
fn signals_are_forwarded() {
    let directory = tempfile::tempdir().unwrap();
    let script = "for s in HUP INT QUIT TERM USR1; do trap \"echo $s\" $s; done; trap 'exit 5' USR2; \
                  echo ready; n=0; while [ $((n += 1)) -lt 1500 ]; do sleep 0.02; done";
    let mut run = beside(&directory.path().join("events"), "127.0.0.1:0", &["sh", "-c", script]).start();
    assert_eq!(run.line(), "ready");
    for (signal, name) in [
        (Signal::SIGTERM, "TERM"),
        (Signal::SIGINT, "INT"),
        (Signal::SIGHUP, "HUP"),
        (Signal::SIGQUIT, "QUIT"),
        (Signal::SIGUSR1, "USR1"),
    ] {
        run.signal(signal);
        assert_eq!(run.line(), name);
    }
    let run = run.end_by(Signal::SIGUSR2);
    run.check(5, "").prints("ready\nTERM\nINT\nHUP\nQUIT\nUSR1\n");
}

/// It is told to end, and the status says why.
#[test]
fn timeout() {
    let (run, _) = start(fdscope("127.0.0.1:0 --timeout 50ms -- sleep 60"));
    let run = run.end();
    let events = run.check(124, "").json_lines();
    check(named(&events, "exited")[0], &json!({"signal": "SIGTERM", "elapsed": {"$between": [0.05, 1e3]}}));
    // Even if it ends as if nothing had happened, once it is ready to.
    let script = "trap 'exit 0' TERM; n=0; while [ $((n += 1)) -lt 1500 ]; do sleep 0.02; done";
    let ends_well = |time: &&str| {
        let run = fdscope(format!("127.0.0.1:0 --timeout {time} -- sh -c")).arg(script);
        let run = run.run();
        named(&run.check(124, "").json_lines(), "exited")[0]["status"] == 0
    };
    assert!(["100ms", "1s", "10s"].iter().any(ends_well));
}

/// The queue is told of until it accepts.
#[test]
fn the_gauge_goes_on_beside_it() {
    let (mut run, listening) = start(fdscope("127.0.0.1:0 --backlog 1 -- sleep 60"));
    let _clients = [connect(address(&listening)), connect(address(&listening))];
    let full = run.record("a full queue", |e| e["event"] == "queue" && e["waiting"] == 2);
    check(&full, &json!({"peak": 2, "max": 1, "full": true}));
    let run = run.end_by(Signal::SIGTERM);
    let summary = json!({"accepted": null, "waiting": 2, "peak": 2, "full": true});
    check(run.check(143, "").json_lines().last().unwrap(), &summary);
}

/// Whoever reads the events may go; the server stays.
#[test]
fn nobody_reads_the_events() {
    let directory = tempfile::tempdir().unwrap();
    let socket = format!("unix:{}/socket", directory.path().display());
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let run = fdscope(format!("{socket} -- sh -c")).arg("echo ready >&2; read -r line; exit 6");
    let (stdin, end) = std::io::pipe().unwrap();
    let mut run = run.stdout(writer).stdin(stdin).start();
    assert_eq!(run.line_on_stderr(), "ready");
    let _client = connect(&socket);
    drop(end);
    run.end().check(6, "ready\n");
}

/// A program that takes its socket from an fd, and does not know that it is watched.
const SERVER: &str = "
import os, socket
assert os.environ['LISTEN_FDS'] == '1' and int(os.environ['LISTEN_PID']) == os.getpid()
with socket.fromfd(3, socket.AF_INET, socket.SOCK_STREAM) as listener:
    connection, peer = listener.accept()
    with connection:
        connection.sendall(connection.recv(100).upper())
";

#[test]
fn a_python_server() {
    let version = std::process::Command::new("python3").arg("--version").output();
    if !version.is_ok_and(|o| o.status.success()) {
        eprintln!("skipped: a server in Python, because python3 is not installed");
        return;
    }
    let (mut run, listening) = start(fdscope("127.0.0.1:0 -- python3 -c").arg(SERVER));
    run.event("started");
    let client = connect(address(&listening));
    assert_eq!(exchange(client, b"hello"), b"HELLO");
    let run = run.end();
    let events = run.check(0, "").json_lines();
    check(events.last().unwrap(), &json!({"event": "summary", "peak": 1, "waiting": 0}));
}
