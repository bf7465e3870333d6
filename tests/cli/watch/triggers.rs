//! Level, edge and oneshot, what is asked for, and every return instead of what changes.

use super::{fdscope, here, names, watch, watch_fd, with_fd};
use crate::support::{check, number};
use serde_json::json;
use std::io::{Read as _, Write as _, pipe};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};

/// An edge each time something comes, whether or not what was there is read.
#[test]
fn edge() {
    for arguments in ["--trigger edge", "--trigger edge --with mio"] {
        let (reader, mut writer) = pipe().unwrap();
        let mut run = watch_fd(&reader, format!("3 {arguments} -n 3"));
        for length in 1..=3 {
            writer.write_all(b"x").unwrap();
            check(&run.event("ready"), &json!({"trigger": "edge", "readable_bytes": length}));
        }
        let run = run.end();
        assert_eq!(names(&run.check(0, "").json_lines()), ["armed", "ready", "ready", "ready", "summary"]);
    }
}

/// Once, and nothing after it.
#[test]
fn oneshot() {
    if super::cannot_watch_others() {
        return;
    }
    let (reader, mut writer) = pipe().unwrap();
    for foreign in [false, true] {
        let target = if foreign { here(&reader) } else { "3".to_owned() };
        let mut run = watch_fd(&reader, format!("{target} --trigger oneshot -t 100ms"));
        writer.write_all(b"x").unwrap();
        let (reader, mut another) = (&reader, writer.try_clone().unwrap());
        check(&run.event("ready"), &json!({"trigger": "oneshot", "readiness": ["in"]}));
        another.write_all(b"y").unwrap();
        let run = run.end();
        assert_eq!(names(&run.check(124, "").json_lines()), ["armed", "ready", "timeout", "summary"]);
        let mut reader = reader;
        assert_eq!(reader.read(&mut [0; 9]).unwrap(), 2);
    }
}

/// Who cannot is told who can.
#[test]
fn what_a_selector_cannot() {
    for (arguments, reason) in [
        ("--with select --trigger edge", "select cannot be edge-triggered: epoll and mio can"),
        ("--with poll --trigger oneshot", "poll cannot be oneshot: epoll can"),
        ("--with mio --trigger level", "mio cannot be level-triggered: select, poll and epoll can"),
        ("--with poll,epoll --trigger edge", "poll cannot be edge-triggered: epoll and mio can"),
        ("--with auto,poll", "--with auto stands alone"),
        ("--with poll,poll", "--with names poll twice"),
    ] {
        fdscope(format!("0 {arguments}")).run().check(2, reason).prints("");
    }
    let (reader, _writer) = pipe().unwrap();
    let run = with_fd(&reader, fdscope("3 --with select -e in,rdhup")).run();
    run.check(2, "select cannot be asked for rdhup: poll, epoll and mio can");
}

/// What is asked for is what is told.
#[test]
fn events() {
    if super::cannot_watch_others() {
        return;
    }
    let (socket, mut peer) = UnixStream::pair().unwrap();
    peer.write_all(b"x").unwrap();
    for (events, readiness) in
        [("in", json!(["in"])), ("out", json!(["out"])), ("in,out", json!({"$set": ["in", "out"]}))]
    {
        for target in ["3", &here(&socket)] {
            let run = with_fd(&socket, fdscope(format!("{target} -e {events} -u ready"))).run();
            check(&run.check(0, "").json_lines()[1], &json!({"event": "ready", "readiness": readiness}));
        }
    }
    let mut run = watch(format!("{} -e rdhup", here(&socket)));
    peer.shutdown(std::net::Shutdown::Write).unwrap();
    check(&run.event("ready"), &json!({"readiness": ["rdhup"]}));
}

/// Every return of the selector, and no faster than is said.
#[test]
fn repeat() {
    for with in super::LEVEL {
        let (reader, mut writer) = pipe().unwrap();
        writer.write_all(b"x").unwrap();
        // More comes all the time.
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut writer = writer.try_clone().unwrap();
                for _ in 0..60_000 {
                    if over.load(Ordering::Relaxed) {
                        return;
                    }
                    writer.write_all(b"x").unwrap();
                    std::thread::yield_now();
                }
            });
            let run =
                with_fd(&reader, fdscope(format!("3 --with {with} --repeat -n 6 --interval 5ms"))).run();
            over.store(true, Ordering::Relaxed);
            let events = run.check(0, "").json_lines();
            assert_eq!(names(&events)[..7], ["armed", "ready", "ready", "ready", "ready", "ready", "ready"]);
            let took = number(&events[6], "elapsed") - number(&events[1], "elapsed");
            assert!(took >= 4.0 * 0.005, "{with}: {took}");
        });
    }
}
