//! How a process serves.

use crate::commands::manual::Section;

pub(super) fn serving() -> Section {
    Section::new("HOW A PROCESS SERVES")
        .text(
            "From what its threads wait for it is said how a process serves connections, and from what that is seen: with \
             a table in a note on standard error, in records in `serving`. A connection counts as one that is served if it has the port of a \
             listener (or the path, of unix sockets): those that the process opened itself do not.",
        )
        .terms(
            4,
            [
                (
                    "`event-loop`",
                    "One thread waits for many fds, among them a listener or connections. Likely only, where others of its \
                     name may take turns with it: those of Go and tokio do, and one look shows one of them.",
                ),
                ("`shared-event-loop`", "Several threads take turns in waiting for one epoll set."),
                ("`event-loops`", "Several threads wait for many fds each."),
                (
                    "`thread-per-connection`",
                    "Threads wait for one connection each, and another, or a loop, for the listener.",
                ),
                (
                    "`thread-pool`",
                    "Several threads wait for one listener. Or, and then it is likely only, one does, \
                     and others on one word of memory, as for work.",
                ),
                (
                    "`prefork`",
                    "Several processes of one parent hold one listener and wait for it, or for connections that came by it. Each may \
                     serve by a loop or by threads: the evidence says so.",
                ),
                (
                    "`process-per-connection`",
                    "It waits for a listener, and each child for a connection; or it is such a child.",
                ),
                (
                    "`completion`",
                    "Threads wait for completions of io_uring or `io_submit`(2), and the process holds a listener. Likely \
                     only: which fds the completions are of, the kernel does not tell.",
                ),
                ("`unknown`", "It can't be told, and the evidence says what is missing."),
            ],
        )
        .text(
            "One look sees one moment. A thread that runs just then waits for nothing, and a server without clients may not \
             show what serves one: `--sample` sees more. With a *TARGET* that names some threads, all of the process count.",
        )
}
