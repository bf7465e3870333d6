//! What is looked at comes to no harm.

use super::server::{Server, echo};
use super::{fdscope, watch};
use crate::exhibits::listed;
use crate::support::{Helper, Keeper, Skip, call, check, eventually, eventually_state};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::SignalFd;
use rustix::event::epoll;
use serde_json::json;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd as _;
use std::process::{Command, Stdio};
use std::time::Duration;

listed! { "loops": signalfd_in_epoll }

/// While it is watched and held up, what it closes is closed: its end is seen, its port is free.
#[test]
fn what_is_closed_is_closed() {
    if super::cannot_look() {
        return;
    }
    // With an address of its own, on which no other test may be given its port.
    let mut server = Server::start_with("level", |command| {
        command.env("FDSCOPE_TEST_ADDRESS", "127.0.77.1:0");
    });
    let mut run = watch(&server, "");
    let mut client = server.connect();
    echo(&mut client);
    server.hold_up(&mut client, b"b");
    let _waits = server.connect();
    run.event("stalled");
    let address = server.address;
    server.end();
    // Not one that is held by somebody else: it would go on.
    let mut rest = Vec::new();
    let _ = client.read_to_end(&mut rest);
    assert!(TcpStream::connect(address).is_err(), "the listener lives on");
    run.event("exited");
    drop(client);
    // Ports of connections that have ended are in the way of others unless that is said.
    let socket =
        rustix::net::socket(rustix::net::AddressFamily::INET, rustix::net::SocketType::STREAM, None).unwrap();
    rustix::net::sockopt::set_socket_reuseaddr(&socket, true).unwrap();
    rustix::net::bind(&socket, &address).unwrap();
    rustix::net::listen(&socket, 1).unwrap();
    drop(TcpListener::from(socket));
}

/// A signal that comes to a signalfd while the loop is held up. An epoll fd that somebody else polls
/// would forget it.
#[test]
fn a_signalfd_keeps_its_signal() {
    if super::cannot_look() {
        return;
    }
    let helper = Helper::start("loops::signalfd_in_epoll");
    let tid = helper.told["tid"].as_u64().unwrap();
    eventually_state(helper.pid(), tid, 'S');
    let mut run = fdscope(format!("{} --watch", helper.pid())).start();
    let loop_ = run.record("the loop", |e| e["loop"] == helper.told["epoll"]);
    // It may have a signal.
    let note = "it is judged by its other fds alone, as polling the epoll fd could take news of";
    check(&loop_, &json!({"ready": null, "note": {"$holds": note}}));
    let address = helper.told["address"].as_str().unwrap();
    let connect = || TcpStream::connect(address).unwrap();
    // The first is accepted, and the loop is held up then.
    let _clients = [connect(), connect()];
    let stalled =
        run.record("a stall while one waits", |e| e["event"] == "stalled" && e["fds"][0]["connections"] == 1);
    check(&stalled, &json!({"thread": tid, "fds": [{"kind": "tcp"}]}));
    let signal = [helper.pid() as usize, tid as usize, libc::SIGUSR1 as usize, 0, 0, 0];
    call(libc::SYS_tgkill, signal).unwrap();
    // Whatever fdscope does is done by then.
    std::thread::sleep(Duration::from_millis(100));
    for n in 1..=2 {
        std::fs::write(helper.dir().join("gate"), "x").unwrap();
        eventually("the next is accepted", || helper.dir().join(format!("accepted {n}")).exists());
    }
    eventually("it has its signal", || helper.dir().join("signalled").exists());
}

/// A loop on a listener and a signalfd that waits for somebody to write to the FIFO `gate` after each
/// connection.
fn signalfd_in_epoll(keeper: &mut Keeper) -> Result<(), Skip> {
    let gate = keeper.path("gate");
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mkfifoat(rustix::fs::CWD, &gate, mode).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (sender, receiver) = std::sync::mpsc::channel();
    let serve = move || {
        let mask = SigSet::from(Signal::SIGUSR1);
        mask.thread_block().unwrap();
        let signals = SignalFd::new(&mask).unwrap();
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).unwrap();
        epoll::add(&epoll, &listener, epoll::EventData::new_u64(0), epoll::EventFlags::IN).unwrap();
        epoll::add(&epoll, &signals, epoll::EventData::new_u64(1), epoll::EventFlags::IN).unwrap();
        sender.send((rustix::thread::gettid().as_raw_nonzero().get(), epoll.as_raw_fd())).unwrap();
        let mut clients = Vec::new();
        loop {
            let mut events = Vec::with_capacity(1);
            epoll::wait(&epoll, rustix::buffer::spare_capacity(&mut events), None).unwrap();
            if events[0].data.u64() == 1 {
                signals.read_signal().unwrap();
                std::fs::write("signalled", "").unwrap();
                continue;
            }
            clients.push(listener.accept().unwrap());
            std::fs::read(&gate).unwrap();
            std::fs::write(format!("accepted {}", clients.len()), "").unwrap();
        }
    };
    std::thread::spawn(serve);
    let (tid, epoll) = receiver.recv().unwrap();
    keeper.told = json!({"tid": tid, "epoll": epoll, "address": address});
    Ok(())
}

/// The events of an edge-triggered loop, and of oneshots, are still there.
#[test]
fn edges_are_not_taken() {
    if super::cannot_look() {
        return;
    }
    let mut server = Server::start("edge");
    let mut run = watch(&server, "");
    let (mut one, mut other) = (server.connect(), server.connect());
    echo(&mut one);
    echo(&mut other);
    for _ in 0..3 {
        server.hold_up(&mut one, b"b");
        other.write_all(b"e").unwrap();
        run.event("stalled");
        server.tell("go");
        other.read_exact(&mut [0]).unwrap();
        run.event("recovered");
    }
}

/// A tracer sees no stop and no signal: the thread's own calls are all there is.
#[test]
fn nothing_is_stopped() {
    if super::cannot_look() {
        return;
    }
    let Ok(mut strace) = Command::new("strace")
        .args(["-f", "-e", "trace=none", "-o", "/dev/stdout", "sh", "-c", "echo $$; read x"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
    else {
        return eprintln!("skipped: that no signal is sent, because there is no strace");
    };
    let mut lines = BufReader::new(strace.stdout.take().unwrap());
    let mut pid = String::new();
    lines.read_line(&mut pid).unwrap();
    let _ = fdscope(format!("{} --for 200ms", pid.trim())).run();
    drop(strace.stdin.take());
    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    strace.wait().unwrap();
    assert!(!rest.contains("--- SIG"), "{rest}");
}
