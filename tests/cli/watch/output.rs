//! What is printed, in each format.

use super::{here, with_fd};
use crate::support::{Fdscope, number, sorted};
use nix::sys::signal::Signal;
use serde_json::Value;
use std::io::{Write as _, pipe};
use std::os::fd::AsRawFd as _;

/// The keys of an object.
fn keys(event: &Value) -> Vec<&str> {
    sorted(event.as_object().unwrap().keys().map(String::as_str))
}

/// All fields that there are, and where.
#[test]
fn fields() {
    if super::cannot_watch_others() {
        return;
    }
    let (reader, mut writer) = pipe().unwrap();
    let mut run = super::watch(format!("{} -n 2", here(&reader)));
    writer.write_all(b"hello").unwrap();
    run.event("ready");
    assert_eq!(std::io::Read::read(&mut &reader, &mut [0; 9]).unwrap(), 5);
    let run = run.end();
    let events = run.check(0, "").json_lines();
    let [armed, ready, clear, summary] = &events[..] else { panic!("{events:?}") };
    assert_eq!(keys(armed), ["elapsed", "event", "targets", "time"]);
    let of_an_fd =
        ["command", "elapsed", "event", "fd", "kind", "name", "pid", "selector", "target", "time", "trigger"];
    let with = |more: &[&'static str]| sorted(of_an_fd.iter().chain(more).copied());
    assert_eq!(keys(ready), with(&["raw", "readable_bytes", "readiness"]));
    assert_eq!(keys(clear), with(&["raw", "readiness", "ready_for"]));
    let summed = ["bytes", "raw", "readiness", "ready_longest", "ready_median", "ready_total", "transitions"];
    assert_eq!(keys(summary), with(&summed));
    assert!(summary["raw"].is_null());
    for event in &events {
        // To the microsecond, in UTC.
        let time = event["time"].as_str().unwrap();
        assert!(time.len() == 27 && time.ends_with('Z') && &time[19..20] == ".", "{time}");
        assert!(number(event, "elapsed") >= 0.0);
    }
}

/// A document that is whole, also after a signal.
#[test]
fn json() {
    let (reader, mut writer) = pipe().unwrap();
    writer.write_all(b"x").unwrap();
    let run = with_fd(&reader, Fdscope::new("watch 3 --json -u ready")).run();
    assert_eq!(super::names(&run.check(0, "").records()), ["armed", "ready", "summary"]);
    let mut run = with_fd(&reader, Fdscope::new("watch 3 --json")).start();
    // Its line ends where the next record begins.
    while !run.line().contains("\"armed\"") {}
    let run = run.end_by(Signal::SIGINT);
    run.check_signal(Signal::SIGINT, "");
    assert_eq!(super::names(&run.records()), ["armed", "ready", "summary"]);
    assert_eq!(run.json()["complete"], true);
}

#[test]
fn tsv() {
    let (reader, mut writer) = pipe().unwrap();
    writer.write_all(b"x").unwrap();
    let lines = with_fd(&reader, Fdscope::new("watch 3 --format tsv -u ready")).ok().lines();
    let rows: Vec<Vec<&str>> = lines.iter().map(|l| l.split('\t').collect()).collect();
    assert_eq!(rows.len(), 4);
    assert!(rows.iter().all(|r| r.len() == rows[0].len()), "{rows:?}");
    let cell = |row: usize, name: &str| rows[row][rows[0].iter().position(|n| *n == name).unwrap()];
    assert_eq!(["armed", "ready", "summary"], [cell(1, "event"), cell(2, "event"), cell(3, "event")]);
    assert_eq!(["in", "1", "3"], [cell(2, "readiness"), cell(2, "readable_bytes"), cell(2, "fd")]);
}

/// A line an event, without its time.
#[test]
fn table() {
    if super::cannot_watch_others() {
        return;
    }
    let (reader, mut writer) = pipe().unwrap();
    writer.write_all(b"hello").unwrap();
    let inode = rustix::fs::fstat(&reader).unwrap().st_ino;
    let lines = with_fd(&reader, Fdscope::new("watch 3 -u ready")).ok().lines();
    let behind_time = |line: &String| line.split_once("  ").unwrap().1.to_owned();
    let text: Vec<String> = lines.iter().map(behind_time).collect();
    assert_eq!(text[0], "armed                watching 1 fd");
    assert_eq!(text[1], format!("ready    3           in  5 to read  pipe read end of {inode}"));
    assert!(text[2].starts_with("summary  3           epoll: 1 change, ready 1 time for "), "{text:?}");
    for line in &lines {
        let time = line.split_once("  ").unwrap().0;
        assert_eq!(
            time.bytes().map(|b| if b.is_ascii_digit() { b'0' } else { b }).collect::<Vec<_>>(),
            b"00:00:00.000"
        );
    }
    let lines = Fdscope::new(format!("watch {} -u ready", here(&reader))).ok().lines();
    let expected = format!("  {}:{}  ", std::process::id(), reader.as_raw_fd());
    assert!(lines[1].contains(&expected), "{lines:?}");
}
