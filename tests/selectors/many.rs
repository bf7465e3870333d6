//! Many fds, and high numbers.

use crate::support::{
    Bench, crowding, duplicate, duplicate_to, lend, on_every_backend, pipe, raise_limit, read, write,
};
use fdscope::model::{Interest, Readiness};
use fdscope::selector::{Backend, RegisterError, Token};
use std::collections::BTreeSet;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::process::Command;

on_every_backend!(one_to_many, high_numbers);

const MANY: usize = 10_000;

fn one_to_many(backend: Backend) {
    let _turn = crowding();
    let limit = raise_limit();
    for count in [1, 10, 100, 1000, MANY] {
        if limit < count as u64 + 500 {
            eprintln!("skipped: {count} fds, because RLIMIT_NOFILE is {limit}");
            break;
        }
        let mut bench = Bench::new(backend);
        let (reader, writer) = pipe();
        let (idle, keep) = pipe();
        // Every tenth is ready at one time, every other one at another.
        let fds: Vec<OwnedFd> = (0..count)
            .map(|i| if i % 10 == 0 { &reader } else { &idle })
            .map(|fd| duplicate(fd, 3).expect("a number within the limit"))
            .collect();
        for (i, fd) in fds.iter().enumerate() {
            bench.register(fd, i as u64, Interest::IN);
        }
        let tenths: BTreeSet<u64> = (0..count as u64).step_by(10).collect();
        let all: BTreeSet<u64> = (0..count as u64).collect();
        assert_eq!(reported(&mut bench, 0), BTreeSet::new());
        write(&writer, b"x");
        assert_eq!(reported(&mut bench, tenths.len()), tenths, "{backend}: {count}");
        if count > 1 {
            write(&keep, b"x");
            let expected = if backend.capabilities().level { &all } else { &(&all - &tenths) };
            assert_eq!(&reported(&mut bench, expected.len()), expected, "{backend}: {count}");
        }
        // Half of them go, from both ends and the middle.
        let (gone, left): (Vec<_>, Vec<_>) = (0..count).partition(|i| i % 2 == 1);
        gone.iter().for_each(|&i| bench.deregister(&fds[i], i as u64));
        left.iter().for_each(|&i| bench.modify(&fds[i], i as u64, Interest::IN));
        let left: BTreeSet<u64> =
            left.iter().map(|&i| i as u64).filter(|i| count > 1 || i % 10 == 0).collect();
        assert_eq!(reported(&mut bench, left.len()), left, "{backend}: {count}");
        // And come back.
        gone.iter().for_each(|&i| bench.register(&fds[i], i as u64, Interest::IN));
        (0..count).step_by(2).for_each(|i| bench.modify(&fds[i], i as u64, Interest::IN));
        assert_eq!(reported(&mut bench, count), all, "{backend}: {count}");
        read(&reader, 1);
    }
}

/// The tokens of so many events, each of them once. A wait may give a part.
fn reported(bench: &mut Bench, count: usize) -> BTreeSet<u64> {
    let mut tokens = BTreeSet::new();
    loop {
        let told = bench.now();
        assert!(told.iter().all(|(_, readiness)| *readiness == Readiness::IN), "{told:?}");
        let before = tokens.len();
        tokens.extend(told.iter().map(|(token, _)| *token));
        assert!(tokens.len() == before + told.len(), "{}: one came twice", bench.backend);
        if tokens.len() >= count || told.is_empty() {
            return tokens;
        }
    }
}

fn high_numbers(backend: Backend) {
    let _turn = crowding();
    let limit = raise_limit();
    let mut bench = Bench::new(backend);
    let (_reader, writer) = pipe();
    let mut fds = Vec::new();
    for number in [1022, 1023, 1024, 1025, 2047, 4096, 19_990] {
        if limit <= number {
            eprintln!("skipped: fd {number}, because RLIMIT_NOFILE is {limit}");
            continue;
        }
        let fd = duplicate(&writer, number as i32).expect("a number within the limit");
        bench.register(&fd, fd.as_raw_fd() as u64, Interest::OUT);
        fds.push(fd);
    }
    let told: Vec<_> = fds.iter().map(|fd| (fd.as_raw_fd() as u64, Readiness::OUT)).collect();
    assert_eq!(bench.now(), told, "{backend}");
    // The highest first: what is left is still watched.
    while let Some(fd) = fds.pop() {
        bench.deregister(&fd, fd.as_raw_fd() as u64);
        let left = fds.iter().map(|fd| (fd.as_raw_fd() as u64, Readiness::OUT));
        fds.iter().for_each(|fd| bench.modify(fd, fd.as_raw_fd() as u64, Interest::OUT));
        assert_eq!(bench.now(), left.collect::<Vec<_>>(), "{backend}");
    }
}

/// A limit is for all threads.
#[test]
fn poll_takes_no_more_than_the_limit() {
    if !in_a_process_of_its_own("many::poll_takes_no_more_than_the_limit") {
        return;
    }
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let lower = |to| {
        let maximum = getrlimit(Resource::Nofile).maximum;
        setrlimit(Resource::Nofile, Rlimit { current: Some(to), maximum }).expect("a lower limit");
    };
    let (_reader, writer) = pipe();
    let mut bench = Bench::new(Backend::Poll);
    lower(100);
    // Numbers that are closed count as well.
    (1_000_000..1_000_100).for_each(|number| bench.register(lend(number), 0, Interest::IN));
    let trigger = bench.trigger();
    let error = bench.selector.register(writer.as_fd(), Token(0), Interest::OUT, trigger).unwrap_err();
    assert!(matches!(error, RegisterError::TooMany { limit: 100 }), "{error:?}");
    assert_eq!(bench.now().len(), 100);
    lower(50);
    let error = bench.selector.wait(None, &mut bench.events).unwrap_err();
    assert_eq!(
        error.to_string(),
        "poll takes no more fds than RLIMIT_NOFILE, which is 50: select and epoll do"
    );
    lower(101);
    bench.register(&writer, 0, Interest::OUT);
    assert_eq!(bench.now().len(), 101);
}

/// The kernel looks at no number beyond the end of the fd table, which can be shorter than it was:
/// after a fork, for one.
#[test]
fn select_sees_what_is_closed_beyond_the_end_of_the_fd_table() {
    if !in_a_process_of_its_own("many::select_sees_what_is_closed_beyond_the_end_of_the_fd_table") {
        return;
    }
    let number = 5000;
    let limit = raise_limit();
    if limit <= number {
        eprintln!("skipped: fd {number}, because RLIMIT_NOFILE is {limit}");
        return;
    }
    let (reader, writer) = pipe();
    let high = duplicate_to(&reader, number as i32);
    let mut bench = Bench::new(Backend::Select);
    bench.register(&high, 1, Interest::IN);
    bench.register(&writer, 2, Interest::OUT);
    assert_eq!(bench.now(), [(2, Readiness::OUT)]);
    drop(high);
    // A table of its own for this thread, as long as the highest fd that is open needs.
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_FILES).expect("anybody may");
    for _ in 0..2 {
        assert_eq!(bench.now(), [(1, Readiness::NVAL), (2, Readiness::OUT)]);
    }
}

/// Whether this process is there for the test alone. If not, runs the test in one that is.
fn in_a_process_of_its_own(test: &str) -> bool {
    const ALONE: &str = "FDSCOPE_TEST_ALONE";
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let this = std::env::current_exe().expect("a path");
    let child = Command::new(this).args(["--exact", test, "--nocapture"]).env(ALONE, "1").output();
    let child = child.expect("this test can be run");
    let told = [child.stdout, child.stderr].concat();
    let told = String::from_utf8_lossy(&told);
    eprintln!("{told}");
    assert!(child.status.success() && told.contains("1 passed"));
    false
}
