//! Files that it opens, and kinds that are no streams.

use super::{armed, fdscope, here, here_all, names, watch, watch_fd, with_fd};
use crate::support::{Fdscope, check};
use rustix::event::{EventfdFlags, eventfd};
use rustix::fs::{CWD, Mode, OFlags, mkfifoat};
use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec};
use serde_json::json;
use std::fs::File;
use std::io::Write as _;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::OpenOptionsExt as _;

fn fifo() -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("fifo");
    mkfifoat(CWD, &path, Mode::RUSR | Mode::WUSR).unwrap();
    (dir, path.into_os_string().into_string().unwrap())
}

#[test]
fn a_fifo_for_reading() {
    for prefix in ["", "r:"] {
        let (_dir, path) = fifo();
        let mut run = watch(format!("{prefix}{path} -u hup"));
        let mut writer = File::options().write(true).open(&path).unwrap();
        writer.write_all(b"hello").unwrap();
        check(
            &run.event("ready"),
            &json!({"target": format!("{prefix}{path}"), "kind": "fifo", "readiness": ["in"], "readable_bytes": 5,
                    "pid": {"$absent": true}}),
        );
        drop(writer);
        check(&run.event("hup"), &json!({"readiness": ["in", "hup"]}));
        run.end().check(0, "");
    }
}

#[test]
fn a_fifo_for_writing() {
    let (_dir, path) = fifo();
    let run = fdscope(format!("w:{path}")).run();
    run.check(3, "nobody has the FIFO open for reading (ENXIO)").prints("");
    let reader = File::options().read(true).custom_flags(libc::O_NONBLOCK).open(&path).unwrap();
    let mut run = watch(format!("w:{path} -u error"));
    check(&run.event("ready"), &json!({"kind": "fifo", "readiness": ["out"]}));
    drop(reader);
    run.event("error");
    run.end().check(0, "");
}

/// Held open for both, it never hangs up.
#[test]
fn a_fifo_for_both() {
    let (_dir, path) = fifo();
    let mut run = watch(format!("rw:{path} --drain -n 3 --with poll"));
    for n in 0..2 {
        File::options().write(true).open(&path).unwrap().write_all(b"x").unwrap();
        check(&run.event("ready"), &json!({"readiness": ["in"]}));
        if n == 0 {
            run.event("clear");
        }
    }
    let run = run.end();
    assert_eq!(names(&run.check(0, "").json_lines()), ["armed", "ready", "clear", "ready", "summary"]);
}

/// It is always ready: that is told once, and is all that there is to tell.
#[test]
fn a_regular_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().display();
    let run = fdscope(format!("{path}")).run();
    let events = run.check(0, "").json_lines();
    assert_eq!(names(&events), ["armed", "ready", "summary"]);
    check(&events[0], &json!({"targets": 1}));
    check(
        &events[1],
        &json!({"kind": "regular", "selector": "poll", "trigger": "level", "readiness": ["in"]}),
    );
    let run = fdscope(format!("{path} --with epoll")).run();
    let reason = "epoll cannot watch files that are always ready, such as regular files and directories: select \
                  and poll can";
    run.check(3, reason);
    for with in ["poll", "select"] {
        let run = fdscope(format!("{path} --with {with} -u ready")).run();
        let events = run.check(0, "").json_lines();
        check(&events[1], &json!({"event": "ready", "selector": with, "readiness": ["in"]}));
    }
    // Its readiness is what it is, beside others that come and go.
    let (reader, mut writer) = std::io::pipe().unwrap();
    let mut run = watch_fd(&reader, format!("3 {path} -u hup"));
    check(&run.event("ready"), &json!({"selector": "poll", "kind": "regular"}));
    writer.write_all(b"x").unwrap();
    check(&run.event("ready"), &json!({"selector": "epoll", "fd": 3}));
    drop(writer);
    run.event("hup");
    run.end().check(0, "");
}

/// Of several fds of a target, each that cannot be watched is named.
#[test]
fn which_cannot_be_watched() {
    if super::cannot_watch_others() {
        return;
    }
    let files = [tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap()];
    let run = fdscope(format!("{} --with epoll", here_all(&files.each_ref().map(File::as_raw_fd)))).run();
    for file in &files {
        run.check(3, &format!("fdscope: {}: epoll cannot watch files that are always ready", here(file)));
    }
}

#[test]
fn an_fd_that_is_only_a_path() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let fd = rustix::fs::open(file.path(), OFlags::PATH, Mode::empty()).unwrap();
    let run = with_fd(&fd, fdscope("3 --with epoll")).run();
    run.check(3, "epoll cannot watch an fd that is closed or opened with O_PATH: select and poll can");
    let run = with_fd(&fd, fdscope("3 --with poll -u error")).run();
    let events = run.check(0, "").json_lines();
    check(&events[1], &json!({"event": "error", "readiness": ["nval"], "raw": 32}));
}

#[test]
fn counts() {
    if super::cannot_watch_others() {
        return;
    }
    let counter = eventfd(7, EventfdFlags::empty()).unwrap();
    let run = with_fd(&counter, fdscope("3 -u ready")).run();
    let expected = json!({"event": "ready", "kind": "eventfd", "count": 7, "readiness": ["in"]});
    check(&run.check(0, "").json_lines()[1], &expected);
    let run = fdscope(format!("{} -u ready", super::here(&counter))).run();
    check(&run.check(0, "").json_lines()[1], &expected);
    // Nobody has read it.
    let mut buffer = [0; 8];
    assert_eq!(rustix::io::read(&counter, &mut buffer), Ok(8));
    assert_eq!(u64::from_ne_bytes(buffer), 7);

    let timer = rustix::time::timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::empty()).unwrap();
    let mut run = armed(with_fd(&timer, Fdscope::new("watch --jsonl 3 -u ready")));
    let once = Itimerspec {
        it_interval: Timespec { tv_sec: 0, tv_nsec: 0 },
        it_value: Timespec { tv_sec: 0, tv_nsec: 1 },
    };
    rustix::time::timerfd_settime(&timer, TimerfdTimerFlags::empty(), &once).unwrap();
    check(&run.event("ready"), &json!({"kind": "timerfd", "count": 1, "readiness": ["in"]}));
    run.end().check(0, "");
}
