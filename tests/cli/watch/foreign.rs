//! Fds of another process: seen, and left as they are.

use super::{fdscope, here, names, note, watch};
use crate::support::{check, number};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::SignalFd;
use serde_json::json;
use std::io::{Read as _, Write as _, pipe};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::{Duration, Instant};

/// It is ready until its owner takes notice, and then its owner reads every byte.
#[test]
fn a_socket() {
    if super::cannot_watch_others() {
        return;
    }
    for with in super::LEVEL {
        let (mut socket, mut peer) = UnixStream::pair().unwrap();
        let target = here(&socket);
        let mut run = watch(format!("{target} --with {with} -u hup"));
        peer.write_all(b"hello").unwrap();
        let ready = run.event("ready");
        let begin = Instant::now();
        check(
            &ready,
            &json!({"target": target, "pid": std::process::id(), "kind": "unix", "selector": with,
                    "trigger": "level", "readiness": ["in"], "raw": 1, "readable_bytes": 5}),
        );
        peer.write_all(b", world").unwrap();
        check(&run.event("more"), &json!({"readable_bytes": 12}));
        // The owner lets it wait; it may wait longer.
        std::thread::sleep(Duration::from_millis(15));
        let waited = begin.elapsed().as_secs_f64();
        let mut buffer = [0; 100];
        assert_eq!(socket.read(&mut buffer).unwrap(), 12, "{with}");
        assert_eq!(&buffer[..12], b"hello, world");
        check(&run.event("clear"), &json!({"readiness": [], "ready_for": {"$between": [waited, 1e3]}}));
        drop(peer);
        if with == "select" {
            check(&run.event("ready"), &json!({"readiness": ["in"]}));
            continue;
        }
        check(&run.event("hup"), &json!({"readiness": {"$set": ["in", "rdhup", "hup"]}}));
        let run = run.end();
        let events = run.check(0, note(with)).json_lines();
        assert_eq!(names(&events), ["armed", "ready", "more", "clear", "hup", "summary"]);
        assert!(number(&events[5], "ready_longest") >= waited);
        check(&events[5], &json!({"bytes": 12, "pid": std::process::id()}));
    }
}

/// mio tells what comes.
#[test]
fn with_mio() {
    if super::cannot_watch_others() {
        return;
    }
    let (mut reader, mut writer) = pipe().unwrap();
    let mut run = watch(format!("{} --with mio -u hup", here(&reader)));
    for length in [5, 10] {
        writer.write_all(b"hello").unwrap();
        check(
            &run.event("ready"),
            &json!({"selector": "mio", "trigger": "edge", "readiness": ["in"], "readable_bytes": length}),
        );
    }
    let mut buffer = [0; 100];
    assert_eq!(reader.read(&mut buffer).unwrap(), 10);
    drop(writer);
    run.event("hup");
    run.end().check(0, "");
}

#[test]
fn a_listener() {
    if super::cannot_watch_others() {
        return;
    }
    for with in super::LEVEL {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let connect = || TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let clients = [connect(), connect()];
        let mut run = watch(format!("{} --with {with}", here(&listener)));
        check(
            &run.event("ready"),
            &json!({"kind": "tcp", "readiness": ["in"], "queue": 2, "readable_bytes": {"$absent": true}}),
        );
        for _ in clients {
            listener.accept().unwrap();
        }
        run.event("clear");
        let _another = connect();
        check(&run.event("ready"), &json!({"readiness": ["in"], "queue": 1}));
        listener.accept().unwrap();
    }
}

#[test]
fn a_unix_listener() {
    if super::cannot_watch_others() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("listener");
    let listener = UnixListener::bind(&path).unwrap();
    let _clients = [UnixStream::connect(&path).unwrap(), UnixStream::connect(&path).unwrap()];
    let mut run = watch(here(&listener));
    check(&run.event("ready"), &json!({"kind": "unix", "readiness": ["in"], "queue": 2}));
}

/// What cannot be sent yet.
#[test]
fn unsent_bytes() {
    if super::cannot_watch_others() {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut socket, _) = listener.accept().unwrap();
    socket.set_nonblocking(true).unwrap();
    // Both buffers, until nothing goes any more.
    let mut written = 0;
    while let Ok(n) = socket.write(&[0; 65536]) {
        written += n;
    }
    (&peer).write_all(b"x").unwrap();
    let mut run = watch(format!("{} -e in", here(&socket)));
    let ready = run.event("ready");
    check(&ready, &json!({"readiness": ["in"], "unsent_bytes": {"$between": [1, written]}}));
    drop(run);
    assert_eq!(socket.read(&mut [0; 9]).unwrap(), 1);
}

#[test]
fn a_signalfd() {
    if super::cannot_watch_others() {
        return;
    }
    let signals = SignalFd::new(&SigSet::from(Signal::SIGUSR1)).unwrap();
    let run = fdscope(here(&signals)).run();
    run.check(3, "a signalfd shows whoever asks his own signals, and not those of its process");
}

/// What is always ready is so there, too.
#[test]
fn a_regular_file() {
    if super::cannot_watch_others() {
        return;
    }
    let file = tempfile::tempfile().unwrap();
    let run = fdscope(here(&file)).run();
    let events = run.check(0, "").json_lines();
    assert_eq!(names(&events), ["armed", "ready", "summary"]);
    check(&events[1], &json!({"kind": "regular", "selector": "poll", "readiness": ["in"]}));
    fdscope(format!("{} --with epoll", here(&file))).run().check(3, ": select and poll can");
}
