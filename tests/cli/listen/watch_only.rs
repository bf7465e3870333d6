//! `--watch-only`: the queue of a listener that is not ours, and that we do not hold.

use super::client::{TCP_SYN_SENT, attempt, connect, connect_as, state, wait};
use super::{abstract_name, address, listen, named};
use crate::exhibits::listed;
use crate::support::{Fdscope, Helper, Keeper, NOBODY, Skip, check, in_own_network, numbers, run_as};
use nix::sys::signal::Signal;
use rustix::event::PollFlags;
use rustix::net::SocketType;
use serde_json::json;
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd as _;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};

listed! { "watch_only": queue elsewhere }

/// A listener with a backlog of 2, and one connection that waits.
fn queue(keeper: &mut Keeper) -> Result<(), Skip> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    rustix::net::listen(&listener, 2).unwrap();
    let address = listener.local_addr().unwrap();
    keeper.keep(TcpStream::connect(address).unwrap());
    keeper.told = json!({"address": address.to_string()});
    keeper.show("listener", listener, json!({}));
    Ok(())
}

/// The same, in a network of its own.
fn elsewhere(keeper: &mut Keeper) -> Result<(), Skip> {
    crate::support::own_network()?;
    crate::support::raise_loopback().map_err(|e| Skip(format!("the loopback interface: {e}")))?;
    queue(keeper)
}

/// A listener of this process.
fn listener(backlog: i32) -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    rustix::net::listen(&listener, backlog).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

fn own(fd: &impl std::os::fd::AsRawFd) -> String {
    format!("{}:{}", std::process::id(), fd.as_raw_fd())
}

/// By the fd of a process, until the process closes it.
#[test]
fn an_fd() {
    let helper = Helper::start("watch_only::queue");
    let (pid, fd) = (helper.pid(), helper.fd("listener"));
    let to = helper.told["address"].as_str().unwrap().to_owned();
    let (mut run, listening) = listen(format!("--watch-only {pid}:{fd} --interval 10ms"));
    let backlog = json!({"requested": null, "effective": 2, "admits": 3});
    let expected = json!({
        "address": to, "pid": pid, "fd": fd, "command": "helper", "family": "tcp", "backlog": backlog,
    });
    check(&listening, &expected);
    check(&run.event("queue"), &json!({"address": to, "waiting": 1, "max": 2, "peak": 1, "full": false}));
    let _clients = [connect(&to), connect(&to)];
    run.record("a full queue", |e| e["waiting"] == 3 && e["full"] == true);
    let late = attempt(&to, SocketType::STREAM).unwrap();
    check(&run.event("overflow"), &json!({"listener_drops": {"$between": [1, 100]}}));
    assert_eq!(state(&late), TCP_SYN_SENT);
    drop(helper);
    let closed = run.event("closed");
    check(&closed, &json!({"address": to, "error": {"$absent": true}}));
    let run = run.end();
    let events = run.check(3, "").json_lines();
    check(events.last().unwrap(), &json!({"event": "summary", "accepted": null, "peak": 3}));
}

/// All on one port, with those who have them.
#[test]
fn a_port() {
    in_own_network(|| {
        let (first, to) = listener(1);
        let port = first.local_addr().unwrap().port();
        let second = TcpListener::bind(format!("127.0.0.2:{port}")).unwrap();
        let (mut run, listening) = listen(format!("--watch-only {port} --interval 10ms"));
        let mut both = [listening, run.event("listening")];
        both.sort_by_key(|e| address(e).to_owned());
        for (event, listener) in both.iter().zip([&first, &second]) {
            let (local, pid) = (listener.local_addr().unwrap().to_string(), std::process::id());
            check(event, &json!({"address": local, "pid": pid, "fd": listener.as_raw_fd()}));
        }
        let client = connect(&to);
        let more = |e: &serde_json::Value| e["event"] == "queue" && e["waiting"] == 1;
        check(&run.record("the client", more), &json!({"address": to, "max": 1}));
        // One goes, and the other stays.
        drop(second);
        check(&run.event("closed"), &json!({"address": format!("127.0.0.2:{port}")}));
        first.accept().unwrap();
        run.record("the client, accepted", |e| e["address"] == to && e["waiting"] == 0);
        drop((first, client));
        check(&run.event("closed"), &json!({"address": to}));
        run.end().check(3, "");
    });
}

/// Of two that share an address, the one that is gone is not all that there is.
#[test]
fn a_shared_port() {
    in_own_network(|| {
        let share = |to: &str| {
            let family = rustix::net::AddressFamily::INET;
            let socket = rustix::net::socket(family, SocketType::STREAM, None).unwrap();
            rustix::net::sockopt::set_socket_reuseport(&socket, true).unwrap();
            rustix::net::bind(&socket, &to.parse::<std::net::SocketAddr>().unwrap()).unwrap();
            rustix::net::listen(&socket, 1).unwrap();
            TcpListener::from(socket)
        };
        let first = share("127.0.0.1:0");
        let to = first.local_addr().unwrap();
        let second = share(&to.to_string());
        let port = to.port();
        let mut run = Fdscope::new(format!("listen --watch-only {port} --interval 10ms")).start();
        (0..4).for_each(|_| drop(run.line()));
        for socket in [first, second] {
            assert!(!run.has_ended());
            drop(socket);
            let line = run.line();
            assert!(line.ends_with(&format!("  closed     {to}  this socket listens no more")), "{line}");
        }
        run.end().check(3, "");
    });
}

/// That it is looked at does not keep it: its port can be had again at once.
#[test]
fn it_is_not_held() {
    in_own_network(|| {
        let (first, to) = listener(1);
        // It will not look again in the time that this takes.
        let port = first.local_addr().unwrap().port();
        let (run, _) = listen(format!("--watch-only {port} --interval 1h"));
        let inode = rustix::fs::fstat(&first).unwrap().st_ino;
        for fd in numbers(run.pid()) {
            let link = std::fs::read_link(format!("/proc/{}/fd/{fd}", run.pid())).unwrap();
            assert_ne!(link.to_str().unwrap(), format!("socket:[{inode}]"));
        }
        drop(first);
        // A child that another test is starting may have it until it is that other program.
        crate::support::eventually("the port is free", || TcpListener::bind(&to).is_ok());
        let run = run.end_by(Signal::SIGTERM);
        let events = run.check_signal(Signal::SIGTERM, "").json_lines();
        check(named(&events, "closed")[0], &json!({"address": to}));
    });
}

#[test]
fn a_unix_listener() {
    let name = abstract_name("watched");
    let wanted = SocketAddr::from_abstract_name(&name["unix:@".len()..]).unwrap();
    let stream = UnixListener::bind_addr(&wanted).unwrap();
    rustix::net::listen(&stream, 1).unwrap();
    let family = rustix::net::AddressFamily::UNIX;
    let packets = rustix::net::socket(family, SocketType::SEQPACKET, None).unwrap();
    let path = tempfile::tempdir().unwrap();
    let path = path.path().join("socket");
    rustix::net::bind(&packets, &rustix::net::SocketAddrUnix::new(&path).unwrap()).unwrap();
    rustix::net::listen(&packets, 1).unwrap();
    let file = format!("unix:{}", path.display());
    for (fd, to, socket_type, word) in [
        (stream.into(), name, SocketType::STREAM, "stream"),
        (packets, file, SocketType::SEQPACKET, "seqpacket"),
    ] {
        let fd: std::os::fd::OwnedFd = fd;
        let (mut run, listening) = listen(format!("--watch-only {} --interval 10ms", own(&fd)));
        let backlog = json!({"requested": null, "effective": 1, "admits": 2});
        let expected = json!({"address": to, "family": "unix", "type": word, "backlog": backlog});
        check(&listening, &expected);
        check(&run.event("queue"), &json!({"waiting": 0}));
        let _clients = [connect_as(&to, socket_type), connect_as(&to, socket_type)];
        run.record("a full queue", |e| e["waiting"] == 2 && e["full"] == true);
        drop(fd);
        check(&run.event("closed"), &json!({"address": to}));
        run.end().check(3, "");
    }
}

/// Its network is the one of the process.
#[test]
fn in_another_network() {
    let helper = Helper::start("watch_only::elsewhere");
    if helper.was_skipped() {
        return;
    }
    let (mut run, listening) =
        listen(format!("--watch-only {}:{} --interval 10ms", helper.pid(), helper.fd("listener")));
    let expected =
        json!({"address": helper.told["address"], "command": "helper", "backlog": {"effective": 2}});
    check(&listening, &expected);
    check(&run.event("queue"), &json!({"waiting": 1, "max": 2}));
    drop(helper);
    run.event("closed");
    let run = run.end();
    // The counters are those of its network, where nothing was dropped.
    let summary = json!({"listener_drops": 0});
    check(run.check(3, "").json_lines().last().unwrap(), &summary);
    // Who may not enter it is told so.
    let helper = Helper::start_with("watch_only::elsewhere", |_| {});
    let target = format!("{}:{}", helper.pid(), helper.fd("listener"));
    let run = Fdscope::new(format!("listen --watch-only {target}")).with(|c| run_as(c, NOBODY)).run();
    run.check(3, &format!("fdscope: {target}: ")).prints("");
}

#[test]
fn what_is_no_listener() {
    let wrong = |target: &str, why: &str| {
        Fdscope::new(format!("listen --watch-only {target}")).run().check(3, why).prints("");
    };
    let pid = std::process::id();
    let (listener, to) = listener(1);
    let client = connect(&to);
    wait(&listener, PollFlags::IN);
    let of = |fd: &dyn std::os::fd::AsRawFd| format!("{pid}:{}", fd.as_raw_fd());
    let no = |target: String, why: &str| wrong(&target, &format!("fdscope: {target}: {why}\n"));
    no(of(&client), "the socket does not listen, or is neither TCP nor unix");
    no(of(&std::fs::File::open("/dev/null").unwrap()), "the fd is not a socket");
    no(format!("{pid}:99999"), "the process has no such fd");
    let nobody = std::fs::read_to_string("/proc/sys/kernel/pid_max").unwrap().trim().parse::<u64>().unwrap();
    no(format!("{nobody}:3"), &format!("no process has pid {nobody}"));
    in_own_network(|| {
        wrong("80", "fdscope: nothing listens on TCP port 80 in this network namespace\n");
    });
}

/// With --count, it ends after so many changes: how it was found is none.
#[test]
fn count() {
    let (listener, to) = listener(5);
    let (mut run, _) = listen(format!("--watch-only {} --interval 10ms --count 1", own(&listener)));
    check(&run.event("queue"), &json!({"waiting": 0}));
    let _client = connect(&to);
    let run = run.end();
    check(run.check(0, "").json_lines().last().unwrap(), &json!({"event": "summary", "waiting": 1}));
}
