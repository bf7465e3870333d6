//! A thread in each call that is decoded.

use super::{named, of, settle, thread};
use crate::exhibits::listed;
use crate::support::{Helper, Keeper, Skip, bytes_of, call, needs};
use rustix::event::epoll;
use rustix::event::{EventfdFlags, eventfd};
use rustix::fd::{AsRawFd as _, OwnedFd};
use rustix::fs::OFlags;
use rustix::pipe::pipe;
use serde_json::{Value, json};
use std::net::TcpListener;
use std::os::fd::AsFd;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

listed! { "threads::calls": polls fds memory times children ring }

/// An hour and a half a second.
const LONG: [i64; 2] = [3600, 500_000_000];
const LONG_MS: usize = 3_600_500;

fn raw(fd: impl AsFd) -> usize {
    fd.as_fd().as_raw_fd() as usize
}

fn pollfd(fd: impl AsFd, events: i16) -> libc::pollfd {
    libc::pollfd { fd: fd.as_fd().as_raw_fd(), events, revents: 0 }
}

/// A bitmap as the kernel reads it.
fn set(fds: &[usize]) -> [u64; 16] {
    let mut words = [0; 16];
    fds.iter().for_each(|fd| words[fd / 64] |= 1 << (fd % 64));
    words
}

/// A pipe into which nothing more fits.
fn full() -> (OwnedFd, OwnedFd) {
    let (reader, writer) = pipe().unwrap();
    rustix::fs::fcntl_setfl(&writer, OFlags::NONBLOCK).unwrap();
    while rustix::io::write(&writer, &[0; 4096]).is_ok() {}
    rustix::fs::fcntl_setfl(&writer, OFlags::empty()).unwrap();
    (reader, writer)
}

/// Starts a thread that makes a call, whose arguments may point to what `arguments` makes.
fn caller<T: Send + 'static>(
    keeper: &mut Keeper,
    name: &str,
    number: libc::c_long,
    mut data: T,
    arguments: impl FnOnce(&mut T) -> [usize; 6] + Send + 'static,
) {
    thread(keeper, name, move || {
        let arguments = arguments(&mut data);
        let _ = call(number, arguments);
        drop(data);
    });
}

fn polls(keeper: &mut Keeper) -> Result<(), Skip> {
    let (reader, writer) = pipe().unwrap();
    let (_full, stuck) = full();
    let (socket, other) = UnixStream::pair().unwrap();
    let (r, w, s) = (raw(&reader), raw(&stuck), raw(&socket));
    let three = || {
        [pollfd(&reader, libc::POLLIN | libc::POLLPRI), pollfd(&stuck, libc::POLLOUT), {
            let mut none = pollfd(&socket, libc::POLLIN);
            none.fd = -1;
            none
        }]
    };
    let at = |data: &mut [libc::pollfd; 3]| data.as_mut_ptr() as usize;
    #[cfg(target_arch = "x86_64")]
    {
        caller(keeper, "poll", libc::SYS_poll, three(), move |d| [at(d), 3, LONG_MS, 0, 0, 0]);
        caller(keeper, "select", libc::SYS_select, [set(&[r, s]), set(&[w]), set(&[s])], move |d| {
            let [a, b, c] = [0, 1, 2].map(|n: usize| d[n].as_mut_ptr() as usize);
            [r.max(w).max(s) + 1, a, b, c, 0, 0]
        });
    }
    caller(keeper, "ppoll", libc::SYS_ppoll, (three(), LONG), move |d| {
        [at(&mut d.0), 1, d.1.as_ptr() as usize, 0, 8, 0]
    });
    caller(keeper, "ppoll none", libc::SYS_ppoll, (), |()| [0, 0, 0, 0, 8, 0]);
    // A number beyond the first word of the set, and one beyond what the set is said to hold.
    let high = rustix::io::fcntl_dupfd_cloexec(&reader, 700).unwrap();
    let h = raw(&high);
    caller(keeper, "pselect6", libc::SYS_pselect6, (set(&[r, h, h + 1]), LONG), move |d| {
        [h + 1, d.0.as_mut_ptr() as usize, 0, 0, d.1.as_ptr() as usize, 0]
    });
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).unwrap();
    epoll::add(&epoll, &reader, epoll::EventData::new_u64(0), epoll::EventFlags::IN).unwrap();
    let e = raw(&epoll);
    let room = || [0_u8; 48];
    #[cfg(target_arch = "x86_64")]
    caller(keeper, "epoll_wait", libc::SYS_epoll_wait, room(), move |d| {
        [e, d.as_mut_ptr() as usize, 4, usize::MAX, 0, 0]
    });
    caller(keeper, "epoll_pwait", libc::SYS_epoll_pwait, room(), move |d| {
        [e, d.as_mut_ptr() as usize, 4, LONG_MS, 0, 8]
    });
    caller(keeper, "epoll_pwait2", libc::SYS_epoll_pwait2, (room(), LONG), move |d| {
        [e, d.0.as_mut_ptr() as usize, 4, d.1.as_ptr() as usize, 0, 8]
    });
    keeper.told["fds"] = json!({"reader": r, "stuck": w, "socket": s, "high": h, "epoll": e});
    for fd in [reader, writer, _full, stuck, high, epoll] {
        keeper.keep(fd);
    }
    keeper.keep((socket, other));
    Ok(())
}

/// The records of a helper once the threads are as expected.
#[track_caller]
fn check(helper: &Helper, expected: &[(&str, Value)]) -> Vec<Value> {
    settle(|| of(helper, "").records(), expected)
}

fn is(call: &str, more: Value) -> Value {
    let mut expected =
        json!({"call": call, "state": "sleeping", "abi": "native", "error": {"$absent": true}});
    for (key, value) in more.as_object().expect("an object") {
        expected[key] = value.clone();
    }
    expected
}

#[test]
fn polls_and_selects() {
    let helper = Helper::start("threads::calls::polls");
    let fd = |name: &str| helper.told["fds"][name].as_i64().unwrap();
    let (reader, stuck, socket, high) = (fd("reader"), fd("stuck"), fd("socket"), fd("high"));
    let polled = |fd, events: &[&str], kind| json!({"fd": fd, "events": events, "kind": kind});
    let epoll = |call, more: Value| {
        let mut expected = is(call, json!({"fds": [{"fd": fd("epoll"), "kind": "epoll"}]}));
        for (key, value) in more.as_object().unwrap() {
            expected[key] = value.clone();
        }
        expected
    };
    let on_epoll = format!("on {} (watching 1 fd: {reader})", fd("epoll"));
    let long = |from: &str| json!({"$holds": from});
    let mut expected = vec![
        (
            "ppoll",
            is(
                "ppoll",
                json!({"timeout": 3600.5, "fds": [polled(reader, &["in", "pri"], "pipe")], "left": {"$between": [3000, 3600.5]},
                       "waits_for": long(&format!("ppoll on {reader} (in, pri; pipe read end of "))}),
            ),
        ),
        (
            "ppoll none",
            is("ppoll", json!({"timeout": null, "waits_for": "ppoll on no fd", "fds": {"$absent": true}})),
        ),
        (
            "pselect6",
            is(
                "pselect6",
                json!({"timeout": 3600.5, "fds": [polled(reader, &["in"], "pipe"), polled(high, &["in"], "pipe")],
                       "waits_for": long(&format!("pselect6 on {reader}, {high}, timeout 1 h 0 min"))}),
            ),
        ),
        ("epoll_pwait", epoll("epoll_pwait", json!({"timeout": 3600.5, "waits_for": long(&on_epoll)}))),
        ("epoll_pwait2", epoll("epoll_pwait2", json!({"timeout": 3600.5, "waits_for": long(&on_epoll)}))),
    ];
    if cfg!(target_arch = "x86_64") {
        let fds = [polled(reader, &["in", "pri"], "pipe"), polled(stuck, &["out"], "pipe")];
        let text = format!("poll on {reader} (in, pri), {stuck} (out), timeout 1 h 0 min");
        expected.push(("poll", is("poll", json!({"timeout": 3600.5, "fds": fds, "waits_for": long(&text)}))));
        let fds = json!({"$set": [
            polled(reader, &["in"], "pipe"), polled(stuck, &["out"], "pipe"), polled(socket, &["in", "pri"], "unix"),
        ]});
        expected
            .push(("select", is("select", json!({"timeout": null, "left": {"$absent": true}, "fds": fds}))));
        let text = format!("epoll_wait {on_epoll}");
        expected.push(("epoll_wait", epoll("epoll_wait", json!({"timeout": null, "waits_for": text}))));
    }
    check(&helper, &expected);
}

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
    let helper = Helper::start("threads::calls::fds");
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

/// A word that nobody changes.
static WORD: AtomicU32 = AtomicU32::new(7);
static OTHER: AtomicU32 = AtomicU32::new(7);

fn memory(keeper: &mut Keeper) -> Result<(), Skip> {
    let futex = |op: i32| op as usize;
    let address = |word: &'static AtomicU32| std::ptr::from_ref(word) as usize;
    WORD.store(7, Ordering::SeqCst);
    for name in ["one", "two", "three"] {
        let op = futex(libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG);
        caller(keeper, name, libc::SYS_futex, (), move |()| [address(&WORD), op, 7, 0, 0, 0]);
    }
    caller(keeper, "relative", libc::SYS_futex, LONG, move |d| {
        [address(&OTHER), futex(libc::FUTEX_WAIT), 7, d.as_ptr() as usize, 0, 0]
    });
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
    let until = [now.tv_sec + 3600, 0];
    caller(keeper, "absolute", libc::SYS_futex, until, move |d| {
        let op = futex(libc::FUTEX_WAIT_BITSET | libc::FUTEX_CLOCK_REALTIME);
        [address(&OTHER), op, 7, d.as_ptr() as usize, 0, u32::MAX as usize]
    });
    // struct futex_waitv: value, address, flags (32 bits, not private).
    let entry = |word| [7, address(word) as u64, 2];
    caller(keeper, "waitv", libc::SYS_futex_waitv, [entry(&OTHER), entry(&WORD)], move |d| {
        [d.as_ptr() as usize, 2, 0, 0, 0, 0]
    });
    keeper.told["words"] = json!([format!("{:#x}", address(&WORD)), format!("{:#x}", address(&OTHER))]);
    Ok(())
}

#[test]
fn words_of_memory() {
    let helper = Helper::start("threads::calls::memory");
    let (word, other) = (&helper.told["words"][0], &helper.told["words"][1]);
    let futex = |op: &str, word: &Value, private, others, more: Value| {
        let mut expected = is(
            "futex",
            json!({"futex": {"op": op, "words": [word], "private": private, "others": others}, "fds": {"$absent": true}}),
        );
        for (key, value) in more.as_object().unwrap() {
            expected[key] = value.clone();
        }
        expected
    };
    // Without futex_waitv(2), one fewer waits.
    let of = |n: i64| json!({"$between": [n - 1, n]});
    let one = futex("wait", word, true, of(3), json!({"timeout": null}));
    let relative = json!({"timeout": 3600.5, "left": {"$between": [3000, 3600.5]}});
    let absolute = json!({"timeout": {"$absent": true}, "left": {"$between": [3000, 3600]}});
    let expected = [
        ("one", one.clone()),
        ("two", one.clone()),
        ("three", one),
        ("relative", futex("wait", other, false, of(2), relative)),
        ("absolute", futex("wait_bitset", other, false, of(2), absolute)),
    ];
    let records = check(&helper, &expected);
    let waits_for = |name: &str| named(&records, name).unwrap()["waits_for"].as_str().unwrap().to_owned();
    assert!(waits_for("one").ends_with("others wait on the same word"), "{}", waits_for("one"));
    assert!(waits_for("absolute").ends_with(" left"), "{}", waits_for("absolute"));
    let several = named(&records, "waitv").unwrap();
    if several["call"] == "futex_waitv" {
        assert_eq!(several["futex"]["words"], json!([other, word]));
        assert!(waits_for("waitv").starts_with("futex_waitv on 2 words, 3 others"), "{several}");
    } else {
        eprintln!("skipped: futex_waitv(2), because this kernel has none");
    }
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
    let helper = Helper::start("threads::calls::times");
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
    let helper = Helper::start("threads::calls::children");
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
    let helper = Helper::start("threads::calls::ring");
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
