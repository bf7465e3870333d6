//! `fdscope watch --timeline` on terminals, and the recordings of `--format trace`.

use crate::support::{Fdscope, OnTerminal, run_on_terminal};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::io::{PipeReader, PipeWriter, Read as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::Child;

const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";

/// A watch of a pipe of ours, which is its standard input.
fn watch(arguments: &str) -> (Fdscope, PipeWriter) {
    let (reader, writer) = std::io::pipe().unwrap();
    let fdscope = Fdscope::new(format!("watch 0 {arguments}")).env("LC_ALL", "C").stdin(reader);
    (fdscope, writer)
}

/// The lines of the last whole picture, without what erases the rest of a line.
fn picture(text: &str) -> Option<Vec<String>> {
    let end = text.rfind("\x1b[K\x1b[J")?;
    let start = text[..end].rfind("\x1b[H")?;
    let frame = text[start..end].replace(['\r', '\n'], "").replace("\x1b[H", "").replace("\x1b[J", "");
    Some(frame.split("\x1b[K").map(str::to_owned).collect())
}

/// Whether it is a picture of the pipe, whose axis ends where a terminal of so many columns does.
fn is_as_wide_as(picture: &[String], columns: usize) -> bool {
    picture.iter().any(|line| line.ends_with("now|") && line.len() == columns - 1)
}

#[test]
fn a_timeline_is_drawn_and_its_last_picture_left_behind() {
    let (fdscope, mut writer) = watch("--timeline --until ready");
    writer.write_all(b"hello").unwrap();
    let (text, status) = run_on_terminal(fdscope);
    assert_eq!(status, Some(0), "{text}");
    assert!(text.starts_with(ENTER), "{text:?}");
    let (_, left) = text.rsplit_once(LEAVE).expect("the screen is as it was");
    let lines: Vec<&str> = left.lines().collect();
    assert!(lines[0].starts_with("0 pipe  ") && lines[0].ends_with('^'), "{left:?}");
    assert!(lines[1].len() == 79 && lines[1].ends_with("-1s|      now|"), "{left:?}");
    assert!(lines[2].starts_with("^ readable  _ writable  # both"), "{left:?}");
    assert!(
        lines[3].contains("summary  0           epoll: 1 change") && lines[3].contains("5 seen"),
        "{left:?}"
    );
    assert_eq!(lines.len(), 4, "{left:?}");
}

#[test]
fn a_timeline_has_blocks_where_the_locale_has() {
    let (fdscope, mut writer) = watch("--timeline --until ready");
    writer.write_all(b"hello").unwrap();
    let (text, _) = run_on_terminal(fdscope.env("LC_ALL", "C.UTF-8"));
    assert!(text.contains("▀ readable  ▄ writable  █ both"), "{text:?}");
}

#[test]
fn a_timeline_follows_the_size_of_the_terminal() {
    let (fdscope, mut writer) = watch("--timeline");
    let mut terminal = OnTerminal::start(fdscope, Some(60));
    let found = |columns| move |text: &str| picture(text).filter(|p| is_as_wide_as(p, columns));
    assert_eq!(terminal.wait_until(found(60)).len(), 3);
    terminal.resize(30, 10);
    terminal.wait_until(found(30));
    // No room for anything but a row.
    terminal.resize(30, 1);
    let row = terminal.wait_until(|text| picture(text).filter(|picture| picture.len() == 1));
    assert!(row[0].starts_with("0 pipe ") && row[0].ends_with('.'), "{row:?}");
    terminal.resize(1, 1);
    terminal.wait_until(|text| picture(text).filter(|picture| picture == &[""]));
    terminal.resize(70, 10);
    terminal.wait_until(found(70));
    writer.write_all(b"hello").unwrap();
    terminal.wait_until(|text| picture(text).filter(|picture| picture[0].ends_with('^')));
    terminal.signal(Signal::SIGINT);
    let (text, status) = terminal.end();
    assert_eq!(status.signal(), Some(Signal::SIGINT as i32));
    assert_eq!((text.matches(ENTER).count(), text.matches(LEAVE).count()), (1, 1));
    let (_, left) = text.rsplit_once(LEAVE).unwrap();
    assert_eq!(left.lines().count(), 4, "{left:?}");
}

#[test]
fn a_timeline_says_how_many_fds_do_not_fit() {
    let (fdscope, _writer) = watch("--timeline --with select,poll,epoll");
    let mut terminal = OnTerminal::start(fdscope, Some(60));
    terminal.wait_until(|text| picture(text).filter(|picture| picture.len() == 5));
    terminal.resize(60, 3);
    let lines = terminal.wait_until(|text| picture(text).filter(|picture| picture.len() == 3));
    assert!(lines[0].starts_with("0 pipe select ") && lines[1] == "and 2 more", "{lines:?}");
    terminal.signal(Signal::SIGTERM);
    assert_eq!(terminal.end().1.signal(), Some(Signal::SIGTERM as i32));
}

#[test]
fn a_timeline_that_is_stopped_leaves_the_terminal() {
    let (fdscope, _writer) = watch("--timeline");
    let mut terminal = OnTerminal::start(fdscope, Some(60));
    terminal.wait_for("now|", 0);
    terminal.signal(Signal::SIGTSTP);
    terminal.wait_for_stop();
    terminal.wait_for(LEAVE, 0);
    assert!(terminal.text().ends_with(LEAVE), "{:?}", terminal.text());
    terminal.signal(Signal::SIGCONT);
    terminal.wait_until(|text| (text.matches(ENTER).count() == 2).then_some(()));
    terminal.signal(Signal::SIGTERM);
    let (text, status) = terminal.end();
    assert_eq!(status.signal(), Some(Signal::SIGTERM as i32));
    assert!(text.rfind(LEAVE) > text.rfind(ENTER), "{text:?}");
}

#[test]
fn a_timeline_wants_a_terminal() {
    let (fdscope, _writer) = watch("--timeline");
    let run = fdscope.run();
    run.check(2, "--timeline draws on a terminal").check(2, "--format jsonl").check(2, "--format trace");
    run.prints("");
    for arguments in ["--timeline --json", "--timeline --format trace"] {
        watch(arguments).0.run().check(2, "--timeline is a picture");
    }
    watch("--timeline --quiet").0.run().check(2, "exclude each other");
    watch("--timeline --tee").0.run().check(2, "cannot be used with");
    let (text, status) = run_on_terminal(watch("--timeline").0.env("TERM", "dumb"));
    assert_eq!((text.as_str(), status), ("", Some(2)));
}

/// A recording that goes on.
struct Recording {
    child: Child,
    output: PipeReader,
    text: String,
}

impl Recording {
    fn start(fdscope: Fdscope) -> Self {
        let (output, writer) = std::io::pipe().unwrap();
        let mut child = None;
        // Our copy of its standard output goes with the command.
        drop(fdscope.stdout(writer).with(|command| child = Some(command.spawn().unwrap())));
        Self { child: child.unwrap(), output, text: String::new() }
    }

    /// Reads once. There is nothing more when it has ended, which it does after a while at the latest.
    fn read(&mut self) -> bool {
        let mut buffer = [0; 4096];
        let n = self.output.read(&mut buffer).unwrap();
        self.text.push_str(std::str::from_utf8(&buffer[..n]).unwrap());
        n > 0
    }

    fn wait_for(&mut self, text: &str) {
        while !self.text.contains(text) {
            assert!(self.read(), "it has ended without {text}, but {}", self.text);
        }
    }

    fn end(mut self) -> (String, std::process::ExitStatus) {
        while self.read() {}
        (self.text, self.child.wait().unwrap())
    }
}

/// The events of a recording, without those that name things.
fn events(text: &str) -> Vec<Value> {
    let all: Vec<Value> = serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"));
    all.into_iter().filter(|event| event["ph"] != "M").collect()
}

/// The spans of a track, by their beginnings. They do not overlap.
fn spans(events: &[Value], tid: u64) -> Vec<&Value> {
    let mut spans: Vec<_> = events.iter().filter(|e| e["ph"] == "X" && e["tid"] == tid).collect();
    spans.sort_by_key(|e| e["ts"].as_u64());
    let end = |e: &Value| e["ts"].as_u64().unwrap() + e["dur"].as_u64().unwrap();
    assert!(spans.windows(2).all(|w| end(w[0]) <= w[1]["ts"].as_u64().unwrap()), "{spans:?}");
    spans
}

fn instants(events: &[Value]) -> Vec<&str> {
    events.iter().filter(|e| e["ph"] == "i").filter_map(|e| e["name"].as_str()).collect()
}

#[test]
fn a_trace_is_written_as_it_goes() {
    let (fdscope, mut writer) = watch("--drain --format trace");
    let mut recording = Recording::start(fdscope);
    recording.wait_for("\"armed\"");
    writer.write_all(b"hello").unwrap();
    recording.wait_for("\"ph\":\"X\"");
    drop(writer);
    let pid = recording.child.id();
    let (text, status) = recording.end();
    assert_eq!(status.code(), Some(0), "{text}");
    let all: Vec<Value> = serde_json::from_str(&text).unwrap();
    let name = |what: &str| all.iter().find(|e| e["name"] == what).unwrap()["args"]["name"].as_str().unwrap();
    assert_eq!(name("process_name"), "fdscope");
    assert!(name("thread_name").starts_with("0 pipe read end of "), "{text}");
    assert!(all.iter().all(|event| event["pid"] == pid), "{text}");
    let events = events(&text);
    let spans = spans(&events, 1);
    let first = spans[0];
    assert_eq!((&first["name"], &first["args"]["readable_bytes"]), (&"in".into(), &5.into()));
    assert_eq!(spans[1]["name"], "hup");
    assert_eq!(instants(&events), ["armed", "hup", "end"]);
}

#[test]
fn a_trace_is_whole_after_a_signal_and_after_its_time() {
    let (fdscope, mut writer) = watch("--with select,epoll --format trace");
    writer.write_all(b"hello").unwrap();
    let mut recording = Recording::start(fdscope);
    recording.wait_for("\"armed\"");
    kill(Pid::from_raw(recording.child.id() as i32), Signal::SIGINT).unwrap();
    let (text, status) = recording.end();
    assert_eq!(status.signal(), Some(Signal::SIGINT as i32));
    let told = events(&text);
    for (tid, selector) in [(1, "select"), (2, "epoll")] {
        let spans = spans(&told, tid);
        assert_eq!((spans.len(), &spans[0]["name"]), (1, &"in".into()), "{text}");
        assert_eq!(spans[0]["args"]["selector"], selector);
    }
    let (fdscope, _writer) = watch("--timeout 1ms --format trace");
    let run = fdscope.run();
    run.check(124, "");
    assert_eq!(instants(&events(&run.stdout())), ["armed", "timeout"]);
}

#[test]
fn edges_and_repeated_looks_are_instants_of_a_trace() {
    for arguments in ["--trigger edge", "--repeat"] {
        let (fdscope, mut writer) = watch(&format!("--format trace --count 1 {arguments}"));
        writer.write_all(b"hello").unwrap();
        let events = events(&fdscope.ok().stdout());
        assert_eq!((instants(&events), spans(&events, 1).len()), (vec!["armed", "in"], 0), "{arguments}");
    }
}

#[test]
fn only_watch_writes_traces() {
    for command in ["list", "limits", "listen :0"] {
        let run = Fdscope::new(format!("{command} --format trace")).run();
        run.check(2, "--format trace is a format of fdscope watch alone").prints("");
    }
}
