//! A thread in each call on an fd, for a time, a signal, a child or a completion.

use super::common::{LONG, caller, check, full, is, raw};
use super::{named, of, thread};
use crate::exhibits::listed;
use crate::support::{Fdscope, Helper, Keeper, Skip, bytes_of, call, eventually, needs};
use rustix::event::{EventfdFlags, eventfd};
use rustix::pipe::pipe;
use serde_json::{Value, json};
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::process::{Command, Stdio};

listed! { "threads::waits": fds times children ring }

fn fds(keeper: &mut Keeper) -> Result<(), Skip> {
    let (reader, writer) = pipe().unwrap();
    let (_full, stuck) = full();
    let (other_reader, other_writer) = pipe().unwrap();
    let counter = eventfd(0, EventfdFlags::CLOEXEC).unwrap();
    let (socket, peer) = UnixStream::pair().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (r, w, c, s, l) = (raw(&reader), raw(&stuck), raw(&counter), raw(&socket), raw(&listener));
    let (from, to) = (raw(&other_reader), raw(&writer));
    let room = || [0_u8; 8];
    let at = |data: &mut [u8; 8]| data.as_mut_ptr() as usize;
    caller(keeper, "read pipe", libc::SYS_read, room(), move |d| [r, at(d), 8, 0, 0, 0]);
    caller(keeper, "read eventfd", libc::SYS_read, room(), move |d| [c, at(d), 8, 0, 0, 0]);
    caller(keeper, "write pipe", libc::SYS_write, room(), move |d| [w, at(d), 8, 0, 0, 0]);
    caller(keeper, "recvfrom", libc::SYS_recvfrom, room(), move |d| [s, at(d), 8, 0, 0, 0]);
    caller(keeper, "accept4", libc::SYS_accept4, (), move |()| [l, 0, 0, 0, 0, 0]);
    caller(keeper, "splice", libc::SYS_splice, (), move |()| [from, 0, to, 0, 8, 0]);
    // A queue that holds one connection, and has it.
    let name = format!("fdscope threads {}", std::process::id());
    let address = SocketAddr::from_abstract_name(name.as_bytes()).unwrap();
    let busy = UnixListener::bind_addr(&address).unwrap();
    call(libc::SYS_listen, [raw(&busy), 0, 0, 0, 0, 0]).unwrap();
    keeper.keep(UnixStream::connect_addr(&address).unwrap());
    keeper.keep(busy);
    thread(keeper, "connect", move || drop(UnixStream::connect_addr(&address)));
    let path = keeper.path("lock");
    let lock = std::fs::File::create(&path).unwrap();
    lock.lock().unwrap();
    let again = std::fs::File::open(&path).unwrap();
    let f = raw(&again);
    caller(keeper, "flock", libc::SYS_flock, (), move |()| [f, libc::LOCK_EX as usize, 0, 0, 0, 0]);
    let fifo = keeper.path("fifo");
    rustix::fs::mknodat(rustix::fs::CWD, &*fifo, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    thread(keeper, "open fifo", move || drop(std::fs::File::open(fifo)));
    keeper.told["fds"] = json!({"reader": r, "stuck": w, "counter": c, "socket": s, "listener": l, "from": from, "to": to, "lock": f});
    keeper.told["address"] = listener.local_addr().unwrap().to_string().into();
    for fd in [reader, writer, _full, stuck, other_reader, other_writer, counter] {
        keeper.keep(fd);
    }
    keeper.keep((socket, peer, listener, lock, again));
    Ok(())
}

#[test]
fn calls_on_fds() {
    let helper = Helper::start("threads::waits::fds");
    let fd = |name: &str| helper.told["fds"][name].as_i64().unwrap();
    let one = |call: &str, name: &str, kind: &str, text: &str| {
        let waits_for = format!("{call} on {} ({kind} {text}", fd(name));
        is(
            call,
            json!({
                "fds": [{"fd": fd(name), "kind": kind, "name": {"$holds": text.trim_end_matches(')')}}],
                "waits_for": {"$holds": waits_for},
                "timeout": {"$absent": true},
            }),
        )
    };
    let address = helper.told["address"].as_str().unwrap();
    let expected = [
        ("read pipe", one("read", "reader", "pipe", "read end of ")),
        ("read eventfd", one("read", "counter", "eventfd", "")),
        ("write pipe", one("write", "stuck", "pipe", "write end of ")),
        ("recvfrom", one("recvfrom", "socket", "unix", "stream connected")),
        ("accept4", one("accept4", "listener", "tcp", &format!("{address} listen, queue 0"))),
        ("flock", one("flock", "lock", "regular", "/")),
        ("open fifo", json!({"call": {"$holds": "open"}})),
        (
            "connect",
            is("connect", json!({"fds": [{"kind": "unix"}], "waits_for": {"$holds": "connect on "}})),
        ),
        (
            "splice",
            is(
                "splice",
                json!({
                    "fds": [{"fd": fd("from")}, {"fd": fd("to")}],
                    "waits_for": {"$holds": format!("splice from {} (pipe ", fd("from"))},
                }),
            ),
        ),
    ];
    let records = check(&helper, &expected);
    // What is not decoded is named, with what the kernel says of it where it may be asked.
    let fifo = named(&records, "open fifo").unwrap();
    assert!(matches!(fifo["call"].as_str(), Some("open" | "openat")), "{fifo}");
    let function = fifo["wchan"].as_str().unwrap_or_default();
    let text = format!("{}, in the kernel at {function}", fifo["call"].as_str().unwrap());
    assert!(function.is_empty() || fifo["waits_for"] == *text, "{fifo}");
}

fn times(keeper: &mut Keeper) -> Result<(), Skip> {
    caller(keeper, "nanosleep", libc::SYS_nanosleep, LONG, |d| [d.as_ptr() as usize, 0, 0, 0, 0, 0]);
    caller(keeper, "relative", libc::SYS_clock_nanosleep, LONG, |d| {
        [libc::CLOCK_BOOTTIME as usize, 0, d.as_ptr() as usize, 0, 0, 0]
    });
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    caller(keeper, "absolute", libc::SYS_clock_nanosleep, [now.tv_sec + 3600, 0], |d| {
        [libc::CLOCK_MONOTONIC as usize, libc::TIMER_ABSTIME as usize, d.as_ptr() as usize, 0, 0, 0]
    });
    // SIGUSR2 and SIGINT.
    let set = 1_u64 << (libc::SIGUSR2 - 1) | 1 << (libc::SIGINT - 1);
    caller(keeper, "signal", libc::SYS_rt_sigtimedwait, (set, LONG), |d| {
        [std::ptr::from_ref(&d.0) as usize, 0, d.1.as_ptr() as usize, 8, 0, 0]
    });
    caller(keeper, "suspend", libc::SYS_rt_sigsuspend, 0_u64, |d| {
        [std::ptr::from_ref(d) as usize, 8, 0, 0, 0, 0]
    });
    thread(keeper, "busy", || {
        loop {
            std::hint::spin_loop();
        }
    });
    Ok(())
}

#[test]
fn times_and_signals() {
    let helper = Helper::start("threads::waits::times");
    let given = |call: &str, text: &str| {
        is(
            call,
            json!({"timeout": 3600.5, "left": {"$between": [3000, 3600.5]}, "waits_for": {"$holds": text}}),
        )
    };
    let absolute = json!({"timeout": {"$absent": true}, "left": {"$between": [3000, 3600]}, "waits_for": {"$holds": " left"}});
    let expected = [
        ("nanosleep", given("nanosleep", "nanosleep 1 h 0 min")),
        ("relative", given("clock_nanosleep", "clock_nanosleep 1 h 0 min")),
        ("absolute", is("clock_nanosleep", absolute)),
        ("signal", given("rt_sigtimedwait", "rt_sigtimedwait for INT, USR2, timeout 1 h 0 min")),
        ("suspend", is("rt_sigsuspend", json!({"timeout": null, "waits_for": "rt_sigsuspend for a signal"}))),
        (
            "busy",
            json!({"state": "running", "call": {"$absent": true}, "waits_for": "running", "asleep": {"$absent": true}}),
        ),
    ];
    let records = check(&helper, &expected);
    assert!(named(&records, "busy").unwrap()["cpu"].as_f64() > Some(0.0));
    let clock = |record: &Value| record["clock"].clone();
    let records = of(&helper, "--columns name,clock").records();
    assert_eq!(clock(named(&records, "absolute").unwrap()), "monotonic");
    assert_eq!(clock(named(&records, "nanosleep").unwrap()), Value::Null);
}

fn children(keeper: &mut Keeper) -> Result<(), Skip> {
    let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let pid = child.id() as usize;
    keeper.told["child"] = pid.into();
    let any = usize::MAX;
    caller(keeper, "wait4", libc::SYS_wait4, (), move |()| [pid, 0, 0, 0, 0, 0]);
    caller(keeper, "wait4 any", libc::SYS_wait4, (), move |()| [any, 0, 0, 0, 0, 0]);
    let exited = (libc::WEXITED | libc::WNOWAIT) as usize;
    caller(keeper, "waitid", libc::SYS_waitid, (), move |()| [libc::P_PID as usize, pid, 0, exited, 0, 0]);
    let stdin = child.stdin.take();
    keeper.keep((child, stdin));
    Ok(())
}

#[test]
fn ends_of_children() {
    let helper = Helper::start("threads::waits::children");
    let child = &helper.told["child"];
    let expected = [
        ("wait4", is("wait4", json!({"waits_for": format!("wait4 for child {child} (cat)")}))),
        ("wait4 any", is("wait4", json!({"waits_for": "wait4 for any child"}))),
        ("waitid", is("waitid", json!({"waits_for": format!("waitid for child {child} (cat)")}))),
    ];
    check(&helper, &expected);
}

fn ring(keeper: &mut Keeper) -> Result<(), Skip> {
    // struct io_uring_params: 120 bytes.
    let mut parameters = [0_u32; 30];
    let setup = [4, parameters.as_mut_ptr() as usize, 0, 0, 0, 0];
    let ring = needs(call(libc::SYS_io_uring_setup, setup), "io_uring_setup(2)")?;
    const GETEVENTS: usize = 1;
    const EXT_ARG: usize = 1 << 3;
    caller(keeper, "ring", libc::SYS_io_uring_enter, (), move |()| [ring, 0, 1, GETEVENTS, 0, 0]);
    // struct io_uring_getevents_arg: a mask, its size, and the address of a time.
    let argument = Box::new((LONG, [0_u64, 8, 0]));
    caller(keeper, "ring timed", libc::SYS_io_uring_enter, argument, move |d| {
        d.1[2] = d.0.as_ptr() as u64;
        [ring, 0, 2, GETEVENTS | EXT_ARG, d.1.as_ptr() as usize, bytes_of(&d.1).len()]
    });
    keeper.told["ring_fd"] = ring.into();
    Ok(())
}

#[test]
fn completions() {
    let helper = Helper::start("threads::waits::ring");
    if helper.was_skipped() {
        return;
    }
    let ring = &helper.told["ring_fd"];
    let enter = |text: &str, timeout: Value| {
        is(
            "io_uring_enter",
            json!({"fds": [{"fd": ring, "kind": "io_uring"}], "waits_for": {"$holds": text}, "timeout": timeout}),
        )
    };
    let expected = [
        ("ring", enter(" for 1 completion", Value::Null)),
        ("ring timed", enter(" for 2 completions, timeout 1 h 0 min", json!(3600.5))),
    ];
    check(&helper, &expected);
}

#[test]
fn the_other_end_is_named_if_that_is_wanted() {
    let mut cat = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let pid = cat.id();
    let look = |more: &str| {
        let run = Fdscope::new(format!("threads {pid} --quiet --columns waits_for --no-header {more}"));
        run.ok().stdout()
    };
    let from = format!("from {}/", std::process::id());
    eventually("it reads", || look("").starts_with("read on 0 (pipe"));
    let (plain, with_peers) = (look(""), look("--peers"));
    drop(cat.stdin.take());
    cat.wait().unwrap();
    assert!(!plain.contains(&from), "{plain}");
    assert!(with_peers.contains(&from), "{with_peers}");
}
