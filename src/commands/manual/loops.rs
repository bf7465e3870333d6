//! The page of `fdscope loops`.

use super::{Manual, Section, registry, shared};
use crate::commands::loops;

pub(super) fn manual() -> Manual {
    Manual {
        command: "loops",
        sections: vec![
            targets(),
            what_is_shown(),
            reading(),
            events(),
            registry::fields(Section::new("FIELDS"), loops::fields()),
            judging(),
            examples(),
            exit_status(),
            shared::environment(),
            harm(),
            limits(),
            shared::see_also(
                "`fdscope`(1), `fdscope-list`(1), `fdscope-threads`(1), `fdscope-watch`(1), `fdscope-listen`(1), \
                 `strace`(1), `epoll`(7), `epoll_wait`(2), `poll`(2), `select`(2), `pidfd_getfd`(2), `kcmp`(2), \
                 `tcp`(7), `signalfd`(2)",
            ),
        ],
    }
}

fn targets() -> Section {
    Section::new("TARGETS")
        .text(
            "A pid; *PID*`:`*FDS*, such as `4242:6`, for the loops of these epoll fds alone; or a command name, which \
             is all processes that have it when `fdscope` starts. Loops that these processes make later are \
             taken in; processes that they start are not.",
        )
}

fn what_is_shown() -> Section {
    Section::new("WHAT IS SHOWN")
        .text("Without `--for` and `--watch`, each loop as it is at that moment:")
        .code(
            "20460:3  python3 epoll, idle; watches 3 fds: 2 tcp, 1 unix\n    \
             thread 20460 python3: epoll_wait on 3 (watching 3 fds: 4 6 7)\n    \
             FD  KIND  EVENTS  DATA  NOW  NAME\n     \
             4  unix  in       0x4  -    stream connected\n     \
             6  tcp   in       0x6  -    127.0.0.1:8101 listen, queue 0\n     \
             7  tcp   in       0x7  -    127.0.0.1:8101 → 127.0.0.1:57184",
        )
        .terms(
            10,
            [
                (
                    "epoll",
                    "One loop for each epoll fd: `ready` if `epoll_wait`(2) would give its process something at once, \
                     `idle` if not. libuv, tokio, Netty and others have several, of which some are never waited in.",
                ),
                (
                    "poll, select",
                    "One for each thread that waits so for several fds, or for a listener: these give their fds with \
                     each call, so that what is shown is what that thread gave last. It has no number of its own; its \
                     thread tells it.",
                ),
                (
                    "io_uring",
                    "One for each thread that waits for completions. What they are of cannot be seen from outside, \
                     so that such a loop is shown and not judged.",
                ),
                (
                    "EVENTS",
                    "What is asked of the fd: `in`, `out`, `et` (edge-triggered), `oneshot`, ... A oneshot that has fired \
                     and was not armed again asks for nothing.",
                ),
                ("DATA", "What the program is given with an event, in hex."),
                (
                    "NOW",
                    "What is in force of what is asked for; `?` where it was not asked. Of an edge-triggered fd, what \
                     the program was told of already may be in force still.",
                ),
                (
                    "stale",
                    "The fd is closed, or its number is another's, and it is registered still, because somebody else has \
                     it open: a child, mostly. The loop goes on being told of it and cannot stop that: it would have \
                     to close the epoll fd. Its kind is given as `closed`, or `reused` where its number is another's, \
                     which may be registered, too. See `fdscope-list`(1), Stale epoll registrations.",
                ),
                (
                    "may have it spin",
                    "It is stale, or at its end, or failed, and asked for level-triggered: whoever does not close it or \
                     take it out is told of it for ever, and uses all of a CPU.",
                ),
            ],
        )
}

fn reading() -> Section {
    Section::new("READING A STALL")
        .text(
            "An asyncio server, in which somebody has called `time.sleep` in a handler, where `await asyncio.sleep` \
             was meant. `fdscope loops 20460 --for 10s`, while a second client comes, with its long lines folded:",
        )
        .code(
            "00:43.293  loop       20460:3  python3 epoll, idle; ...\n\
             00:44.908  stalled    20460:3  for 104.7 ms so far;\n    \
             thread 20460 python3: clock_nanosleep, 990.2 ms left;\n    \
             6 tcp 127.0.0.1:8101 listen (in, 1 to accept, for 104.7 ms)\n\
             00:45.830  recovered  20460:3  after 1 s;\n    \
             thread 20460 python3: clock_nanosleep; all that waited was served\n\
             00:53.295  summary    20460:3  idle 90.2%, busy 0.0%, stalled 9.8%;\n    \
             1 stall, the longest 1 s;\n    1 wait seen, the longest 1 s, median 1 s;\n    \
             worst 6 tcp 127.0.0.1:8101 listen 1 s",
        )
        .terms(
            4,
            [
                (
                    "Who waits",
                    "The listener, fd 6, with a client to be accepted. An fd is named with what is in force, what there \
                     is to read or accept, and for how long. That the sleep itself began earlier, with the first \
                     client's request, does not show: until the second came, nobody waited.",
                ),
                (
                    "What the thread does",
                    "It is in `clock_nanosleep`, and not in `epoll_wait`: it sleeps, for another 990 ms. Look for a \
                     sleep in a handler. A name such as `read on 9 (pipe ...)`, `connect on 12 (tcp ...)`, \
                     `recvfrom`, `poll on 11 (in; tcp ... → 10.0.0.5:5432)` or `flock` is a blocking call, and says for \
                     whom: a database driver that is not asynchronous, say. `futex` is a lock.",
                ),
                (
                    "`computing: 98% of a CPU`",
                    "It runs, in its program or in calls that do not wait. In Python: work that belongs into an executor; \
                     in any language: a loop, a regular expression, a large JSON, a collection of garbage. What of \
                     its program it is, a profiler tells: `py-spy dump`, `perf`(1), `jstack`.",
                ),
                (
                    "`waiting for a CPU: 80% of the time`",
                    "It would run, if it got a CPU: too many processes, or a limit of its cgroup (`cpu.max`). It is not \
                     the program's fault.",
                ),
                (
                    "`stopped`",
                    "By SIGSTOP, a debugger or job control.",
                ),
                (
                    "`frozen`",
                    "With its cgroup: `docker pause`, `systemctl freeze`. The kernel itself says that such a thread sleeps.",
                ),
                (
                    "`epoll_wait on 21`, which is another loop",
                    "A loop within a handler of this one: `execSync` and `spawnSync` of Node.js, `run_until_complete` in \
                     a coroutine, a driver with a loop of its own. Where several threads were seen to wait in the loop, \
                     one that waits in another one is taken to serve that now, and is no stall.",
                ),
                (
                    "`in the kernel`, or a call on a file",
                    "Memory that is not there, or a disk or server that does not answer.",
                ),
                (
                    "`likely thread`",
                    "No thread was seen to wait in this loop yet; of all there are, it is the only one that may serve it, \
                     as it may several. That is a guess, made again and again: what rests on it is told, but is no proof. \
                     The summary says then that the loop was not judged, and the exit status does not count it, until a \
                     thread is seen to wait in it. In a process with one thread it is no guess. \
                     Where there are several such threads, the thread is not known; where there is none, as all \
                     wait for something else, the loop is not judged.",
                ),
            ],
        )
        .text(
            "What is `out` alone may be no fault of the loop's work, but of what it asks for: a socket can be written \
             to nearly always, and asking for that without having anything to write makes a loop spin. Then the \
             thread runs.",
        )
        .text(
            "`fdscope threads` *PID* `--sample 2s` shows the same of all threads, `fdscope watch` *PID*`:`*FD* one fd as it \
             is let wait.",
        )
}

fn events() -> Section {
    Section::new("EVENTS")
        .text(
            "With `--for` or `--watch`, a line, or a record, when something is seen. Lines have the local time, records \
             UTC. JSON lines and TSV come as they happen, `--json` at the end. All have `event`, `time`, `elapsed`, \
             `pid` and `command`, and those of a loop `selector` and `loop`. Without `--for` and `--watch`, all are \
             `loop`.",
        )
        .terms(
            11,
            [
                (
                    "`loop`",
                    "A loop, when it is first seen, with what it watches. Scripts wait for the first.",
                ),
                (
                    "`stalled`",
                    "It has served nothing for as long as `--stall` says, though something waits: since when, `fds`, \
                     `thread`, and what that does (`doing`, `call`, `cpu_percent`, `delay_percent`). Told once for each stall.",
                ),
                (
                    "`recovered`",
                    "It has served something again; `lasted` is for how long it had not. Without `stalled` before, it was \
                     known only then that this was a stall: see HOW IT IS JUDGED, and `likely thread` above.",
                ),
                (
                    "`spinning`",
                    "An fd stays ready and is not served, though the loop turns: `turns` is true if others were served \
                     meanwhile. If nothing else waits, it is false, and the thread runs all the time: then it likely turns. \
                     After a second, or after five of what has something to be read.",
                ),
                ("`closed`", "The loop is not there any more. Its summary follows."),
                ("`exited`", "The process has ended."),
                (
                    "`summary`",
                    "Last, of each loop: how long it was `idle`, `busy` and `stalled`, from the first look at it on; `stalls` and the longest; the \
                     waits of its fds, from being ready to being served, with the longest and the median; and in `fds` \
                     those that waited longest.",
                ),
            ],
        )
}

fn judging() -> Section {
    Section::new("HOW IT IS JUDGED")
        .text(
            "Each `--interval`, the epoll fd is asked whether it is ready. One that always is need not be stalled: \
             under full load, there is something new whenever one looks. So what it watches is looked at, too, and a \
             loop goes on if, since the last look,",
        )
        .terms(
            2,
            [
                ("-", "it was clear: it had taken all there was; or its thread waits in it;"),
                (
                    "-",
                    "bytes were taken from a TCP connection or given to it: the kernel counts both; what comes from \
                     the other end changes neither;",
                ),
                (
                    "-",
                    "of a listener, a pipe, a local stream or a socket for datagrams there is less to take, or it has \
                     been written to;",
                ),
                ("-", "an fd has stopped being ready, or was closed, or something else is asked of it now."),
            ],
        )
        .text(
            "A listener that other processes or other loops have, too, may be served by them: that counts for the \
             listener, and not for the loop. If nothing of that has happened for as long as `--stall` says, and \
             something has waited all that time, all it watches is looked at twice more, and then it is stalled, unless \
             what waits could have been served without a trace.",
        )
        .heading("What leaves no trace")
        .text(
            "An eventfd, a timerfd, a terminal, a full pipe: served, they may look as before. Of these the loop is stalled if \
             its thread has not called `read`(2) or `write`(2) meanwhile, with which they are served. Of sockets \
             without counters (full ones for datagrams, local listeners, a TCP listener whose queue is full, netlink), \
             it is stalled only if its thread stands still: in one call, and without CPU time. A thread that stands \
             still is proof for all; one that runs is none for these.",
        )
        .heading("How exact it is")
        .text(
            "Times are exact to an interval, and a stall is told an interval or two after it has lasted for as long as \
             `--stall` says. A wait that is over between two looks is not seen, so the median is one of those that \
             were; and one that was seen in a single look may have been shorter than an interval: of those it is said \
             only what none was longer than. With more than 256 fds in one loop, not all are looked at each time: those first that wait \
             already. A stall is told later then: 100 ms later with 10,000.",
        )
        .text(
            "A loop that poll or select make is judged once its thread was seen to come back to it: by the fds that it \
             gave last. If they have a listener, what it let wait before is judged then, too, and told as `recovered`; \
             else it is not judged, and a note says so. If it never comes back, it is not judged at all. \
             A thread that computes for itself and asks poll now and then looks the same as a loop that \
             stalls.",
        )
        .text(
            "Handlers poll, too: for one client (a socket with a time limit in Python), for a database, or for no fd, to \
             sleep. Such a call is not the loop that waits: one that has no fd in common with the loop's, or lacks its \
             listener, unless it is for several fds that are all the loop's. If a thread comes back again and again to \
             several other fds, these are its loop from then on; but not while a listener of the loop is open, which \
             they lack. So a server that leaves its listener out while it serves a single client is stalled, for \
             who waits there.",
        )
        .heading("What cannot be seen")
        .text(
            "What an edge-triggered loop (Go, tokio, mio, Netty) has been told of is not the loop's any more: that its \
             task gets no turn does not show here, and neither does a goroutine that waits. Completions of io_uring \
             cannot be seen. Nor can a stall that nobody waits for.",
        )
}

fn examples() -> Section {
    Section::new("EXAMPLES")
        .example("What do the event loops of this process watch, and what is ready?", "fdscope loops 4242")
        .example("Do they stall, on what, and what blocks them?", "fdscope loops 4242 --for 10s")
        .example(
            "A check for monitors: status 1 if a loop stalled, 3 if the process ended:",
            "fdscope loops --for 10s --stall 200ms --quiet 4242 || page-someone",
        )
        .example("All workers of a server, until Ctrl-C:", "fdscope loops nginx --watch")
        .example(
            "Only stalls of more than a second, with what blocked them:",
            "fdscope loops 4242 --watch --jsonl |\n  \
             jq -c 'select(.event == \"recovered\" and .lasted > 1) |\n    \
             [.time, .lasted, .doing]'",
        )
        .example(
            "Registrations that are stale, or may have a loop spin:",
            "fdscope loops 4242 --jsonl |\n  \
             jq -c '.registrations[] | select(.stale or .suspect)'",
        )
        .example(
            "Which fds are let wait longest?",
            "fdscope loops 4242 --for 1min --jsonl |\n  \
             jq -c 'select(.event == \"summary\") | .fds[]? |\n    \
             [.waited, .waits, .fd, .name]'",
        )
}

fn exit_status() -> Section {
    let statuses = [
        (
            "`0`",
            "Without `--for` and `--watch`: there is a loop. With them: the time is over, and no loop has stalled; or \
             whoever read the output went away.",
        ),
        (
            "`1`",
            "Without: there is no loop that can be seen. With them: a loop has stalled, unless who serves it was only \
             guessed (`likely thread`). A loop that spins is told of and is no stall.",
        ),
        ("`2`", "Wrong usage or bad input, or the output could not be written."),
        (
            "`3`",
            "A *TARGET* does not exist or may not be looked at; or with `--for` and `--watch`: it has ended, as have all \
             processes of a name; it could not be looked at any more; or there was no loop that can be judged. It \
             wins over 1.",
        ),
    ];
    Section::new("EXIT STATUS").terms(6, statuses).text(
        "On SIGINT, SIGTERM or SIGHUP there is a summary, and then `fdscope` ends by that signal, for which a shell \
         shows 130, 143 or 129.",
    )
}

fn harm() -> Section {
    Section::new("WHAT IT DOES TO A PROCESS")
        .text(
            "At each look, a duplicate of the epoll fd is made with `pidfd_getfd`(2), polled without waiting, and closed: \
             some microseconds in all. `epoll_wait`(2) is never called on it. While the loop is ready, the same is done \
             to what it watches, with `FIONREAD`, `SIOCOUTQ`, `TCP_INFO` and `SO_MEMINFO` besides; while it is not, its \
             fds are left alone. No thread is stopped, nothing is read, nothing is registered and nothing is held: \
             what the process closes is closed.",
        )
        .heading("What is not polled")
        .text(
            "Polling changes something with some fds. A signalfd answers for the signals of whoever asks, and an epoll \
             fd that is told so that there are none forgets the event, so that its process would sleep on. What \
             `/proc` and cgroups tell of changes (`mountinfo`, `sys/kernel/hostname`, pressure), and perf events, is \
             news once, to whoever polls first. So an epoll fd that watches such an fd, or anything that is not known \
             to be harmless, such as a device, is not polled, nor is that fd: the loop is judged by its \
             other fds, as far as they are level-triggered, and a note says so. That it is idle is said of \
             these then, and a look at one moment does not say it: `ready` is true or null. If there are none, it is not \
             judged. What is registered is read again when the \
             loop is ready, twenty times a second at most: one that is added just then may be polled until it is known.",
        )
        .heading("What it costs")
        .text(
            "Reading what is registered locks the epoll set for half a microsecond an fd; that is a fiftieth of the time \
             at most. Looking takes at most a tenth of the time, and up to half of it for the moment in which it is \
             to be known whether a loop with thousands of fds stalls. If that makes looks further apart than \
             `--interval`, a note says so. With one loop, `fdscope` itself was measured to use 0.4 to 0.8% of a CPU \
             under load, and 0.3 to 0.5% while the loop is idle; of servers on asyncio, nginx and Node.js that it \
             looked at, no difference was measured beyond the few percent by which runs differ.",
        )
        .text(
            "It takes the right to trace the process: the same user and a process that is dumpable, if Yama's \
             `ptrace_scope` does not restrict that, or `CAP_SYS_PTRACE`. `FDSCOPE_PROC` does not go with it. Linux 5.6 or \
             later.",
        )
}

fn limits() -> Section {
    Section::new("LIMITS")
        .terms(
            8,
            [
                (
                    "4096",
                    "threads of a process are looked at; while loops are judged, 256 of them at a time to find which wait \
                     in which loop, but all where a loop is new, or may stall and none was seen to wait in it.",
                ),
                ("64", "loops that poll or select are judged in one process."),
                ("16", "threads of one loop are looked at: those that were seen to wait in it last."),
                ("2048", "fds of one loop are looked at in one look, 256 as long as it is not suspected to stall."),
                ("16", "fds are named in one event, that which waits longest first; `fds_total` says how many there are."),
                (
                    "20",
                    "fds are shown of a loop that watches more: those that are ready or stale before others, and up to 40 \
                     of these; `--all` shows all, and JSON has all.",
                ),
            ],
        )
}
