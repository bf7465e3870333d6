//! How fds of other processes are looked at, and what their event loops look like then.

use super::Section;

pub(super) fn observing() -> Section {
    Section::new("OBSERVING OTHER PROCESSES")
        .text(
            "`fdscope` makes a duplicate of the fd with `pidfd_getfd`(2), registers it with epoll, and closes \
             the duplicate at once. epoll holds no reference to a file, so that nothing is held: if the \
             process closes its socket the peer sees the end at once, the port of a listener that is closed \
             can be bound again, and who writes to a pipe without a reader gets `EPIPE`. Nothing is read \
             and no flag is set: `O_NONBLOCK` belongs to both. `EPOLLEXCLUSIVE` is never used, as it would \
             take wake-ups from the process; `epoll_wait`(2) is never called on another's epoll fd, as it \
             would take its events. To be asked whether it has any does nothing to it.",
        )
        .text(
            "Each interval, `fdscope` asks with `kcmp`(2) whether the number still is the description that \
             was registered, in a twentieth of the time at most, which makes `closed`; the end of the process comes through \
             its pidfd, which makes `exited`. New fds, with *PID*`:all`, are looked for ten times a second, \
             and less often in a process with very many.",
        )
        .heading("What is not seen")
        .text(
            "What happens faster than `fdscope` looks. epoll wakes it up when something comes. Whether that \
             is still so, it sees when it gets to run: a server that reads within microseconds may have been \
             faster, and there is no event at all. Whether it is over, nobody tells, so it looks \
             again after 0.2 ms and then the more rarely the longer it waits, at last each `--interval` (10 ms), or \
             when anything else comes. So a `ready_for` may be too long by a quarter, or by an interval: of \
             data that waited 2 ms, it says 2.4 to 2.5.",
        )
        .text(
            "Where data comes so often that it is there whenever `fdscope` looks, many short waits look like \
             a long one. What is read at once is mostly not seen: of a pipe that was written each millisecond, \
             113 of 1,842 times, the longest as 0.3 ms. `--trigger edge` tells what comes, and not how long it \
             waits: 911 of 1,832 there, and all at 20 a second. `bytes` likewise counts what \
             was seen to arrive, which may be less than what did.",
        )
        .text(
            "select and poll can only watch what is held. So with these each fd is duplicated, asked and \
             closed again, each interval, in handfuls of 64: a note says so. What came and went in between \
             is not seen: of waits of 2 ms, 20 a second, 12 changes of 78.",
        )
        .text(
            "An fd that is opened and closed within a tenth of a second may not be seen at all, nor what \
             came on a connection before it was. A registration lives as long as the description does: if \
             another process has it too, data that this one reads makes it clear.",
        )
        .text(
            "A signalfd shows whoever asks his own signals, so another process's is refused. Of a pipe or \
             socket of which `fdscope` itself has the other end, such as the standard output of a shell's \
             job, one sees oneself.",
        )
        .heading("What it costs")
        .text(
            "With 3 fds, 1% of a processor at 10 ms, and 35% with 1,000 of which half are ready (7% with \
             `--interval 100ms`). The process is not stopped; its kernel does a little more each time \
             something comes. Of an asyncio server that answers 17,000 to 23,000 requests a second, 16,000 \
             to 17,000 are left while its epoll fd and listener are watched, and 10,000 to 11,500 while all \
             of its 20 connections are, on a machine of two processors. At ordinary rates it is next to \
             nothing.",
        )
        .heading("What it takes")
        .text(
            "The right to trace the process: the same user and a process that is dumpable, if Yama's \
             `ptrace_scope` does not restrict that, or `CAP_SYS_PTRACE`. `FDSCOPE_PROC` does not go with \
             it. Linux 5.6 or later.",
        )
}

pub(super) fn event_loops() -> Section {
    Section::new("EVENT LOOPS")
        .text(
            "In an event loop, the epoll fd becomes ready when any of its fds does, and clear when the loop has \
             taken all there is. So with *PID*`:all`, one line is of the fd that something came on, and \
             one of the epoll fd. `fdscope list` *PID* shows which is which.",
        )
        .heading("What a stall looks like")
        .text(
            "Listener, connections and epoll fd become ready and stay so together: `queue` and \
             `readable_bytes` do not go down, and the `clear` of all of them comes at the same moment, when the \
             loop goes on. A handler of asyncio that slept for 1.5 s, after which a second client came:",
        )
        .code(
            "28.047  ready  31070:6  in  1 waiting  tcp 127.0.0.1:8100 listen\n\
             28.048  ready  31070:3  in  epoll\n\
             29.060  clear  31070:6  after 1 s  tcp 127.0.0.1:8100 listen\n\
             29.076  clear  31070:3  after 1 s  epoll",
        )
        .text(
            "That the epoll fd is ready for long is no stall by itself: in a loop that has much to do, something \
             new is there whenever one looks. Under full load, the epoll fds of asyncio, nginx, redis and \
             node, all of them well, were ready for 1 to 3 s on end, while the listeners cleared within \
             5 ms and connections of asyncio within 50. So look at these.",
        )
        .terms(
            10,
            [
                (
                    "asyncio",
                    "An epoll fd, a socket pair for waking it up (of which it watches one), listeners and \
                     connections.",
                ),
                (
                    "node",
                    "Three epoll fds, of which the one with the listener is the loop (libuv); pipes and \
                     eventfds for signals and for work that other threads have done. Of its own pipes a \
                     few write ends are ready for good, and one holds a byte that nobody reads. During \
                     a spin of 1.5 s, the listener waited for 991 ms, from when a client came.",
                ),
                (
                    "nginx",
                    "The workers have a listener, a socket to the master, an eventfd and an epoll fd each; \
                     name the processes with `nginx:all`. The master has no loop of this kind. The listener \
                     is shared: what one worker accepts, clears for all. A worker that was stopped for a \
                     second: listener and epoll fd waited for 996 ms.",
                ),
                (
                    "redis",
                    "An epoll fd, a pipe, listeners, connections. During `DEBUG SLEEP 1`, all that came \
                     waited until its end.",
                ),
                (
                    "tokio",
                    "Two epoll fds that are one (a duplicate), so that both say the same; an eventfd, which is \
                     never read, since it is registered edge-triggered, and so stays ready; listeners and \
                     connections. With two workers, a task that slept for 1.5 s in one of them \
                     kept another client waiting too.",
                ),
            ],
        )
        .text(
            "A process that waits with select or poll, or in a blocking read or `accept4`(2), has no \
             such fd; its sockets and pipes show the same.",
        )
}
