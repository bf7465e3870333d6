//! What every selector keeps, as its documentation says.

use crate::support::{
    Bench, PATIENCE, duplicate, duplicate_to, fill, lend, on_every_backend, own_numbers, pipe, read,
    uncrowded, write,
};
use fdscope::model::{Interest, Readiness};
use fdscope::selector::{Backend, Feature, RegisterError, Token, Trigger};
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::os::unix::net::UnixStream;
use std::time::Instant;

const IN: Readiness = Readiness::IN;
const OUT: Readiness = Readiness::OUT;

on_every_backend!(
    readable,
    writable,
    hup,
    err,
    rdhup,
    pri,
    nval,
    tokens_come_back_exactly,
    duplicates_are_refused,
    modify_and_deregister,
    what_is_not_registered,
    number_reused,
    nothing_is_watched_that_was_not_asked_for,
    what_a_backend_cannot_is_refused,
    closed_fds_are_named_with_the_others,
    the_same_description_twice,
);

fn readable(backend: Backend) {
    let mut bench = Bench::new(backend);
    let (reader, writer) = pipe();
    bench.register(&reader, 1, Interest::IN);
    assert_eq!(bench.now(), []);
    write(&writer, b"x");
    assert_eq!(bench.next(), [(1, IN)]);
    assert_eq!(bench.events[0].raw, (backend != Backend::Mio).then_some(1));
    read(&reader, 1);
    assert_eq!(bench.now(), []);
}

fn writable(backend: Backend) {
    let mut bench = Bench::new(backend);
    let (reader, writer) = pipe();
    fill(&writer);
    bench.register(&writer, 1, Interest::OUT);
    assert_eq!(bench.now(), []);
    while rustix::io::read(&reader, &mut [0; 65536]).is_ok() {}
    assert_eq!(bench.next(), [(1, OUT)]);
}

fn hup(backend: Backend) {
    let mut bench = Bench::new(backend);
    let (reader, writer) = pipe();
    bench.register(&reader, 1, Interest::IN);
    drop(writer);
    let told = if backend == Backend::Select { IN } else { Readiness::HUP };
    assert_eq!(bench.next(), [(1, told)]);
}

fn err(backend: Backend) {
    let mut bench = Bench::new(backend);
    let (reader, writer) = pipe();
    fill(&writer);
    bench.register(&writer, 1, Interest::OUT);
    drop(reader);
    let told = if backend == Backend::Select { OUT } else { Readiness::ERR };
    assert_eq!(bench.next(), [(1, told)]);
}

fn rdhup(backend: Backend) {
    let mut bench = Bench::new(backend);
    let (ours, theirs) = UnixStream::pair().expect("a pair");
    bench.register(&ours, 1, bench.all() - Interest::OUT);
    theirs.shutdown(std::net::Shutdown::Write).expect("a half-close");
    let told = if backend == Backend::Select { IN } else { IN | Readiness::RDHUP };
    assert_eq!(bench.next(), [(1, told)]);
}

fn pri(backend: Backend) {
    let mut bench = Bench::new(backend);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let theirs = TcpStream::connect(listener.local_addr().expect("an address")).expect("a connection");
    let (ours, _) = listener.accept().expect("the connection");
    bench.register(&ours, 1, Interest::PRI);
    assert_eq!(bench.now(), []);
    nix::sys::socket::send(theirs.as_raw_fd(), b"!", nix::sys::socket::MsgFlags::MSG_OOB)
        .expect("urgent data");
    // mio calls readable what has priority.
    let told = if backend == Backend::Mio { IN | Readiness::PRI } else { Readiness::PRI };
    assert_eq!(bench.next(), [(1, told)]);
}

fn nval(backend: Backend) {
    let mut bench = Bench::new(backend);
    let _room = uncrowded();
    let (reader, _writer) = pipe();
    let closing = duplicate(&reader, own_numbers()).expect("a duplicate");
    let number = closing.as_raw_fd();
    bench.register(&closing, 1, Interest::IN);
    drop(closing);
    if backend.capabilities().sees_nval {
        for _ in 0..2 {
            assert_eq!(bench.now(), [(1, Readiness::NVAL)]);
            assert_eq!(bench.next(), [(1, Readiness::NVAL)]);
        }
        bench.deregister(lend(number), 1);
    }
    assert_eq!(bench.now(), []);
}

fn closed_fds_are_named_with_the_others(backend: Backend) {
    if !backend.capabilities().sees_nval {
        return;
    }
    let _room = uncrowded();
    let mut bench = Bench::new(backend);
    let (reader, writer) = pipe();
    // Some closed when registered, some afterwards; some in the same word of a bitmap as an open
    // one, some beyond whatever the kernel looks at.
    let open = duplicate(&writer, own_numbers()).expect("a duplicate");
    let first = open.as_raw_fd() + 1;
    let closed: Vec<_> = (first..first + 3).map(|n| duplicate_to(&reader, n)).collect();
    bench.register(&open, 0, Interest::OUT);
    for fd in &closed {
        bench.register(fd, fd.as_raw_fd() as u64, Interest::IN);
    }
    drop(closed);
    let never_open = i32::from(i16::MAX) * 8;
    bench.register(lend(never_open), never_open as u64, Interest::IN);
    let mut lonely = Bench::new(backend);
    lonely.register(lend(never_open), 1, Interest::IN);
    let begin = Instant::now();
    assert_eq!(lonely.next(), [(1, Readiness::NVAL)]);
    assert!(begin.elapsed() < PATIENCE, "it waited for what was there");
    let mut expected = vec![(0, OUT)];
    expected.extend((first..first + 3).chain([never_open]).map(|n| (n as u64, Readiness::NVAL)));
    assert_eq!(bench.now(), expected);
    // One comes back, as another file.
    let again = duplicate_to(&writer, first);
    expected.remove(1);
    assert_eq!(bench.now(), expected);
    bench.modify(&again, first as u64, Interest::OUT);
    expected.insert(1, (first as u64, OUT));
    assert_eq!(bench.now(), expected);
    bench.deregister(&again, first as u64);
    bench.deregister(lend(never_open), never_open as u64);
    assert_eq!(
        bench.now(),
        [(0, OUT), (first as u64 + 1, Readiness::NVAL), (first as u64 + 2, Readiness::NVAL)]
    );
}

fn tokens_come_back_exactly(backend: Backend) {
    let mut bench = Bench::new(backend);
    let (_reader, writer) = pipe();
    for token in [0, 1, u64::from(u32::MAX) + 1, u64::MAX - 1, u64::MAX] {
        bench.register(&writer, token, Interest::OUT);
        assert_eq!(bench.now(), [(token, OUT)]);
        bench.deregister(&writer, token);
    }
    // They need not differ.
    let (_reader_too, writer_too) = pipe();
    bench.register(&writer, 5, Interest::OUT);
    bench.register(&writer_too, 5, Interest::OUT);
    assert_eq!(bench.now(), [(5, OUT), (5, OUT)]);
}

fn duplicates_are_refused(backend: Backend) {
    let mut bench = Bench::new(backend);
    let (_reader, writer) = pipe();
    bench.register(&writer, 1, Interest::OUT);
    let again = bench.selector.register(writer.as_fd(), Token(2), Interest::OUT, bench.trigger());
    assert!(matches!(again, Err(RegisterError::AlreadyRegistered)), "{again:?}");
    assert_eq!(bench.now(), [(1, OUT)]);
}

fn the_same_description_twice(backend: Backend) {
    let mut bench = Bench::new(backend);
    let (_reader, writer) = pipe();
    let twin = writer.try_clone().expect("a duplicate");
    bench.register(&writer, 1, Interest::OUT);
    bench.register(&twin, 2, Interest::OUT);
    assert_eq!(bench.now(), [(1, OUT), (2, OUT)]);
}

fn modify_and_deregister(backend: Backend) {
    let mut bench = Bench::new(backend);
    let (ours, mut theirs) = UnixStream::pair().expect("a pair");
    theirs.write_all(b"x").expect("room");
    bench.register(&ours, 1, Interest::IN);
    assert_eq!(bench.now(), [(1, IN)]);
    bench.modify(&ours, 1, Interest::OUT);
    assert_eq!(bench.now(), [(1, OUT)]);
    bench.modify(&ours, 1, Interest::IN | Interest::OUT);
    assert_eq!(bench.now(), [(1, IN | OUT)]);
    bench.deregister(&ours, 1);
    assert_eq!(bench.now(), []);
    bench.register(&ours, 2, Interest::OUT);
    assert_eq!(bench.now(), [(2, OUT)]);
}

fn what_is_not_registered(backend: Backend) {
    let mut bench = Bench::new(backend);
    let (reader, _writer) = pipe();
    let trigger = bench.trigger();
    for _ in 0..2 {
        let changed = bench.selector.modify(reader.as_fd(), Token(1), Interest::IN, trigger);
        assert!(matches!(changed, Err(RegisterError::NotRegistered)), "{changed:?}");
        let removed = bench.selector.deregister(reader.as_fd(), Token(1));
        assert!(matches!(removed, Err(RegisterError::NotRegistered)), "{removed:?}");
        // The second time it is one that was.
        bench.register(&reader, 1, Interest::IN);
        bench.deregister(&reader, 1);
    }
}

/// A closed number that is another file now: those that watch numbers see the new file, those that
/// watch descriptions the old one.
fn number_reused(backend: Backend) {
    let _room = uncrowded();
    let mut bench = Bench::new(backend);
    let (old_reader, old_writer) = pipe();
    let (new_reader, new_writer) = pipe();
    let stolen = duplicate(&old_reader, own_numbers()).expect("a duplicate");
    let number = stolen.as_raw_fd();
    bench.register(&stolen, 1, Interest::IN);
    drop(stolen);
    let stolen = duplicate_to(&new_reader, number);
    if backend.capabilities().outlives_fd {
        bench.register(&stolen, 2, Interest::IN);
        drop(stolen);
        write(&new_writer, b"x");
        assert_eq!(bench.next(), [(2, IN)]);
        read(&new_reader, 1);
        write(&old_writer, b"x");
        assert_eq!(bench.next(), [(1, IN)]);
        // To be removed, it is stolen again to the same number.
        let stolen = duplicate_to(&old_reader, number);
        bench.modify(&stolen, 1, Interest::IN);
        assert_eq!(bench.now(), [(1, IN)]);
        bench.deregister(&stolen, 1);
        write(&old_writer, b"x");
        assert_eq!(bench.now(), []);
        // It holds nothing: the last one's end is the pipe's.
        drop(new_reader);
        assert_eq!(rustix::io::write(&new_writer, b"x"), Err(rustix::io::Errno::PIPE));
        assert_eq!(bench.now(), []);
    } else {
        let again = bench.selector.register(stolen.as_fd(), Token(2), Interest::IN, bench.trigger());
        assert!(matches!(again, Err(RegisterError::AlreadyRegistered)), "{again:?}");
        write(&old_writer, b"x");
        assert_eq!(bench.now(), []);
        write(&new_writer, b"x");
        assert_eq!(bench.now(), [(1, IN)]);
    }
}

fn nothing_is_watched_that_was_not_asked_for(backend: Backend) {
    let mut bench = Bench::new(backend);
    let (ours, mut theirs) = UnixStream::pair().expect("a pair");
    theirs.write_all(b"x").expect("room");
    bench.register(&ours, 1, Interest::PRI);
    assert_eq!(bench.now(), []);
    if backend.capabilities().any_interest {
        bench.modify(&ours, 1, Interest::EMPTY);
        assert_eq!(bench.now(), []);
        drop(theirs);
        assert_eq!(bench.next(), [(1, Readiness::HUP)]);
    }
}

/// What `Capabilities` says is so, in both directions.
fn what_a_backend_cannot_is_refused(backend: Backend) {
    let able = backend.capabilities();
    let (reader, _writer) = pipe();
    for trigger in [Trigger::Level, Trigger::Edge, Trigger::Oneshot] {
        for bits in 0..1 << 13 {
            let all = Readiness::from_bits(bits);
            let names: Vec<_> = all.names().collect();
            let Ok(want) = names.join(",").parse::<Interest>() else { continue };
            let done = backend.open().expect("a selector").register(reader.as_fd(), Token(0), want, trigger);
            let wrong = || panic!("{backend}, {trigger:?}, {want}: {done:?}");
            match &done {
                Ok(()) => assert!(able.has(Feature::Trigger(trigger)) && able.has(Feature::Interest(want))),
                Err(RegisterError::Refused { by, what }) => {
                    assert_eq!(*by, backend);
                    match what {
                        Feature::Trigger(t) => assert!(*t == trigger && !able.has(*what)),
                        Feature::Interest(i) => assert!(want.contains(*i) && !able.has(*what)),
                        Feature::Only(w) => assert!(*w == want && !able.any_interest),
                        _ => wrong(),
                    }
                    // Somebody can, if it can be done at all.
                    let text = done.as_ref().unwrap_err().to_string();
                    assert!(Backend::able(*what).any(|other| other != backend), "{text}");
                }
                Err(_) => wrong(),
            }
        }
    }
    for feature in [Feature::Files, Feature::InvalidFds] {
        let fd = match feature {
            Feature::Files => std::fs::File::open("/").expect("the root").into(),
            _ => {
                let flags = rustix::fs::OFlags::PATH | rustix::fs::OFlags::CLOEXEC;
                rustix::fs::open("/", flags, rustix::fs::Mode::empty()).expect("the root")
            }
        };
        let trigger = Bench::new(backend).trigger();
        let done = backend.open().expect("a selector").register(fd.as_fd(), Token(0), Interest::IN, trigger);
        match done {
            Ok(()) => assert!(able.has(feature), "{backend}: {feature:?}"),
            Err(RegisterError::Refused { what, .. }) => assert!(what == feature && !able.has(feature)),
            Err(e) => panic!("{backend}: {feature:?}: {e}"),
        }
    }
}
