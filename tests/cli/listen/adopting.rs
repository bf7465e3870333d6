//! Listeners that are open already: `--fd N`, and those of `LISTEN_FDS`.

use super::client::{attempt, connect, exchange, wait};
use super::{address, fdscope, named, start};
use crate::support::{Fdscope, check, eventually, in_own_network, pass};
use nix::sys::signal::Signal;
use rustix::event::PollFlags;
use rustix::net::SocketType;
use serde_json::json;
use std::net::{TcpListener, UdpSocket};
use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};

/// A listener of ours.
fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

/// fdscope with an fd of ours as 7.
fn with_7(fd: impl AsFd, arguments: &str) -> Fdscope {
    fdscope(arguments).with(|c| pass(c, fd, 7))
}

/// As it is: it was others who chose the backlog.
#[test]
fn by_number() {
    let (listener, to) = listener();
    rustix::net::listen(&listener, 3).unwrap();
    let (mut run, listening) = start(with_7(&listener, "--fd 7 --serve echo"));
    let backlog = json!({"requested": null, "effective": 3, "admits": 4});
    check(&listening, &json!({"address": to, "fd": 7, "backlog": backlog}));
    let client = connect(&to);
    check(&run.event("accepted"), &json!({"address": to, "number": 1}));
    assert_eq!(exchange(client, b"hello"), b"hello");
    let run = run.end_by(Signal::SIGTERM);
    check(run.check_signal(Signal::SIGTERM, "").json_lines().last().unwrap(), &json!({"accepted": 1}));
    // It is still ours, and as blocking as it was.
    let _waiting = connect(&to);
    let flags = rustix::fs::fcntl_getfl(&listener).unwrap();
    assert!(!flags.contains(rustix::fs::OFlags::NONBLOCK), "{flags:?}");
    listener.accept().unwrap();
}

/// With --backlog, listen(2) is called: on one that listens, and on one that does not yet.
#[test]
fn with_a_backlog() {
    let (first, _) = listener();
    let second = rustix::net::socket(rustix::net::AddressFamily::INET, SocketType::STREAM, None).unwrap();
    rustix::net::bind(&second, &"127.0.0.1:0".parse::<std::net::SocketAddr>().unwrap()).unwrap();
    for socket in [first.as_fd(), second.as_fd()] {
        let (mut run, listening) = start(with_7(socket, "--fd 7 --backlog 1 --accept none"));
        let backlog = json!({"requested": 1, "effective": 1, "admits": 2});
        check(&listening, &json!({"fd": 7, "backlog": backlog}));
        let _client = connect(address(&listening));
        check(&run.event("queue"), &json!({"waiting": 1, "max": 1}));
        run.end_by(Signal::SIGTERM).check_signal(Signal::SIGTERM, "");
    }
}

/// What waited before we came is told of.
#[test]
fn a_queue_that_is_not_empty() {
    let (listener, to) = listener();
    rustix::net::listen(&listener, 1).unwrap();
    let _clients = [connect(&to), connect(&to)];
    wait(&listener, PollFlags::IN);
    let (mut run, _) = start(with_7(&listener, "--fd 7 --accept none"));
    check(&run.event("queue"), &json!({"waiting": 2, "max": 1, "peak": 2, "full": true}));
    run.end_by(Signal::SIGTERM).check_signal(Signal::SIGTERM, "");
}

#[test]
fn of_standard_input() {
    let (listener, to) = listener();
    let run = fdscope("--fd 0 --serve echo --count 1").stdin(std::os::fd::OwnedFd::from(listener));
    let (run, listening) = start(run);
    assert_eq!(address(&listening), to);
    assert_eq!(exchange(connect(&to), b"hello"), b"hello");
    run.end().check(0, "");
}

/// Its file is not ours to remove.
#[test]
fn of_a_unix_socket() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    let (run, listening) = start(with_7(&listener, "--fd 7 --serve echo --count 1"));
    assert_eq!(address(&listening), format!("unix:{}", path.display()));
    assert_eq!(exchange(connect(address(&listening)), b"hello"), b"hello");
    run.end().check(0, "");
    assert!(path.exists());
}

/// The counters are those of its network, which is not ours: they are not told.
#[test]
fn of_another_network() {
    let mut there = None;
    in_own_network(|| {
        let (listener, to) = listener();
        rustix::net::listen(&listener, 0).unwrap();
        let clients = [connect(&to).into(), attempt(&to, SocketType::STREAM).unwrap()];
        there = Some((listener, clients));
    });
    let Some((listener, _clients)) = there else { return };
    let (run, listening) = start(with_7(&listener, "--fd 7 --accept none"));
    check(&listening, &json!({"backlog": {"effective": 0}}));
    let run = run.end_by(Signal::SIGTERM);
    let events = run.check_signal(Signal::SIGTERM, "").json_lines();
    let summary = json!({"waiting": 1, "full": true, "listen_overflows": null, "listen_drops": null});
    check(events.last().unwrap(), &summary);
}

/// The protocol of sd_listen_fds(3), its variables set by a shell that becomes fdscope.
fn passed(variables: &str, arguments: &str) -> Fdscope {
    let script = format!("export {variables}; exec \"$0\" \"$@\"");
    Fdscope::through(&["sh", "-c", &script], format!("listen --jsonl {arguments}"))
}

#[test]
fn as_systemd_passes_them() {
    let ((first, one), (second, two)) = (listener(), listener());
    let variables = "LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=web:admin";
    let run = passed(variables, "--fd systemd --serve echo --count 2");
    let (mut run, listening) = start(run.with(|c| {
        pass(c, &first, 3);
        pass(c, &second, 4);
    }));
    check(&listening, &json!({"address": one, "fd": 3, "name": "web"}));
    check(&run.event("listening"), &json!({"address": two, "fd": 4, "name": "admin"}));
    for to in [one, two] {
        assert_eq!(exchange(connect(&to), b"hello"), b"hello");
    }
    run.end().check(0, "");
}

#[test]
fn variables_that_are_wrong() {
    let wrong = |variables: &str, why: &str| {
        let run = passed(variables, "--fd systemd").run();
        run.check(3, &format!("fdscope: {why}")).prints("");
    };
    wrong("OTHER=1", "no fds were passed: LISTEN_FDS is not set");
    wrong("LISTEN_FDS=1", "LISTEN_FDS is set without LISTEN_PID");
    wrong("LISTEN_FDS=1 LISTEN_PID=1", "the fds of LISTEN_FDS were passed to process 1, and this is ");
    wrong("LISTEN_FDS=x LISTEN_PID=$$", "LISTEN_FDS is \"x\", and not a number of fds from 1 to 1000\n");
    wrong("LISTEN_FDS=1 LISTEN_PID=$$", "fd 3 is not open here");
}

#[test]
fn fds_that_are_no_listeners() {
    let wrong = |run: Fdscope, why: &str| {
        run.run().check(3, &format!("fdscope: {why}")).prints("");
    };
    wrong(fdscope("--fd 7"), "fd 7 is not open here");
    wrong(with_7(std::fs::File::open("/dev/null").unwrap(), "--fd 7"), "fd 7 is not a socket\n");
    let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
    wrong(
        with_7(datagrams, "--fd 7"),
        "fd 7 is a socket for datagrams, which no connection can be made to\n",
    );
    let (pair, _other) = UnixStream::pair().unwrap();
    wrong(with_7(&pair, "--fd 7"), "fd 7 is a connection, which cannot listen\n");
    let silent = rustix::net::socket(rustix::net::AddressFamily::INET, SocketType::STREAM, None).unwrap();
    let why = "fd 7 is a socket that does not listen; with --backlog, listen(2) is called on it\n";
    wrong(with_7(silent, "--fd 7"), why);
    let (stream, _) = listener();
    wrong(with_7(stream, "--fd 7 --fd 7"), "fd 7 is named twice\n");
}

/// The real thing, which starts us when the first connection comes.
#[test]
fn by_systemd_socket_activate() {
    let there = std::process::Command::new("systemd-socket-activate").arg("--version").output();
    if !there.is_ok_and(|o| o.status.success()) {
        eprintln!("skipped: systemd-socket-activate, because it is not installed");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    let words = ["systemd-socket-activate", "-l", path.to_str().unwrap(), "--fdname=door"];
    let arguments = "listen --jsonl --fd systemd --serve echo --count 1";
    let mut run = Fdscope::through(&words, arguments).start();
    eventually("it listens", || UnixStream::connect(&path).is_ok());
    let expected = json!({"address": format!("unix:{}", path.display()), "fd": 3, "name": "door"});
    check(&run.event("listening"), &expected);
    // The connection is the one that looked whether it listens.
    let run = run.end();
    let events = run.check(0, "Listening on ").json_lines();
    assert_eq!(named(&events, "accepted").len(), 1);
}
