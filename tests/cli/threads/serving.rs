//! How a process serves, from what is seen of it.

use super::common::raw;
use super::{of, thread};
use crate::exhibits::listed;
use crate::support::{Fdscope, Helper, Keeper, PATIENCE, Skip, call, needs};
use rustix::event::epoll;
use serde_json::Value;
use std::net::{TcpListener, TcpStream};
use std::time::Instant;

listed! { "threads::serving": one_loop loops_of_clients threads_of_connections pool prefork forks ring nothing client }

/// A listener, and so many connections that were accepted from it.
fn connections(keeper: &mut Keeper, count: usize) -> (usize, Vec<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let accepted = (0..count).map(|_| {
        keeper.keep(TcpStream::connect(address).unwrap());
        let (server, _) = listener.accept().unwrap();
        let fd = raw(&server);
        keeper.keep(server);
        fd
    });
    let accepted = accepted.collect();
    let fd = raw(&listener);
    keeper.told["listener"] = address.to_string().into();
    keeper.keep(listener);
    (fd, accepted)
}

fn accepts(keeper: &mut Keeper, name: &str, listener: usize) {
    thread(keeper, name, move || drop(call(libc::SYS_accept4, [listener, 0, 0, 0, 0, 0])));
}

fn receives(keeper: &mut Keeper, name: &str, fd: usize) {
    thread(keeper, name, move || {
        let mut room = [0_u8; 8];
        drop(call(libc::SYS_recvfrom, [fd, room.as_mut_ptr() as usize, 8, 0, 0, 0]));
    });
}

/// A thread that waits for all of these.
fn loops(keeper: &mut Keeper, name: &str, fds: &[usize]) {
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).unwrap();
    for &fd in fds {
        // struct epoll_event, packed on x86-64 alone: events first, data that nobody asks for.
        let mut event = [libc::EPOLLIN as u32, 0, 0, 0];
        let add = libc::EPOLL_CTL_ADD as usize;
        call(libc::SYS_epoll_ctl, [raw(&epoll), add, fd, event.as_mut_ptr() as usize, 0, 0]).unwrap();
    }
    thread(keeper, name, move || {
        let mut room = [0_u8; 64];
        let arguments = [raw(&epoll), room.as_mut_ptr() as usize, 4, usize::MAX, 0, 8];
        drop(call(libc::SYS_epoll_pwait, arguments));
    });
}

/// A child with all that its parent has, which goes with it and does no more than one call.
fn child(number: libc::c_long, arguments: [usize; 6]) {
    if call(libc::SYS_clone, [libc::SIGCHLD as usize, 0, 0, 0, 0, 0]).expect("a child") > 0 {
        return;
    }
    // From here on system calls alone: this is one thread of a process that had several.
    let kill = libc::SIGKILL as usize;
    let _ = call(libc::SYS_prctl, [libc::PR_SET_PDEATHSIG as usize, kill, 0, 0, 0, 0]);
    loop {
        let _ = call(number, arguments);
    }
}

fn one_loop(keeper: &mut Keeper) -> Result<(), Skip> {
    let (listener, clients) = connections(keeper, 2);
    loops(keeper, "loop", &[&[listener][..], &clients].concat());
    Ok(())
}

/// One has the listener, the others the connections.
fn loops_of_clients(keeper: &mut Keeper) -> Result<(), Skip> {
    let (listener, clients) = connections(keeper, 4);
    loops(keeper, "first", &[listener]);
    loops(keeper, "second", &clients[..2]);
    loops(keeper, "third", &clients[2..]);
    Ok(())
}

fn threads_of_connections(keeper: &mut Keeper) -> Result<(), Skip> {
    let (listener, clients) = connections(keeper, 3);
    accepts(keeper, "accepts", listener);
    for (nth, fd) in clients.into_iter().enumerate() {
        receives(keeper, &format!("serves {nth}"), fd);
    }
    Ok(())
}

fn pool(keeper: &mut Keeper) -> Result<(), Skip> {
    let (listener, _) = connections(keeper, 0);
    for nth in 0..3 {
        accepts(keeper, &format!("accepts {nth}"), listener);
    }
    Ok(())
}

fn prefork(keeper: &mut Keeper) -> Result<(), Skip> {
    let (listener, _) = connections(keeper, 0);
    for _ in 0..3 {
        child(libc::SYS_accept4, [listener, 0, 0, 0, 0, 0]);
    }
    Ok(())
}

fn forks(keeper: &mut Keeper) -> Result<(), Skip> {
    let (listener, clients) = connections(keeper, 2);
    for fd in clients {
        let room = Box::leak(Box::new([0_u8; 8]));
        child(libc::SYS_recvfrom, [fd, room.as_mut_ptr() as usize, 8, 0, 0, 0]);
    }
    accepts(keeper, "accepts", listener);
    Ok(())
}

fn ring(keeper: &mut Keeper) -> Result<(), Skip> {
    connections(keeper, 0);
    let mut parameters = [0_u32; 30];
    let setup = [4, parameters.as_mut_ptr() as usize, 0, 0, 0, 0];
    let ring = needs(call(libc::SYS_io_uring_setup, setup), "io_uring_setup(2)")?;
    thread(keeper, "ring", move || drop(call(libc::SYS_io_uring_enter, [ring, 0, 1, 1, 0, 0])));
    Ok(())
}

fn nothing(keeper: &mut Keeper) -> Result<(), Skip> {
    thread(keeper, "sleeps", || {
        loop {
            std::thread::park();
        }
    });
    Ok(())
}

/// Whoever waits for the answer of a server serves nobody, though there is a listener as well.
fn client(keeper: &mut Keeper) -> Result<(), Skip> {
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    let connection = TcpStream::connect(elsewhere.local_addr().unwrap()).unwrap();
    keeper.keep(elsewhere.accept().unwrap());
    drop(elsewhere);
    receives(keeper, "asks", raw(&connection));
    loops(keeper, "loops", &[raw(&connection)]);
    keeper.keep(connection);
    Ok(())
}

/// Looks until it is said that the process serves so, for this reason: its threads, and those of others,
/// get there in their own time.
#[track_caller]
fn check(look: impl Fn() -> Vec<Value>, model: &str, likely: bool, expected: &str) {
    let until = Instant::now() + PATIENCE;
    loop {
        let records = look();
        let serving = &records[0]["serving"];
        let texts = serving["evidence"].as_array().cloned().unwrap_or_default();
        let evidence = texts.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("; ");
        if serving["model"] == model && serving["likely"] == likely && evidence.contains(expected) {
            return;
        }
        assert!(Instant::now() < until, "expected {model}, {expected}: {serving}");
    }
}

#[track_caller]
fn exhibit(name: &str, model: &str, evidence: &str) {
    let helper = Helper::start(&format!("threads::serving::{name}"));
    if helper.was_skipped() {
        return;
    }
    check(|| of(&helper, "").records(), model, model == "completion", evidence);
    // Many looks see the same.
    check(|| of(&helper, "--sample 50ms --quiet").records(), model, model == "completion", evidence);
}

#[test]
fn one_event_loop() {
    exhibit("one_loop", "event-loop", ", for 1 listener and 2 other sockets");
}

#[test]
fn several_event_loops() {
    exhibit("loops_of_clients", "event-loops", "3 threads wait for several sockets each");
}

#[test]
fn a_thread_a_connection() {
    exhibit(
        "threads_of_connections",
        "thread-per-connection",
        "threads wait for 3 connections, each for one of its own",
    );
}

#[test]
fn threads_that_accept_by_turns() {
    exhibit("pool", "thread-pool", "3 threads wait for a listener, as in accept4 on ");
}

#[test]
fn completions() {
    exhibit(
        "ring",
        "completion",
        "waits for completions in io_uring_enter; it holds the listener 127.0.0.1:",
    );
}

#[test]
fn processes_that_serve_one_listener() {
    let helper = Helper::start("threads::serving::prefork");
    let listener = helper.told["listener"].as_str().unwrap();
    let expected = format!(
        "the listener {listener} is held by 3 children of {} (helper), of which 3 wait",
        helper.pid()
    );
    check(|| of(&helper, "").records(), "prefork", false, &expected);
    for child in children(&helper) {
        let expected = format!("is held by 2 other children of {} (helper), of which 2 wait", helper.pid());
        check(|| Fdscope::new(format!("threads {child}")).records(), "prefork", false, &expected);
    }
}

#[test]
fn a_process_a_connection() {
    let helper = Helper::start("threads::serving::forks");
    let model = "process-per-connection";
    let expected = "it waits for a listener, and 2 children for a connection of the same port";
    check(|| of(&helper, "").records(), model, false, expected);
    for child in children(&helper) {
        let expected = "waits for one connection, and its parent";
        check(|| Fdscope::new(format!("threads {child}")).records(), model, false, expected);
    }
}

#[test]
fn what_serves_nobody() {
    exhibit("nothing", "unknown", "no thread waits for a listener, or for a connection that came by one");
    exhibit("client", "unknown", "none of which is seen to come by a listener");
}

#[test]
fn people_are_told_beside_the_table() {
    let helper = Helper::start("threads::serving::one_loop");
    check(|| of(&helper, "").records(), "event-loop", false, "");
    let run = of(&helper, "").run();
    run.check(0, &format!("fdscope: {} (helper) serves with one event loop: thread ", helper.pid()));
    assert_eq!(run.stderr().lines().count(), 1);
    of(&helper, "--quiet").ok();
    // Who serves nobody is not told of it.
    let helper = Helper::start("threads::serving::nothing");
    of(&helper, "").ok();
}

/// The children of a helper.
fn children(helper: &Helper) -> Vec<u32> {
    let parent = |pid: u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat[stat.rfind(')')? + 2..].split(' ').nth(1)?.parse::<u32>().ok()
    };
    let entries = std::fs::read_dir("/proc").unwrap();
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let pids: Vec<u32> = pids.filter(|&pid| parent(pid) == Some(helper.pid())).collect();
    assert!(!pids.is_empty());
    pids
}
