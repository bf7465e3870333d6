//! What each selector reports of an fd in each state: measured, and compared with what is
//! expected. A difference is not always a fault of ours; the kernel may have changed.

use crate::states::{Made, files, other, pipes, sockets, tcp};
use crate::support::{Bench, as_told_by, lend, on_every_backend, uncrowded};
use fdscope::model::Readiness;
use fdscope::selector::{Backend, EpollTells, Feature, RegisterError, STATES, State, Token};
use std::fmt::Write as _;
use std::time::{Duration, Instant};

on_every_backend!(states);

/// What brings a state about.
type Maker = fn() -> Made;

macro_rules! makers {
    ($($room:ident::{$($state:ident),+ $(,)?}),+ $(,)?) => {
        &[$($((concat!(stringify!($room), "::", stringify!($state)), $room::$state as Maker)),+),+]
    };
}

/// By the names that the table of the library has for them.
const MAKERS: &[(&str, Maker)] = makers![
    pipes::{
        empty, data, data_and_writer_gone, writer_gone, room, full, reader_gone, full_and_reader_gone,
        fifo_never_a_writer, fifo_writer_left,
    },
    sockets::{
        idle, data, full, peer_half_closed, own_shut_rd, peer_closed, closed_with_unread_data,
        never_connected, listener_idle, listener_pending, urgent, udp_idle, udp_icmp_error,
        datagram_peer_closed,
    },
    tcp::{
        idle, data, full, peer_half_closed, own_shut_rd, closed_both_ways, reset, reset_and_error_read,
        refused, never_connected, listener_after_shutdown, syn_sent, listener_idle, listener_pending,
        urgent, urgent_inline,
    },
    other::{
        eventfd_0, eventfd_1, eventfd_at_most, timerfd_unset, timerfd_expired, inotify_idle,
        inotify_event, signalfd_idle, signalfd_pending, pidfd_running, pidfd_zombie, pidfd_reaped,
        pty_slave, pty_slave_master_gone, pty_master, pty_master_slave_gone, epoll_idle, epoll_ready,
    },
    files::{regular, directory, memfd, dev_null, sysfs_attribute, o_path, closed},
];

/// All states of the table, a row each.
fn table() -> impl Iterator<Item = &'static State> {
    STATES.iter().flat_map(|(_, objects)| objects.iter()).flat_map(|object| object.states)
}

/// How long a state may take to come about: nothing, but for the network's.
const SETTLING: Duration = Duration::from_secs(3);

fn states(backend: Backend) {
    let _room = uncrowded();
    let mut differences = String::new();
    for (row, name) in table().flat_map(|row| row.shown_by.iter().map(move |name| (row, name))) {
        let (_, make) = MAKERS.iter().find(|(made, _)| made == name).expect("a state that can be made");
        let state = match make() {
            Ok(state) => state,
            Err(why) => {
                eprintln!("skipped: {name}, because {why}");
                continue;
            }
        };
        let expected = expected(row, backend);
        let begin = Instant::now();
        let seen = loop {
            let seen = observe(backend, state.fd);
            if seen == expected || begin.elapsed() > SETTLING {
                break seen;
            }
            std::thread::yield_now();
        };
        if seen != expected {
            let _ = writeln!(differences, "{name}: expected '{expected}', saw '{seen}'");
        }
    }
    assert!(differences.is_empty(), "{backend} on this kernel:\n{differences}");
}

fn expected(row: &State, backend: Backend) -> String {
    match (backend, row.epoll) {
        // What the system call refuses, the backend reports of the fd that it is of.
        (Backend::Select, _) if row.select == "EBADF" => "nval".to_owned(),
        (Backend::Select, _) => row.select.to_owned(),
        (Backend::Poll, _) => row.poll.to_owned(),
        (Backend::Epoll | Backend::Mio, EpollTells::AsPoll) => {
            as_told_by(backend, readiness(row.poll)).to_string()
        }
        (Backend::Epoll | Backend::Mio, EpollTells::Perm) => "EPERM".to_owned(),
        (Backend::Epoll | Backend::Mio, EpollTells::Badf) => "EBADF".to_owned(),
    }
}

/// What a selector reports that has just been told of the fd, in the words of the table.
fn observe(backend: Backend, fd: i32) -> String {
    let mut bench = Bench::new(backend);
    let (want, trigger) = (bench.all(), bench.trigger());
    match bench.selector.register(lend(fd), Token(1), want, trigger) {
        Ok(()) => {}
        Err(RegisterError::Refused { what: Feature::Files, .. }) => return "EPERM".to_owned(),
        Err(RegisterError::Refused { what: Feature::InvalidFds, .. }) => return "EBADF".to_owned(),
        Err(e) => return e.to_string(),
    }
    let told = bench.now();
    let readiness = told.first().map_or(Readiness::EMPTY, |(_, readiness)| *readiness);
    match bench.events.first().and_then(|event| event.raw) {
        Some(sets) if backend == Backend::Select => {
            let names = [(1, 'r'), (2, 'w'), (4, 'x')].into_iter();
            names.filter(|(bit, _)| sets & bit != 0).map(|(_, name)| name).collect()
        }
        _ => readiness.to_string(),
    }
}

fn readiness(names: &str) -> Readiness {
    let all = (0..16).map(|bit| Readiness::from_bits(1 << bit));
    let named = all.filter(|one| names.split(',').any(|name| one.to_string() == name));
    named.fold(Readiness::EMPTY, |all, one| all | one)
}

/// The two columns of the table agree: select's sets are the kernel's view of the same bits.
#[test]
fn select_follows_from_poll() {
    for row in table().filter(|row| row.poll != "nval") {
        let told = as_told_by(Backend::Select, readiness(row.poll));
        let sets = [(Readiness::IN, 'r'), (Readiness::OUT, 'w'), (Readiness::PRI, 'x')].into_iter();
        let sets: String = sets.filter(|(one, _)| told.contains(*one)).map(|(_, name)| name).collect();
        assert_eq!(sets, row.select, "{}", row.name);
    }
}

/// The table and the makers have the same states, each once.
#[test]
fn each_state_is_made_once() {
    let sorted = |mut names: Vec<&'static str>| {
        names.sort_unstable();
        names
    };
    let shown = table().flat_map(|row| row.shown_by.iter().copied()).collect();
    assert_eq!(sorted(shown), sorted(MAKERS.iter().map(|(name, _)| *name).collect()));
}
