//! Section 6: which model when.

use super::Section;

pub(super) fn section() -> Section {
    let section = Section::new("THREADS, PROCESSES OR A LOOP").text(
        "The same service can be written in three ways, and `fdscope listen --model` has all three. With a thread a connection, \
         each blocks on its own socket, and the scheduler of the kernel is the event loop:",
    );
    choosing(measured(shown(section)))
}

fn shown(section: Section) -> Section {
    section
        .session(
            "$ fdscope listen 127.0.0.1:8080 -s echo --model threads > log &\n\
             $ pid=$!\n\
             $ cat log\n\
             «01:08:31.005»  listening  127.0.0.1:8080  ...\n\
             $ a=tcp:127.0.0.1:8080\n\
             $ fdscope watch $a $a $a > clients.log &\n\
             $ fdscope threads $pid --where 'call != \"epoll_wait\"' \\\n    \
             --columns state,waits_for\n\
             fdscope: «13186» (fdscope) serves with a thread a connection: ...\n\
             STATE     WAITS_FOR\n\
             sleeping  accept4 on «3» (tcp 127.0.0.1:8080 listen, queue 0 of «4097»)\n\
             sleeping  recvmsg on «8» (tcp 127.0.0.1:8080 → 127.0.0.1:«59142»)\n\
             sleeping  recvmsg on «9» (tcp 127.0.0.1:8080 → 127.0.0.1:«59148»)\n\
             sleeping  recvmsg on «11» (tcp 127.0.0.1:8080 → 127.0.0.1:«59164»)\n\
             $ kill $pid; wait $pid\n",
        )
        .text("With an event loop, one thread waits for all of them:")
        .session(
            "$ fdscope listen 127.0.0.1:8080 -s echo --model event-loop > log &\n\
             $ pid=$!\n\
             $ cat log\n\
             «01:08:31.005»  listening  127.0.0.1:8080  ...\n\
             $ fdscope watch $a $a $a > clients.log &\n\
             $ fdscope threads $pid --columns state,waits_for\n\
             fdscope: «13005» (fdscope) serves with one event loop: thread «13005»\n    \
             waits in epoll_wait on «6», for 1 listener and 3 other sockets\n\
             STATE     WAITS_FOR\n\
             sleeping  epoll_wait on «6» (watching 5 fds: ...), ...\n\
             $ kill $pid\n",
        )
}

fn measured(section: Section) -> Section {
    section
        .heading("What each is good at")
        .text(
            "Ten clients that ask again as soon as they have their answer. First all ask for an echo; then one of the ten asks \
             for something that takes 10 ms of computing, and the figures are those of the other nine. Requests a second, the \
             median of the latencies in seconds, and memory in bytes:",
        )
        .session(
            "$ fdscope bench --servers --load echo,compute --connections 10 \\\n    \
             --for 3s -q --format tsv | cut -f 1,2,7,9,16\n\
             load    model      requests_per_second latency.p50 memory\n\
             echo    threads    «127392»              «0.0000735»   «2417664»\n\
             echo    processes  «128256»              «0.0000706»   «15828992»\n\
             echo    event-loop «245502»              «0.0000378»   «4098048»\n\
             compute threads    «157830»              «0.0000556»   «2425856»\n\
             compute processes  «122190»              «0.0000703»   «15793152»\n\
             compute event-loop «864»                 «0.0101581»   «4144128»\n",
        )
        .text(
            "For small requests the loop does twice as much here, where clients and server share two CPUs: it takes many \
             requests in one turn, where a thread is woken up for each. But let one in ten compute, and all of the loop's other \
             clients wait for it every time: 864 requests a second instead of 157,830. With 1,000 connections, ten of them busy, the echo \
             comes as fast as with ten in each model; the memory is then 4 MiB for the loop, 23 MiB for threads and 926 MiB for processes.",
        )
}

fn choosing(section: Section) -> Section {
    section
        .heading("When which")
        .terms(
            4,
            [
                (
                    "Few connections, each of which waits for disks or databases",
                    "Threads, or a pool of them. Code that blocks is the simplest to write and to debug: a stack shows where it \
                     is. Hundreds are no problem; a thread costs some twenty kilobytes of memory, a switch some microseconds. \
                     In Python too: the GIL is let go in all that waits.",
                ),
                (
                    "Many connections that are idle most of the time",
                    "A loop: chats, web sockets, proxies, long polls. It is idle connections too that tell select and poll from epoll.",
                ),
                (
                    "Computing",
                    "As many threads as CPUs; in Python processes, because of the GIL. A loop on top of that does not help, it is in \
                     the way: whatever computes must get out of its thread. More threads than CPUs make nothing faster.",
                ),
                (
                    "Isolation, or memory that leaks",
                    "Processes: one that crashes or grows takes along nobody else. A few, each with a loop or a pool, on one listener \
                     or with `SO_REUSEPORT`: that is nginx, gunicorn, and what most large servers come to.",
                ),
                (
                    "Both, waiting and computing",
                    "A loop that hands what computes to a pool, with a limit to what may wait there. Without a limit the queue of \
                     the pool is where requests go to die.",
                ),
                (
                    "A bottleneck that is elsewhere",
                    "If all threads are in `recvfrom` from the database, no model makes the server faster, and more \
                     threads make the database slower. Look first: `fdscope threads` *PID* `--sample 5s`.",
                ),
            ],
        )
}
