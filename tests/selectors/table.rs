//! What each selector reports of an fd in each state: measured, and compared with what is
//! expected. A difference is not always a fault of ours; the kernel may have changed.

use crate::states::{Made, files, other, pipes, sockets, tcp};
use crate::support::{Bench, as_told_by, lend, on_every_backend, uncrowded};
use fdscope::model::Readiness;
use fdscope::selector::{Backend, Feature, RegisterError, Token};
use std::fmt::Write as _;
use std::time::{Duration, Instant};

on_every_backend!(states);

/// A state, and what poll reports of it with in, out, pri and rdhup asked for.
struct Row {
    name: &'static str,
    make: fn() -> Made,
    poll: &'static str,
    /// The sets of select.
    select: &'static str,
    epoll: Epoll,
}

/// What epoll, and mio with it, does.
enum Epoll {
    /// It reports what poll does.
    AsPoll,
    /// EPERM: the file is always ready.
    Perm,
    /// EBADF.
    Badf,
}

use Epoll::{AsPoll, Badf, Perm};

macro_rules! rows {
    ($($room:ident::$state:ident: $poll:literal, $select:literal, $epoll:ident;)*) => {
        &[$(Row {
            name: concat!(stringify!($room), "::", stringify!($state)),
            make: $room::$state,
            poll: $poll,
            select: $select,
            epoll: $epoll,
        }),*]
    };
}

#[rustfmt::skip]
const TABLE: &[Row] = rows![
    pipes::empty: "", "", AsPoll;
    pipes::data: "in", "r", AsPoll;
    pipes::data_and_writer_gone: "in,hup", "r", AsPoll;
    pipes::writer_gone: "hup", "r", AsPoll;
    pipes::room: "out", "w", AsPoll;
    pipes::full: "", "", AsPoll;
    pipes::reader_gone: "out,err", "rw", AsPoll;
    pipes::full_and_reader_gone: "err", "rw", AsPoll;
    pipes::fifo_never_a_writer: "", "", AsPoll;
    pipes::fifo_writer_left: "hup", "r", AsPoll;
    sockets::idle: "out", "w", AsPoll;
    tcp::idle: "out", "w", AsPoll;
    sockets::data: "in,out", "rw", AsPoll;
    tcp::data: "in,out", "rw", AsPoll;
    sockets::full: "", "", AsPoll;
    tcp::full: "", "", AsPoll;
    sockets::peer_half_closed: "in,out,rdhup", "rw", AsPoll;
    tcp::peer_half_closed: "in,out,rdhup", "rw", AsPoll;
    sockets::own_shut_rd: "in,out,rdhup", "rw", AsPoll;
    tcp::own_shut_rd: "in,out,rdhup", "rw", AsPoll;
    sockets::peer_closed: "in,out,rdhup,hup", "rw", AsPoll;
    tcp::closed_both_ways: "in,out,rdhup,hup", "rw", AsPoll;
    sockets::closed_with_unread_data: "in,out,rdhup,hup,err", "rw", AsPoll;
    tcp::reset: "in,out,rdhup,hup,err", "rw", AsPoll;
    tcp::reset_and_error_read: "in,out,rdhup,hup", "rw", AsPoll;
    tcp::refused: "in,out,rdhup,hup,err", "rw", AsPoll;
    sockets::never_connected: "out,hup", "rw", AsPoll;
    tcp::never_connected: "out,hup", "rw", AsPoll;
    tcp::listener_after_shutdown: "out,hup", "rw", AsPoll;
    tcp::syn_sent: "", "", AsPoll;
    sockets::listener_idle: "", "", AsPoll;
    tcp::listener_idle: "", "", AsPoll;
    sockets::listener_pending: "in", "r", AsPoll;
    tcp::listener_pending: "in", "r", AsPoll;
    tcp::urgent: "out,pri", "wx", AsPoll;
    tcp::urgent_inline: "in,out,pri", "rwx", AsPoll;
    sockets::urgent: "in,out,pri", "rwx", AsPoll;
    sockets::udp_idle: "out", "w", AsPoll;
    sockets::udp_icmp_error: "out,err", "rw", AsPoll;
    sockets::datagram_peer_closed: "out", "w", AsPoll;
    other::eventfd_0: "out", "w", AsPoll;
    other::eventfd_1: "in,out", "rw", AsPoll;
    other::eventfd_at_most: "in", "r", AsPoll;
    other::timerfd_unset: "", "", AsPoll;
    other::timerfd_expired: "in", "r", AsPoll;
    other::inotify_idle: "", "", AsPoll;
    other::inotify_event: "in", "r", AsPoll;
    other::signalfd_idle: "", "", AsPoll;
    other::signalfd_pending: "in", "r", AsPoll;
    other::pidfd_running: "", "", AsPoll;
    other::pidfd_zombie: "in", "r", AsPoll;
    other::pidfd_reaped: "in,hup", "r", AsPoll;
    other::pty_slave: "out", "w", AsPoll;
    other::pty_slave_master_gone: "in,out,hup,err", "rw", AsPoll;
    other::pty_master: "out", "w", AsPoll;
    other::pty_master_slave_gone: "out,hup", "rw", AsPoll;
    files::regular: "in,out", "rw", Perm;
    files::directory: "in,out", "rw", Perm;
    files::memfd: "in,out", "rw", Perm;
    files::dev_null: "in,out", "rw", Perm;
    files::sysfs_attribute: "in,out,pri,err", "rwx", AsPoll;
    files::o_path: "nval", "rwx", Badf;
    files::closed: "nval", "nval", Badf;
];

/// How long a state may take to come about: nothing, but for the network's.
const SETTLING: Duration = Duration::from_secs(3);

fn states(backend: Backend) {
    let _room = uncrowded();
    let mut differences = String::new();
    for row in TABLE {
        let state = match (row.make)() {
            Ok(state) => state,
            Err(why) => {
                eprintln!("skipped: {}, because {why}", row.name);
                continue;
            }
        };
        let expected = row.expected(backend);
        let begin = Instant::now();
        let seen = loop {
            let seen = observe(backend, state.fd);
            if seen == expected || begin.elapsed() > SETTLING {
                break seen;
            }
            std::thread::yield_now();
        };
        if seen != expected {
            let _ = writeln!(differences, "{}: expected '{expected}', saw '{seen}'", row.name);
        }
    }
    assert!(differences.is_empty(), "{backend} on this kernel:\n{differences}");
}

impl Row {
    fn expected(&self, backend: Backend) -> String {
        match (backend, &self.epoll) {
            (Backend::Select, _) => self.select.to_owned(),
            (Backend::Poll, _) => self.poll.to_owned(),
            (Backend::Epoll | Backend::Mio, AsPoll) => as_told_by(backend, readiness(self.poll)).to_string(),
            (Backend::Epoll | Backend::Mio, Perm) => "EPERM".to_owned(),
            (Backend::Epoll | Backend::Mio, Badf) => "EBADF".to_owned(),
        }
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
    for row in TABLE.iter().filter(|row| row.poll != "nval") {
        let told = as_told_by(Backend::Select, readiness(row.poll));
        let sets = [(Readiness::IN, 'r'), (Readiness::OUT, 'w'), (Readiness::PRI, 'x')].into_iter();
        let sets: String = sets.filter(|(one, _)| told.contains(*one)).map(|(_, name)| name).collect();
        assert_eq!(sets, row.select, "{}", row.name);
    }
}
