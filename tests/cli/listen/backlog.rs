//! How many connections find a place in the queue, and what becomes of the next one.

use super::client::{TCP_ESTABLISHED, TCP_SYN_SENT, attempt, state, wait};
use super::{abstract_name, address, listen, named};
use crate::support::{check, in_own_network};
use nix::sys::signal::Signal;
use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::SocketType;
use serde_json::json;
use std::net::TcpListener;
use std::path::Path;

/// The ceiling in the networks of these tests: one that can be exceeded.
const SOMAXCONN: u64 = 4;

/// What is asked for, and what the kernel makes of it.
const BACKLOGS: &[(i32, u64)] = &[(0, 0), (1, 1), (4, 4), (5, 4), (10, 4), (i32::MAX, 4), (-1, 4)];

/// Runs a test where somaxconn is low.
fn with_a_low_ceiling(test: impl FnOnce() + Send) {
    in_own_network(|| {
        let ceiling = Path::new("/proc/sys/net/core/somaxconn");
        match std::fs::write(ceiling, SOMAXCONN.to_string()) {
            Ok(()) => test(),
            Err(e) => eprintln!("skipped: backlogs above somaxconn, because it cannot be set: {e}"),
        }
    });
}

/// Fills the queue of a listener, and tries one connection more.
fn fill(wanted: &str, socket_type: SocketType, requested: i32, effective: u64) {
    let seqpacket = if socket_type == SocketType::SEQPACKET { "--type seqpacket" } else { "" };
    let (mut run, listening) =
        listen(format!("{wanted} {seqpacket} --backlog {requested} --accept none --interval 20ms"));
    let admits = effective + 1;
    let backlog = json!({"requested": requested, "effective": effective, "admits": admits});
    check(&listening, &json!({"backlog": backlog, "somaxconn": SOMAXCONN, "fd": {"$between": [3, 99]}}));
    let to = address(&listening).to_owned();
    let tcp = !to.starts_with("unix:");

    let mut clients = Vec::new();
    for waiting in 1..=admits {
        let client = attempt(&to, socket_type).unwrap_or_else(|e| panic!("{to}: client {waiting}: {e}"));
        wait(&client, PollFlags::OUT);
        clients.push(client);
        // It has its place before the next one comes.
        let queue = run.record("queue", |e| e["event"] == "queue" && e["waiting"] == waiting);
        let full = waiting == admits;
        check(&queue, &json!({"address": to, "max": effective, "peak": waiting, "full": full}));
    }
    let connected = || clients.iter().filter(|c| state(c) == TCP_ESTABLISHED).count() as u64;
    let late = attempt(&to, socket_type);
    if tcp {
        let late = late.unwrap();
        let counted = json!({"$between": [1, 100]});
        let drops = json!({"listener_drops": counted, "listen_overflows": counted, "listen_drops": counted});
        check(&run.event("overflow"), &drops);
        assert_eq!((connected(), state(&late)), (admits, TCP_SYN_SENT), "{to}: {requested}");
    } else {
        assert_eq!(late.err(), Some(Errno::AGAIN), "{to}: {requested}");
    }

    let run = run.end_by(Signal::SIGINT);
    let note = format!(
        "fdscope: {to}: the backlog {requested} was clamped to {effective}, net.core.somaxconn; after raising \
         that with sysctl(8), listen again\n"
    );
    let clamped = i64::from(requested) > effective as i64;
    run.check_signal(Signal::SIGINT, if clamped { &note } else { "" });
    let events = run.json_lines();
    let drops = if tcp { json!({"$between": [1, 100]}) } else { json!(null) };
    let summary = json!({
        "address": to, "accepted": 0, "waiting": admits, "max": effective, "peak": admits, "full": true,
        "full_time": {"$between": [1e-6, 1e3]}, "longest_wait": null,
        "listener_drops": drops, "listen_overflows": drops, "listen_drops": drops,
    });
    check(events.last().unwrap(), &summary);
    let counts = ["listening", "accepted", "summary"].map(|name| named(&events, name).len());
    assert_eq!(counts, [1, 0, 1], "{to}");
    assert_eq!(named(&events, "overflow").is_empty(), !tcp, "{to}");
}

#[test]
fn tcp() {
    with_a_low_ceiling(|| {
        for &(requested, effective) in BACKLOGS {
            fill("127.0.0.1:0", SocketType::STREAM, requested, effective);
        }
    });
}

#[test]
fn tcp6() {
    with_a_low_ceiling(|| {
        if let Err(e) = TcpListener::bind("[::1]:0") {
            eprintln!("skipped: IPv6, because there is none: {e}");
            return;
        }
        for &(requested, effective) in BACKLOGS {
            fill("[::1]:0", SocketType::STREAM, requested, effective);
        }
    });
}

#[test]
fn unix() {
    with_a_low_ceiling(|| {
        let directory = tempfile::tempdir().unwrap();
        let path = format!("unix:{}/socket", directory.path().display());
        for &(requested, effective) in BACKLOGS {
            for wanted in [path.clone(), abstract_name("backlog")] {
                fill(&wanted, SocketType::STREAM, requested, effective);
                fill(&wanted, SocketType::SEQPACKET, requested, effective);
            }
        }
    });
}

/// What is not clamped: with the ceiling that this machine has.
#[test]
fn below_the_ceiling() {
    let ceiling: u64 =
        std::fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap().trim().parse().unwrap();
    for (requested, effective) in [("--backlog 2", 2.min(ceiling)), ("--backlog -1", ceiling), ("", ceiling)]
    {
        let (run, listening) = listen(format!("127.0.0.1:0 --accept none {requested}"));
        let backlog = json!({"effective": effective, "admits": effective + 1});
        check(&listening, &json!({"backlog": backlog, "somaxconn": ceiling}));
        run.end_by(Signal::SIGTERM).check_signal(Signal::SIGTERM, "");
    }
}
