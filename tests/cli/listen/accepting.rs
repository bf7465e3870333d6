//! When connections are accepted: how many, how fast, and on whose word.

use super::client::{connect, exchange};
use super::models::MODELS;
use super::{TICK, address, listen, named};
use crate::support::{check, number};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

#[test]
fn all() {
    for model in MODELS {
        let (mut run, listening) = listen(format!("127.0.0.1:0 --model {model} --serve echo"));
        for n in 1..=3 {
            let client = connect(address(&listening));
            let peer = client.local_addr().unwrap().to_string();
            check(
                &run.event("accepted"),
                &json!({"number": n, "peer": peer, "address": address(&listening)}),
            );
            assert_eq!(exchange(client, b"hello"), b"hello", "{model}");
        }
        let run = run.end_by(Signal::SIGTERM);
        let events = run.check_signal(Signal::SIGTERM, "").json_lines();
        check(events.last().unwrap(), &json!({"event": "summary", "accepted": 3}));
    }
}

/// So many, and the others wait.
#[test]
fn a_number() {
    for model in MODELS {
        let (mut run, listening) = listen(format!("127.0.0.1:0 --model {model} --accept 2 --serve hold"));
        let clients: Vec<_> = (0..4).map(|_| connect(address(&listening))).collect();
        // Which of the two is told first is open.
        run.until("two accepted, the rest waiting", |events| {
            let queue = named(events, "queue");
            named(events, "accepted").len() == 2 && queue.last().is_some_and(|e| e["waiting"] == 2)
        });
        let run = run.end_by(Signal::SIGTERM);
        let events = run.check_signal(Signal::SIGTERM, "").json_lines();
        check(events.last().unwrap(), &json!({"accepted": 2, "waiting": 2}));
        let peers: Vec<_> = named(&events, "accepted").iter().map(|e| e["peer"].clone()).collect();
        let first = clients[..2].iter().map(|c| Value::from(c.local_addr().unwrap().to_string()));
        assert_eq!(peers, first.collect::<Vec<_>>(), "{model}: in the order in which they came");
    }
}

/// No faster than that; how much slower is up to the machine.
#[test]
fn a_rate() {
    const SPACING: Duration = Duration::from_millis(50);
    for model in MODELS {
        let (mut run, listening) =
            listen(format!("127.0.0.1:0 --model {model} --accept-rate 20/s --serve hold"));
        let start = Instant::now();
        let clients: Vec<_> = (0..4).map(|_| connect(address(&listening))).collect();
        for n in 0..4 {
            let accepted = run.event("accepted");
            assert_eq!(accepted["number"], n + 1);
            // The first is accepted after the start, and each after it in its turn.
            assert!(start.elapsed() >= n * SPACING, "{model}: {accepted}");
            let elapsed = number(&accepted, "elapsed") - number(&listening, "elapsed");
            assert!(elapsed >= (n * SPACING).as_secs_f64(), "{model}: {accepted}");
        }
        drop(clients);
        run.end_by(Signal::SIGTERM).check_signal(Signal::SIGTERM, "");
    }
}

#[test]
fn a_delay() {
    for model in MODELS {
        let (mut run, listening) =
            listen(format!("127.0.0.1:0 --model {model} --accept-delay 100ms --serve hold"));
        let start = Instant::now();
        let clients = [connect(address(&listening)), connect(address(&listening))];
        for (n, least) in [(1, 0.1), (2, 0.2)] {
            let accepted = run.event("accepted");
            assert!(start.elapsed().as_secs_f64() >= least, "{model}: {accepted}");
            assert_eq!(accepted["number"], n);
            // The second one's turn came when the first had been accepted.
            assert!(number(&accepted, "waited") >= 0.1 - TICK, "{model}: {accepted}");
        }
        drop(clients);
        let run = run.end_by(Signal::SIGTERM);
        let events = run.check_signal(Signal::SIGTERM, "").json_lines();
        assert!(number(events.last().unwrap(), "longest_wait") >= 0.1 - TICK, "{events:#?}");
    }
}

#[test]
fn on_signal() {
    for model in MODELS {
        let (mut run, listening) =
            listen(format!("127.0.0.1:0 --model {model} --accept-on-signal --serve hold"));
        let clients: Vec<_> = (0..3).map(|_| connect(address(&listening))).collect();
        run.record("all three, waiting", |e| e["event"] == "queue" && e["waiting"] == 3);
        for (n, waiting) in [(1, 2), (2, 1)] {
            assert_eq!(named(&run.seen(), "accepted").len() + 1, n, "{model}: none without a signal");
            run.signal(Signal::SIGUSR1);
            // Which of the two is told first is open.
            run.until("one accepted, one fewer", |events| {
                let queue = named(events, "queue");
                named(events, "accepted").len() >= n && queue.last().is_some_and(|e| e["waiting"] == waiting)
            });
            assert_eq!(named(&run.seen(), "accepted")[n - 1]["number"], n);
        }
        drop(clients);
        let run = run.end_by(Signal::SIGTERM);
        let events = run.check_signal(Signal::SIGTERM, "").json_lines();
        check(events.last().unwrap(), &json!({"accepted": 2, "waiting": 1, "peak": 3}));
    }
}
