//! The page of `fdscope peers`.

use super::{Manual, Section, registry, shared};
use crate::commands::peers;

pub(super) fn manual() -> Manual {
    Manual {
        command: "peers",
        sections: vec![
            graph(),
            bytes(),
            not_reading(),
            formats(),
            fields(),
            examples(),
            exit_status(),
            shared::environment(),
            notes(),
            shared::see_also(
                "`fdscope`(1), `fdscope-list`(1), `fdscope-watch`(1), `dot`(1), `lsof`(8), `ss`(8), `pipe`(7), \
                 `unix`(7), `pty`(7), `eventfd`(2), `sock_diag`(7)",
            ),
        ],
    }
}

fn graph() -> Section {
    Section::new("THE GRAPH")
        .text(
            "A process, and below it a line for each of its fds that is an end of something: the number, the kind, \
             who has the other end, what waits to be read, and which connection it is. An edge is shown once: a \
             line is left out if all that it tells was told from the other end already.",
        )
        .text(
            "The words before who it is are those of `fdscope-list`(1), OTHER ENDS: `from` and `to` are for pipes, \
             `with` for what goes both ways, `waiting at` and `not accepted` for connections that nobody has accepted \
             yet, `shared with` for eventfds and message queues, and `nobody at the other end` is meant as it is \
             said. `not known who`, on a line of a *TARGET*, is on another machine or in a process that may not \
             be read, or is a UDP socket that is not found: perhaps nobody takes what is sent there.",
        )
        .text(
            "Four or more connections of one kind with the same processes are put together on one line, unless their \
             bytes are told apart by `--for`: `8..15 unix ×4` are four sockets between these numbers.",
        )
        .text(
            "*TARGET*s are as in `fdscope-list`(1). With `--depth` *N* their peers are shown as well, indented below the \
             first line that leads to them, and the peers of these, so many steps from the *TARGET*. Without a \
             *TARGET*, all processes are shown that have a peer, and what leads to other machines is not.",
        )
}

fn bytes() -> Section {
    Section::new("BYTES")
        .text("What waits is told for both directions, where the kernel tells it:")
        .term(
            20,
            "`12K unread here`",
            "It came from the other end, and this process has not read it; of a listener, what those have sent \
             already who wait there. In JSON, `unread`.",
        )
        .term(
            20,
            "`64K unread there`",
            "This process has sent it, and the other end has not read it, be it on the way or there. In JSON, \
             `unsent`. `(full)`: nothing more fits into the pipe, and whoever writes to it waits.",
        )
        .text(
            "Pipes and TCP and unix streams are counted in bytes. Of datagrams the kernel tells memory, which is more, \
             as of what was sent over a unix socket that nobody has accepted; and of what a unix socket has received, the size of the first. Both ends go on while they \
             are read. Of terminals, nothing is told.",
        )
}

fn not_reading() -> Section {
    Section::new("WHO DOES NOT READ")
        .text(
            "That bytes lie somewhere at one moment means nothing: they may just have come. With `--for` *DURATION* it is \
             looked again and again, and a line ends with `nothing read in 2 s` if something lay there at each look \
             and nothing of it was read from the first look to the last. `stuck` says in JSON whose fault it is: \
             `self`, `peer` or `both`. `--stuck` shows these lines alone, so that its exit status is that of a \
             check.",
        )
        .terms(
            4,
            [
                (
                    "TCP",
                    "Exact: the kernel counts what came, and so what was read, also while more comes.",
                ),
                (
                    "Pipes and FIFOs",
                    "Exact if the processes that have the reading end have read nothing at all meanwhile, from \
                     anywhere (`rchar` of `proc_pid_io`(5)). If they have, it is taken for stuck only if it was \
                     not full and of the same size at each look: what is full may have been refilled as fast as \
                     it was read, and then nothing is said.",
                ),
                (
                    "Unix sockets",
                    "Of the same size at each look. If more came, something may have been read before, and nothing \
                     is said.",
                ),
                ("UDP, and what a unix socket for datagrams has received", "Nothing is said."),
            ],
        )
        .text(
            "It is looked 20 times, but not more often than every 10 ms nor less often than every 500 ms. A process that \
             reads less often than *DURATION* looks as if it did not read.",
        )
}

fn formats() -> Section {
    Section::new("FORMATS")
        .text(
            "`--format dot` writes the graph for graphviz: a node for each process, and an edge for each connection, with \
             the kind, the fds at its tail and head, and what waits. Arrows go where bytes go. Dashed edges are \
             connections that nobody has accepted, red ones those of which nothing was read in the time of `--for`; \
             other machines are dashed nodes. A pipe, a FIFO, an eventfd or a message queue that would take 16 edges or more \
             is a node of its own, with an edge for each process that has an end of it.",
        )
        .text("JSON, JSON lines and TSV have a record for each line of the tree, and do not put any together.")
}

fn fields() -> Section {
    registry::fields(Section::new("FIELDS"), peers::fields())
}

fn examples() -> Section {
    Section::new("EXAMPLES")
        .example("Who is at the other end of what a process holds:", "fdscope peers 4242")
        .example("A pipeline, from its first process on:", "fdscope peers 4242 --depth 9 --kind pipe")
        .example("Who of all lets bytes lie, and where:", "fdscope peers --for 2s --stuck")
        .example(
            "A check: is the reader of this process still reading?",
            "fdscope peers 4242 --kind pipe,unix --for 5s --stuck --quiet",
        )
        .example("A picture of all of it:", "fdscope peers --format dot |\n  dot -Tsvg > graph.svg")
        .example(
            "Who is connected with redis, one a line:",
            "fdscope peers redis-server --jsonl |\n  jq -r '.peers[]? | \"\\(.pid) \\(.command)\"' | sort -u",
        )
}

fn exit_status() -> Section {
    shared::exit_status().text(
        "Status 1 is that there is no connection to show; with `--stuck`, that nobody is known to let anything \
         lie. Status 3 wins over both.",
    )
}

fn notes() -> Section {
    Section::new("NOTES")
        .heading("How it is found out")
        .text(
            "The links of all fds of all processes are read once, and the sockets of all network namespaces. How the ends \
             of a connection are found, and what cannot be known, says `fdscope-list`(1), OTHER ENDS.",
        )
        .heading("Permissions, and what is done to a process")
        .text(
            "A duplicate of a pipe's fd is held for two calls, `FIONREAD` and `F_GETPIPE_SZ`, at each look. Nothing is \
             read. See `fdscope`(1).",
        )
}
