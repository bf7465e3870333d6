//! What the kernel reports of an fd in each state: `tests/selectors/table.rs` brings each about and
//! measures it with every backend, and the manuals print it.

/// An object, or one end of one, and the states that it may be in.
#[derive(Debug)]
pub struct Object {
    /// What it is.
    pub name: &'static str,
    /// Its states.
    pub states: &'static [State],
}

/// A state, and what is reported of an fd in it with in, out, pri and rdhup asked for.
#[derive(Debug)]
pub struct State {
    /// What it is.
    pub name: &'static str,
    /// What poll(2) reports: names, joined by commas.
    pub poll: &'static str,
    /// The sets of select(2) that it is in, of `r`, `w` and `x`; or its error.
    pub select: &'static str,
    /// What epoll does.
    pub epoll: EpollTells,
    /// What the suite calls the states that are meant.
    pub shown_by: &'static [&'static str],
}

/// What epoll, and mio with it, does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EpollTells {
    /// It reports what poll does.
    AsPoll,
    /// EPERM: the file is always ready.
    Perm,
    /// EBADF.
    Badf,
}

use EpollTells::{AsPoll, Badf, Perm};

macro_rules! objects {
    ($($object:literal { $($state:literal: $poll:literal, $select:literal, $epoll:ident, [$($by:literal),+];)+ })+) => {
        &[$(Object {
            name: $object,
            states: &[$(State {
                name: $state,
                poll: $poll,
                select: $select,
                epoll: $epoll,
                shown_by: &[$($by),+],
            }),+],
        }),+]
    };
}

/// All that are measured, in the order in which they are shown, under headings.
#[rustfmt::skip]
pub const STATES: &[(&str, &[Object])] = &[
    ("Pipes", objects! {
        "pipe, read end" {
            "empty": "", "", AsPoll, ["pipes::empty"];
            "data": "in", "r", AsPoll, ["pipes::data"];
            "data, writer gone": "in,hup", "r", AsPoll, ["pipes::data_and_writer_gone"];
            "empty, writer gone": "hup", "r", AsPoll, ["pipes::writer_gone"];
        }
        "pipe, write end" {
            "room": "out", "w", AsPoll, ["pipes::room"];
            "full": "", "", AsPoll, ["pipes::full"];
            "reader gone": "out,err", "rw", AsPoll, ["pipes::reader_gone"];
            "full, reader gone": "err", "rw", AsPoll, ["pipes::full_and_reader_gone"];
        }
        "FIFO, read end" {
            "never a writer": "", "", AsPoll, ["pipes::fifo_never_a_writer"];
            "the writer left": "hup", "r", AsPoll, ["pipes::fifo_writer_left"];
        }
    }),
    ("Sockets", objects! {
        "stream socket (tcp, unix)" {
            "idle": "out", "w", AsPoll, ["tcp::idle", "sockets::idle"];
            "data": "in,out", "rw", AsPoll, ["tcp::data", "sockets::data"];
            "send buffer full": "", "", AsPoll, ["tcp::full", "sockets::full"];
            "peer sends no more": "in,out,rdhup", "rw", AsPoll, ["tcp::peer_half_closed", "sockets::peer_half_closed"];
            "shut down for reading": "in,out,rdhup", "rw", AsPoll, ["tcp::own_shut_rd", "sockets::own_shut_rd"];
            "tcp: closed both ways": "in,out,rdhup,hup", "rw", AsPoll, ["tcp::closed_both_ways"];
            "unix: peer closed": "in,out,rdhup,hup", "rw", AsPoll, ["sockets::peer_closed"];
            "unix: closed, data unread": "in,out,rdhup,hup,err", "rw", AsPoll, ["sockets::closed_with_unread_data"];
            "tcp: reset, refused": "in,out,rdhup,hup,err", "rw", AsPoll, ["tcp::reset", "tcp::refused"];
            "the same, SO_ERROR read": "in,out,rdhup,hup", "rw", AsPoll, ["tcp::reset_and_error_read"];
            "tcp: connecting": "", "", AsPoll, ["tcp::syn_sent"];
            "never connected": "out,hup", "rw", AsPoll, ["tcp::never_connected", "sockets::never_connected"];
            "tcp: urgent data": "out,pri", "wx", AsPoll, ["tcp::urgent"];
            "with SO_OOBINLINE; unix": "in,out,pri", "rwx", AsPoll, ["tcp::urgent_inline", "sockets::urgent"];
        }
        "listener (tcp, unix)" {
            "idle": "", "", AsPoll, ["tcp::listener_idle", "sockets::listener_idle"];
            "a connection waits": "in", "r", AsPoll, ["tcp::listener_pending", "sockets::listener_pending"];
            "tcp: shut down": "out,hup", "rw", AsPoll, ["tcp::listener_after_shutdown"];
        }
        "datagram socket" {
            "udp: idle": "out", "w", AsPoll, ["sockets::udp_idle"];
            "udp: refused (ICMP)": "out,err", "rw", AsPoll, ["sockets::udp_icmp_error"];
            "unix: peer closed": "out", "w", AsPoll, ["sockets::datagram_peer_closed"];
        }
    }),
    ("Others", objects! {
        "eventfd" {
            "0": "out", "w", AsPoll, ["other::eventfd_0"];
            "1 or more": "in,out", "rw", AsPoll, ["other::eventfd_1"];
            "at its maximum": "in", "r", AsPoll, ["other::eventfd_at_most"];
        }
        "timerfd, inotify, signalfd" {
            "nothing to read": "", "", AsPoll, ["other::timerfd_unset", "other::inotify_idle", "other::signalfd_idle"];
            "something to read": "in", "r", AsPoll, ["other::timerfd_expired", "other::inotify_event", "other::signalfd_pending"];
        }
        "pidfd" {
            "running": "", "", AsPoll, ["other::pidfd_running"];
            "zombie": "in", "r", AsPoll, ["other::pidfd_zombie"];
            "reaped": "in,hup", "r", AsPoll, ["other::pidfd_reaped"];
        }
        "pseudoterminal" {
            "slave: idle": "out", "w", AsPoll, ["other::pty_slave"];
            "slave: master gone": "in,out,hup,err", "rw", AsPoll, ["other::pty_slave_master_gone"];
            "master: idle": "out", "w", AsPoll, ["other::pty_master"];
            "master: slave gone": "out,hup", "rw", AsPoll, ["other::pty_master_slave_gone"];
        }
        "epoll fd" {
            "nothing is ready": "", "", AsPoll, ["other::epoll_idle"];
            "a member is ready": "in", "r", AsPoll, ["other::epoll_ready"];
        }
        "file" {
            "regular file, directory": "in,out", "rw", Perm, ["files::regular", "files::directory"];
            "memfd, /dev/null": "in,out", "rw", Perm, ["files::memfd", "files::dev_null"];
            "sysfs attribute, unread": "in,out,pri,err", "rwx", AsPoll, ["files::sysfs_attribute"];
        }
        "number" {
            "of O_PATH": "nval", "rwx", Badf, ["files::o_path"];
            "closed": "nval", "EBADF", Badf, ["files::closed"];
        }
    }),
];
