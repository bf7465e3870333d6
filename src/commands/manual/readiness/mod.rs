//! `fdscope-readiness(7)`: the guide. A file a section; its sessions are run by `tests/guide.rs`.

mod fds;
mod listening;
mod loops;
mod models;
mod selectors;
mod sockets;

use super::{Guide, Section, table};

pub(super) fn guide() -> Guide {
    let mut sections = vec![description()];
    sections.extend([
        sockets::section(),
        fds::section(),
        listening::section(),
        selectors::section(),
        loops::section(),
        models::section(),
        readiness(),
        see_also(),
    ]);
    let about = "Blocking, backlogs, selectors and event loops: what to choose, and why";
    Guide { name: "readiness", about, sections }
}

fn description() -> Section {
    Section::new("DESCRIPTION")
        .text(
            "This guide is for those who write or run programs that talk over sockets and pipes, and ask: blocking \
             or not? Threads or an event loop? select, poll or epoll? What backlog? Why does my asyncio program \
             stand still? It begins with what a socket is, and each section needs only those before it.",
        )
        .text(
            "What can be shown is shown. Behind a `$` is something to type, below it what it prints. Pids, ports, \
             times and figures will be others for you, and `...` is what was left out or cut. The commands of a section \
             go into one `bash`, in an empty directory, from the first to the last; where something is to be in a file, \
             the file comes first. If port 8080 is taken, take another. `kill $(jobs -p)` ends what the commands \
             of a section left running behind them with `&`, before the next section takes the port; and if `fdscope` may not look into your own processes, because the system restricts `ptrace`(2), use a \
             shell of root.",
        )
        .text(
            "The sections are numbered where the text refers to them: 1 SOCKETS, 2 FILE DESCRIPTORS, 3 LISTEN AND ACCEPT, 4 BEING \
             TOLD INSTEAD OF ASKING, 5 EVENT LOOPS, 6 THREADS, PROCESSES OR A LOOP, 7 READINESS.",
        )
}

fn readiness() -> Section {
    let section = Section::new("READINESS")
        .text(
            "What poll and select report of an fd in each state, asked for `POLLIN`, `POLLOUT`, `POLLPRI` and \
             `POLLRDHUP`, written without the `POLL` here, and by select for all three sets: r, w and x. \
             `hup`, `err` and `nval` come unasked. epoll says what poll does, but where it has a column of its own. This \
             is measured, by `fdscope`'s tests, on each machine on which they run; the table is what Linux 6.18 does. To try a line of it, here two: a pipe whose writer has gone, empty and with \
             something in it.",
        )
        .session(
            "$ : | (sleep 1; fdscope watch 0 --until hup)\n\
             «01:20:12.053»  armed                watching 1 fd\n\
             «01:20:12.054»  hup      0           hup  pipe read end of «49368116»\n\
             ...\n\
             $ echo hello | (sleep 1; fdscope watch 0 --until hup)\n\
             «01:20:12.062»  armed                watching 1 fd\n\
             «01:20:12.062»  hup      0           in hup  6 to read  pipe ...\n\
             ...\n",
        );
    table::readiness(section)
        .heading("What to remember of it")
        .terms(
            2,
            [
                (
                    "-",
                    "The end of a pipe is `hup` without `in`. A program that looks at `in` alone never sees it, and if \
                     it is level-triggered, spins.",
                ),
                (
                    "-",
                    "The end of a stream socket is `in`: a read gives 0 bytes. `rdhup` says the same without a read. With \
                     `hup` nothing can be sent any more, either.",
                ),
                (
                    "-",
                    "A connection that was refused is `out` (and `err`), as one that was made is. Ask `SO_ERROR` before you write.",
                ),
                ("-", "`in` of a listener is no promise: the client may be gone, or another process may have been faster. So a listener of a loop does not block."),
                ("-", "`out` is the normal state of a socket. Ask for it only while something is waiting to be sent."),
                ("-", "A FIFO says nothing before its first writer, and `hup` for ever once the last has left."),
            ],
        )
}

fn see_also() -> Section {
    let system = "`socket`(2), `recv`(2), `send`(2), `connect`(2), `listen`(2), `accept`(2), `open`(2), `dup`(2), `fcntl`(2), \
                  `getrlimit`(2), `select`(2), `poll`(2), `epoll`(7), `io_uring`(7), `socket`(7), `tcp`(7), `unix`(7), `pipe`(7), \
                  `proc_sys_fs`(5), and in POSIX the pages of `limits.h`(0p), `select`(3p), `poll`(3p) and `listen`(3p)";
    let ours = "`fdscope`(1), `fdscope-list`(1), `fdscope-sockets`(1), `fdscope-peers`(1), `fdscope-limits`(1), `fdscope-threads`(1), \
                `fdscope-loops`(1), `fdscope-listen`(1), `fdscope-watch`(1)";
    Section::new("SEE ALSO")
        .text(format!("{ours}, `fdscope-fields`(7), {system}"))
        .text(
            "Of CPython: the documentation of the modules `socket`, `selectors`, `asyncio` and `threading`. Of Rust: \
             that of the crates `mio` and `tokio`.",
        )
}
