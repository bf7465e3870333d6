//! What each selector can do, from its capabilities, and what the triggers mean.

use super::Section;
use crate::model::FdNum;
use crate::selector::{Backend, Capabilities, Cost};
use std::fmt::Write as _;

/// What a line of the table is called, and what it says of a selector.
type Row = (&'static str, fn(&Capabilities) -> String);

const ROWS: &[Row] = &[
    ("level", |c| yes(c.level)),
    ("edge", |c| yes(c.edge)),
    ("oneshot", |c| yes(c.oneshot)),
    ("can be asked for rdhup", |c| yes(c.interest.contains(crate::model::Interest::RDHUP))),
    ("rdhup, or nothing, alone", |c| yes(c.any_interest)),
    ("takes files always ready", |c| yes(c.files)),
    ("takes closed and O_PATH fds", |c| yes(c.invalid_fds)),
    ("reports nval", |c| yes(c.sees_nval)),
    ("outlives a close of the fd", |c| yes(c.outlives_fd)),
    ("highest fd", |c| limit(c.highest_fd)),
    ("highest fd in C", |c| limit(c.highest_fd_in_c)),
    ("timeouts rounded up to", |c| format!("{:?}", c.resolution)),
    ("a wait costs by", |c| cost(c.cost).to_owned()),
];

fn yes(can: bool) -> String {
    if can { "yes" } else { "-" }.to_owned()
}

fn limit(fd: Option<FdNum>) -> String {
    fd.map_or("any".to_owned(), |fd| fd.to_string())
}

fn cost(cost: Cost) -> &'static str {
    match cost {
        Cost::HighestFd => "highest",
        Cost::Watched => "watched",
        Cost::Ready => "ready",
    }
}

fn table() -> String {
    let mut table = String::new();
    let mut line = |name: &str, cells: [String; Backend::ALL.len()]| {
        let cells: String = cells.iter().map(|cell| format!("{cell:<9}")).collect();
        let _ = writeln!(table, "{}", format!("{name:<29}{cells}").trim_end());
    };
    line("", Backend::ALL.map(|b| b.name().to_owned()));
    for (name, cell) in ROWS {
        line(name, Backend::ALL.map(|b| cell(b.capabilities())));
    }
    table
}

pub(super) fn selectors() -> Section {
    Section::new("SELECTORS")
        .text(
            "`--with` says how to look. `auto` is epoll, with files that epoll refuses shown as what they \
             are. What a selector cannot do is an error that names those that can.",
        )
        .code(table())
        .text(
            "A wait of select goes through all numbers up to the highest fd that is watched, one of poll \
             through all that are watched: 58 to 80 ns for each, measured on Linux 6.18. With 9,900 fds \
             of which one is active, an event takes 0.6 ms with these, and 3 µs with epoll, which only \
             sees what is ready; registering an fd with epoll takes 1.1 µs once. With 10 fds there is little \
             between them.",
        )
        .heading("select")
        .text(
            "Has three sets and nothing else: for reading, writing and exceptions, which are `in`, `out` and \
             `pri` here, and 1, 2 and 4 in `raw`. A hang-up or an error is in the first, as if there were \
             something to read; an error in the second too. The limit of 1024 fds (`FD_SETSIZE`) is the C \
             library's, whose `FD_SET` aborts or writes out of bounds beyond it; the kernel takes any, and \
             so does `fdscope`. An fd that is closed while a wait goes on is not noticed; the next one fails \
             with `EBADF`, of which `fdscope` makes `nval`.",
        )
        .heading("poll")
        .text(
            "Says all it knows: `raw` is `revents`. A closed fd is `nval`, and so is one opened with \
             `O_PATH`. It takes no more entries than `RLIMIT_NOFILE`.",
        )
        .heading("epoll")
        .text(
            "A registration is of the description behind an fd, not of its number. If the fd is closed \
             while a duplicate of it lives, in a child that was forked, say, events go on coming, and \
             cannot be turned off any more by number: `fdscope list --where 'epoll.stale > 0'` finds \
             such. When the last one is closed, the registration is gone without an event. Regular files \
             and directories are refused with `EPERM`. `raw` is `events`.",
        )
        .heading("mio")
        .text(
            "Rust's event loops, tokio's among them, see what it sees: edge-triggered epoll, in its own \
             words, which have no bits (`raw` is null). It asks for `rdhup` along with `in`; `pri` makes a \
             file readable too, and both sides being closed is all that there is of `hup`.",
        )
}

pub(super) fn triggers() -> Section {
    Section::new("TRIGGERS")
        .terms(
            10,
            [
                (
                    "`level`",
                    "What is in force is reported at every wait, as long as it is. A program may read as \
                     little as it likes. One that asks for `out` and has nothing to write, or leaves \
                     something unread, spins: its loop takes all of a processor and gets nothing done.",
                ),
                (
                    "`edge`",
                    "It is reported when something new comes: more data too, though some was left unread. \
                     Reading a part makes no new event, and what is left waits until more comes. So a program \
                     has to read until `EAGAIN` each time; one that does not hangs with data in its \
                     socket, which only shows when the peer waits for an answer. An edge reports all that \
                     is in force, so that one that brings `in` says `out` again.",
                ),
                (
                    "`oneshot`",
                    "It is reported once, and then nothing, not even `hup`, until the program arms it \
                     again (`EPOLL_CTL_MOD`), which reports at once what is in force by then. For threads that \
                     share an epoll fd, so that one fd is handled by one of them. A program that \
                     forgets to arm it is deaf on that fd for good.",
                ),
            ],
        )
        .text(
            "`fdscope` uses the trigger for itself: it does not show which one the target uses, and the \
             target notices nothing of it. `fdscope list --columns +epoll.watched` shows that. With `edge` \
             and `oneshot` no condition is known to be gone, so there is no `clear`; of several events \
             without reading, `edge` tells each. A oneshot fd of one's own is armed again by `--drain` \
             when it has been read; another process's is told of once.",
        )
        .text(
            "With `--drain` on one's own fd, `level` and `edge` come to the same; without it, `level` tells \
             of a state that nobody ends.",
        )
}
