//! Edge and oneshot, by those that have them, and selectors in selectors.

use crate::support::{Bench, on_every_backend, pipe, read, write};
use fdscope::model::{Interest, Readiness};
use fdscope::selector::{Backend, RegisterError, Token, Trigger};
use rustix::event::epoll::{CreateFlags, EventData, EventFlags, add, create};
use std::io::Write as _;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;

const IN: Readiness = Readiness::IN;

on_every_backend!(level, edge, edge_on_both_sides, oneshot, an_epoll_fd_is_readable);

fn level(backend: Backend) {
    if !backend.capabilities().level {
        return;
    }
    let mut bench = Bench::new(backend);
    let (reader, writer) = pipe();
    bench.selector.register(reader.as_fd(), Token(1), Interest::IN, Trigger::Level).expect("level");
    write(&writer, b"xy");
    for _ in 0..3 {
        assert_eq!(bench.next(), [(1, IN)]);
    }
    read(&reader, 1);
    assert_eq!(bench.next(), [(1, IN)]);
    read(&reader, 1);
    assert_eq!(bench.now(), []);
}

fn edge(backend: Backend) {
    if !backend.capabilities().edge {
        return;
    }
    let mut bench = Bench::new(backend);
    let (reader, writer) = pipe();
    bench.selector.register(reader.as_fd(), Token(1), Interest::IN, Trigger::Edge).expect("edge");
    write(&writer, b"wxy");
    assert_eq!(bench.next(), [(1, IN)]);
    assert_eq!(bench.now(), [], "it was said");
    read(&reader, 1);
    assert_eq!(bench.now(), [], "some is left, but nothing new");
    write(&writer, b"z");
    assert_eq!(bench.next(), [(1, IN)], "more has come");
    bench.selector.modify(reader.as_fd(), Token(1), Interest::IN, Trigger::Edge).expect("edge");
    assert_eq!(bench.next(), [(1, IN)], "modifying arms it again");
    assert_eq!(bench.now(), []);
    read(&reader, 9);
    write(&writer, b"z");
    assert_eq!(bench.next(), [(1, IN)], "empty, then not");
    drop(writer);
    assert_eq!(bench.next(), [(1, IN | Readiness::HUP)]);
    assert_eq!(bench.now(), []);
}

/// An edge of one condition reports all that are in force.
fn edge_on_both_sides(backend: Backend) {
    if !backend.capabilities().edge {
        return;
    }
    let mut bench = Bench::new(backend);
    let (ours, mut theirs) = UnixStream::pair().expect("a pair");
    let want = Interest::IN | Interest::OUT;
    bench.selector.register(ours.as_fd(), Token(1), want, Trigger::Edge).expect("edge");
    assert_eq!(bench.next(), [(1, Readiness::OUT)]);
    assert_eq!(bench.now(), []);
    theirs.write_all(b"x").expect("room");
    assert_eq!(bench.next(), [(1, IN | Readiness::OUT)]);
    assert_eq!(bench.now(), []);
}

fn oneshot(backend: Backend) {
    if !backend.capabilities().oneshot {
        return;
    }
    let mut bench = Bench::new(backend);
    let (reader, writer) = pipe();
    bench.selector.register(reader.as_fd(), Token(1), Interest::IN, Trigger::Oneshot).expect("oneshot");
    assert_eq!(bench.now(), []);
    write(&writer, b"x");
    assert_eq!(bench.next(), [(1, IN)]);
    write(&writer, b"y");
    assert_eq!(bench.now(), [], "fired");
    bench.selector.modify(reader.as_fd(), Token(1), Interest::IN, Trigger::Oneshot).expect("oneshot");
    assert_eq!(bench.next(), [(1, IN)], "armed again");
    drop(writer);
    assert_eq!(bench.now(), [], "fired: hup neither");
    bench.selector.modify(reader.as_fd(), Token(1), Interest::IN, Trigger::Oneshot).expect("oneshot");
    assert_eq!(bench.next(), [(1, IN | Readiness::HUP)], "armed again");
}

fn an_epoll_fd_is_readable(backend: Backend) {
    let mut bench = Bench::new(backend);
    let (reader, writer) = pipe();
    let inner = create(CreateFlags::CLOEXEC).expect("an epoll fd");
    add(&inner, &reader, EventData::new_u64(0), EventFlags::IN).expect("a registration");
    bench.register(&inner, 1, Interest::IN);
    assert_eq!(bench.now(), []);
    write(&writer, b"x");
    assert_eq!(bench.next(), [(1, IN)]);
    read(&reader, 1);
    assert_eq!(bench.now(), []);
}

#[test]
fn too_many_epolls_in_each_other_are_refused() {
    let (reader, _writer) = pipe();
    let mut inner = reader;
    let mut kept = Vec::new();
    // The outermost is ours.
    for _ in 0..5 {
        let outer = create(CreateFlags::CLOEXEC).expect("an epoll fd");
        add(&outer, &inner, EventData::new_u64(0), EventFlags::IN).expect("a registration");
        kept.push(std::mem::replace(&mut inner, outer));
    }
    for backend in [Backend::Epoll, Backend::Mio] {
        let mut bench = Bench::new(backend);
        let trigger = bench.trigger();
        let done = bench.selector.register(inner.as_fd(), Token(0), Interest::IN, trigger);
        assert!(matches!(done, Err(RegisterError::Nested)), "{backend}: {done:?}");
        bench.register(&kept[4], 1, Interest::IN);
    }
}
