//! How a wait ends: in time, by a signal, by what it waits for.

use crate::support::{Bench, interrupt, on_every_backend, pipe, this_thread, until, write};
use fdscope::model::{Interest, Readiness};
use fdscope::selector::{Backend, Wake};
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

on_every_backend!(
    timeouts_are_rounded_up,
    zero_only_asks,
    what_is_ready_comes_at_once,
    another_thread_ends_a_wait,
    a_signal_is_no_error,
);

fn timeouts_are_rounded_up(backend: Backend) {
    let mut bench = Bench::new(backend);
    let (reader, _writer) = pipe();
    // With nothing to watch, too.
    for _ in 0..2 {
        for micros in [1, 2, 10, 99, 100, 101, 500, 999, 1000, 1001, 1500, 1999, 2000] {
            for timeout in [Duration::from_micros(micros), Duration::from_nanos(micros * 1000 - 1)] {
                let begin = Instant::now();
                let wake = bench.wait(Some(timeout));
                let elapsed = begin.elapsed();
                assert_eq!(wake, Wake::TimedOut);
                assert!(elapsed >= timeout, "{backend}: {elapsed:?} for {timeout:?}");
            }
        }
        if bench.selector.deregister(std::os::fd::AsFd::as_fd(&reader), fdscope::selector::Token(1)).is_err()
        {
            bench.register(&reader, 1, Interest::IN);
        }
    }
}

fn zero_only_asks(backend: Backend) {
    let mut bench = Bench::new(backend);
    assert_eq!(bench.wait(Some(Duration::ZERO)), Wake::TimedOut);
    let (_reader, writer) = pipe();
    bench.register(&writer, 1, Interest::OUT);
    assert_eq!(bench.wait(Some(Duration::ZERO)), Wake::Ready);
}

fn what_is_ready_comes_at_once(backend: Backend) {
    let mut bench = Bench::new(backend);
    let (_reader, writer) = pipe();
    bench.register(&writer, 1, Interest::OUT);
    let long = [1 << 31, 1 << 32, 1 << 40, i64::MAX as u64, u64::MAX].map(Duration::from_secs);
    let days = [24, 25, 50].map(|days| Duration::from_secs(days * 86400));
    let endless = long.into_iter().chain(days).chain([Duration::MAX]).map(Some).chain([None]);
    for timeout in endless {
        bench.modify(&writer, 1, Interest::OUT);
        assert_eq!(bench.wait(timeout), Wake::Ready, "{backend}: {timeout:?}");
    }
}

fn another_thread_ends_a_wait(backend: Backend) {
    for timeout in [None, Some(Duration::MAX)] {
        let mut bench = Bench::new(backend);
        let (reader, writer) = pipe();
        bench.register(&reader, 1, Interest::IN);
        let thread = this_thread();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                until("the other sleeps", || is_asleep(thread));
                write(&writer, b"x");
            });
            assert_eq!(bench.wait(timeout), Wake::Ready);
        });
        assert_eq!(bench.events[0].readiness, Readiness::IN);
    }
}

/// By `proc_pid_stat(5)`: the state follows the command, which may hold anything but ends with the
/// last parenthesis.
fn is_asleep(thread: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/self/task/{thread}/stat")).expect("a thread of ours");
    stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('S'))
}

fn a_signal_is_no_error(backend: Backend) {
    let mut bench = Bench::new(backend);
    let (reader, writer) = pipe();
    bench.register(&reader, 1, Interest::IN);
    for timeout in [None, Some(Duration::from_secs(3600))] {
        let thread = AtomicI32::new(this_thread());
        std::thread::scope(|scope| {
            // One may come before the wait begins, so that it takes several.
            scope.spawn(|| {
                until("it was interrupted", || {
                    let waiting = thread.load(Ordering::SeqCst);
                    if waiting != 0 {
                        interrupt(waiting);
                    }
                    waiting == 0
                });
            });
            assert_eq!(bench.wait(timeout), Wake::Interrupted, "{backend}");
            thread.store(0, Ordering::SeqCst);
        });
        assert_eq!(bench.events, []);
    }
    // It is as good as before.
    write(&writer, b"x");
    assert_eq!(bench.next(), [(1, Readiness::IN)]);
}
