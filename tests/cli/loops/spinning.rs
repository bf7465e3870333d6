//! Loops that turn without serving what is ready.

use super::server::{Server, echo};
use super::{fdscope, watch};
use crate::exhibits::listed;
use crate::support::{Helper, Keeper, PATIENCE, Skip, check};
use nix::sys::signal::Signal;
use rustix::event::epoll;
use serde_json::json;
use std::io::Write as _;
use std::time::{Duration, Instant};

/// A client has gone, and is left in the set; others are served.
#[test]
fn what_is_at_its_end() {
    if super::cannot_look() {
        return;
    }
    let server = Server::start("level");
    let mut run = watch(&server, "");
    let mut client = server.connect();
    let leave = || server.connect().write_all(b"d").unwrap();
    let mut left = 0;
    let until = Instant::now() + PATIENCE;
    let spinning = loop {
        run.poll();
        let told: Vec<_> = run.seen().into_iter().filter(|e| e["event"] == "spinning").collect();
        if let Some(event) = told.iter().find(|e| e["turns"] == true) {
            break event.clone();
        }
        assert!(Instant::now() < until, "{told:?}");
        // If this test had no CPU for long, nobody was served meanwhile: then with another one.
        if told.len() == left {
            leave();
            left += 1;
        }
        echo(&mut client);
        std::thread::sleep(Duration::from_millis(1));
    };
    check(
        &spinning,
        &json!({
            "loop": server.epoll, "turns": true, "lasted": {"$between": [1, 60]},
            "progress": "others were served meanwhile",
            "fds": [{"kind": "tcp", "readiness": {"$set": ["in"]}, "bytes": 0}],
        }),
    );
}

/// There are no others: its thread runs, and nobody is kept waiting.
#[test]
fn with_nothing_else_to_do() {
    if super::cannot_look() {
        return;
    }
    let server = Server::start("level");
    let mut run = watch(&server, "");
    let mut ignored = server.connect();
    ignored.write_all(b"d").unwrap();
    drop(ignored);
    check(&run.event("spinning"), &json!({"loop": server.epoll, "turns": false, "thread": server.tid}));
}

listed! { "loops": unserved }

/// Two epoll fds that are ready all the time, while the one thread that might wait in them reads.
fn unserved(keeper: &mut Keeper) -> Result<(), Skip> {
    for name in ["first", "second"] {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).unwrap();
        let (left, _gone) = std::os::unix::net::UnixStream::pair().unwrap();
        epoll::add(&epoll, &left, epoll::EventData::new_u64(0), epoll::EventFlags::IN).unwrap();
        keeper.keep(left);
        keeper.show(name, epoll, json!({}));
    }
    Ok(())
}

/// Nobody turns. It is the same for each of several, and for one that is named alone.
#[test]
fn not_where_nobody_is() {
    if super::cannot_look() {
        return;
    }
    let helper = Helper::start("loops::unserved");
    let (first, second) = (helper.fd("first"), helper.fd("second"));
    for fds in [String::new(), format!(":{first}"), format!(":{second}")] {
        let mut run = fdscope(format!("{}{fds} --watch", helper.pid())).start();
        for fd in [first, second].into_iter().filter(|fd| fds.is_empty() || fds == format!(":{fd}")) {
            let stalled = run.record("the stall", |e| e["event"] == "stalled" && e["loop"] == fd);
            check(&stalled, &json!({"thread_certain": false, "call": "read", "fds": [{"kind": "unix"}]}));
        }
        let ended = run.end_by(Signal::SIGINT);
        let events = ended.check_signal(Signal::SIGINT, "").json_lines();
        assert!(events.iter().all(|event| event["event"] != "spinning"), "{events:?}");
        // Who may serve it was guessed: that proves nothing.
        for summary in events.iter().filter(|event| event["event"] == "summary") {
            let note = json!({"$holds": "no thread was seen that may serve it: it was not judged"});
            check(summary, &json!({"note": note, "stalls": {"$absent": true}, "busy": {"$absent": true}}));
        }
        fdscope(format!("{}{fds} --for 1s --stall 50ms", helper.pid())).run().check(0, "");
    }
}
