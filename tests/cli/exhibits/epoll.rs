//! Epoll sets: what is registered, how, and what has become of it.

use super::exhibits;
use crate::support::{Keeper, Skip, needs};
use mio::net::{TcpListener, UnixStream};
use mio::{Interest, Poll, Token, Waker};
use rustix::event::epoll::{CreateFlags, EventData, EventFlags, add, create};
use rustix::event::{EventfdFlags, eventfd};
use rustix::pipe::{PipeFlags, pipe_with};
use serde_json::{Value, json};
use std::os::fd::{AsRawFd as _, OwnedFd};

exhibits! { "epoll": empty registrations closed_with_duplicate number_used_again same_number_twice nested mio_poll }

fn epoll() -> OwnedFd {
    create(CreateFlags::CLOEXEC).unwrap()
}

fn event() -> OwnedFd {
    eventfd(0, EventfdFlags::CLOEXEC).unwrap()
}

fn watch(fd: i32, events: &[&str], data: u64, kind: Value, stale: bool) -> Value {
    json!({"fd": fd, "events": {"$set": events}, "data": data, "kind": kind, "stale": stale})
}

fn set(watched: &[Value]) -> Value {
    let stale = watched.iter().filter(|w| w["stale"] == true).count();
    json!({"kind": "epoll", "epoll": {"watches": watched.len(), "stale": stale, "watched": {"$set": watched}}})
}

fn empty(keeper: &mut Keeper) -> Result<(), Skip> {
    let expected = json!({"name": "watching nothing", "epoll": {"watches": 0, "stale": 0, "watched": []}});
    keeper.show("empty", epoll(), expected);
    Ok(())
}

fn registrations(keeper: &mut Keeper) -> Result<(), Skip> {
    let epoll = epoll();
    let (counter, (reader, writer)) = (event(), pipe_with(PipeFlags::CLOEXEC).unwrap());
    let (socket, other) = std::os::unix::net::UnixStream::pair().unwrap();
    let mut watched = Vec::new();
    let mut register = |fd: &OwnedFd, flags, events: &[&str], data, kind: &str| {
        add(&epoll, fd, EventData::new_u64(data), flags).unwrap();
        watched.push(watch(fd.as_raw_fd(), events, data, json!(kind), false));
    };
    register(&counter, EventFlags::IN | EventFlags::ET, &["in", "et"], 0xdead_beef_0000_0001, "eventfd");
    register(&writer, EventFlags::OUT | EventFlags::ONESHOT, &["out", "oneshot"], 2, "pipe");
    register(&reader, EventFlags::IN | EventFlags::EXCLUSIVE, &["in", "exclusive"], u64::MAX, "pipe");
    let socket = OwnedFd::from(socket);
    let flags = EventFlags::PRI | EventFlags::RDHUP | EventFlags::RDNORM;
    register(&socket, flags, &["pri", "rdhup", "rdnorm"], 0, "unix");
    let mut expected = set(&watched);
    expected["name"] = json!({"$holds": "watching 4 fds: "});
    keeper.show("set", epoll, expected);
    keeper.keep((counter, reader, writer, socket, other));
    Ok(())
}

/// close(2) does not end a registration while a duplicate lives.
fn closed_with_duplicate(keeper: &mut Keeper) -> Result<(), Skip> {
    let (epoll, counter) = (epoll(), event());
    let number = counter.as_raw_fd();
    add(&epoll, &counter, EventData::new_u64(5), EventFlags::IN).unwrap();
    let duplicate = counter.try_clone().unwrap();
    drop(counter);
    keeper.show("set", epoll, set(&[watch(number, &["in"], 5, json!({"$absent": true}), true)]));
    keeper.keep(duplicate);
    Ok(())
}

/// The number now means something else, of another kind and of the same kind.
fn number_used_again(keeper: &mut Keeper) -> Result<(), Skip> {
    let epoll = epoll();
    let mut watched = Vec::new();
    for (kind, flags) in [("memfd", EventFlags::IN), ("eventfd", EventFlags::OUT)] {
        let counter = event();
        let number = counter.as_raw_fd();
        add(&epoll, &counter, EventData::new_u64(9), flags).unwrap();
        keeper.keep(counter.try_clone().unwrap());
        drop(counter);
        let next = match kind {
            "memfd" => rustix::fs::memfd_create("next", rustix::fs::MemfdFlags::CLOEXEC).unwrap(),
            _ => event(),
        };
        assert_eq!(next.as_raw_fd(), number, "the lowest number is used first");
        keeper.keep(next);
        let word = if flags == EventFlags::IN { "in" } else { "out" };
        watched.push(watch(number, &[word], 9, json!(kind), true));
    }
    keeper.show("set", epoll, set(&watched));
    Ok(())
}

/// One number registered for two descriptions, of which the first is gone from the table.
fn same_number_twice(keeper: &mut Keeper) -> Result<(), Skip> {
    let (epoll, old) = (epoll(), event());
    let number = old.as_raw_fd();
    add(&epoll, &old, EventData::new_u64(1), EventFlags::IN).unwrap();
    keeper.keep(old.try_clone().unwrap());
    drop(old);
    let new = event();
    assert_eq!(new.as_raw_fd(), number, "the lowest number is used first");
    add(&epoll, &new, EventData::new_u64(2), EventFlags::IN).unwrap();
    keeper.keep(new);
    let watched = [
        watch(number, &["in"], 1, json!("eventfd"), true),
        watch(number, &["in"], 2, json!("eventfd"), false),
    ];
    let mut expected = set(&watched);
    expected["name"] = json!({"$holds": ", 1 stale"});
    keeper.show("set", epoll, expected);
    Ok(())
}

fn nested(keeper: &mut Keeper) -> Result<(), Skip> {
    let (outer, inner) = (epoll(), epoll());
    add(&outer, &inner, EventData::new_u64(3), EventFlags::IN).unwrap();
    let expected = set(&[watch(inner.as_raw_fd(), &["in"], 3, json!("epoll"), false)]);
    keeper.show("outer", outer, expected);
    keeper.keep(inner);
    Ok(())
}

/// The selector of mio, with a source of each sort: always edge-triggered, tokens as data.
fn mio_poll(keeper: &mut Keeper) -> Result<(), Skip> {
    let poll = needs(Poll::new(), "mio")?;
    let mut listener = TcpListener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let (mut stream, other) = UnixStream::pair().unwrap();
    let registry = poll.registry();
    registry.register(&mut listener, Token(11), Interest::READABLE).unwrap();
    registry.register(&mut stream, Token(12), Interest::READABLE | Interest::WRITABLE).unwrap();
    // Its fd is its own affair; the kind tells that it is an eventfd.
    let waker = Waker::new(registry, Token(13)).unwrap();
    let mut of_waker = watch(0, &["in", "rdhup", "et"], 13, json!("eventfd"), false);
    of_waker.as_object_mut().unwrap().remove("fd");
    let watched = [
        watch(listener.as_raw_fd(), &["in", "rdhup", "et"], 11, json!("tcp"), false),
        watch(stream.as_raw_fd(), &["in", "out", "rdhup", "et"], 12, json!("unix"), false),
        of_waker,
    ];
    let number = poll.as_raw_fd();
    keeper.keep((poll, listener, stream, other, waker));
    let mut expected = set(&watched);
    expected["fd"] = number.into();
    expected["$name"] = "poll".into();
    keeper.facts.push(expected);
    Ok(())
}
