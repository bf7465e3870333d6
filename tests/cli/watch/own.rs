//! Fds that it was started with: what comes and goes on a pipe, and reading it.

use super::{armed, fdscope, names, watch_fd};
use crate::support::{Fdscope, check, eventually, number};
use serde_json::json;
use std::io::{Read as _, Write as _, pipe};
use std::time::Instant;

/// Everything that happens on a pipe, while somebody else reads it.
#[test]
fn a_pipe() {
    for with in super::LEVEL {
        let (mut reader, mut writer) = pipe().unwrap();
        let mut run = watch_fd(&reader, format!("3 --with {with} -u hup"));
        writer.write_all(b"hello").unwrap();
        let ready = run.event("ready");
        let begin = Instant::now();
        check(
            &ready,
            &json!({"target": "3", "fd": 3, "pid": {"$absent": true}, "kind": "pipe", "selector": with,
                    "trigger": "level", "readiness": ["in"], "raw": 1, "readable_bytes": 5}),
        );
        writer.write_all(b"...").unwrap();
        check(&run.event("more"), &json!({"fd": 3, "readiness": ["in"], "readable_bytes": 8}));
        let waited = begin.elapsed().as_secs_f64();
        let mut buffer = [0; 100];
        assert_eq!(reader.read(&mut buffer).unwrap(), 8);
        assert_eq!(&buffer[..8], b"hello...");
        let clear = run.event("clear");
        check(&clear, &json!({"fd": 3, "readiness": [], "raw": 0, "ready_for": {"$between": [waited, 1e3]}}));
        drop(writer);
        if with == "select" {
            // It knows no hup.
            check(&run.event("ready"), &json!({"readiness": ["in"], "readable_bytes": 0}));
            continue;
        }
        check(&run.event("hup"), &json!({"readiness": ["hup"], "raw": 16}));
        let run = run.end();
        let events = run.check(0, "").json_lines();
        assert_eq!(names(&events), ["armed", "ready", "more", "clear", "hup", "summary"]);
        check(
            &events[5],
            &json!({"transitions": 3, "bytes": 8, "ready_longest": {"$between": [waited, 1e3]},
                    "ready_total": {"$between": [waited, 1e3]}, "selector": with}),
        );
    }
}

/// The write end becomes ready, too: when somebody reads.
#[test]
fn a_full_pipe() {
    let (mut reader, writer) = pipe().unwrap();
    let size = rustix::pipe::fcntl_getpipe_size(&writer).unwrap();
    (&writer).write_all(&vec![0; size]).unwrap();
    let mut run = watch_fd(&writer, "3 -u error");
    reader.read_exact(&mut vec![0; size]).unwrap();
    check(&run.event("ready"), &json!({"readiness": ["out"], "raw": 4}));
    drop(reader);
    check(&run.event("error"), &json!({"readiness": ["out", "err"], "raw": 12}));
    run.end().check(0, "");
}

/// What is drained is clear again, until the end.
#[test]
fn drain() {
    for arguments in ["--with epoll", "--with poll", "--with select", "--with mio", "--trigger oneshot"] {
        let with_level = super::LEVEL.iter().any(|with| arguments.ends_with(with));
        let (reader, mut writer) = pipe().unwrap();
        let mut run = armed(fdscope(format!("0 --drain {arguments}")).stdin(reader));
        for _ in 0..3 {
            writer.write_all(&[7; 1000]).unwrap();
            if with_level {
                check(&run.event("ready"), &json!({"fd": 0, "readiness": ["in"]}));
                run.event("clear");
            } else {
                // What comes while it reads is read along with the rest.
                eventually("it is read", || rustix::io::ioctl_fionread(&writer) == Ok(0));
            }
        }
        drop(writer);
        run.event("end");
        let run = run.end();
        let events = run.check(0, "").json_lines();
        check(events.last().unwrap(), &json!({"event": "summary", "bytes": 3000}));
    }
}

/// With its bytes on stdout, and the events beside them.
#[test]
fn tee() {
    let data: Vec<u8> = (0..700_000_u32).flat_map(u32::to_le_bytes).collect();
    for arguments in ["--jsonl", "--jsonl --quiet", "--quiet", "--with poll", "--trigger edge"] {
        let (reader, mut writer) = pipe().unwrap();
        let written = data.clone();
        let feeder = std::thread::spawn(move || writer.write_all(&written));
        let (mut copied, out) = pipe().unwrap();
        let run = Fdscope::new(format!("watch 0 --tee {arguments}")).stdin(reader).stdout(out).start();
        let mut copy = Vec::new();
        copied.read_to_end(&mut copy).unwrap();
        assert!(copy == data, "{arguments}: {} bytes of {}", copy.len(), data.len());
        feeder.join().unwrap().unwrap();
        let run = run.end();
        let told = run.stderr();
        assert_eq!(run.status(), 0, "{told}");
        match arguments {
            "--jsonl" | "--jsonl --quiet" => {
                let event = |line: &str| serde_json::from_str(line).unwrap();
                let events: Vec<serde_json::Value> = told.lines().map(event).collect();
                assert_eq!(names(&events)[..2], ["armed", "ready"]);
                assert_eq!(names(&events)[events.len() - 2..], ["end", "summary"]);
                assert_eq!(number(events.last().unwrap(), "bytes"), data.len() as f64);
            }
            "--quiet" => assert_eq!(told, ""),
            _ => assert!(told.contains("  armed") && told.contains("nothing more to read"), "{told}"),
        }
    }
}

/// Files that epoll refuses are read, too.
#[test]
fn tee_of_a_file() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let text = "a line, and so on\n".repeat(200_000);
    file.write_all(text.as_bytes()).unwrap();
    for arguments in ["", "--with poll", "--trigger edge"] {
        let run =
            Fdscope::new(format!("watch 0 --jsonl --tee {arguments}")).stdin(file.reopen().unwrap()).run();
        let told = run.stderr();
        assert_eq!(run.status(), 0, "{told}");
        assert!(run.stdout() == text, "{arguments}: {told}");
        assert!(told.contains("\"end\"") && told.contains(&format!("\"bytes\":{}", text.len())), "{told}");
    }
}

/// It reads without waiting where the description would have it wait.
#[test]
fn flags_of_a_shared_description_stay() {
    let (reader, mut writer) = pipe().unwrap();
    let flags = rustix::fs::fcntl_getfl(&reader).unwrap();
    let mut run = watch_fd(&reader, "3 --drain");
    writer.write_all(b"x").unwrap();
    run.event("ready");
    assert_eq!(rustix::fs::fcntl_getfl(&reader).unwrap(), flags);
    drop(writer);
    run.event("end");
    run.end().check(0, "");
}

#[test]
fn an_fd_that_is_not_open() {
    let run = fdscope("7").run();
    run.check(3, "fdscope: fd 7 is not open here; a shell opens it with a redirection such as 7<FILE")
        .prints("");
    // What there is is watched all the same.
    let (reader, mut writer) = pipe().unwrap();
    let mut run = watch_fd(&reader, "7 3 -u ready");
    writer.write_all(b"x").unwrap();
    run.event("ready");
    run.end().check(0, "fd 7 is not open here");
    fdscope("0 0").run().check(3, "fd 0 is named twice");
}
