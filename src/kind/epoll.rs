//! Sets of watched fds: `epoll(7)`.

use super::{FdInfo, Kind, Lookup, Probe, Slot};
use crate::model::{BitSet, Device, Fd, FdNum, Field, Inode, Type, Value, decimal, hex, quantity, signed};
use std::collections::HashMap;
use std::io::Write as _;

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
        ),
    ],
    needs_info: true,
    claim: |p| p.is_anon(b"eventpoll"),
    decode,
    ..Kind::DEFAULT
};

/// `epoll_ctl(2)`.
const EVENTS: &[(u64, &str)] = &[
    (libc::EPOLLIN as u64, "in"),
    (libc::EPOLLPRI as u64, "pri"),
    (libc::EPOLLOUT as u64, "out"),
    (libc::EPOLLRDHUP as u64, "rdhup"),
    (libc::EPOLLERR as u64, "err"),
    (libc::EPOLLHUP as u64, "hup"),
    (libc::EPOLLRDNORM as u64, "rdnorm"),
    (libc::EPOLLRDBAND as u64, "rdband"),
    (libc::EPOLLWRNORM as u64, "wrnorm"),
    (libc::EPOLLWRBAND as u64, "wrband"),
    (libc::EPOLLMSG as u64, "msg"),
    (libc::EPOLLET as u32 as u64, "et"),
    (libc::EPOLLONESHOT as u64, "oneshot"),
    (libc::EPOLLWAKEUP as u64, "wakeup"),
    (libc::EPOLLEXCLUSIVE as u64, "exclusive"),
];

/// Always reported and so set by the kernel itself: no news in a list of what is waited for.
const IMPLIED: u64 = (libc::EPOLLERR | libc::EPOLLHUP) as u64;

/// A registration, as fdinfo of the epoll fd tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The number under which it was registered. It may be closed, or something else, by now.
    pub fd: FdNum,
    /// What is asked for: `EPOLL*`.
    pub events: u64,
    /// What the process wants back with an event.
    pub data: u64,
    /// The inode of the file, which all anonymous inodes share.
    pub inode: Option<Inode>,
    /// The device that it is on.
    pub device: Option<Device>,
}

/// The registrations of an epoll fd, from its fdinfo.
pub fn registrations<'a>(info: &FdInfo<'a>) -> impl Iterator<Item = Registration> + use<'a> {
    info.lines().filter(|(key, _)| *key == b"tfd").filter_map(|(_, line)| parse(line))
}

struct Watch {
    is: Registration,
    /// Nothing where it is not known.
    stale: Option<bool>,
}

fn decode(probe: &Probe<'_>, fd: &mut Fd) {
    let mut watches: Vec<Watch> = registrations(&probe.info).map(|is| Watch { is, stale: None }).collect();
    mark_stale(probe, &mut watches);
    // The kernel's order is that of addresses in its memory.
    watches.sort_by_key(|w| w.is.fd);
    let stale = watches.iter().filter(|w| w.stale == Some(true)).count();
    name(&watches, stale, &mut fd.name);
    if probe.values {
        fd.put("watches", watches.len() as u64);
        fd.put("stale", stale as u64);
        let records = watches.iter().map(|w| record(w, probe.lookup)).collect();
        fd.put("watched", Value::List(records));
    }
}

/// `tfd:        5 events: 90000019 data:                5  pos:0 ino:2513 sdev:f`, without `tfd:`.
fn parse(line: &[u8]) -> Option<Registration> {
    let mut words = line.split(|b| b.is_ascii_whitespace() || *b == b':').filter(|w| !w.is_empty());
    let fd = signed(words.next()?)? as i32;
    let mut watch = Registration { fd: FdNum(fd), events: 0, data: 0, inode: None, device: None };
    while let (Some(key), Some(value)) = (words.next(), words.next()) {
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

/// A registration belongs to a description, not to a number: it outlives `close(2)` while
/// anybody holds the description, and the number may mean something else by now.
fn mark_stale(probe: &Probe<'_>, watches: &mut [Watch]) {
    // kcmp(2) goes through the whole set, locked, for each of its registrations. In a large one,
    // what has an inode of its own, as sockets have, is told by that.
    const LARGE: usize = 256;
    // In a huge one it is not asked at all: epoll_ctl(2) of the process would wait for it.
    const HUGE: usize = 2048;
    let (large, huge) = (watches.len() > LARGE, watches.len() > HUGE);
    let Some(epoll) = probe.fd else { return };
    let mut seen: HashMap<FdNum, u32> = HashMap::new();
    for watch in watches {
        let Registration { fd, inode, .. } = watch.is;
        let nth = *seen.entry(fd).and_modify(|n| *n += 1).or_insert(0);
        let exactly = || probe.lookup.still_watched(epoll, fd, nth).map(|current| !current);
        let by_inode = || match (probe.lookup.slot(fd), inode) {
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

fn name(watches: &[Watch], stale: usize, name: &mut Vec<u8>) {
    const SHOWN: usize = 8;
    if watches.is_empty() {
        name.extend_from_slice(b"watching nothing");
        return;
    }
    drop(write!(name, "watching {}:", quantity(watches.len(), "fd", "fds")));
    for watch in watches.iter().take(SHOWN) {
        drop(write!(name, " {}", watch.is.fd));
    }
    if watches.len() > SHOWN {
        name.extend_from_slice(" …".as_bytes());
    }
    if stale > 0 {
        drop(write!(name, ", {stale} stale"));
    }
}

fn record(watch: &Watch, lookup: &dyn Lookup) -> Value {
    let Registration { fd, events, data, .. } = watch.is;
    let mut record = vec![
        ("fd", fd.0.into()),
        ("events", Value::Set(BitSet { bits: events & !IMPLIED, names: EVENTS })),
        ("data", data.into()),
    ];
    if let Some(kind) = lookup.kind_of(fd) {
        record.push(("kind", Value::Text(kind.into_owned().into_bytes())));
    }
    record.push(("stale", watch.stale.into()));
    Value::Map(record)
}

#[cfg(test)]
mod tests {
    use super::EVENTS;
    use crate::kind::testing::{Fixture, name, value};
    use crate::kind::{Lookup, Slot};
    use crate::model::{BitSet, FdNum, Inode, Value};
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

    #[test]
    fn unknown_event_bits_stay() {
        let set = BitSet { bits: 1 << 24, names: EVENTS };
        assert_eq!(set.join(","), "0x1000000");
    }
}
