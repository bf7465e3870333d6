//! Timers: `timerfd_create(2)`.

use super::{Kind, Probe};
use crate::model::{Fd, Field, Type, decimal, seconds};
use std::io::Write as _;

pub(super) static KIND: Kind = Kind {
    name: "timerfd",
    help: "a timer",
    object: "timerfd",
    fields: &[
        Field::new(
            "timerfd.clock",
            Type::String,
            "realtime, monotonic, boottime, realtime-alarm or boottime-alarm",
        ),
        Field::new("timerfd.armed", Type::Bool, "whether it will expire"),
        Field::new("timerfd.remaining", Type::Duration, "time to the next expiry; 0 when disarmed"),
        Field::new("timerfd.interval", Type::Duration, "time between expiries; 0 for a single one"),
        Field::new(
            "timerfd.ticks",
            Type::Integer,
            "expiries not read yet; of a periodic one that is due (remaining 0) at least so many: the kernel counts the later ones when it is read",
        ),
        Field::new("timerfd.absolute", Type::Bool, "whether it was set by TFD_TIMER_ABSTIME"),
    ],
    needs_info: true,
    can_block: true,
    quiet_poll: true,
    claim: |p| p.is_anon(b"timerfd"),
    decode,
    ..Kind::DEFAULT
};

/// `clock_gettime(2)`.
fn clock(id: u64) -> Option<&'static str> {
    Some(match i32::try_from(id).ok()? {
        libc::CLOCK_REALTIME => "realtime",
        libc::CLOCK_MONOTONIC => "monotonic",
        libc::CLOCK_BOOTTIME => "boottime",
        libc::CLOCK_REALTIME_ALARM => "realtime-alarm",
        libc::CLOCK_BOOTTIME_ALARM => "boottime-alarm",
        _ => return None,
    })
}

/// `(9, 999906941)`: seconds and nanoseconds.
fn timespec(text: &[u8]) -> Option<f64> {
    let inner = text.strip_prefix(b"(")?.strip_suffix(b")")?;
    let comma = inner.iter().position(|&b| b == b',')?;
    Some(decimal(&inner[..comma])? as f64 + decimal(&inner[comma + 1..])? as f64 / 1e9)
}

fn decode(probe: &Probe<'_>, fd: &mut Fd) {
    let info = &probe.info;
    let id = info.decimal("clockid");
    let clock = id.map(|id| clock(id).map_or_else(|| format!("clock {id}"), str::to_owned));
    let remaining = info.get("it_value").and_then(timespec);
    let interval = info.get("it_interval").and_then(timespec);
    let ticks = info.decimal("ticks");
    // A periodic timer that is due is re-armed at the next read; until then its value is 0, and
    // its expiry is counted. One that was disarmed may keep an interval, too.
    let due = ticks != Some(0) && interval.is_some_and(|i| i > 0.0);
    let armed = due || remaining.is_some_and(|r| r > 0.0);

    fd.name.extend_from_slice(clock.as_deref().unwrap_or("timer").as_bytes());
    match remaining {
        _ if !armed => fd.name.extend_from_slice(b", disarmed"),
        Some(r) => drop(write!(fd.name, ", due in {}", seconds(r))),
        None => {}
    }
    if let Some(i) = interval.filter(|&i| armed && i > 0.0) {
        drop(write!(fd.name, ", every {}", seconds(i)));
    }
    if let Some(n) = ticks.filter(|&n| n > 0) {
        // What would have expired since is counted by the read that arms it again.
        let is_stopped = due && remaining == Some(0.0);
        let at_least = if is_stopped { "at least " } else { "" };
        drop(write!(fd.name, ", {at_least}{n} unread"));
    }
    if probe.values {
        fd.put_some("clock", clock);
        fd.put("armed", armed);
        fd.put_some("remaining", remaining);
        fd.put_some("interval", interval);
        fd.put_some("ticks", ticks);
        fd.put_some("absolute", info.octal("settime flags").map(|f| f & 1 != 0));
    }
}

#[cfg(test)]
mod tests {
    use crate::kind::testing::{Fixture, name, value};
    use crate::model::Value;

    fn fixture(info: &[u8]) -> Fixture<'_> {
        Fixture { link: b"anon_inode:[timerfd]", info, ..Fixture::default() }
    }

    #[test]
    fn armed_and_periodic() {
        let fd = fixture(
            b"clockid: 1\nticks: 2\nsettime flags: 01\nit_value: (9, 500000000)\nit_interval: (5, 10)\n",
        )
        .decode();
        assert_eq!(name(&fd), "monotonic, due in 9.5 s, every 5 s, 2 unread");
        assert_eq!(value(&fd, "remaining"), &Value::Float(9.5));
        assert_eq!(value(&fd, "absolute"), &Value::Bool(true));
    }

    #[test]
    fn disarmed() {
        let fd = fixture(b"clockid: 0\nticks: 0\nit_value: (0, 0)\nit_interval: (0, 0)\n").decode();
        assert_eq!(name(&fd), "realtime, disarmed");
        let fd = fixture(b"clockid: 1\nticks: 0\nit_value: (0, 0)\nit_interval: (5, 0)\n").decode();
        assert_eq!(name(&fd), "monotonic, disarmed");
        assert_eq!(value(&fd, "armed"), &Value::Bool(false));
    }

    #[test]
    fn due_and_not_read() {
        let fd = fixture(b"clockid: 1\nticks: 1\nit_value: (0, 0)\nit_interval: (5, 0)\n").decode();
        assert_eq!(name(&fd), "monotonic, due in 0 ms, every 5 s, at least 1 unread");
        assert_eq!(value(&fd, "armed"), &Value::Bool(true));
    }

    #[test]
    fn an_unknown_clock_keeps_its_number() {
        assert_eq!(name(&fixture(b"clockid: 42\nit_value: (1, 0)\n").decode()), "clock 42, due in 1 s");
    }
}
