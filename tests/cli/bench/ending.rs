//! Signals, and what goes wrong on the way.

use super::bench;
use crate::support::{Background, Fdscope, eventually, forbid};
use nix::sys::signal::Signal;
use std::process::Command;

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

/// One is for signals, and opened once they are caught.
fn eventfds(run: &Background) -> usize {
    let fds = std::fs::read_dir(format!("/proc/{}/fd", run.pid())).into_iter().flatten().flatten();
    let names = fds.filter_map(|fd| std::fs::read_link(fd.path()).ok());
    names.filter(|name| name.as_os_str() == "anon_inode:[eventfd]").count()
}

/// Nothing was measured.
#[test]
fn at_once() {
    let run = Fdscope::new("bench --for 1h --runs 1 --fds 2 --active 1 --selector poll --json").start();
    // It has its signals by the time that it has these, and the measurement takes an hour.
    eventually("it has opened what it watches", || eventfds(&run) == 3);
    let run = run.end_by(Signal::SIGINT);
    let stderr = "fdscope: ended by SIGINT after 0 of 1 measurements\n";
    assert!(run.check_signal(Signal::SIGINT, stderr).records().is_empty());
}

/// A stop in the middle is no lost event.
#[test]
fn stopped_and_continued() {
    let run = bench("--quiet --fds 10 --active 10 --runs 20 --jsonl").start();
    eventually("it measures", || threads(&run) > 1 || run.has_ended());
    for _ in 0..3 {
        run.signal(Signal::SIGSTOP);
        run.signal(Signal::SIGCONT);
    }
    assert_eq!(run.end().check(0, "").json_lines().len(), 6);
}

/// Where epoll says that it watches, and does not, nothing comes: an error, and not for ever.
#[test]
fn lost_events() {
    let forget = |command: &mut Command| forbid(command, libc::SYS_epoll_ctl, 0);
    let arguments = "--quiet --fds 5 --active 2 --runs 1 --selector epoll-edge --json";
    let run = bench(arguments).with(forget).run();
    let told = "fdscope: epoll edge, 5 fds, 2 active: 2 events did not come, though their fds are ready\n";
    run.check(3, told).prints("");
}

/// What cannot be opened, watched or asked is an error that names the call.
#[test]
fn calls_that_fail() {
    let calls = [
        (libc::SYS_epoll_ctl, "epoll level, 5 fds, 2 active: cannot watch: "),
        (libc::SYS_epoll_create1, "epoll level, 5 fds, 2 active: cannot open the selector: "),
        (libc::SYS_eventfd2, "signals"),
        (libc::SYS_timer_create, "signals"),
        (libc::SYS_pipe2, "cannot open 5 of kind pipe: "),
    ];
    for (call, told) in calls {
        let fail = |command: &mut Command| forbid(command, call, libc::EDQUOT);
        let arguments = "--quiet --kind pipe --fds 5 --active 2 --runs 1 --selector epoll-level --json";
        let run = bench(arguments).with(fail).run();
        run.check(3, told).check(3, "Disk quota exceeded").prints("");
    }
}

/// A limit of epoll is told of with what would raise it, and the others are measured.
#[test]
fn no_more_watches() {
    let fail = |command: &mut Command| forbid(command, libc::SYS_epoll_ctl, libc::ENOSPC);
    let run = bench("--fds 5 --active 2 --runs 3 --selector epoll-level,poll --json").with(fail).run();
    run.check(
        3,
        "epoll level, 5 fds, 2 active is not measured: cannot watch: this user watches as many fds as ",
    );
    let stderr = run.stderr();
    assert_eq!(stderr.matches("sysctl fs.epoll.max_user_watches=N").count(), 1, "{stderr}");
    let document = run.json();
    assert_eq!((&document["complete"], &document["denied"]), (&false.into(), &1.into()));
    let records = run.records();
    assert!(records.len() == 1 && records[0]["selector"] == "poll" && records[0]["runs"] == 3, "{records:?}");
}
