//! A thread in each call that waits for several fds, or for a word of memory.

use super::common::{LONG, LONG_MS, caller, check, full, is, raw};
use super::named;
use crate::exhibits::listed;
use crate::support::{Helper, Keeper, Skip};
use rustix::event::epoll;
use rustix::fd::AsRawFd as _;
use rustix::pipe::pipe;
use serde_json::{Value, json};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU32, Ordering};

listed! { "threads::calls": polls memory }

fn pollfd(fd: impl AsFd, events: i16) -> libc::pollfd {
    libc::pollfd { fd: fd.as_fd().as_raw_fd(), events, revents: 0 }
}

/// A bitmap as the kernel reads it.
fn set(fds: &[usize]) -> [u64; 16] {
    let mut words = [0; 16];
    fds.iter().for_each(|fd| words[fd / 64] |= 1 << (fd % 64));
    words
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
