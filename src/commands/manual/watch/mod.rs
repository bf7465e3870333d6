//! The page of `fdscope watch`.

mod others;
mod readiness;
mod selectors;

use super::{Manual, Section, registry, shared};
use crate::commands::watch;

pub(super) fn manual() -> Manual {
    Manual {
        command: "watch",
        sections: vec![
            targets(),
            events(),
            registry::fields(Section::new("FIELDS"), watch::fields()),
            selectors::selectors(),
            selectors::triggers(),
            readiness::readiness(),
            others::observing(),
            others::event_loops(),
            pictures(),
            examples(),
            exit_status(),
            shared::environment(),
            notes(),
            shared::see_also(
                "`fdscope`(1), `fdscope-list`(1), `fdscope-sockets`(1), `fdscope-peers`(1), `fdscope-listen`(1), `strace`(1), `select`(2), `poll`(2), \
                 `epoll`(7), `pidfd_getfd`(2), `kcmp`(2), `signalfd`(2), `pipe`(7), `tcp`(7), `unix`(7)",
            ),
        ],
    }
}

fn targets() -> Section {
    Section::new("TARGETS")
        .terms(
            8,
            [
                (
                    "*FD*",
                    "An fd that `fdscope` was started with, such as 0, or 3 after `3<`*FILE* in a shell.",
                ),
                (
                    "*PID*`:`*FDS*",
                    "Fds of another process: `4242:7`, `4242:0,3-7`. In the place of the pid, `self` or a \
                     command name, which is all processes of that name.",
                ),
                (
                    "*PID*`:all`",
                    "All fds that it has, and those that it opens while it is watched. What epoll refuses, \
                     and signalfds, are passed over.",
                ),
                (
                    "*PATH*",
                    "A file to open, without blocking: a FIFO, a terminal, a device. It needs a slash in \
                     it, or one of `r:` (to read, as without), `w:` and `rw:` before it. A FIFO is opened \
                     with `w:` only if somebody has it open for reading; `rw:` opens it at any time, but \
                     then never sees the other end go.",
                ),
                (
                    "`tcp:`*HOST*`:`*PORT*, `udp:`*HOST*`:`*PORT*",
                    "A connection to make. It is begun and not waited for: that it is there is `ready` with \
                     `out`, that it was refused `error` with `socket_error`, for which the socket is asked, since \
                     select shows no difference. If the host has several \
                     addresses, the next is tried when one has failed. With udp there is nothing to wait for, and the refusal comes only \
                     once something is sent.",
                ),
                (
                    "`unix:`*PATH*, `unix:@`*NAME*",
                    "The same with a socket file, or an abstract name. Such a connection is there at once, \
                     or fails at once: if nobody listens, with an `error` that no selector saw. A file that \
                     is not there is a target that is not there.",
                ),
            ],
        )
        .text(
            "What is asked of a target is `in`, `pri` and `rdhup`; of what is open for writing alone `out`; \
             of connections to make all four. `--events` is for all targets. `out` of a socket is nearly \
             always in force: with `--events out` alone one sees how long a send buffer stays full, from a \
             `clear` to the next `ready`.",
        )
}

fn events() -> Section {
    Section::new("EVENTS")
        .text(
            "An event is a line, or a record, when something changes. All have `event`, `time` and \
             `elapsed`; those of an fd also `target`, `pid`, `command`, `fd`, `kind` and `name`; those that \
             a selector saw `selector`, `trigger`, `readiness`, `raw`, and what can be asked without \
             consuming anything: `readable_bytes`, `unsent_bytes`, `queue`, `count`, `socket_error`. \
             `readiness` is all that is in force now, and not the change alone.",
        )
        .terms(
            12,
            [
                ("`armed`", "First: all targets are registered. `targets` says how many. Scripts wait for it."),
                ("`ready`", "A condition has come, or with `edge` something new."),
                (
                    "`more`",
                    "More can be read than when it was told last; at most ten times a second. Level only.",
                ),
                (
                    "`clear`",
                    "A condition has gone; others may be in force still. `ready_for` is how long it was, from \
                     when it was seen: of `in`, how long the owner let it wait; of `out`, only how long there \
                     was room. That may be too much by a quarter or an interval: see OBSERVING OTHER \
                     PROCESSES. Level only.",
                ),
                ("`hup`", "The other end is gone. It stays in force, so that nothing else may come."),
                (
                    "`error`",
                    "An error is pending, or nobody reads from this pipe any more. Of connections of its own making \
                     `socket_error` says which; asking clears it, so others' are not asked.",
                ),
                (
                    "`closed`",
                    "The process has closed it. `reused` is true if its number is another fd's already; \
                     with *PID*`:all` that one is watched next.",
                ),
                (
                    "`end`",
                    "Of `--drain` and `--tee`: all is read, and nothing will come any more; or it cannot be \
                     read, and `read_error` says why. The fd is watched no longer.",
                ),
                ("`opened`", "With *PID*`:all`: the process has a new fd, which is watched from now on."),
                ("`exited`", "The process has ended."),
                ("`timeout`", "The time of `--timeout` is over."),
                (
                    "`summary`",
                    "Last, for each fd that changed at all, and each selector: `transitions`, \
                     `ready_total`, `ready_longest`, `ready_median` and `bytes`. Ready is it with anything \
                     that was asked for, and so with `out` as well.",
                ),
            ],
        )
        .text(
            "An event that is several of `error`, `hup` and `ready` at once has the first of these names. \
             `--until` and `--count` go by the names, and `--count` does not count `armed`, `timeout` and \
             `summary`. `--until ready` is also met by a `hup` that comes with something to read, \
             `--until closed` by `exited`.",
        )
        .text(
            "With several selectors, a line shows what each of them sees, with \"they differ\" if they do. \
             A record is of one selector, so that there are as many. Either way that is one event for \
             `--count`, and what one of them sees is enough for `--until`.",
        )
        .text(
            "With `--repeat` there is an event each time the selector returns, at most one an interval, named for \
             all that is in force, and neither `more` nor `clear`. `level` then goes on as long as it is in force, as an event loop \
             would spin that does not read.",
        )
        .text(
            "Lines have the local time, records UTC. JSON lines and TSV come as they happen, `--json` at the \
             end. `--quiet` leaves out all lines, for scripts that want the status, or with `--tee` the data; \
             records come all the same.",
        )
}

fn pictures() -> Section {
    Section::new("TIMELINE AND TRACE")
        .text(
            "`--timeline` draws a row for each fd, and for each selector if there are several. The newest is at the \
             right. A column is the interval, but no less than 100 ms, and shows whatever was in force in it, \
             however shortly: the upper half of the block for `in`, `pri` and `rdhup`, the lower for `out`. \
             Letters tell of what happens once: H and E for `hup` and `error`, F for `end`, O for `opened`, X \
             for `closed`. Rows that do not fit are counted. At the end, the last picture and the summary are \
             left behind. It takes a terminal, and goes with no other format.",
        )
        .text(
            "`--format trace` writes the JSON that https://ui.perfetto.dev and chrome://tracing open: a process \
             for each that is watched, a track for each fd, and spans of what was in force. A span is written \
             when it is over.",
        )
        .text(
            "Both show what the events say, so that what is said of their exactness is true here too. With `edge` \
             and `oneshot` there are moments, and no spans.",
        )
}

fn examples() -> Section {
    Section::new("EXAMPLES")
        .example(
            "Wait until a port answers, for a minute at most. Without `--retry`, the first refusal ends it \
             with status 1:",
            "fdscope watch tcp:127.0.0.1:8080 --retry 1s -u ready -t 1min -q",
        )
        .example(
            "Is my server draining its sockets? What came is told at once, and `clear` says how long it \
             waited; `more` without a `clear` is a server that does not read:",
            "fdscope watch 4242:all",
        )
        .example(
            "Only waits that somebody would notice. With `--events in`, as nobody waits for the `out` of what \
             is open for writing:",
            "fdscope watch nginx:all --events in --jsonl |\n  \
             jq -c 'select(.ready_for > 0.2) | [.pid, .fd, .name, .ready_for]'",
        )
        .example(
            "Which of select, poll and epoll sees this? Of a pipe whose writer leaves, select does not:",
            "(sleep 1) | fdscope watch 0 --with select,poll,epoll -u hup",
        )
        .example(
            "In a pipeline: when does data come, and how much? It is passed on, the events are on standard \
             error:",
            "tail -f app.log | fdscope watch 0 --tee | gzip > log.gz",
        )
        .example(
            "For scripts: wait for something on a FIFO; until a process closes its log, or ends:",
            "fdscope watch r:queue.fifo --until ready --timeout 10s --quiet\n\
             fdscope watch 4242:5 --with poll --until closed --quiet",
        )
        .example(
            "Two fds that a shell opens, and standard input:",
            "fdscope watch 0 3 4 3<one.fifo 4<two.fifo",
        )
        .example(
            "Has anything been waiting for more than a second, in one minute?",
            "fdscope watch redis-server:all -e in -t 1min --jsonl |\n  \
             jq 'select(.event == \"summary\" and .ready_longest > 1) | .name'",
        )
        .example(
            "The same as a picture that moves, and as a recording for a trace viewer:",
            "fdscope watch 4242:all --timeline\n\
             fdscope watch 4242:all --format trace -t 10s > trace.json",
        )
        .example(
            "What an edge-triggered loop is told, and what a level-triggered one is:",
            "fdscope watch 4242:7 --trigger edge\n\
             fdscope watch 4242:7 --trigger level --repeat --interval 1s",
        )
}

fn exit_status() -> Section {
    let statuses = [
        (
            "`0`",
            "`--until` was met, or `--count` reached; without `--until` also if nothing is left to watch of \
             one's own fds; or whoever read the output went away.",
        ),
        (
            "`1`",
            "What `--until` waits for cannot come any more: a connection was refused, say, and there is no \
             `--retry`.",
        ),
        ("`2`", "Wrong usage or bad input, or the output could not be written."),
        (
            "`3`",
            "Nothing is left to watch, and a target was not there, may not be watched, or was closed by its \
             process or ended with it; or `--drain` or `--tee` got less than all, since reading failed, or \
             without `--until` a connection could not be made. Of each there is a line on standard error, \
             and the others are watched.",
        ),
        (
            "`124`",
            "The time of `--timeout` is over. A reader of the output that does not read holds `fdscope` up beyond \
             that, until it reads on or goes away.",
        ),
    ];
    Section::new("EXIT STATUS").terms(12, statuses).text(
        "On SIGINT, SIGTERM or SIGHUP there is a summary, and then `fdscope` ends by that signal, for \
         which a shell shows 130, 143 or 129. If it cannot go on, as its output is not \
         read, a second one ends it without more. A signal that was ignored when it started stays ignored: \
         SIGINT, in a shell script's background jobs.",
    )
}

fn notes() -> Section {
    Section::new("NOTES")
        .text(
            "What nobody reads stays ready. So an fd of one's own is `ready` once and then `more`, until \
             somebody else reads from it or `--drain` does; a pipe at its end stays `hup`, and `fdscope` goes \
             on, unless `--drain`, `--until hup` or `--timeout` ends it. `--drain` and `--tee` are for \
             one's own fds: nothing is ever read of another process's.",
        )
        .text(
            "A regular file is always ready, and epoll does not take it. With `auto`, it is told of once, as \
             poll sees it, and then watched no more, not for being closed either: `--with poll` does that.",
        )
        .text(
            "Own fds are waited for, and not looked at on a clock; only while something is ready does \
             `fdscope` look every interval, to see it clear.",
        )
        .text("Permissions, and what is done to a process: see `fdscope`(1).")
}
