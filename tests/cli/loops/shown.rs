//! What a loop watches, at one look.

use super::server::{Server, echo};
use super::{fdscope, look};
use crate::exhibits::listed;
use crate::support::{Fdscope, Helper, Keeper, PATIENCE, Skip, check};
use rustix::event::epoll;
use serde_json::{Value, json};
use std::io::Write as _;
use std::time::Instant;

listed! { "loops": duplicated reused }

/// An epoll fd of two numbers, of which a thread waits on the second, as those of tokio do.
fn duplicated(keeper: &mut Keeper) -> Result<(), Skip> {
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).unwrap();
    let (reader, writer) = rustix::pipe::pipe().unwrap();
    epoll::add(&epoll, &reader, epoll::EventData::new_u64(0), epoll::EventFlags::IN).unwrap();
    let also = epoll.try_clone().unwrap();
    let waits = also.try_clone().unwrap();
    std::thread::spawn(move || {
        let mut events = Vec::with_capacity(1);
        let _ = epoll::wait(&waits, rustix::buffer::spare_capacity(&mut events), None);
    });
    keeper.keep((reader, writer));
    keeper.show("first", epoll, json!({}));
    keeper.show("second", also, json!({}));
    Ok(())
}

/// An epoll fd with both ends of a pipe, which have one inode, under one number: the one with a byte to be
/// read has lost it, and its thread turns for that.
fn reused(keeper: &mut Keeper) -> Result<(), Skip> {
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).unwrap();
    let (reader, writer) = rustix::pipe::pipe().unwrap();
    rustix::io::write(&writer, b"x").unwrap();
    let mut number = reader.try_clone().unwrap();
    epoll::add(&epoll, &number, epoll::EventData::new_u64(1), epoll::EventFlags::IN).unwrap();
    rustix::io::dup2(&writer, &mut number).unwrap();
    epoll::add(&epoll, &number, epoll::EventData::new_u64(2), epoll::EventFlags::empty()).unwrap();
    let turns = epoll.try_clone().unwrap();
    std::thread::spawn(move || {
        let mut events = Vec::with_capacity(2);
        loop {
            let _ = epoll::wait(&turns, rustix::buffer::spare_capacity(&mut events), None);
            events.clear();
        }
    });
    keeper.keep((reader, writer));
    keeper.show("number", number, json!({}));
    keeper.show("set", epoll, json!({}));
    Ok(())
}

#[test]
fn one_number_registered_twice() {
    if super::cannot_look() {
        return;
    }
    let helper = Helper::start("loops::reused");
    let number = helper.fd("number");
    let seen = &fdscope(format!("{}:{}", helper.pid(), helper.fd("set"))).run().check(0, "").json_lines()[0];
    check(seen, &json!({"watches": 2, "stale": 1, "ready": true}));
    let registrations = seen["registrations"].as_array().unwrap();
    let with = |data: u64| registrations.iter().find(|r| r["data"] == data).unwrap();
    let stale = json!({"fd": number, "kind": "reused", "events": ["in"], "stale": true, "suspect": true});
    check(with(1), &stale);
    check(with(2), &json!({"fd": number, "kind": "pipe", "stale": false, "readiness": [], "suspect": false}));
    // That they differ is no change, which would show that it goes on.
    let mut run = fdscope(format!("{}:{} --watch", helper.pid(), helper.fd("set"))).start();
    let spinning = run.event("spinning");
    check(&spinning, &json!({"turns": false, "fds": [{"fd": number, "kind": "reused"}]}));
}

#[test]
fn duplicates_are_one_loop() {
    if super::cannot_look() {
        return;
    }
    let helper = Helper::start("loops::duplicated");
    let (first, second) = (helper.fd("first"), helper.fd("second"));
    let until = Instant::now() + PATIENCE;
    let seen = loop {
        let mut events = fdscope(helper.pid().to_string()).run().check(0, "").json_lines();
        events.retain(|event| event["loop"] == first || event["loop"] == second);
        let [event] = &events[..] else { panic!("not one loop: {events:?}") };
        // Until its thread waits.
        if event["threads"] != json!([]) {
            break event.clone();
        }
        assert!(Instant::now() < until, "{event}");
    };
    check(&seen, &json!({"loop": first, "watches": 1, "thread_certain": true}));
    assert_eq!(seen["duplicates"][0], second);
    // Asked for by another number, it has that one.
    let event = &fdscope(format!("{}:{second}", helper.pid())).run().check(0, "").json_lines()[0];
    check(event, &json!({"loop": second, "watches": 1}));
    assert_eq!(event["duplicates"][0], first);
}

fn registration(event: &Value, fd: i64) -> Value {
    let all = event["registrations"].as_array().unwrap();
    all.iter().find(|r| r["fd"] == fd).unwrap_or_else(|| panic!("no fd {fd}: {event}")).clone()
}

#[test]
fn an_epoll_loop() {
    if super::cannot_look() {
        return;
    }
    let server = Server::start("level");
    let mut client = server.connect();
    echo(&mut client);
    let seen = look(&server);
    check(
        &seen,
        &json!({
            "event": "loop", "pid": server.pid(), "selector": "epoll", "loop": server.epoll, "ready": false,
            "thread": server.tid, "thread_name": "turner", "thread_certain": true, "call": {"$holds": "epoll_"},
            "threads": [{"tid": server.tid, "name": "turner"}], "watches": 2, "stale": 0,
            "kinds": [{"kind": "tcp", "count": 2}], "doing": {"$holds": format!("wait on {}", server.epoll)},
        }),
    );
    check(
        &registration(&seen, server.listener),
        &json!({
            "fd": server.listener, "kind": "tcp", "name": {"$holds": "listen"}, "events": ["in"],
            "data": server.listener, "readiness": [], "stale": false, "suspect": false,
        }),
    );
    let other =
        seen["registrations"].as_array().unwrap().iter().find(|r| r["fd"] != server.listener).unwrap();
    assert_eq!(other["name"], format!("{} → {}", server.address, client.local_addr().unwrap()));
}

/// One that is held up: what is ready.
#[test]
fn what_is_ready() {
    if super::cannot_look() {
        return;
    }
    for how in ["level", "edge"] {
        let mut server = Server::start(how);
        let (mut one, mut other) = (server.connect(), server.connect());
        echo(&mut one);
        echo(&mut other);
        server.hold_up(&mut one, b"b");
        other.write_all(b"e").unwrap();
        // What was written comes in its own time.
        let until = Instant::now() + PATIENCE;
        let seen = loop {
            let events = fdscope(server.pid().to_string()).run().check(0, "").json_lines();
            let seen = events.into_iter().find(|e| e["loop"] == server.epoll).unwrap();
            if seen["ready"] == true {
                break seen;
            }
            assert!(Instant::now() < until, "{how}: {seen}");
        };
        check(&seen, &json!({"threads": [], "watches": 3}));
        let ready: Vec<&Value> = seen["registrations"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|r| r["readiness"] == json!(["in"]))
            .collect();
        assert_eq!(ready.len(), 1, "{how}: {seen}");
        let events = if how == "edge" { json!(["in", "et"]) } else { json!(["in"]) };
        check(ready[0], &json!({"events": events, "suspect": false}));
    }
}

#[test]
fn loops_that_give_their_fds_each_time() {
    if super::cannot_look() {
        return;
    }
    for how in ["poll", "select"] {
        let server = Server::start(how);
        let seen = with_a_client(&server, 2);
        check(
            &seen,
            &json!({"event": "loop", "selector": how, "loop": null, "ready": false, "threads": [{"tid": server.tid}]}),
        );
        check(
            &registration(&seen, server.listener),
            &json!({"kind": "tcp", "name": {"$holds": "listen"}, "events": ["in"]}),
        );
    }
}

/// What watches so many fds once it has a client.
fn with_a_client(server: &Server, watches: u64) -> Value {
    let mut client = server.connect();
    echo(&mut client);
    // It comes back in its own time.
    let until = Instant::now() + PATIENCE;
    loop {
        let events = fdscope(server.pid().to_string()).run().json_lines();
        if let Some(event) = events.iter().find(|e| e["thread"] == server.tid && e["watches"] == watches) {
            return event.clone();
        }
        assert!(Instant::now() < until, "{events:?}");
    }
}

/// Each time that `poll` names an fd counts, wherever it stands.
#[test]
fn one_number_polled_twice() {
    if super::cannot_look() {
        return;
    }
    let server = Server::start("twice");
    let seen = with_a_client(&server, 3);
    let registrations = seen["registrations"].as_array().unwrap();
    let asked: Vec<&Value> =
        registrations.iter().filter(|r| r["fd"] == server.listener).map(|r| &r["events"]).collect();
    assert_eq!(asked, [&json!(["in"]), &json!(["pri"])]);
}

/// Closed, or another fd's number, and nested.
#[test]
fn what_is_stale() {
    if super::cannot_look() {
        return;
    }
    let helper = Helper::start("epoll::closed_with_duplicate");
    let events = fdscope(helper.pid().to_string()).run().check(0, "").json_lines();
    let seen = events.iter().find(|e| e["loop"] == helper.fd("set")).unwrap();
    check(
        seen,
        &json!({
            "stale": 1, "watches": 1, "kinds": [{"kind": "closed", "count": 1}], "ready": null,
            "note": {"$holds": "it is not judged, as polling the epoll fd could take news of"},
            "registrations": [{"stale": true, "suspect": true, "readiness": null, "kind": "closed"}],
        }),
    );
    // Nor is it said that it was idle.
    let judged = fdscope(format!("{}:{} --for 200ms", helper.pid(), helper.fd("set"))).run();
    let words = "fdscope: there was no event loop that can be judged\n";
    let summary = &judged.check(3, words).json_lines()[1];
    check(
        summary,
        &json!({"event": "summary", "note": {"$holds": "it is not judged"}, "idle": {"$absent": true}}),
    );
    let people = Fdscope::new(format!("loops {}:{}", helper.pid(), helper.fd("set"))).run();
    assert!(people.check(0, "").stdout().contains(" epoll; watches 1 fd: 1 closed; 1 stale\n"));
    let helper = Helper::start("epoll::nested");
    for event in fdscope(helper.pid().to_string()).run().check(0, "").json_lines() {
        assert!(event["ready"].is_boolean() && event["note"].is_null(), "{event}");
    }
}

/// A loop that is one of several, by its fd.
#[test]
fn one_of_several() {
    if super::cannot_look() {
        return;
    }
    let helper = Helper::start("epoll::nested");
    let all = fdscope(helper.pid().to_string()).run().check(0, "").json_lines();
    assert!(all.len() > 1);
    let fd = all[1]["loop"].as_i64().unwrap();
    let one = fdscope(format!("{}:{fd}", helper.pid())).run().check(0, "").json_lines();
    assert_eq!((one.len(), &one[0]["loop"]), (1, &json!(fd)));
}
