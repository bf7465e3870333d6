//! How events are written: lines, JSON, TSV, to a file, and a line that stays on a terminal.

use super::client::{attempt, connect};
use super::{abstract_name, address, fdscope, listen, named, start};
use crate::support::{Background, Fdscope, OnTerminal, check, run_on_terminal};
use nix::sys::signal::Signal;
use regex::Regex;
use rustix::net::SocketType;
use serde_json::{Value, json};

/// Lines, each with the local time in front, as one pattern each has them.
fn matches(lines: &[String], patterns: &[&str]) {
    assert_eq!(lines.len(), patterns.len(), "{lines:#?}");
    for (line, pattern) in lines.iter().zip(patterns) {
        let whole = Regex::new(&format!(r"^\d\d:\d\d:\d\d\.\d\d\d  {pattern}$")).unwrap();
        assert!(whole.is_match(line), "{line:?} is not {pattern:?}\n{lines:#?}");
    }
}

/// Waits for a line that holds this.
fn line_with(run: &mut Background, text: &str) -> String {
    loop {
        let line = run.line();
        if line.contains(text) {
            return line;
        }
    }
}

#[test]
fn lines() {
    let name = abstract_name("lines");
    let run = Fdscope::new(format!("listen {name} --backlog 1 --accept none"));
    let mut run = run.env("TZ", "UTC").start();
    line_with(&mut run, "listening");
    let first = connect(&name);
    line_with(&mut run, "1 of 2");
    let second = connect(&name);
    line_with(&mut run, "2 of 2");
    let run = run.end_by(Signal::SIGINT);
    run.check_signal(Signal::SIGINT, "");
    let listening = format!(r"listening  {name}  fd \d+, backlog 1 admits 2 connections");
    let summary = format!(r"summary    {name}  0 accepted, peak 2 of 2, full for [0-9.]+ .?s");
    matches(
        &run.lines(),
        &[&listening, "queue      1 of 2 waiting", "queue      2 of 2 waiting: full", &summary],
    );
    drop((first, second));
}

/// Of several listeners, each line says of which.
#[test]
fn lines_of_several() {
    let name = abstract_name("several-lines");
    let mut run = Fdscope::new(format!("listen 127.0.0.1:0 {name} --serve close --count 2")).start();
    let listening = line_with(&mut run, "127.0.0.1:");
    let to = listening.split("  ").find(|word| word.starts_with("127.")).unwrap().to_owned();
    line_with(&mut run, &name);
    let one = attempt(&to, SocketType::STREAM).unwrap();
    let line = line_with(&mut run, "accepted ");
    matches(&[line], &[&format!(r"accepted   {to}  1 from 127\.0\.0\.1:\d+, fd \d+, waited [0-9.]+ .?s")]);
    let other = attempt(&name, SocketType::STREAM).unwrap();
    let line = line_with(&mut run, "accepted ");
    matches(&[line], &[&format!(r"accepted   {name}  2 from process {}, fd \d+", std::process::id())]);
    let run = run.end();
    run.check(0, "");
    let summaries = run.lines().iter().filter(|l| l.contains("summary")).count();
    assert_eq!(summaries, 2);
    drop((one, other));
}

/// One document, complete whatever ends the run.
#[test]
fn json() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let name = abstract_name(&format!("json-{signal}"));
        let log = tempfile::NamedTempFile::new().unwrap();
        let run =
            Fdscope::new(format!("listen {name} --json --accept none")).stdout(log.reopen().unwrap()).start();
        crate::support::eventually("it listens", || attempt(&name, SocketType::STREAM).is_ok());
        run.end_by(signal).check_signal(signal, "");
        let document: Value = serde_json::from_str(&std::fs::read_to_string(log.path()).unwrap()).unwrap();
        check(&document, &json!({"schema": 1, "command": "listen", "complete": true}));
        let events = document["records"].as_array().unwrap();
        check(&events[0], &json!({"event": "listening", "address": name}));
        check(events.last().unwrap(), &json!({"event": "summary", "address": name}));
    }
    let document = Fdscope::new("listen 127.0.0.1:0 --json --timeout 10ms").run();
    let records = document.check(124, "").records();
    assert_eq!(
        records.iter().map(|r| r["event"].as_str()).collect::<Vec<_>>(),
        [Some("listening"), Some("summary")]
    );
}

#[test]
fn tsv() {
    let run = Fdscope::new("listen 127.0.0.1:0 --format tsv --backlog 3 --timeout 10ms").run();
    let lines = run.check(124, "").lines();
    let rows: Vec<Vec<&str>> = lines.iter().map(|l| l.split('\t').collect()).collect();
    assert_eq!(rows.len(), 3);
    assert!(rows.iter().all(|row| row.len() == rows[0].len()), "{rows:#?}");
    let of = |row: usize, name: &str| {
        let at = rows[0].iter().position(|n| *n == name);
        rows[row][at.unwrap_or_else(|| panic!("no column {name}"))]
    };
    assert_eq!(
        [of(1, "event"), of(1, "backlog.requested"), of(1, "backlog.admits")],
        ["listening", "3", "4"]
    );
    assert_eq!([of(2, "event"), of(2, "peak"), of(2, "backlog.admits")], ["summary", "0", ""]);
    let bare = Fdscope::new("listen 127.0.0.1:0 --format tsv --no-header --timeout 10ms").run();
    assert_eq!(bare.check(124, "").lines().len(), 2);
}

/// Events go to the file, in whichever format, as they happen.
#[test]
fn a_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("events");
    let name = abstract_name("file");
    let run = fdscope(format!("{name} --serve close --output")).arg(&path).start();
    let events = || -> Vec<Value> {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    };
    crate::support::eventually("it listens", || !named(&events(), "listening").is_empty());
    let client = attempt(&name, SocketType::STREAM).unwrap();
    crate::support::eventually("it accepts", || !named(&events(), "accepted").is_empty());
    drop(client);
    run.end_by(Signal::SIGTERM).check_signal(Signal::SIGTERM, "").prints("");
    check(events().last().unwrap(), &json!({"event": "summary", "accepted": 1}));
}

/// Lines as they happen, and below them one that stays, with a bar.
#[test]
fn a_status_line() {
    let name = abstract_name("terminal");
    let run = Fdscope::new(format!("listen {name} --backlog 3 --accept none --color never"));
    let mut terminal = OnTerminal::start(run, Some(100));
    let at = terminal.wait_for(&format!("{name} [....................] 0/4  peak 0"), 0);
    let clients = [connect(&name), connect(&name)];
    // Whether both came between two looks is open.
    let at = terminal.wait_for("2 of 4 waiting", at);
    let at = terminal.wait_for(&format!("{name} [##########..........] 2/4  peak 2"), at);
    terminal.signal(Signal::SIGINT);
    terminal.wait_for("0 accepted, peak 2 of 4\r\n", at);
    let (text, status) = terminal.end();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(Signal::SIGINT as i32));
    // It is wiped out before each line, and at the end.
    let last = text.rsplit("\r\x1b[K").next().unwrap();
    assert!(last.contains("summary") && last.ends_with("\r\n"), "{text:?}");
    drop(clients);
}

/// No wider than the terminal, or than one usually is where it does not tell.
#[test]
fn the_width_of_the_status_line() {
    let name = abstract_name(&"x".repeat(70));
    for (columns, width) in [(Some(40), 39), (None, 79)] {
        let run = Fdscope::new(format!("listen {name} --accept none --color never"));
        let mut terminal = OnTerminal::start(run, columns);
        let at = terminal.wait_for("\r\n", 0);
        terminal.wait_for(&name[..width.min(name.len())], at);
        terminal.signal(Signal::SIGTERM);
        let (text, _) = terminal.end();
        let status = text.split("\r\x1b[K").map(|part| part.trim_start_matches('\n')).nth(1).unwrap();
        assert_eq!(status.chars().count(), width, "{text:?}");
    }
}

/// Only on a terminal, and only in lines for people.
#[test]
fn no_status_line() {
    let (text, status) = run_on_terminal(Fdscope::new("listen 127.0.0.1:0 --jsonl --timeout 10ms"));
    assert_eq!(status, Some(124));
    assert!(text.lines().all(|line| line.starts_with('{')) && text.lines().count() == 2, "{text:?}");
    // A command has the terminal to itself.
    let (text, status) = run_on_terminal(Fdscope::new("listen 127.0.0.1:0 --color never -- true"));
    assert_eq!(status, Some(0));
    assert!(!text.contains('\x1b') && !text.contains('['), "{text:?}");
    let run = Fdscope::new("listen 127.0.0.1:0 --timeout 10ms").run();
    assert!(!run.check(124, "").stdout().contains(['\x1b', '[']), "{}", run.stdout());
}

/// Colours, where they are wanted, for what deserves attention.
#[test]
fn colours() {
    let name = abstract_name("colours");
    let run = Fdscope::new(format!("listen {name} --backlog 0 --accept none --color always"));
    let mut run = run.start();
    assert!(!run.line().contains('\x1b'));
    let client = connect(&name);
    let line = run.line();
    assert!(line.contains("\x1b[33mqueue") && line.ends_with("full\x1b[0m"), "{line:?}");
    drop(client);
    run.end_by(Signal::SIGTERM).check_signal(Signal::SIGTERM, "");
}

/// With --quiet, nothing is noted.
#[test]
fn quiet() {
    let most = i32::MAX;
    let (run, listening) = listen(format!("127.0.0.1:0 --backlog {most} --quiet"));
    check(&listening, &json!({"backlog": {"requested": most, "effective": listening["somaxconn"]}}));
    run.end_by(Signal::SIGTERM).check_signal(Signal::SIGTERM, "");
    let (run, listening) = start(fdscope(format!("127.0.0.1:0 --backlog {most}")));
    let note = format!("fdscope: {}: the backlog {most} was clamped to ", address(&listening));
    let run = run.end_by(Signal::SIGTERM);
    assert!(run.stderr().starts_with(&note), "{}", run.stderr());
}
