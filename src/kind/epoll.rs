//! Sets of watched fds: `epoll(7)`.

use super::{FdInfo, Kind, Lookup, Probe, Slot};
use crate::model::{
    Device, Fd, FdNum, Field, Inode, Registration, Type, Value, append, decimal, hex, signed,
};
use std::collections::HashMap;

pub(super) static KIND: Kind = Kind {
    name: "epoll",
    help: "a set of watched fds",
    object: "epoll",
    fields: &[
        Field::new("epoll.watches", Type::Integer, "number of registrations"),
        Field::new("epoll.stale", Type::Integer, "registrations whose fd is closed or is something else now"),
        Field::new(
            "epoll.watched",
            Type::Records,
            "each registration: fd, events, data, kind of that fd now, stale (null where not known)",
        )
        .with(&[
            ("fd", Type::Integer),
            ("events", Type::List),
            ("data", Type::Integer),
            ("kind", Type::String),
            ("stale", Type::Bool),
        ]),
    ],
    needs_info: true,
    quiet_poll: true,
    claim: |p| p.is_anon(b"eventpoll"),
    decode,
    ..Kind::DEFAULT
};

fn decode(probe: &Probe<'_>, fd: &mut Fd) {
    let mut watches = registrations(&probe.info);
    if let Some(epoll) = probe.fd {
        mark_stale(probe.lookup, epoll, &mut watches);
    }
    let stale = watches.iter().filter(|w| w.stale == Some(true)).count();
    name(&watches, stale, &mut fd.name);
    if probe.values {
        fd.put("watches", watches.len() as u64);
        fd.put("stale", stale as u64);
        let records = watches.iter().map(|w| record(w, probe.lookup)).collect();
        fd.put("watched", Value::List(records));
    }
}

/// The registrations of an epoll fd, by its fdinfo. Whether they are stale is not known yet.
pub fn registrations(info: &FdInfo<'_>) -> Vec<Registration> {
    let mut watches: Vec<Registration> = info.raw_lines().filter_map(parse).collect();
    // The kernel's order is that of addresses in its memory.
    watches.sort_by_key(|w| w.fd);
    watches
}

/// `tfd:        5 events: 90000019 data:                5  pos:0 ino:2513 sdev:f`
fn parse(line: &[u8]) -> Option<Registration> {
    let mut rest = line;
    let (b"tfd", fd) = pair(&mut rest)? else { return None };
    let mut watch = Registration::new(FdNum(signed(fd)? as i32));
    while let Some((key, value)) = pair(&mut rest) {
        match key {
            b"events" => watch.events = hex(value)?,
            b"data" => watch.data = hex(value)?,
            b"ino" => watch.inode = hex(value).or_else(|| decimal(value)).map(Inode),
            b"sdev" => watch.device = hex(value).map(Device::from_kernel),
            _ => {}
        }
    }
    Some(watch)
}

/// The next key with its value.
fn pair<'a>(rest: &mut &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    let text = rest.trim_ascii_start();
    let (key, text) = text.split_at(text.iter().position(|&byte| byte == b':')?);
    let text = text[1..].trim_ascii_start();
    let value;
    (value, *rest) = text.split_at(text.iter().position(|&byte| byte == b' ').unwrap_or(text.len()));
    Some((key, value))
}

/// A registration belongs to a description, not to a number: it outlives `close(2)` while
/// anybody holds the description, and the number may mean something else by now.
pub fn mark_stale(lookup: &dyn Lookup, epoll: FdNum, watches: &mut [Registration]) {
    // kcmp(2) goes through the whole set, locked, for each of its registrations. In a large one,
    // what has an inode of its own, as sockets have, is told by that.
    const LARGE: usize = 256;
    // In a huge one it is not asked at all: epoll_ctl(2) of the process would wait for it.
    const HUGE: usize = 2048;
    let (large, huge) = (watches.len() > LARGE, watches.len() > HUGE);
    let mut seen: HashMap<FdNum, u32> = HashMap::new();
    for watch in watches {
        let nth = *seen.entry(watch.fd).and_modify(|n| *n += 1).or_insert(0);
        let exactly = || lookup.still_watched(epoll, watch.fd, nth).map(|current| !current);
        let by_inode = || match (lookup.slot(watch.fd), watch.inode) {
            (Slot::Closed, _) => Some(true),
            (Slot::Open(Some(now)), Some(then)) => Some(now != then),
            _ => None,
        };
        watch.stale = match (huge, large) {
            (true, _) => by_inode(),
            (_, true) => by_inode().or_else(exactly),
            _ => exactly().or_else(by_inode),
        };
    }
}

fn name(watches: &[Registration], stale: usize, name: &mut Vec<u8>) {
    const SHOWN: usize = 8;
    if watches.is_empty() {
        name.extend_from_slice(b"watching nothing");
        return;
    }
    append!(*name, "watching ", watches.len(), if watches.len() == 1 { " fd:" } else { " fds:" });
    for watch in watches.iter().take(SHOWN) {
        append!(*name, " ", watch.fd);
    }
    if watches.len() > SHOWN {
        name.extend_from_slice(" …".as_bytes());
    }
    if stale > 0 {
        append!(*name, ", ", stale, " stale");
    }
}

fn record(watch: &Registration, lookup: &dyn Lookup) -> Value {
    let mut record: Vec<(&'static str, Value)> = Vec::with_capacity(5);
    record.push(("fd", watch.fd.0.into()));
    record.push(("events", watch.event_names().into()));
    record.push(("data", watch.data.into()));
    if let Some(kind) = lookup.kind_of(watch.fd) {
        record.push(("kind", kind.into()));
    }
    record.push(("stale", watch.stale.into()));
    Value::Map(record)
}

#[cfg(test)]
mod tests {
    use crate::kind::testing::{Fixture, name, value};
    use crate::kind::{Lookup, Slot};
    use crate::model::{FdNum, Inode, Value};
    use std::cell::Cell;

    #[test]
    fn registrations() {
        let fd = Fixture {
            link: b"anon_inode:[eventpoll]",
            info: b"pos:\t0\nflags:\t02000002\nmnt_id:\t17\nino:\t26\n\
                tfd:        5 events: 90000019 data:               1f  pos:0 ino:2513 sdev:f\n\
                tfd:       -1 events: 40000004 data: ffffffffffffffff  pos:0 ino:2513 sdev:f\n",
            ..Fixture::default()
        }
        .decode();
        assert_eq!(name(&fd), "watching 2 fds: -1 5");
        let Value::List(watched) = value(&fd, "watched") else { panic!() };
        let Value::Map(first) = &watched[1] else { panic!() };
        assert_eq!(first[0], ("fd", Value::Int(5)));
        let Value::Set(events) = first[1].1 else { panic!() };
        assert_eq!(events.join(","), "in,et,exclusive");
        assert_eq!(first[2], ("data", Value::Uint(31)));
    }

    /// Fd 5 is socket 9 now, fd 6 an eventfd; the rest is closed.
    struct Fds {
        asked: Cell<usize>,
    }

    impl Lookup for Fds {
        fn still_watched(&self, _: FdNum, target: FdNum, _: u32) -> Option<bool> {
            self.asked.set(self.asked.get() + 1);
            Some(target.0 == 6)
        }
        fn slot(&self, fd: FdNum) -> Slot {
            match fd.0 {
                5 => Slot::Open(Some(Inode(9))),
                6 => Slot::Open(None),
                _ => Slot::Closed,
            }
        }
    }

    #[test]
    fn a_large_set_is_not_gone_through_for_each_socket() {
        let mut info = String::from("tfd: 5 events: 1 data: 5  pos:0 ino:9 sdev:f\n");
        info.push_str("tfd: 5 events: 1 data: 5  pos:0 ino:8 sdev:f\n");
        info.push_str("tfd: 6 events: 1 data: 6  pos:0 ino:1a sdev:f\n");
        for fd in 1000..2000 {
            info.push_str(&format!("tfd: {fd} events: 1 data: 0  pos:0 ino:{fd:x} sdev:f\n"));
        }
        let lookup = Fds { asked: Cell::new(0) };
        let fixture = Fixture {
            link: b"anon_inode:[eventpoll]",
            info: info.as_bytes(),
            lookup: &lookup,
            ..Fixture::default()
        };
        assert_eq!(value(&fixture.decode(), "stale"), &Value::Uint(1001));
        assert_eq!(lookup.asked.get(), 1);
    }
}
