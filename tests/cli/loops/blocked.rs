//! Loops that do not go on, though somebody waits for them.

use super::server::{Server, echo};
use super::{fdscope, watch};
use crate::support::{Background, Fdscope, PATIENCE, check, eventually, eventually_state, number, pass};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Holds a loop up with `what` by one client, and has another one wait for it.
fn hold_up(server: &mut Server, what: &[u8]) -> (TcpStream, TcpStream) {
    let (mut one, mut other) = (server.connect(), server.connect());
    echo(&mut one);
    echo(&mut other);
    server.hold_up(&mut one, what);
    other.write_all(b"ee").unwrap();
    (one, other)
}

/// Has the loop be held up with `what`, in a call that is told with these words, until that is told; gives
/// who waits then. A loop that gives its fds each time must be seen to do so before, and with these: that
/// takes a few times.
fn stalled_in(words: &str, what: &[u8], server: &mut Server, run: &mut Background) -> (Value, TcpStream) {
    let is_told = |event: &Value| {
        event["event"] == "stalled" && event["doing"].as_str().is_some_and(|doing| doing.contains(words))
    };
    let begin = Instant::now();
    let (mut one, mut other) = (server.connect(), server.connect());
    loop {
        for _ in 0..20 {
            echo(&mut one);
            echo(&mut other);
            std::thread::sleep(Duration::from_millis(5));
        }
        server.hold_up(&mut one, what);
        other.write_all(b"ee").unwrap();
        let soon = Instant::now() + Duration::from_secs(2);
        while Instant::now() < soon {
            std::thread::sleep(Duration::from_millis(5));
            run.poll();
            if let Some(stalled) = run.seen().into_iter().rfind(is_told) {
                return (stalled, other);
            }
        }
        assert!(begin.elapsed() < PATIENCE, "it is never told");
        server.tell("go");
        other.read_exact(&mut [0; 2]).unwrap();
    }
}

/// What waits, of an event.
fn waiting(event: &Value) -> &[Value] {
    event["fds"].as_array().map_or(&[], Vec::as_slice)
}

/// In each way to wait: the thread, what it is in, and who waits for what.
#[test]
fn in_a_call() {
    if super::cannot_look() {
        return;
    }
    for how in ["level", "edge", "poll", "select"] {
        let mut server = Server::start(how);
        let mut run = watch(&server, "");
        let (stalled, mut other) = stalled_in("read on ", b"b", &mut server, &mut run);
        let selector = if matches!(how, "level" | "edge") { "epoll" } else { how };
        check(
            &stalled,
            &json!({
                "pid": server.pid(), "selector": selector, "thread": server.tid, "thread_name": "turner",
                "thread_certain": true, "doing": {"$holds": format!("read on {} (pipe ", server.gate)},
                "lasted": {"$between": [0.1, 60]}, "progress": {"$holds": "none: "},
            }),
        );
        assert_eq!(stalled["loop"], if server.epoll < 0 { Value::Null } else { server.epoll.into() });
        let fds = waiting(&stalled);
        let waits = fds.iter().find(|fd| fd["bytes"] == 2).unwrap_or_else(|| panic!("{how}: {stalled}"));
        check(waits, &json!({"kind": "tcp", "readiness": ["in"], "waited": {"$between": [0.05, 60]}}));
        let name = format!("{} → {}", server.address, other.local_addr().unwrap());
        assert_eq!(waits["name"], name.as_str());
        server.tell("go");
        other.read_exact(&mut [0; 2]).unwrap();
        let recovered = run.event("recovered");
        check(&recovered, &json!({"thread": server.tid, "doing": {"$holds": "read on "}}));
        assert!(number(&recovered, "lasted") >= number(&stalled, "lasted"));
        let events = run.end_by(Signal::SIGINT).check_signal(Signal::SIGINT, "").json_lines();
        let summary =
            events.iter().find(|e| e["event"] == "summary" && e["loop"] == stalled["loop"]).unwrap();
        check(summary, &json!({"selector": selector, "stalls": {"$between": [1, 1000]}}));
        assert!(number(summary, "stall_longest") >= number(&recovered, "lasted") - 1e-6, "{summary}");
        assert!(number(summary, "wait_longest") > 0.0 && number(summary, "stalled") > 0.0);
        assert!(waiting(summary).iter().any(|fd| fd["name"] == name.as_str()), "{summary}");
    }
}

/// In a loop of its own that a handler has, as those that wait for a child's end do.
#[test]
fn in_another_loop() {
    if super::cannot_look() {
        return;
    }
    for how in ["level", "edge"] {
        let mut server = Server::start(how);
        let mut run = watch(&server, "");
        let (_one, mut other) = hold_up(&mut server, b"n");
        let watches = format!("(watching 1 fd: {})", server.gate);
        let stalled = run.record("the stall", |event| {
            event["event"] == "stalled"
                && event["doing"].as_str().is_some_and(|doing| doing.contains(&watches))
        });
        check(
            &stalled,
            &json!({
                "loop": server.epoll, "thread": server.tid, "thread_certain": true, "call": {"$holds": "epoll_"},
                "fds_total": 1,
            }),
        );
        server.tell("go");
        other.read_exact(&mut [0; 2]).unwrap();
        check(&run.event("recovered"), &json!({"loop": server.epoll}));
        run.end_by(Signal::SIGINT).check_signal(Signal::SIGINT, "");
    }
}

/// In a poll of its own that a handler has, for a database or for a client that says nothing: that is not
/// the loop that waits, whatever it waits with itself.
#[test]
fn in_a_poll_for_something_else() {
    if super::cannot_look() {
        return;
    }
    for how in ["level", "poll", "select"] {
        let mut server = Server::start(how);
        let mut run = watch(&server, "");
        let words = format!("poll on {} (in", server.gate);
        let (stalled, mut other) = stalled_in(&words, b"p", &mut server, &mut run);
        check(&stalled, &json!({"thread": server.tid, "thread_certain": true}));
        assert!(waiting(&stalled).iter().any(|fd| fd["bytes"] == 2), "{how}: {stalled}");
        server.tell("go");
        other.read_exact(&mut [0; 2]).unwrap();
        run.event("recovered");
        let events = run.end_by(Signal::SIGINT).check_signal(Signal::SIGINT, "").json_lines();
        // It makes no other loop by that.
        let of_thread = |e: &&Value| e["event"] == "summary" && e["selector"] != "epoll";
        let loops = if how == "level" { 0 } else { 1 };
        assert_eq!(events.iter().filter(of_thread).count(), loops, "{how}: {events:?}");
    }
}

/// A server that is stopped while a client of it asks to be held up: afterwards it is so at once, and does
/// not wait in between, but for what is there already.
fn hold_up_at_once(server: &mut Server) -> TcpStream {
    let pid = Pid::from_raw(server.pid() as i32);
    kill(pid, Signal::SIGSTOP).unwrap();
    waitpid(pid, Some(WaitPidFlag::WUNTRACED)).unwrap();
    let mut client = server.connect();
    client.write_all(b"b").unwrap();
    kill(pid, Signal::SIGCONT).unwrap();
    server.hold_up(&mut client, b"");
    client
}

/// A loop that gives its fds each time is held up before it was seen to come back to them: that this was a
/// stall is told as soon as it does.
#[test]
fn the_first_time() {
    if super::cannot_look() {
        return;
    }
    for how in ["poll", "select"] {
        let (mut server, mut clock) = (Server::start(how), Server::start("level"));
        let mut run = fdscope(format!("{} {} --watch", server.pid(), clock.pid())).start();
        run.record("the loop", |event| event["event"] == "loop" && event["thread"] == server.tid);
        let _held = hold_up_at_once(&mut server);
        let mut other = server.connect();
        other.write_all(b"e").unwrap();
        // Another one, held up later, shows when it has been for long enough.
        let (_one, _two) = hold_up(&mut clock, b"b");
        run.record("the clock", |e| e["event"] == "stalled" && e["loop"] == clock.epoll);
        server.tell("go");
        other.read_exact(&mut [0]).unwrap();
        let recovered = run.record("the end of it", |e| e["event"] == "recovered" && e["selector"] == how);
        check(
            &recovered,
            &json!({"thread": server.tid, "doing": {"$holds": "read on "}, "lasted": {"$between": [0.1, 60]}}),
        );
        let events = run.end_by(Signal::SIGINT).check_signal(Signal::SIGINT, "").json_lines();
        let summary = events.iter().find(|e| e["event"] == "summary" && e["selector"] == how).unwrap();
        check(summary, &json!({"stalls": {"$between": [1, 1000]}, "note": {"$absent": true}}));
        assert!(number(summary, "stalled") >= number(&recovered, "lasted") - 1e-6, "{summary}");
    }
}

/// The same, if it never comes back: then nothing is known of it.
#[test]
fn for_ever_from_the_first_time_on() {
    if super::cannot_look() {
        return;
    }
    let mut server = Server::start("poll");
    let run = watch(&server, "");
    let _held = hold_up_at_once(&mut server);
    let _other = server.connect();
    let events = run.end_by(Signal::SIGINT).check_signal(Signal::SIGINT, "").json_lines();
    let summary = events.iter().find(|e| e["event"] == "summary" && e["selector"] == "poll").unwrap();
    let note = "its thread was not seen to come back to these fds: it was not judged";
    check(summary, &json!({"note": note, "idle": {"$absent": true}, "stalls": {"$absent": true}}));
}

/// It computes, or would if it got a CPU.
#[test]
fn by_computing() {
    if super::cannot_look() {
        return;
    }
    let mut server = Server::start("level");
    let mut run = watch(&server, "");
    let until = Instant::now() + PATIENCE;
    loop {
        let (_one, mut other) = hold_up(&mut server, b"c");
        let stalled = run.event("stalled");
        check(&stalled, &json!({"thread": server.tid, "call": null, "fds_total": 1}));
        let doing = stalled["doing"].as_str().unwrap();
        let computes = ["computing", "waiting for a CPU", "running"].iter().any(|d| doing.starts_with(d));
        assert!(computes, "{stalled}");
        server.tell("go");
        other.read_exact(&mut [0; 2]).unwrap();
        run.event("recovered");
        // Who hardly got to look has seen it once, or did not see it get a CPU.
        let share = |name: &str| stalled[name].as_f64().unwrap_or_default();
        if share("cpu_percent") + share("delay_percent") > 10.0 {
            break;
        }
        assert!(Instant::now() < until, "{stalled}");
    }
}

#[test]
fn stopped() {
    if super::cannot_look() {
        return;
    }
    let server = Server::start("level");
    let mut run = watch(&server, "");
    let pid = Pid::from_raw(server.pid() as i32);
    kill(pid, Signal::SIGSTOP).unwrap();
    // Else its thread may take the client in before it stops.
    waitpid(pid, Some(WaitPidFlag::WUNTRACED)).unwrap();
    let _client = server.connect();
    let stalled = run.event("stalled");
    check(&stalled, &json!({"thread": server.tid, "doing": {"$holds": "stopped in epoll_"}}));
    assert_eq!(waiting(&stalled)[0]["connections"], 1);
    kill(pid, Signal::SIGCONT).unwrap();
    run.event("recovered");
}

/// In a cgroup that is frozen, its thread does nothing, though the kernel says that it waits in the loop.
#[test]
fn frozen() {
    if super::cannot_look() {
        return;
    }
    for version in [2, 1] {
        let server = Server::start("level");
        let Some(freezer) = Freezer::of(server.pid(), version) else {
            eprintln!("skipped: a frozen cgroup of version {version}, because none can be made here");
            continue;
        };
        let mut run = watch(&server, "");
        freezer.freeze(true);
        let _client = server.connect();
        let stalled = run.event("stalled");
        check(&stalled, &json!({"thread": server.tid, "doing": {"$holds": "frozen in epoll_"}}));
        assert_eq!(waiting(&stalled)[0]["connections"], 1);
        let threads = Fdscope::new(format!("threads {} --json", server.pid())).run();
        let threads = &threads.check(0, "").json()["records"];
        let turner = threads.as_array().unwrap().iter().find(|t| t["tid"] == server.tid).unwrap();
        check(turner, &json!({"state": "frozen", "waits_for": {"$holds": "frozen in epoll_"}}));
        freezer.freeze(false);
        run.event("recovered");
        run.end_by(Signal::SIGINT).check_signal(Signal::SIGINT, "");
    }
}

/// A cgroup that is made to freeze a process in it.
struct Freezer {
    pid: u32,
    version: u32,
    parent: PathBuf,
    path: PathBuf,
}

impl Freezer {
    /// One with this process in it; nothing where that may not be made.
    fn of(pid: u32, version: u32) -> Option<Self> {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let (ty, named) = if version == 2 { (" cgroup2 ", "0::") } else { (" cgroup ", "freezer:") };
        let mounts = read("/proc/self/mounts");
        let is_it = |line: &&str| line.contains(ty) && (version == 2 || line.contains("freezer"));
        let mount = mounts.lines().find(is_it)?.split(' ').nth(1)?;
        let own = read("/proc/self/cgroup");
        let own = own.lines().find_map(|line| Some(line.split_once(named)?.1))?;
        let parent = PathBuf::from(format!("{mount}{own}"));
        let path = parent.join(format!("fdscope-test-{pid}"));
        std::fs::create_dir(&path).ok()?;
        let made = Self { pid, version, parent, path };
        std::fs::write(made.path.join("cgroup.procs"), pid.to_string()).ok()?;
        made.path.join(if version == 2 { "cgroup.freeze" } else { "freezer.state" }).exists().then_some(made)
    }

    /// Freezes or thaws it, and waits until it is.
    fn freeze(&self, freeze: bool) {
        let (file, word, state, done) = match (self.version, freeze) {
            (2, true) => ("cgroup.freeze", "1", "cgroup.events", "frozen 1"),
            (2, false) => ("cgroup.freeze", "0", "cgroup.events", "frozen 0"),
            (_, true) => ("freezer.state", "FROZEN", "freezer.state", "FROZEN"),
            (_, false) => ("freezer.state", "THAWED", "freezer.state", "THAWED"),
        };
        std::fs::write(self.path.join(file), word).unwrap();
        eventually(done, || std::fs::read_to_string(self.path.join(state)).unwrap().contains(done));
    }
}

impl Drop for Freezer {
    fn drop(&mut self) {
        let thaw = if self.version == 2 { ("cgroup.freeze", "0") } else { ("freezer.state", "THAWED") };
        let _ = std::fs::write(self.path.join(thaw.0), thaw.1);
        let _ = std::fs::write(self.parent.join("cgroup.procs"), self.pid.to_string());
        let _ = std::fs::remove_dir(&self.path);
    }
}

/// Its thread was not seen to wait in the loop, as it was held up from the beginning: it is the only one
/// that may serve it.
#[test]
fn from_the_beginning() {
    if super::cannot_look() {
        return;
    }
    let mut server = Server::start("level");
    let (_one, mut other) = hold_up(&mut server, b"b");
    let mut run = fdscope(format!("{} --watch", server.pid())).start();
    let stalled = run.event("stalled");
    // The other thread reads, too: its standard input.
    check(&stalled, &json!({"loop": server.epoll, "fds_total": 1}));
    server.tell("go");
    other.read_exact(&mut [0; 2]).unwrap();
    run.event("recovered");
}

/// Two servers with one listener. That the other one accepts does not make this one well.
#[test]
fn while_another_process_accepts() {
    if super::cannot_look() {
        return;
    }
    let listener = OwnedFd::from(TcpListener::bind("127.0.0.1:0").unwrap());
    let start = || {
        Server::start_with("level", |command| {
            pass(command, &listener, 9);
            command.env("FDSCOPE_TEST_LISTENER", "9");
        })
    };
    let (mut first, second) = (start(), start());
    let other = Pid::from_raw(second.pid() as i32);
    // The first one gets this client, and is held up by it.
    kill(other, Signal::SIGSTOP).unwrap();
    eventually_state(second.pid(), second.tid, 'T');
    let mut held = first.connect();
    echo(&mut held);
    first.hold_up(&mut held, b"b");
    held.write_all(b"e").unwrap();
    kill(other, Signal::SIGCONT).unwrap();
    let mut run = fdscope(format!("{} {} --watch", first.pid(), second.pid())).start();
    // Others come all the time, and are served by the other one.
    let stalled = loop {
        echo(&mut first.connect());
        std::thread::sleep(Duration::from_millis(1));
        run.poll();
        let events = run.seen();
        if let Some(event) = events.iter().find(|e| e["event"] == "stalled" && e["pid"] == first.pid()) {
            break event.clone();
        }
    };
    check(&stalled, &json!({"loop": first.epoll}));
    assert!(waiting(&stalled).iter().any(|fd| fd["bytes"] == 1), "{stalled}");
}
