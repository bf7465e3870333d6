//! When there are no fds left: accepting pauses, without spinning, until there is one again.

use super::client::{attempt, echoed, wait};
use super::models::MODELS;
use super::{address, fdscope, named, start};
use crate::support::{Background, check, limit, number, numbers};
use nix::sys::signal::Signal;
use rustix::event::PollFlags;
use rustix::net::SocketType;
use serde_json::{Value, json};
use std::net::TcpStream;
use std::time::Duration;

/// More than it has at its start, and few.
const FDS: u64 = 20;

/// A run with few fds.
fn starving(arguments: &str) -> (Background, Value) {
    start(fdscope(arguments).with(|c| limit(c, libc::RLIMIT_NOFILE, FDS, FDS)))
}

/// Clients enough to use them all up, and some more, which wait.
fn crowd(address: &str) -> Vec<TcpStream> {
    let client = |_| {
        let client = attempt(address, SocketType::STREAM).unwrap();
        wait(&client, PollFlags::OUT);
        client.into()
    };
    (0..FDS).map(client).collect()
}

/// The processor time that a process has used, in seconds.
fn processor_time(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    let ticks: f64 = fields[11..13].iter().map(|n| n.parse::<f64>().unwrap()).sum();
    ticks / rustix::param::clock_ticks_per_second() as f64
}

/// Said once, however often it tries again.
#[test]
fn accepting_pauses() {
    for model in ["event-loop", "threads"] {
        let (mut run, listening) = starving(&format!("127.0.0.1:0 --model {model} --serve hold"));
        let clients = crowd(address(&listening));
        let paused = run.event("paused");
        assert_eq!(paused["error"], "EMFILE", "{model}");
        let before = processor_time(run.pid());
        // What it uses in this time is measured, however much longer it takes.
        std::thread::sleep(Duration::from_millis(500));
        run.signal(Signal::SIGTERM);
        let summary = run.event("summary");
        // Ours is not reaped yet, so its account is still open.
        let used = processor_time(run.pid()) - before;
        let passed = number(&summary, "elapsed") - number(&paused, "elapsed");
        assert!(passed >= 0.5 && used < passed / 2.0, "{model}: {used} s of {passed} s: it spins");
        let run = run.end();
        let events = run.check_signal(Signal::SIGTERM, "").json_lines();
        let counts = ["paused", "resumed"].map(|name| named(&events, name).len());
        assert_eq!(counts, [1, 0], "{model}");
        let accepted = named(&events, "accepted").len() as u64;
        check(&summary, &json!({"accepted": accepted, "waiting": clients.len() as u64 - accepted}));
    }
}

/// As soon as a connection ends.
#[test]
fn accepting_goes_on() {
    for model in ["event-loop", "threads"] {
        let (mut run, listening) = starving(&format!("127.0.0.1:0 --model {model} --serve echo"));
        let mut clients = crowd(address(&listening));
        run.event("paused");
        if model == "event-loop" {
            assert_eq!(numbers(run.pid()).len() as u64, FDS, "every fd is in use");
        }
        let accepted = named(&run.seen(), "accepted").len();
        // The one that came first is served.
        clients[0].set_nonblocking(false).unwrap();
        echoed(&mut clients[0], b"hello");
        drop(clients.remove(0));
        let resumed = run.event("resumed");
        let next = run.event("accepted");
        assert_eq!(next["number"], accepted + 1, "{model}: {resumed} {next}");
        // And so on, until everybody was served.
        while !clients.is_empty() {
            let mut client = clients.remove(0);
            client.set_nonblocking(false).unwrap();
            echoed(&mut client, b"hello");
        }
        run.until("all are accepted", |e| named(e, "accepted").len() as u64 == FDS);
        if model == "event-loop" {
            // There are fds again, though nobody comes who needs one.
            run.until("it can go on", |e| named(e, "paused").len() == named(e, "resumed").len());
        }
        run.end_by(Signal::SIGTERM).check_signal(Signal::SIGTERM, "");
    }
}

/// Children take fds only while they are started, so more come than there are fds.
#[test]
fn processes_do_not_pause() {
    assert!(MODELS.contains(&"processes"));
    let (mut run, listening) = starving("127.0.0.1:0 --model processes --serve echo");
    let mut clients = crowd(address(&listening));
    run.until("all are accepted", |e| named(e, "accepted").len() as u64 == FDS);
    for client in &mut clients {
        client.set_nonblocking(false).unwrap();
        echoed(client, b"hello");
    }
    let run = run.end_by(Signal::SIGTERM);
    assert!(named(&run.check_signal(Signal::SIGTERM, "").json_lines(), "paused").is_empty());
}
