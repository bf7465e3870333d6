//! The events: their fields, and what they say of the queue.

use super::client::{attempt, connect, wait};
use super::{abstract_name, address, listen, named};
use crate::support::{check, in_own_network, number};
use nix::sys::signal::Signal;
use regex::Regex;
use rustix::event::PollFlags;
use rustix::net::SocketType;
use serde_json::{Value, json};

/// The keys of an event, in alphabetical order.
fn keys(event: &Value) -> Vec<&str> {
    event.as_object().unwrap().keys().map(String::as_str).collect()
}

/// What every event has, and this one beside it.
fn with_common(more: &'static [&str]) -> Vec<&'static str> {
    crate::support::sorted(["event", "time", "elapsed", "address"].into_iter().chain(more.iter().copied()))
}

/// One of each kind, in a network where nobody else drops anything.
#[test]
fn fields() {
    in_own_network(|| {
        let (mut run, listening) = listen("127.0.0.1:0 -b 0 --accept-on-signal --serve hold");
        let to = address(&listening).to_owned();
        let first = connect(&to);
        let queue = run.event("queue");
        let late = attempt(&to, SocketType::STREAM).unwrap();
        let overflow = run.event("overflow");
        run.signal(Signal::SIGUSR1);
        let accepted = run.event("accepted");
        let run = run.end_by(Signal::SIGINT);
        let events = run.check_signal(Signal::SIGINT, "").json_lines();
        let summary = events.last().unwrap();
        drop(late);

        let backlog = ["backlog", "family", "fd", "somaxconn", "type"];
        assert_eq!(keys(&listening), crate::support::sorted([backlog.to_vec(), with_common(&[])].concat()));
        assert_eq!(keys(&listening["backlog"]), ["admits", "effective", "requested"]);
        check(&listening, &json!({"event": "listening", "family": "tcp", "type": "stream"}));

        assert_eq!(keys(&queue), with_common(&["waiting", "max", "peak", "full"]));
        check(&queue, &json!({"address": to, "waiting": 1, "max": 0, "peak": 1, "full": true}));

        const DROPS: [&str; 3] = ["listener_drops", "listen_overflows", "listen_drops"];
        assert_eq!(keys(&overflow), with_common(&DROPS));
        let once = json!({"$between": [1, 5]});
        check(&overflow, &json!({"listener_drops": once, "listen_overflows": once, "listen_drops": once}));

        assert_eq!(keys(&accepted), with_common(&["fd", "number", "peer", "waited"]));
        let peer = first.local_addr().unwrap().to_string();
        check(&accepted, &json!({"address": to, "number": 1, "peer": peer, "fd": {"$between": [4, 99]}}));

        let more = ["waiting", "max", "peak", "full", "accepted", "full_time", "longest_wait"];
        let all = [&more[..], &DROPS[..], &with_common(&[])[..]].concat();
        assert_eq!(keys(summary), crate::support::sorted(all));
        check(summary, &json!({"event": "summary", "accepted": 1, "peak": 1, "max": 0}));
        assert!(number(summary, "full_time") > 0.0 && number(summary, "longest_wait") >= 0.0, "{summary}");
        assert!(number(summary, "longest_wait") >= number(&accepted, "waited"), "{summary}");

        let time = Regex::new(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$").unwrap();
        assert!(events.iter().all(|e| time.is_match(e["time"].as_str().unwrap())), "{events:#?}");
        let elapsed: Vec<f64> = events.iter().map(|e| number(e, "elapsed")).collect();
        assert!(elapsed.is_sorted() && elapsed[0] >= 0.0, "{elapsed:?}");
    });
}

/// Of unix sockets the kernel counts no drops, and tells who connected rather than how long ago.
#[test]
fn unix_fields() {
    let (mut run, listening) = listen(abstract_name("unix-fields"));
    check(&listening, &json!({"family": "unix", "type": "stream", "address": abstract_name("unix-fields")}));
    let client = connect(address(&listening));
    let accepted = run.event("accepted");
    let expected = json!({
        "peer": "unix:", "peer_pid": std::process::id(), "number": 1, "waited": null, "fd": {"$between": [4, 99]},
    });
    check(&accepted, &expected);
    drop(client);
    let run = run.end_by(Signal::SIGTERM);
    let events = run.check_signal(Signal::SIGTERM, "").json_lines();
    let nothing = json!({
        "accepted": 1, "longest_wait": null,
        "listener_drops": null, "listen_overflows": null, "listen_drops": null,
    });
    check(events.last().unwrap(), &nothing);
}

/// The queue goes up and down, and the peak stays.
#[test]
fn the_queue_goes_up_and_down() {
    let (mut run, listening) = listen("127.0.0.1:0 -b 7 --accept-on-signal --serve close");
    let to = address(&listening).to_owned();
    let mut clients = Vec::new();
    for waiting in 1..=3 {
        clients.push(connect(&to));
        run.record("queue", |e| e["waiting"] == waiting);
    }
    for waiting in (0..3).rev() {
        run.signal(Signal::SIGUSR1);
        let queue = run.record("queue", |e| e["event"] == "queue" && e["waiting"] == waiting);
        check(&queue, &json!({"peak": 3, "max": 7, "full": false}));
    }
    let run = run.end_by(Signal::SIGTERM);
    let events = run.check_signal(Signal::SIGTERM, "").json_lines();
    check(events.last().unwrap(), &json!({"waiting": 0, "peak": 3, "accepted": 3, "full_time": 0.0}));
    let numbers: Vec<_> = named(&events, "accepted").iter().map(|e| e["number"].as_u64()).collect();
    assert_eq!(numbers, [Some(1), Some(2), Some(3)]);
}

/// Each of several listeners has its own events.
#[test]
fn several_listeners() {
    let name = abstract_name("several");
    let (mut run, first) = listen(format!("127.0.0.1:0 {name} 127.0.0.1:0 -b 1 --accept none"));
    let (second, third) = (run.event("listening"), run.event("listening"));
    check(&second, &json!({"address": name, "backlog": {"admits": 2}}));
    let fds: Vec<_> = [&first, &second, &third].iter().map(|e| number(e, "fd") as i64).collect();
    assert!(fds.is_sorted_by(|a, b| a < b), "{fds:?}");
    let client = attempt(address(&second), SocketType::STREAM).unwrap();
    check(&run.event("queue"), &json!({"address": name, "waiting": 1}));
    let other = connect(address(&third));
    check(&run.event("queue"), &json!({"address": address(&third), "waiting": 1}));
    wait(&client, PollFlags::OUT);
    drop(other);
    let run = run.end_by(Signal::SIGTERM);
    let events = run.check_signal(Signal::SIGTERM, "").json_lines();
    let peaks: Vec<_> = named(&events, "summary").iter().map(|e| (address(e), number(e, "peak"))).collect();
    assert_eq!(peaks, [(address(&first), 0.0), (&name, 1.0), (address(&third), 1.0)]);
}
