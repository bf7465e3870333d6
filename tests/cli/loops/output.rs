//! The formats.

use super::server::{Server, echo};
use crate::support::Fdscope;
use nix::sys::signal::Signal;
use std::io::Write as _;

#[test]
fn a_look_for_people() {
    if super::cannot_look() {
        return;
    }
    let server = Server::start("level");
    let run = Fdscope::new(format!("loops {}", server.pid())).run();
    let lines = run.check(0, "").lines();
    let at = |start: String| {
        let found = lines.iter().find(|line| line.starts_with(&start));
        found.unwrap_or_else(|| run.fail(&format!("no line begins with {start}"))).clone()
    };
    let head = at(format!("{}:{}  ", server.pid(), server.epoll));
    assert!(head.ends_with(" epoll, idle; watches 1 fd: 1 tcp"), "{head}");
    let thread = at(format!("    thread {} turner: epoll_", server.tid));
    assert!(thread.contains(&format!("wait on {} (watching 1 fd: ", server.epoll)), "{thread}");
    at("    FD  KIND  EVENTS  DATA  NOW  NAME".to_owned());
    let row = at(format!("    {:2}  tcp   in      ", server.listener));
    assert!(row.contains(&format!("-    {} listen, queue 0 of ", server.address)), "{row}");
}

#[test]
fn events_for_people() {
    if super::cannot_look() {
        return;
    }
    let mut server = Server::start("level");
    let mut run = Fdscope::new(format!("loops {} --watch", server.pid())).start();
    assert!(run.line().contains("  loop       "));
    let (mut one, mut other) = (server.connect(), server.connect());
    echo(&mut one);
    echo(&mut other);
    server.hold_up(&mut one, b"b");
    other.write_all(b"e").unwrap();
    let stalled = loop {
        let line = run.line();
        // Before, it may have had no CPU for long.
        if line.contains("  stalled  ") && line.contains(" turner: read on ") {
            break line;
        }
    };
    assert!(
        stalled.contains(&format!("thread {} turner: read on {} (pipe ", server.tid, server.gate)),
        "{stalled}"
    );
    assert!(stalled.contains("(in, 1 to read, for "), "{stalled}");
    let run = run.end_by(Signal::SIGINT);
    run.check_signal(Signal::SIGINT, "");
    let summary = run.lines().into_iter().rfind(|line| line.contains("  summary  ")).unwrap();
    let stalls = match run.lines().iter().filter(|line| line.contains("  stalled  ")).count() {
        1 => "1 stall, the longest ".to_owned(),
        stalls => format!("{stalls} stalls, the longest "),
    };
    assert!(summary.contains(&stalls), "{summary}");
}

#[test]
fn for_programs() {
    if super::cannot_look() {
        return;
    }
    let server = Server::start("level");
    let pid = server.pid();
    let records = Fdscope::new(format!("loops {pid}")).records();
    assert!(records.iter().any(|r| r["event"] == "loop" && r["loop"] == server.epoll));
    let lines = Fdscope::new(format!("loops {pid} --format tsv")).run().check(0, "").lines();
    assert!(lines[0].starts_with("event\ttime\telapsed\tpid\tcommand\tselector\tloop\tthread\t"));
    let columns = lines[0].split('\t').count();
    assert!(lines.iter().all(|line| line.split('\t').count() == columns));
    let document = Fdscope::new(format!("loops {pid} --for 200ms --json")).run().check(0, "").records();
    assert_eq!(document.last().unwrap()["event"], "summary");
    Fdscope::new(format!("loops {pid} --format trace"))
        .run()
        .check(2, "--format trace is a format of fdscope watch alone");
}

#[test]
fn a_full_disk() {
    if super::cannot_look() {
        return;
    }
    let server = Server::start("level");
    for arguments in ["", "--for 200ms"] {
        for format in ["table", "json", "jsonl", "tsv"] {
            let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
            let run = Fdscope::new(format!("loops {} {arguments} --format {format}", server.pid()))
                .stdout(full)
                .run();
            run.check(2, "fdscope: cannot write the output: No space left on device");
        }
    }
}
