//! What is reported of fds in each state.

use super::Section;
use std::fmt::Write as _;

/// What is said of a state by poll, by select, and by epoll where it is not what poll says.
type Row = (&'static str, &'static str, &'static str, &'static str);

/// As in `tests/selectors/table.rs`, which measures it.
const PIPES: &[Row] = &[
    ("read end: empty", "-", "-", ""),
    ("data", "in", "r", ""),
    ("data, writer gone", "in hup", "r", ""),
    ("empty, writer gone", "hup", "r", ""),
    ("write end: room", "out", "w", ""),
    ("full", "-", "-", ""),
    ("reader gone", "out err", "rw", ""),
    ("full, reader gone", "err", "rw", ""),
    ("FIFO: never a writer", "-", "-", ""),
    ("writer left", "hup", "r", ""),
];

const SOCKETS: &[Row] = &[
    ("idle", "out", "w", ""),
    ("data", "in out", "rw", ""),
    ("send buffer full", "-", "-", ""),
    ("peer writes no more", "in out rdhup", "rw", ""),
    ("shut down for reading", "in out rdhup", "rw", ""),
    ("closed both ways", "in out rdhup hup", "rw", ""),
    ("unix: peer closed", "in out rdhup hup", "rw", ""),
    ("reset, refused", "in out rdhup hup err", "rw", ""),
    ("the same, SO_ERROR read", "in out rdhup hup", "rw", ""),
    ("unix: closed, data unread", "in out rdhup hup err", "rw", ""),
    ("connecting (SYN-SENT)", "-", "-", ""),
    ("never connected", "out hup", "rw", ""),
    ("listener: idle", "-", "-", ""),
    ("connection waits", "in", "r", ""),
    ("shut down", "out hup", "rw", ""),
    ("tcp urgent data", "out pri", "wx", ""),
    ("with SO_OOBINLINE, or unix", "in out pri", "rwx", ""),
    ("udp: idle", "out", "w", ""),
    ("refused (ICMP)", "out err", "rw", ""),
    ("unix datagram: peer gone", "out", "w", ""),
];

const OTHERS: &[Row] = &[
    ("eventfd: 0", "out", "w", ""),
    ("1 or more", "in out", "rw", ""),
    ("at its maximum", "in", "r", ""),
    ("timerfd, inotify, signalfd:", "", "", ""),
    ("nothing to read", "-", "-", ""),
    ("something to read", "in", "r", ""),
    ("pidfd: running", "-", "-", ""),
    ("zombie", "in", "r", ""),
    ("reaped", "in hup", "r", ""),
    ("pty slave: idle", "out", "w", ""),
    ("master gone", "in out hup err", "rw", ""),
    ("pty master: idle", "out", "w", ""),
    ("slave gone, drained", "out hup", "rw", ""),
    ("epoll: a member is ready", "in", "r", ""),
    ("regular file, directory", "in out", "rw", "EPERM"),
    ("memfd, /dev/null", "in out", "rw", "EPERM"),
    ("sysfs attribute, unread", "in out pri err", "rwx", ""),
    ("O_PATH", "nval", "rwx", "EBADF"),
    ("closed", "nval", "EBADF", "EBADF"),
];

fn table(rows: &[Row]) -> String {
    let mut table = String::new();
    for (state, poll, select, epoll) in [("", "poll", "select", "epoll")].iter().chain(rows) {
        let line = format!("{state:<29}{poll:<22}{select:<8}{epoll}");
        let _ = writeln!(table, "{}", line.trim_end());
    }
    table
}

pub(super) fn readiness() -> Section {
    Section::new("READINESS")
        .text(
            "What is reported of an fd of which `in`, `out`, `pri` and `rdhup` are asked, measured on Linux \
             6.18; `hup`, `err` and `nval` come unasked. The sets of select are r, w and x. epoll is as \
             poll, but where it says something.",
        )
        .heading("Pipes")
        .code(table(PIPES))
        .heading("Sockets")
        .code(table(SOCKETS))
        .heading("Others")
        .code(table(OTHERS))
        .text(
            "Things to know: the end of a pipe is `hup` without `in`, so that a program which only looks at \
             `in` spins, or never ends. The end of a stream socket is `in` and `rdhup`, and reading gives 0. A \
             FIFO that never had a writer reports nothing, one whose writer left `hup`. A connection that \
             was refused is `out` as well as `err`: only `SO_ERROR` tells it from one that is there, and \
             with select nothing else does. A datagram socket whose peer is gone says nothing of it.",
        )
}
