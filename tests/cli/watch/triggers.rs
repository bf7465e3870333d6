//! Level, edge and oneshot, what is asked for, and every return instead of what changes.

use super::{armed, fdscope, here, here_all, names, watch, watch_fd, with_fd};
use crate::support::{check, number, pass};
use nix::sys::signal::Signal;
use serde_json::json;
use std::io::{Read as _, Write as _, pipe};
use std::os::fd::AsRawFd as _;
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

/// Once, and nothing after it: what comes later on another fd is told of alone.
#[test]
fn oneshot() {
    if super::cannot_watch_others() {
        return;
    }
    for foreign in [false, true] {
        let (mut once, mut writer) = pipe().unwrap();
        let (later, mut last_writer) = pipe().unwrap();
        let fds = [once.as_raw_fd(), later.as_raw_fd()];
        let (target, fds) = if foreign { (here_all(&fds), fds) } else { ("3 4".to_owned(), [3, 4]) };
        let run = fdscope(format!("{target} --trigger oneshot"));
        let mut run = armed(with_fd(&once, run).with(|command| pass(command, &later, 4)));
        writer.write_all(b"x").unwrap();
        check(&run.event("ready"), &json!({"fd": fds[0], "trigger": "oneshot", "readiness": ["in"]}));
        writer.write_all(b"y").unwrap();
        last_writer.write_all(b"z").unwrap();
        check(&run.event("ready"), &json!({"fd": fds[1], "trigger": "oneshot", "readiness": ["in"]}));
        let run = run.end_by(Signal::SIGTERM);
        let events = run.check_signal(Signal::SIGTERM, "").json_lines();
        assert_eq!(names(&events), ["armed", "ready", "ready", "summary", "summary"]);
        assert_eq!(once.read(&mut [0; 9]).unwrap(), 2);
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

/// A return is named for the worst that is in force, as what changes is, and so it ends what waits for
/// it, and nothing else.
#[test]
fn repeat_names_what_is_in_force() {
    for with in ["epoll", "poll", "mio"] {
        let (reader, writer) = pipe().unwrap();
        drop(writer);
        let run = with_fd(&reader, fdscope(format!("3 --with {with} --repeat -u hup"))).run();
        assert_eq!(names(&run.check(0, "").json_lines()), ["armed", "hup", "summary"]);
        let run = with_fd(&reader, fdscope(format!("3 --with {with} --repeat -u ready -t 20ms"))).run();
        assert!(!names(&run.check(124, "").json_lines()).contains(&"ready"), "{with}");
    }
    let (_socket, address) = super::connecting::deaf();
    for (until, status) in [("ready", 1), ("error", 0)] {
        let run = fdscope(format!("tcp:{address} --repeat -u {until}")).run();
        assert_eq!(names(&run.check(status, "").json_lines()), ["armed", "error", "summary"]);
    }
}
