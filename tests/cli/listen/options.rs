//! Options of the sockets: what they do to clients, and what the kernel keeps of them.

use super::client::{connect, tcp_option, wait};
use super::{address, fdscope, listen, named, start};
use crate::support::{check, in_own_network, pass};
use nix::sys::signal::Signal;
use nix::sys::socket::{getsockopt, sockopt};
use rustix::event::PollFlags;
use rustix::fs::OFlags;
use serde_json::json;
use std::io::{ErrorKind, Write as _};
use std::net::{TcpListener, TcpStream};

/// Those of a listener that we passed, which is the same socket here and there.
#[test]
fn of_a_passed_listener() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let options = "--defer-accept 3 --recv-buffer 64K --send-buffer 32K --nonblocking --quiet";
    let run = fdscope(format!("--fd 7 {options} --fast-open 9")).with(|c| pass(c, &listener, 7));
    let (run, _) = start(run);
    // The kernel doubles what it is given, for its own accounts.
    assert_eq!(getsockopt(&listener, sockopt::RcvBuf).unwrap(), 2 * 64 * 1024);
    assert_eq!(getsockopt(&listener, sockopt::SndBuf).unwrap(), 2 * 32 * 1024);
    // It counts in retransmissions, of which the third is the first behind 3 seconds.
    let seconds = tcp_option(&listener, libc::TCP_DEFER_ACCEPT);
    assert!((3..=7).contains(&seconds), "{seconds}");
    assert!(rustix::fs::fcntl_getfl(&listener).unwrap().contains(OFlags::NONBLOCK));
    run.end_by(Signal::SIGTERM).check_signal(Signal::SIGTERM, "");
    let run = fdscope("--fd 7 --blocking").with(|c| pass(c, &listener, 7));
    let (run, _) = start(run);
    assert!(!rustix::fs::fcntl_getfl(&listener).unwrap().contains(OFlags::NONBLOCK));
    run.end_by(Signal::SIGTERM).check_signal(Signal::SIGTERM, "");
}

/// A connection that says nothing is not there yet.
#[test]
fn defer_accept() {
    let (mut run, listening) = listen("127.0.0.1:0 --defer-accept 30 --serve hold");
    let quiet = connect(address(&listening));
    let mut talker = connect(address(&listening));
    talker.write_all(b"x").unwrap();
    let peer = talker.local_addr().unwrap().to_string();
    check(&run.event("accepted"), &json!({"number": 1, "peer": peer}));
    drop(quiet);
    run.end_by(Signal::SIGTERM).check_signal(Signal::SIGTERM, "");
}

/// IPv4 is served too, under its own addresses, unless that is not wanted.
#[test]
fn both_families() {
    if TcpListener::bind("[::]:0").is_err() {
        eprintln!("skipped: IPv6, because there is none");
        return;
    }
    for wanted in [":0", "[::]:0"] {
        let (mut run, listening) = listen(wanted);
        check(&listening, &json!({"family": "tcp6", "address": {"$holds": "[::]:"}}));
        let to = address(&listening).replace("[::]", "127.0.0.1");
        let client = connect(&to);
        let peer = client.local_addr().unwrap().to_string();
        check(&run.event("accepted"), &json!({"peer": peer}));
        let six = connect(&address(&listening).replace("[::]", "[::1]"));
        check(&run.event("accepted"), &json!({"peer": six.local_addr().unwrap().to_string()}));
        run.end_by(Signal::SIGTERM).check_signal(Signal::SIGTERM, "");
    }
    // Where nobody else can be at that port.
    in_own_network(|| {
        let (run, listening) = listen("[::]:0 --v6-only");
        let to = address(&listening).replace("[::]", "127.0.0.1");
        assert_eq!(TcpStream::connect(&to).unwrap_err().kind(), ErrorKind::ConnectionRefused);
        run.end_by(Signal::SIGTERM).check_signal(Signal::SIGTERM, "");
    });
    fdscope("127.0.0.1:0 --v6-only").run().check(2, "127.0.0.1:0: --v6-only is for IPv6 addresses\n");
}

/// The event loop does not wait for one that was taken by somebody else, even if it is told to
/// block.
#[test]
fn a_blocking_listener_in_an_event_loop() {
    let (mut run, listening) = listen("127.0.0.1:0 --blocking --serve hold");
    for n in 1..=3 {
        let client = connect(address(&listening));
        check(&run.event("accepted"), &json!({"number": n}));
        drop(client);
    }
    let run = run.end_by(Signal::SIGTERM);
    assert_eq!(named(&run.check_signal(Signal::SIGTERM, "").json_lines(), "accepted").len(), 3);
}

/// listen(2) is called again, by somebody who has it too.
#[test]
fn another_backlog_meanwhile() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    rustix::net::listen(&listener, 5).unwrap();
    let run = fdscope("--fd 7 --accept none --interval 10ms").with(|c| pass(c, &listener, 7));
    let (mut run, listening) = start(run);
    check(&listening, &json!({"backlog": {"requested": null, "effective": 5}}));
    rustix::net::listen(&listener, 1).unwrap();
    check(&run.event("queue"), &json!({"waiting": 0, "max": 1, "full": false}));
    // Somebody who has it, too, shuts it down: nobody listens any more.
    rustix::net::shutdown(&listener, rustix::net::Shutdown::Both).unwrap();
    wait(&listener, PollFlags::IN);
    check(&run.event("closed"), &json!({"address": address(&listening)}));
    run.end().check(3, "");
}
