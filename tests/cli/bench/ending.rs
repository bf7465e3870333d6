//! Signals.

use super::bench;
use crate::support::Fdscope;
use crate::support::{Background, eventually};
use nix::sys::signal::Signal;

/// What was measured so far is shown, and it ends by the signal.
#[test]
fn what_was_measured_so_far() {
    for (signal, format) in [
        (Signal::SIGINT, "table"),
        (Signal::SIGTERM, "json"),
        (Signal::SIGHUP, "jsonl"),
        (Signal::SIGINT, "tsv"),
    ] {
        let arguments = "--runs 100 --fds 2 --active 1 --selector poll,select";
        let run = Fdscope::new(format!("bench --for 20s {arguments} --format {format}")).start();
        eventually("it measures", || threads(&run) > 1);
        let run = run.end_by(signal);
        let stderr = run.stderr();
        assert!(stderr.starts_with(&format!("fdscope: ended by {signal} after ")), "{stderr}");
        assert!(stderr.lines().next().unwrap().ends_with(" of 200 measurements"), "{stderr}");
        run.check_signal(signal, &stderr);
        match format {
            "json" => assert_eq!(run.json()["schema"], 1),
            "jsonl" => drop(run.json_lines()),
            _ => {}
        }
    }
}

/// The thread that makes fds ready is there while a case is measured.
fn threads(run: &Background) -> usize {
    std::fs::read_dir(format!("/proc/{}/task", run.pid())).map_or(0, Iterator::count)
}

/// Nothing was measured.
#[test]
fn at_once() {
    let run = Fdscope::new("bench --for 1h --runs 1 --fds 2 --active 1 --selector poll --json").start();
    // It has its signals by then, and the measurement takes an hour.
    eventually("it has fds", || {
        std::fs::read_dir(format!("/proc/{}/fd", run.pid())).map_or(0, Iterator::count) >= 6
    });
    let run = run.end_by(Signal::SIGINT);
    let stderr = "fdscope: ended by SIGINT after 0 of 1 measurements\n";
    assert!(run.check_signal(Signal::SIGINT, stderr).records().is_empty());
}

/// A stop in the middle is no lost event.
#[test]
fn stopped_and_continued() {
    let run = bench("--quiet --fds 10 --active 10 --runs 200 --jsonl").start();
    for _ in 0..3 {
        run.signal(Signal::SIGSTOP);
        run.signal(Signal::SIGCONT);
    }
    assert_eq!(run.end().check(0, "").json_lines().len(), 6);
}
