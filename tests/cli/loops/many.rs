//! Loops with very many fds, and processes with very many threads.

use super::server::{Server, echo};
use super::{fdscope, watch};
use crate::exhibits::listed;
use crate::support::{Fdscope, Helper, Keeper, Skip, check};
use rustix::event::epoll;
use serde_json::json;
use std::io::Write as _;

listed! { "loops": many_registrations }

/// A pipe that is empty, registered once for each of its many fds.
fn many_registrations(keeper: &mut Keeper) -> Result<(), Skip> {
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).unwrap();
    let (reader, writer) = rustix::pipe::pipe().unwrap();
    let most = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(4000);
    let count = most.saturating_sub(100).min(3000);
    for n in 0..count {
        let reader = reader.try_clone().unwrap();
        epoll::add(&epoll, &reader, epoll::EventData::new_u64(n), epoll::EventFlags::IN).unwrap();
        keeper.keep(reader);
    }
    keeper.keep((reader, writer));
    keeper.show("set", epoll, json!({}));
    keeper.told = json!({"count": count});
    Ok(())
}

#[test]
fn many_fds() {
    if super::cannot_look() {
        return;
    }
    let helper = Helper::start("loops::many_registrations");
    let fd = helper.fd("set");
    let events = fdscope(format!("{}:{fd}", helper.pid())).run().check(0, "").json_lines();
    let count = helper.told["count"].as_u64().unwrap();
    check(&events[0], &json!({"watches": count, "stale": 0}));
    let run = Fdscope::new(format!("loops {}:{fd}", helper.pid())).run();
    assert!(run.check(0, "").stdout().contains(&format!("and {} more; --all shows them", count - 20)));
    let run = Fdscope::new(format!("loops {}:{fd} --all", helper.pid())).run();
    assert!(run.check(0, "").lines().len() as u64 > count);
    // Nobody waits in it, so that it cannot stall.
    fdscope(format!("{}:{fd} --for 200ms", helper.pid())).run().check(0, "");
}

#[test]
fn many_threads() {
    if super::cannot_look() {
        return;
    }
    let mut server = Server::start_with("level", |command| {
        command.env("FDSCOPE_TEST_THREADS", "1500");
    });
    let mut run = watch(&server, "");
    let (mut one, mut other) = (server.connect(), server.connect());
    echo(&mut one);
    echo(&mut other);
    server.hold_up(&mut one, b"b");
    other.write_all(b"e").unwrap();
    let stalled = run.record("a stall in a read", |e| e["event"] == "stalled" && e["call"] == "read");
    check(&stalled, &json!({"thread": server.tid, "thread_certain": true}));
    server.tell("go");
    run.event("recovered");
}
