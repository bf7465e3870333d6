//! The page of `fdscope bench`.

mod servers;

use super::{Manual, Section, registry, shared};
use crate::commands::bench;

pub(super) fn manual() -> Manual {
    Manual {
        command: "bench",
        sections: vec![
            turn(),
            table(),
            reading(),
            honesty(),
            left_out(),
            limits(),
            registry::fields(Section::new("FIELDS"), bench::fields()),
            servers::servers(),
            registry::fields(Section::new("FIELDS OF --servers"), bench::fields_of_servers()),
            examples(),
            exit_status(),
            shared::environment(),
            shared::see_also(
                "`fdscope`(1), `fdscope-limits`(1), `fdscope-listen`(1), `fdscope-loops`(1), `fdscope-watch`(1), `prlimit`(1), `select`(2), \
                 `poll`(2), `epoll`(7), `eventfd`(2), `pipe`(2), `socketpair`(2), `getrlimit`(2)",
            ),
        ],
    }
}

fn turn() -> Section {
    Section::new("WHAT IS MEASURED")
        .text(
            "A selector watches many fds (`--fds`), all for being readable. In each turn, some of them (`--active`) are \
             made ready by a `write`(2), as far apart as they can be, and mostly others than in the turn before. The \
             selector is asked until it has told of each, and each is read by one `read`(2). That is the manner of \
             libevent's benchmark, and what a server with many quiet connections and a few busy ones has to do.",
        )
        .terms(
            4,
            [
                ("`select`", "`pselect6`(2), by the system call: with bitmaps as large as they must be."),
                ("`poll`", "`ppoll`(2)."),
                (
                    "`epoll level`, `edge`, `oneshot`",
                    "`epoll_pwait2`(2). Oneshot has to be armed again after each event, by `epoll_ctl`(2).",
                ),
                ("`mio`", "The crate under the event loops of Rust: edge-triggered epoll."),
            ],
        )
        .text(
            "They are the backends that `fdscope watch` uses, behind one interface, which costs at most some hundredths of \
             what the bare calls do.",
        )
}

fn table() -> Section {
    Section::new("THE TABLE")
        .text("A line for each selector and number of fds. All times are in nanoseconds, and medians of all runs.")
        .terms(
            4,
            [
                (
                    "NS_PER_EVENT",
                    "A turn, divided by the events in it: the `write`, the `read`, its share of the waits, and the arming \
                     of what is oneshot. This is what the pictures show.",
                ),
                (
                    "SPREAD",
                    "How far apart the middle half of the runs was in this, in percent of it. Two figures that differ by less \
                     are the same. One run tells of none. From 25% on, a line is yellow: something else ran on the machine, or `--for` is too short.",
                ),
                (
                    "NS_PER_WAIT",
                    "One call that waits, and finds ACTIVE fds ready. For select and poll, divide by FDS to see what a fd \
                     costs that nothing happens on.",
                ),
                (
                    "NS_PER_REGISTER",
                    "To have one fd watched: a system call for epoll and mio. The kernel knows nothing of what select and poll \
                     watch before they are called; theirs is `fdscope`'s own bookkeeping, and for select a look whether the \
                     fd is open.",
                ),
                (
                    "NS_CPU",
                    "CPU time, of the program and of the kernel for it, that an event takes which finds the thread asleep in the \
                     selector: another thread writes, this one is woken up and reads. select and poll look at \
                     all fds before they sleep and once more when they are woken up.",
                ),
                (
                    "WAKEUPS",
                    "How often the thread was put to sleep and woken up for each of these events: 1 if each comes alone, less if \
                     one wake-up brings many.",
                ),
            ],
        )
        .text(
            "Below it, where the number of fds grows, are pictures, one for each number of active fds; where only that grows, \
             there is one for the fds. Both axes are logarithmic, so that what grows as fast as the fds do is a slope, and \
             what does not care is level. `--plot` draws the same as SVG, with bars from the least to the most of all runs. \
             Of `--servers` there are no pictures.",
        )
}

fn reading() -> Section {
    Section::new("READING IT")
        .text("From a machine with two CPUs; `fdscope bench --selector poll,epoll-level --fds 10,1000,10000 --active 1`:")
        .code(
            "SELECTOR  TRIGGER    FDS  ACTIVE  NS_PER_EVENT  ...  NS_PER_WAIT\n\
             poll      level       10       1          1003              704\n\
             epoll     level       10       1           561              224\n\
             poll      level     1000       1         61769            61221\n\
             epoll     level     1000       1           615              233\n\
             poll      level    10000       1        849457           860929\n\
             epoll     level    10000       1           866              254",
        )
        .text(
            "poll costs 50 to 90 ns for every fd that it looks at, ready or not: at 10 fds, that is half a microsecond, at \
             10,000 nearly a millisecond for each event, so that one CPU can serve 1200 events a second. \
             epoll has been told by the fds themselves, and hardly cares how many there are.",
        )
        .text(
            "A thread that calls select or poll is put into the queue of each fd, until one is found that is ready: from there \
             on, fds are only looked at. So a wait that finds something early costs less for each fd than one that finds it \
             late, or sleeps. Here, that is in the middle on average.",
        )
        .text(
            "With 100 of 100 fds active, select and poll are as good as epoll or better: nothing that they look at is in vain. \
             So the question is not how many fds there are, but how many of them are quiet.",
        )
        .text(
            "Level and edge cost nearly the same here, where every fd is read once and then empty. Edge-triggered epoll saves \
             work if a program does not read at once, and costs another `read` where it has to go on until `EAGAIN`.",
        )
}

fn honesty() -> Section {
    Section::new("HOW IT IS MEASURED").terms(
        2,
        [
            ("-", "By the monotonic clock, twice for many turns. The time in waits is taken in turns of their own."),
            ("-", "After a warm-up of a tenth of the time."),
            (
                "-",
                "In several runs (`--runs`), each of which measures everything once, one selector after the other: whatever \
                 slows down the machine for a while slows down all of them.",
            ),
            (
                "-",
                "Every event is counted. One that comes twice, comes for an fd that is not ready, or does not come within \
                 some seconds, and an fd that holds anything else than what was written to it once, end `fdscope` with an error. \
                 The field `events` says how many there were.",
            ),
            ("-", "No fd is watched by two selectors at once: each write would tell both."),
        ],
    )
}

fn left_out() -> Section {
    Section::new("WHAT IS NOT MEASURED")
        .text(
            "What a program does with what it reads; networks; and many threads that wait for the same fds. Nor io_uring: as long as \
             it polls an fd it holds the file, which goes on existing when it is closed, so that `fdscope` has no use for it. A \
             wait that finds something ready does not sleep: only NS_CPU and WAKEUPS are about threads that do. Adding and \
             removing fds all the time is not measured either, beyond what one registration costs.",
        )
        .text(
            "Figures are for comparing selectors on one machine in one hour. Another kernel, a virtual machine, mitigations for \
             CPUs, and sleeping CPUs move all of them.",
        )
}

fn limits() -> Section {
    Section::new("LIMITS")
        .text(
            "A pipe or a pair of sockets takes two fds, an eventfd one. `fdscope` raises its soft limit on open files to the \
             hard one by itself. What that does not allow is not measured; it is told on standard error with the command that \
             would allow it, and JSON has `complete` false and counts the cases as `denied`. As root, for the shell in which \
             `fdscope` is to run, and for good in `limits.conf`(5), `LimitNOFILE=` of systemd, or `--ulimit nofile=` of docker:",
        )
        .code("prlimit --pid $$ --nofile=200000:200000")
        .text(
            "No process gets more than `fs.nr_open`, and epoll takes no more registrations of a user than \
             `fs.epoll.max_user_watches`. With the C library's `fd_set`, select ends at fd 1023 (`FD_SETSIZE`): a note says so \
             where more was measured.",
        )
}

fn examples() -> Section {
    Section::new("EXAMPLES")
        .example(
            "What do select, poll, epoll and mio cost here, and from which number of fds on?",
            "fdscope bench",
        )
        .example(
            "Of 1000 connections, more and more are busy:",
            "fdscope bench --kind socketpair --fds 1000 --active 1,10,100,1000",
        )
        .example(
            "Exactly, and as a picture for a web page:",
            "fdscope bench --runs 15 --for 1min --plot selectors.svg",
        )
        .example(
            "How many times faster is epoll than poll?",
            "fdscope bench --selector poll,epoll-level --active 1 --json |\n  \
             jq -r '.records | group_by(.fds)[] |\n    \
             \"\\(.[0].fds) fds: \\(.[0].ns_per_event / .[1].ns_per_event)\"'",
        )
        .example(
            "All runs of each case, for statistics of one's own:",
            "fdscope bench --runs 30 --for 1min --jsonl |\n  \
             jq -c '[.selector, .trigger, .fds, .active, .samples]'",
        )
        .example("Threads, processes or an event loop?", "fdscope bench --servers")
        .example(
            "What does a handler that computes for 50 ms do to everybody else?",
            "fdscope bench --servers --load compute --compute 50ms",
        )
        .example(
            "What 5000 connections cost, by model:",
            "fdscope bench --servers --load echo --connections 10,5000 --jsonl |\n  \
             jq -r '[.model, .connections, .memory, .threads] | @tsv'",
        )
}

fn exit_status() -> Section {
    let statuses = [
        (
            "`0`",
            "Everything was measured, or of the usual numbers of fds, or of connections, those that the limits allow.",
        ),
        (
            "`2`",
            "Wrong usage or bad input, such as more active fds than there are, or the output or the plot could not be written.",
        ),
        (
            "`3`",
            "The limits do not allow a number of fds that `--fds` names, or of connections that `--connections` does, or none at all; what could be measured is shown. Or \
             an event was lost, an answer was wrong or did not come, or a system call failed.",
        ),
    ];
    Section::new("EXIT STATUS").terms(6, statuses).text(
        "On SIGINT, SIGTERM or SIGHUP what was measured so far is shown, and drawn, and then `fdscope` ends by that signal, for \
         which a shell shows 130, 143 or 129.",
    )
}
