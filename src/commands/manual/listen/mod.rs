//! The page of `fdscope listen`.

mod queue;
mod server;

use super::{Manual, Section, registry, shared};
use crate::commands::listen;
use crate::listener::Service;

pub(super) fn manual() -> Manual {
    Manual {
        command: "listen",
        sections: vec![
            addresses(),
            events(),
            registry::fields(Section::new("FIELDS"), listen::fields()),
            queue::queue(),
            queue::gauge(),
            services(),
            models(),
            server::command(),
            server::adopting(),
            examples(),
            exit_status(),
            environment(),
            notes(),
            shared::see_also(
                "`fdscope`(1), `fdscope-list`(1), `fdscope-sockets`(1), `fdscope-peers`(1), `fdscope-limits`(1), `fdscope-watch`(1), `ss`(8), `socat`(1), \
                 `systemd-socket-activate`(1), `listen`(2), `accept4`(2), `sd_listen_fds`(3), \
                 `systemd.socket`(5), `tcp`(7), `unix`(7), `vsock`(7), `sock_diag`(7)",
            ),
        ],
    }
}

fn addresses() -> Section {
    Section::new("ADDRESSES")
        .term(
            8,
            "*HOST*`:`*PORT*",
            "A name or an IPv4 address. Of a name's addresses, the first that this machine has.",
        )
        .term(
            8,
            "`[`*IPV6*`]:`*PORT*",
            "An IPv6 address; a link-local one needs its interface: `[fe80::1%eth0]:80`.",
        )
        .term(
            8,
            "`:`*PORT*",
            "All addresses, IPv6 and IPv4. Anybody who can reach the machine can then connect.",
        )
        .term(
            8,
            "`unix:`*PATH*",
            "A socket file, which is removed at the end. One that is left over is replaced; one that a \
             socket is bound to is not, in whichever network namespace.",
        )
        .term(8, "`unix:@`*NAME*", "A name in the abstract namespace, which is in no filesystem.")
        .term(
            8,
            "`vsock:`*CID*`:`*PORT*",
            "Of virtual machines. *CID* is a number, `any`, `local`, `host` or `hypervisor`.",
        )
        .text("Port 0 is any that is free: the `listening` event says which. Several addresses may be given.")
}

fn events() -> Section {
    let section = Section::new("EVENTS").text(
        "An event is a line, or a record, when it happens. All have `event`, `time` and `elapsed`, and \
         those of one listener its `address`.",
    );
    section
        .terms(
            12,
            [
                (
                    "`listening`",
                    "First, for each listener: `fd`, `family`, `type`, `backlog`, `somaxconn` and `name`; \
                     of others' also `pid` and `command`, as far as they may be read. If the backlog was \
                     clamped, a note on standard error says so.",
                ),
                (
                    "`queue`",
                    "How others' queue was found. Then: the queue is not as it was told last, or was fuller \
                     in between, or the backlog is another: `waiting`, `max`, `peak`, `full`.",
                ),
                (
                    "`accepted`",
                    "`fdscope` accepted a connection: `number`, `peer`, `peer_pid`, `fd`, `waited`.",
                ),
                (
                    "`overflow`",
                    "The listener refused connections a place: `listener_drops`, `listen_overflows`, \
                     `listen_drops`. TCP only.",
                ),
                (
                    "`paused`, `resumed`",
                    "Accepting fails for want of fds, memory or processes (`error`, such as `EMFILE`), and \
                     goes on again. Meanwhile connections wait.",
                ),
                (
                    "`closed`",
                    "A listener that is watched is gone; or `accept4`(2) fails for good (`error`), since \
                     another process shut the socket down, say.",
                ),
                ("`started`, `exited`", "COMMAND: `pid` and `command`; `pid`, `status` and `signal`."),
                (
                    "`summary`",
                    "Last, for each listener: what `queue` and `overflow` have, and `accepted`, \
                     `full_time`, `longest_wait`.",
                ),
            ],
        )
        .text(
            "Lines have the local time, records UTC. On a terminal, if there is no COMMAND, a line below \
             the events shows the queue as it is now. JSON lines and TSV come as they happen, `--json` at \
             the end.",
        )
}

fn services() -> Section {
    let section =
        Section::new("SERVICES").text("What `--serve` does with a connection; without it, `discard`:");
    let section = Service::WORDS.iter().fold(section, |section, (word, help)| {
        let text = match *word {
            "discard" => "Read and throw away, until the client has sent its last.",
            "echo" => "Send back what comes.",
            "hold" => {
                "Keep it open, and never read: a client that sends much comes to a stop, and one that \
                 closes leaves the connection in CLOSE-WAIT. With `--count`, these need not end."
            }
            "close" => "Close it at once. A client that has sent something may see a reset.",
            "send=FILE" => "Send a regular file, then the end, and read until the client ends too.",
            "http" => {
                "Answer each HTTP/1 request with `200 OK` and a body of three bytes. Connections are kept \
                 alive, and requests may be pipelined."
            }
            "compute" => {
                "Keep a processor busy for the time that a line begins with, such as `20ms`, and then send \
                 the line back: what a server does whose answers have to be computed. It is time of the \
                 processor, so that it takes longer where others want it too. A line has 255 bytes at most, \
                 and asks for a minute at most."
            }
            _ => help,
        };
        let term = match word.strip_suffix("FILE") {
            Some(start) => format!("`{start}`*FILE*"),
            None => format!("`{word}`"),
        };
        section.term(12, &term, text)
    });
    section.text(
        "`--exec` *CMD* starts `/bin/sh -c` *CMD* for each connection, which is its standard input and \
         output, as `inetd`(8) does. `--inetd` is the other side of that: it serves the connection that it \
         is given.",
    )
}

fn models() -> Section {
    Section::new("MODELS")
        .text("The same service in the three classic ways. Figures are of 1,000 idle connections:")
        .terms(
            12,
            [
                (
                    "`event-loop`",
                    "One thread, and `epoll`(7) by way of mio. `fdscope list` shows one process with 1,001 \
                     sockets, all `nonblock`; `fdscope limits` 1,009 fds of `nofile`, which is what it \
                     runs out of first. 5 MiB of memory.",
                ),
                (
                    "`threads`",
                    "A thread for each connection, which blocks on it. As many fds, but `block`; 1,002 \
                     threads, which count for `nproc`; 27 MiB.",
                ),
                (
                    "`processes`",
                    "A process for each connection: `fdscope listen --inetd`. The parent has 11 fds \
                     however many there are, and `nproc` is what runs out. Each child has its connection \
                     as fds 0 and 1, and 0.6 MiB of memory of its own. To start one takes milliseconds, \
                     while other connections wait in the queue.",
                ),
            ],
        )
        .text(
            "With `fdscope list --count`, `fdscope limits` and `top`(1) beside it, one sees the \
             difference. `--max-children` is for `processes` and `--exec`; children that still run at the \
             end get SIGTERM.",
        )
}

fn examples() -> Section {
    Section::new("EXAMPLES")
        .example(
            "What does my client do when the queue is full? Six connections get in, the seventh does not:",
            "fdscope listen 127.0.0.1:8080 --backlog 5 --accept none",
        )
        .example(
            "Reproduce an outage in a minute: a server that hangs, and comes back. `kill` accepts one; \
             signals that come before the last was taken are one:",
            "fdscope listen :8080 --backlog 1 --accept-on-signal --serve http &\n\
             kill -USR1 $!",
        )
        .example(
            "A slow server: five connections a second, or 200 ms for each, one after the other:",
            "fdscope listen :8080 --serve http --accept-rate 5/s\n\
             fdscope listen :8080 --serve http --accept-delay 200ms",
        )
        .example(
            "How big should the backlog be? It must hold what comes while the server does not accept: \
             connections a second, times the longest pause. Watch the server under load, with a look every \
             10 ms; `peak` is what it needed, `overflow` means that it was too small. A queue that is \
             never empty is not too short: the server is too slow, and a longer one only adds to the wait:",
            "fdscope listen --watch-only 80 --interval 10ms",
        )
        .example(
            "Start a server on a socket, with a backlog of 128, and see whether it keeps up:",
            "fdscope listen :8080 --backlog 128 -- ./server --listen-fd {}",
        )
        .example(
            "Two sockets, and what the server knows them by:",
            "fdscope listen :8080 unix:app.sock --fd-name web \\\n  --fd-name admin -- python3 server.py",
        )
        .example(
            "What happens to the other clients while a server computes? Nothing, with threads or processes; \
             an event loop serves nobody meanwhile. 4242 is the server's pid:",
            "fdscope listen 127.0.0.1:8080 --serve compute &\n\
             { echo 3s; sleep 4; } | nc 127.0.0.1 8080 &\n\
             fdscope loops 4242 --for 3s",
        )
        .example(
            "Does the server keep up? A process's listener; the queues of all that share a port:",
            "fdscope listen --watch-only 4242:6\n\
             fdscope listen --watch-only 443",
        )
        .example(
            "Something for a load tool to talk to, with its events out of the way:",
            "fdscope listen 127.0.0.1:8080 --serve http --output /dev/null",
        )
        .example(
            "A test double that answers three clients and then ends, or has failed after 10 s (status \
             124):",
            "fdscope listen 127.0.0.1:8080 --exec 'read line; echo OK' \\\n  --count 3 --timeout 10",
        )
        .example(
            "For scripts: did port 443 drop anything in this minute?",
            "fdscope listen --watch-only 443 --timeout 1min --jsonl |\n  \
             jq 'select(.event == \"summary\") | .listener_drops'",
        )
        .example(
            "Wait until the queue changes once, then print how full it was:",
            "fdscope listen :8080 --accept none --count 1 --jsonl |\n  \
             jq 'select(.event == \"queue\") | .waiting'",
        )
}

fn exit_status() -> Section {
    let statuses = [
        ("`0`", "`--count` was reached, or whoever read the output went away."),
        ("`2`", "Wrong usage or bad input, or the output could not be written."),
        (
            "`3`",
            "A listener could not be opened or taken over, or what `--watch-only` names is not there, may \
             not be read, or has been closed.",
        ),
        ("`124`", "The time of `--timeout` is over. Also if COMMAND ended by it, whatever its status."),
        ("`126`, `127`", "COMMAND could not be started; there is no such file."),
        ("others", "Those of COMMAND; if a signal ended it, 128 and the signal's number."),
    ];
    Section::new("EXIT STATUS").terms(12, statuses).text(
        "On SIGINT, SIGTERM or SIGHUP there is a summary, and then `fdscope` ends by that signal, for \
         which a shell shows 130, 143 or 129. If it cannot go on, as its output is not \
         read, a second one ends it without more. A signal that was ignored when it started stays ignored: \
         SIGINT, in a shell script's background jobs. A reader that goes away, such as `head`, ends \
         `fdscope` with 0; if there is a COMMAND, that goes on, as it does if the output cannot be written, \
         which is told, and makes its status 0 a 2.",
    )
}

fn environment() -> Section {
    let passed = [
        (
            "`LISTEN_FDS`",
            "How many listeners there are, from fd 3 on. Set for COMMAND; read by `--fd systemd`.",
        ),
        (
            "`LISTEN_PID`",
            "Whom they are for: COMMAND's pid. `--fd systemd` refuses those of another process.",
        ),
        (
            "`LISTEN_FDNAMES`",
            "Their names, separated by colons: those of `--fd-name`, or those they had, or `unknown`.",
        ),
        (
            "`REMOTE_ADDR`, `REMOTE_PORT`",
            "Set for *CMD* of `--exec`: the client's address, of TCP. The variables above are not.",
        ),
    ];
    passed.into_iter().fold(shared::environment(), |section, (name, text)| section.term(18, name, text))
}

fn notes() -> Section {
    Section::new("NOTES")
        .text(
            "Each `--accept-delay` begins when the one before was accepted: of three clients that come at \
             once, the third waits three times as long, as with a server that does one thing at a time. \
             `--accept-rate` saves nothing up while nobody comes.",
        )
        .text(
            "When fds run out (`EMFILE`), accepting pauses, and the rest waits in the queue; nothing is \
             closed to make room, and nothing spins. `fdscope limits` shows how near that is.",
        )
        .text(
            "The kernel tells neither backlog nor queue of vsock listeners, and counts no drops of unix \
             ones.",
        )
        .text(
            "Listeners share a port with others only if all ask for `--reuse-port`. `SO_REUSEADDR` is set, \
             unless `--no-reuse-address` is given: connections of an earlier server that are in TIME-WAIT \
             are no hindrance.",
        )
        .heading("Permissions, and what is done to a process")
        .text("See `fdscope`(1).")
}
