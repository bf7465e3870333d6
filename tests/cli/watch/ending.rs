//! How a run ends: by what it waits for, a count, the clock, a signal, or because nobody reads.

use super::puppet::Puppet;
use super::{armed, fdscope, here, names, watch_fd, with_fd};
use crate::support::{Fdscope, check, eventually, number};
use nix::sys::signal::Signal;
use serde_json::json;
use std::io::{BufRead as _, BufReader, Read as _, Write as _, pipe};
use std::time::{Duration, Instant};

/// `ready`, `clear` and `hup`, with status 0.
#[test]
fn until() {
    for until in ["ready", "clear", "hup"] {
        let (mut reader, mut writer) = pipe().unwrap();
        let mut run = watch_fd(&reader, format!("3 --until {until}"));
        writer.write_all(b"x").unwrap();
        run.event("ready");
        // Where that is waited for, it is over.
        assert_eq!(reader.read(&mut [0; 9]).unwrap(), 1);
        if until == "hup" {
            drop(writer);
        }
        let run = run.end();
        let events = run.check(0, "").json_lines();
        assert_eq!(events[events.len() - 2]["event"], until);
    }
}

/// `error`: nobody reads what is written.
#[test]
fn until_error() {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    // Other tests may be starting programs, which have all that we have for a moment.
    eventually("nobody reads", || rustix::io::write(&writer, b"x") == Err(rustix::io::Errno::PIPE));
    let run = with_fd(&writer, fdscope("3 --until error")).run();
    check(&run.check(0, "").json_lines()[1], &json!({"event": "error", "readiness": ["out", "err"]}));
}

/// `closed`: by its process, or with it.
#[test]
fn until_closed() {
    if super::cannot_watch_others() {
        return;
    }
    let (reader, writer) = pipe().unwrap();
    let mut run = armed(fdscope(format!("{} --until closed", here(&reader))));
    drop((reader, writer));
    run.event("closed");
    run.end().check(0, "");
    let mut puppet = Puppet::new();
    let mut run = armed(fdscope(format!("{}:0 --until closed", puppet.pid())));
    puppet.end();
    run.event("exited");
    run.end().check(0, "");
}

/// What can never come is not waited for.
#[test]
fn until_what_cannot_come() {
    let (reader, writer) = pipe().unwrap();
    drop(writer);
    let run = with_fd(&reader, fdscope("3 --drain --until error")).run();
    let events = run.check(1, "").json_lines();
    assert!(names(&events).contains(&"end"), "{events:?}");
    let file = tempfile::NamedTempFile::new().unwrap();
    let clear = format!("{} -u clear", file.path().display());
    fdscope(&clear).run().check(1, "it is always ready, and what --until waits for does not come of it");
    fdscope(format!("{clear} --quiet")).run().check(1, "");
}

/// That a regular file is closed only shows by a selector that takes it.
#[test]
fn until_a_file_is_closed() {
    if super::cannot_watch_others() {
        return;
    }
    let file = tempfile::tempfile().unwrap();
    let target = here(&file);
    let run = fdscope(format!("{target} -u closed")).run();
    run.check(1, &format!("fdscope: {target}: that it is closed is not seen, as epoll does not take"));
    run.check(1, "--with poll sees it\n");
    assert_eq!(names(&run.json_lines()), ["armed", "ready", "summary"]);
    let mut run = armed(fdscope(format!("{target} -u closed --with poll")));
    drop(file);
    run.event("closed");
    run.end().check(0, super::note("poll"));
}

#[test]
fn count() {
    let (mut reader, mut writer) = pipe().unwrap();
    let mut run = watch_fd(&reader, "3 --count 2");
    writer.write_all(b"x").unwrap();
    run.event("ready");
    assert_eq!(reader.read(&mut [0; 9]).unwrap(), 1);
    let run = run.end();
    assert_eq!(names(&run.check(0, "").json_lines()), ["armed", "ready", "clear", "summary"]);
}

#[test]
fn timeout() {
    for arguments in ["", "-u ready", "--with poll", "--with select", "--with mio", "--repeat"] {
        let (reader, _writer) = pipe().unwrap();
        let begin = Instant::now();
        let run = with_fd(&reader, fdscope(format!("3 -t 40ms {arguments}"))).run();
        assert!(begin.elapsed() >= Duration::from_millis(40));
        let events = run.check(124, "").json_lines();
        assert_eq!(names(&events), ["armed", "timeout"]);
        assert!(number(&events[1], "elapsed") >= 0.04);
    }
}

/// What is ready by then is told, as `poll(2)` does that may not wait.
#[test]
fn a_timeout_that_is_over_at_once() {
    for arguments in ["", "--with poll", "--with select", "--with mio", "--repeat", "--drain"] {
        let (reader, mut writer) = pipe().unwrap();
        let run = with_fd(&reader, fdscope(format!("3 -t 1ns {arguments}"))).run();
        assert_eq!(names(&run.check(124, "").json_lines()), ["armed", "timeout"], "{arguments}");
        writer.write_all(b"x").unwrap();
        let run = with_fd(&reader, fdscope(format!("3 -t 1ns {arguments}"))).run();
        let events = run.check(124, "").json_lines();
        assert_eq!(names(&events), ["armed", "ready", "timeout", "summary"], "{arguments}");
        writer.write_all(b"x").unwrap();
        let run = with_fd(&reader, fdscope(format!("3 -t 1ns -u ready {arguments}"))).run();
        assert_eq!(names(&run.check(0, "").json_lines()), ["armed", "ready", "summary"], "{arguments}");
    }
}

/// No line is printed, and the status tells; records that are asked for come.
#[test]
fn quiet() {
    let (reader, mut writer) = pipe().unwrap();
    let quiet = |format: &str| {
        with_fd(&reader, Fdscope::new(format!("watch 3 -q -u ready -t 10ms --format {format}"))).run()
    };
    quiet("table").check(124, "").prints("");
    assert_eq!(names(&quiet("json").check(124, "").records()), ["armed", "timeout"]);
    assert_eq!(names(&quiet("jsonl").check(124, "").json_lines()), ["armed", "timeout"]);
    assert_eq!(quiet("tsv").check(124, "").lines().len(), 3);
    assert!(quiet("trace").check(124, "").json().is_array());
    writer.write_all(b"x").unwrap();
    let run = with_fd(&reader, Fdscope::new("watch 3 -q -u ready")).run();
    run.check(0, "").prints("");
    Fdscope::new("watch 9 --quiet").run().check(3, "fd 9 is not open here").prints("");
}

/// With its summary, and then by the signal itself.
#[test]
fn signals() {
    for (with, signal) in
        super::ALL.iter().zip([Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGINT])
    {
        let (reader, mut writer) = pipe().unwrap();
        let mut run = watch_fd(&reader, format!("3 --with {with}"));
        writer.write_all(b"hello").unwrap();
        run.event("ready");
        let run = run.end_by(signal);
        let events = run.check_signal(signal, "").json_lines();
        check(
            events.last().unwrap(),
            &json!({"event": "summary", "fd": 3, "selector": with, "transitions": 1, "bytes": 5}),
        );
    }
}

/// Into a pipe that nobody reads any more, it ends quietly at the next event.
#[test]
fn a_closed_pipe() {
    for format in ["table", "jsonl", "tsv"] {
        let (reader, writer) = pipe().unwrap();
        let (out, stdout) = pipe().unwrap();
        let fdscope = Fdscope::new(format!("watch 3 --drain --format {format}")).stdout(stdout);
        let run = with_fd(&reader, fdscope).start();
        let mut out = BufReader::new(out);
        let mut line = String::new();
        while !line.contains("armed") {
            line.clear();
            assert_ne!(out.read_line(&mut line).unwrap(), 0, "{format}");
        }
        drop(out);
        // Other tests may be starting programs, which have all that we have for a moment.
        eventually("it has ended", || {
            let _ = (&writer).write_all(b"x");
            run.has_ended()
        });
        run.end().check(0, "").prints("");
    }
}

/// It cannot end before what holds it up does, and then it ends as it would have.
#[test]
fn a_reader_that_stands_still() {
    let time = Duration::from_millis(50);
    let (reader, mut writer) = pipe().unwrap();
    writer.write_all(b"x").unwrap();
    let (out, mut stdout) = pipe().unwrap();
    let size = rustix::pipe::fcntl_getpipe_size(&stdout).unwrap();
    stdout.write_all(&vec![0; size]).unwrap();
    let fdscope = Fdscope::new(format!("watch 3 --tee --timeout {}ms", time.as_millis())).stdout(stdout);
    let mut run = with_fd(&reader, fdscope).start();
    assert!(run.line_on_stderr().contains("armed"));
    // Its time has begun before that.
    std::thread::sleep(time);
    drop(out);
    let run = run.end();
    assert_eq!(run.status(), 124, "{}", run.stderr());
}

#[test]
fn a_full_disk() {
    for format in ["table", "json", "jsonl", "tsv"] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let (reader, _writer) = pipe().unwrap();
        let run =
            with_fd(&reader, Fdscope::new(format!("watch 3 -t 10ms --format {format}")).stdout(full)).run();
        run.check(2, "fdscope: cannot write the output: No space left on device");
    }
}
