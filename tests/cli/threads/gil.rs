//! The lock of the Python interpreter, and what is not it.

use super::{named, of, thread};
use crate::exhibits::listed;
use crate::support::{Ended, Fdscope, Helper, Keeper, PATIENCE, Skip, call};
use serde_json::Value;
use std::io::Read as _;
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicU32;
use std::time::Instant;

listed! { "threads::gil": short }

/// Three threads that compute, and the first, which waits for them.
const COMPUTES: &str = "\
import sys, threading
def spin():
    while True: pass
sys.setswitchinterval(float(sys.argv[1]))
print()
for _ in range(3): threading.Thread(target=spin, daemon=True).start()
input()";

/// Whether there is an interpreter of the sort that is known: CPython with the lock, and the C library
/// whose condition variables are words that all who wait share.
const KNOWN: &str = "\
import platform, sys
locked = getattr(sys, '_is_gil_enabled', lambda: True)()
print(platform.python_implementation(), platform.libc_ver()[0], locked)";

#[test]
fn threads_that_compute_wait_for_it() {
    check(0.005);
}

/// A program may have its threads go on for longer at a time.
#[test]
fn with_another_switch_interval_too() {
    check(0.1);
}

fn check(interval: f64) {
    let known = Command::new("python3").args(["-c", KNOWN]).output();
    let is_known = |text: &[u8]| text.starts_with(b"CPython glibc True");
    if !known.as_ref().is_ok_and(|output| is_known(&output.stdout)) {
        eprintln!("skipped: the lock of Python, because there is no CPython with glibc: {known:?}");
        return;
    }
    let mut command = Command::new("python3");
    command.args(["-uc", COMPUTES, &interval.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut python = Ended(command.spawn().unwrap());
    // What was started may have been a script that starts it.
    python.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
    let pid = python.id();
    let is_it = |r: &Value| r["likely"] == "gil" && r["call"] == "futex";
    let until = Instant::now() + PATIENCE;
    let records = loop {
        let records = Fdscope::new(format!("threads {pid} --sample 300ms --quiet")).records();
        // The first waits for its input, and for the lock at its start alone.
        let reads = records.iter().any(|r| r["tid"] == pid && r["call"] == "read");
        if reads && records.iter().filter(|r| is_it(r)).count() >= 2 {
            break records;
        }
        assert!(Instant::now() < until, "{records:?}");
    };
    for record in &records {
        let text = record["waits_for"].as_str().unwrap();
        assert_eq!(
            text.contains("likely the lock of the Python interpreter (GIL)"),
            is_it(record),
            "{record}"
        );
    }
    // One look shows one or two of them, unless it meets them on their way.
    loop {
        let records = Fdscope::new(format!("threads {pid}")).records();
        if let Some(found) = records.iter().find(|r| is_it(r)) {
            let left = found["left"].as_f64().unwrap();
            assert!((0.0..=interval).contains(&left), "{found}");
            break;
        }
        assert!(Instant::now() < until, "{records:?}");
    }
}

static WORD: AtomicU32 = AtomicU32::new(7);

/// Two threads that wait in just that way, but for something else.
fn short(keeper: &mut Keeper) -> Result<(), Skip> {
    for name in ["one", "two"] {
        thread(keeper, name, || {
            loop {
                let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
                let nanoseconds = now.tv_nsec + 5_000_000;
                let until = [now.tv_sec + nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000];
                let op = libc::FUTEX_WAIT_BITSET | libc::FUTEX_PRIVATE_FLAG;
                let (at, any) = (std::ptr::from_ref(&WORD) as usize, u32::MAX as usize);
                let _ = call(libc::SYS_futex, [at, op as usize, 7, until.as_ptr() as usize, 0, any]);
            }
        });
    }
    Ok(())
}

#[test]
fn who_waits_likewise_without_python_is_not_said_to() {
    let helper = Helper::start("threads::gil::short");
    let until = Instant::now() + PATIENCE;
    loop {
        let records = of(&helper, "--sample 100ms --quiet").records();
        assert!(records.iter().all(|r| r.get("likely").is_none()), "{records:?}");
        if ["one", "two"].iter().all(|name| named(&records, name).is_some_and(|r| r["call"] == "futex")) {
            return;
        }
        assert!(Instant::now() < until, "{records:?}");
    }
}
