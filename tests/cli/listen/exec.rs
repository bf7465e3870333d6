//! `--exec`: a command for each connection.

use super::client::{connect, echoed, exchange};
use super::{TICK, abstract_name, address, fdscope, listen, named, start};
use crate::support::{check, number};
use nix::sys::signal::Signal;
use serde_json::json;
use std::io::Read as _;
use std::time::Instant;

#[test]
fn a_connection_is_its_stdin_and_stdout() {
    let name = abstract_name("exec");
    let (mut run, tcp) = listen(format!("127.0.0.1:0 {name} --exec cat --count 2"));
    for to in [address(&tcp), &name] {
        assert_eq!(exchange(connect(to), b"hello"), b"hello", "{to}");
        check(&run.event("accepted"), &json!({"address": to}));
    }
    let run = run.end();
    let events = run.check(0, "").json_lines();
    check(events.last().unwrap(), &json!({"event": "summary", "accepted": 1}));
}

/// A shell reads it, and it knows who is there.
#[test]
fn its_environment() {
    let script = "read -r line; echo \"$line from $REMOTE_ADDR $REMOTE_PORT, $LISTEN_FDS.\"";
    let run = fdscope("127.0.0.1:0 --count 1 --exec").arg(script).env("LISTEN_FDS", "9");
    let (run, listening) = start(run);
    let client = connect(address(&listening));
    let peer = client.local_addr().unwrap();
    let expected = format!("hello from {} {}, .\n", peer.ip(), peer.port());
    assert_eq!(String::from_utf8(exchange(client, b"hello\n")).unwrap(), expected);
    run.end().check(0, "");
}

/// Its stderr is ours, and how it ends is its own affair.
#[test]
fn a_command_that_fails() {
    let (mut run, listening) = start(fdscope("127.0.0.1:0 --exec").arg("echo oh >&2; exit 3"));
    for n in 1..=2 {
        assert_eq!(exchange(connect(address(&listening)), b""), b"");
        check(&run.event("accepted"), &json!({"number": n}));
        assert_eq!(run.line_on_stderr(), "oh");
    }
    run.end_by(Signal::SIGTERM).check_signal(Signal::SIGTERM, "oh\noh\n");
}

/// One at a time: the second waits until the first has ended.
#[test]
fn max_children() {
    for how in ["--exec cat", "--model processes --serve echo"] {
        let (mut run, listening) = listen(format!("127.0.0.1:0 {how} --max-children 1"));
        let mut first = connect(address(&listening));
        check(&run.event("accepted"), &json!({"number": 1}));
        let second = connect(address(&listening));
        let connected = Instant::now();
        // It is being served, so nobody else is.
        echoed(&mut first, b"still here\n");
        assert_eq!(named(&run.seen(), "accepted").len(), 1, "{how}");
        let least = connected.elapsed().as_secs_f64();
        drop(first);
        assert_eq!(exchange(second, b"hello"), b"hello", "{how}");
        let accepted = run.event("accepted");
        check(&accepted, &json!({"number": 2}));
        assert!(number(&accepted, "waited") >= least - TICK, "{how}: {accepted}");
        run.end_by(Signal::SIGTERM).check_signal(Signal::SIGTERM, "");
    }
}

/// Whatever they do, they end when we do.
#[test]
fn children_are_told_to_end() {
    for how in ["sleep 60", "cat"] {
        let (mut run, listening) = start(fdscope("127.0.0.1:0 --exec").arg(format!("exec {how}")));
        let mut client = connect(address(&listening));
        run.event("accepted");
        run.end_by(Signal::SIGINT).check_signal(Signal::SIGINT, "");
        // The connection is closed, as its last holder is gone.
        assert_eq!(client.read(&mut [0]).unwrap(), 0, "{how}");
    }
}
