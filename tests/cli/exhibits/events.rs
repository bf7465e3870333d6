//! Counters, timers and signals as fds.

use super::exhibits;
use crate::support::{Keeper, Skip, call_fd, needs};
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use serde_json::{Value, json};
use std::os::fd::{AsRawFd as _, OwnedFd};

exhibits! { "events": eventfd_kinds timer_periodic timer_overdue timer_absolute timer_disarmed timer_expired signals all_signals }

/// A line of our own fdinfo, the only place where an eventfd's id is told.
fn own_info(fd: &OwnedFd, key: &str) -> u64 {
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", fd.as_raw_fd())).unwrap();
    let line = info.lines().find_map(|l| l.strip_prefix(key)).unwrap_or_else(|| panic!("{key} in {info}"));
    line.trim_start_matches(':').trim().parse().unwrap()
}

fn eventfd_kinds(keeper: &mut Keeper) -> Result<(), Skip> {
    let flags = EventfdFlags::SEMAPHORE | EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC;
    let first = eventfd(31, flags).unwrap();
    let second = first.try_clone().unwrap();
    let id = own_info(&first, "eventfd-id");
    for (name, fd) in [("first", first), ("second", second)] {
        let fields = json!({"count": 31, "id": id, "semaphore": true});
        keeper.show(
            name,
            fd,
            json!({"kind": "eventfd", "name": format!("count 31, id {id}"), "eventfd": fields}),
        );
    }
    let plain = eventfd(0, EventfdFlags::empty()).unwrap();
    rustix::io::write(&plain, &(u64::MAX - 1).to_ne_bytes()).unwrap();
    let fields = json!({"count": u64::MAX - 1, "id": own_info(&plain, "eventfd-id"), "semaphore": false});
    keeper.show("at its maximum", plain, json!({"kind": "eventfd", "eventfd": fields}));
    Ok(())
}

fn time(seconds: i64, nanoseconds: i64) -> Timespec {
    Timespec { tv_sec: seconds, tv_nsec: nanoseconds }
}

fn timer(clock: TimerfdClockId, flags: TimerfdTimerFlags, value: Timespec, interval: Timespec) -> OwnedFd {
    let timer = timerfd_create(clock, TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK).unwrap();
    let setting = Itimerspec { it_interval: interval, it_value: value };
    timerfd_settime(&timer, flags, &setting).unwrap();
    timer
}

fn fields(clock: &str, armed: bool, remaining: Value, interval: f64, absolute: bool) -> Value {
    json!({"kind": "timerfd", "timerfd": {
        "clock": clock, "armed": armed, "remaining": remaining, "interval": interval, "ticks": 0,
        "absolute": absolute,
    }})
}

const NEVER: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

fn timer_periodic(keeper: &mut Keeper) -> Result<(), Skip> {
    let relative = TimerfdTimerFlags::empty();
    let remaining = json!({"$between": [4000, 5000]});
    for (clock, word) in [(TimerfdClockId::Monotonic, "monotonic"), (TimerfdClockId::Boottime, "boottime")] {
        let timer = timer(clock, relative, time(5000, 0), time(3600, 500_000_000));
        keeper.show(word, timer, fields(word, true, remaining.clone(), 3600.5, false));
    }
    Ok(())
}

/// One that is due stands still until it is read, when the kernel counts what it missed.
fn timer_overdue(keeper: &mut Keeper) -> Result<(), Skip> {
    let timer = timer(TimerfdClockId::Monotonic, TimerfdTimerFlags::empty(), time(0, 1), time(0, 1_000_000));
    let ready = poll(&mut [PollFd::new(&timer, PollFlags::IN)], None);
    assert_eq!(ready, Ok(1));
    let expected = json!({
        "name": {"$holds": "monotonic, due in 0 ms, every 1 ms, at least 1 unread"},
        "timerfd": {"ticks": 1, "armed": true},
    });
    keeper.show("overdue", timer, expected);
    Ok(())
}

fn timer_absolute(keeper: &mut Keeper) -> Result<(), Skip> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let at = time(now.as_secs() as i64 + 7000, 0);
    let timer = timer(TimerfdClockId::Realtime, TimerfdTimerFlags::ABSTIME, at, NEVER);
    keeper.show("absolute", timer, fields("realtime", true, json!({"$between": [6000, 7000]}), 0.0, true));
    Ok(())
}

fn timer_disarmed(keeper: &mut Keeper) -> Result<(), Skip> {
    let timer = timer(TimerfdClockId::Realtime, TimerfdTimerFlags::empty(), NEVER, NEVER);
    let mut expected = fields("realtime", false, json!(0.0), 0.0, false);
    expected["name"] = "realtime, disarmed".into();
    keeper.show("disarmed", timer, expected);
    Ok(())
}

fn timer_expired(keeper: &mut Keeper) -> Result<(), Skip> {
    let timer = timer(TimerfdClockId::Monotonic, TimerfdTimerFlags::empty(), time(0, 1), NEVER);
    assert_eq!(poll(&mut [PollFd::new(&timer, PollFlags::IN)], None), Ok(1));
    let mut expected = fields("monotonic", false, json!(0.0), 0.0, false);
    expected["timerfd"]["ticks"] = 1.into();
    keeper.show("expired", timer, expected);
    Ok(())
}

fn signalfd(mask: u64) -> std::io::Result<OwnedFd> {
    let (flags, size) = (libc::SFD_NONBLOCK as usize, size_of::<u64>());
    call_fd(libc::SYS_signalfd4, [usize::MAX, &raw const mask as usize, size, flags, 0, 0])
}

fn signals(keeper: &mut Keeper) -> Result<(), Skip> {
    let of = |numbers: &[u32]| numbers.iter().map(|n| 1u64 << (n - 1)).sum();
    let (usual, last) = (of(&[1, 2, 15, 17]), of(&[32, 34, 64]));
    let fd = needs(signalfd(usual), "signalfd")?;
    let expected = json!({
        "kind": "signalfd", "name": "HUP INT TERM CHLD",
        "signalfd": {"signals": ["HUP", "INT", "TERM", "CHLD"]},
    });
    keeper.show("usual", fd, expected);
    let fd = needs(signalfd(last), "signalfd")?;
    keeper.show("last", fd, json!({"signalfd": {"signals": ["32", "RTMIN", "RTMIN+30"]}}));
    let fd = needs(signalfd(0), "signalfd")?;
    keeper.show("none", fd, json!({"name": "no signals", "signalfd": {"signals": []}}));
    Ok(())
}

fn all_signals(keeper: &mut Keeper) -> Result<(), Skip> {
    let fd = needs(signalfd(u64::MAX), "signalfd")?;
    keeper.show("all", fd, json!({"name": "all signals"}));
    Ok(())
}
