//! How to read what threads wait for.

use crate::commands::manual::Section;

pub(super) fn reading() -> Section {
    Section::new("READING IT")
        .heading("Blocking and non-blocking")
        .text(
            "A thread that waits in `read`, `recvfrom`, `accept4` or `connect` waits for that one fd, and does nothing \
             else until something comes: the fd blocks. A thread that waits in `epoll_wait`, `poll` or `select` waits for \
             many at a time, whose fds should not block (`fdscope list` shows `nonblock`), and \
             is free to serve whichever is ready first.",
        )
        .heading("Is an event loop idle, busy or stuck?")
        .text(
            "One look at the loop's thread tells much. In `epoll_wait`: idle, or between two turns. \
             `running`: it computes, or makes calls that do not wait; if it is there in every look of \
             `--sample`, nobody else gets a turn. In anything else that waits, it is stuck, however short: \
             in `recvfrom on 9 (tcp ... → 10.0.0.5:5432)` it asks a database and lets everybody else wait, in \
             `clock_nanosleep` somebody called sleep in a handler, in `futex` it waits for another thread, in `read on` a \
             regular file or in state `uninterruptible` for a disk. ASLEEP says for how long.",
        )
        .code(
            "$ fdscope threads 4242\n\
             \u{20}TID  NAME     STATE         CPU  ASLEEP  WAITS_FOR\n\
             4242  python3  sleeping  61.3 ms   2.1 s  clock_nanosleep, 2.9 s left",
        )
        .text("This asyncio server has called `time.sleep(5)` 2.1 seconds ago, and answers nobody for 2.9 s more. \
             (Python before 3.11 sleeps in `select on no fd`.)")
        .heading("Event loop or pool of threads?")
        .text(
            "An event loop has one thread, or one for each CPU, in `epoll_wait`, and often a pool beside it whose threads \
             wait for work in `futex`: those of libuv (node), of asyncio's `run_in_executor` or of tokio. If all threads of such a \
             pool are in calls and none in `futex`, the pool is used up, and what is handed to it waits. A server with a thread a connection \
             has one in `accept4` and the others in `recvfrom`: as many as there are clients. If they are all in \
             the same call on the same address, that is what all wait for; if they are all in `futex` with *n* \
             others on the same word, they wait for one lock, and the thread that has it is the one that is \
             elsewhere.",
        )
        .heading("Nobody waits and nobody runs")
        .text(
            "A thread that is `running` with little CPU_PERCENT and much that is `ready for a CPU` is one that others \
             keep from running, or that a limit of its cgroup throttles. `uninterruptible` at a function of NFS \
             or of a disk is a server or a disk that does not answer.",
        )
}

pub(super) fn gil() -> Section {
    Section::new("THE LOCK OF PYTHON")
        .text(
            "In CPython one thread at a time runs Python code: the one that has the global interpreter lock, the GIL. Another one that \
             wants it waits on a condition variable for 5 ms, or what `sys.setswitchinterval()` was given, asks the holder to let go, and \
             waits again. From outside that is a `futex` wait until a point in time, on one variable among the data of the interpreter \
             itself, be that `python3` or `libpython3`. Where that is seen, the row says `likely the lock of the Python \
             interpreter (GIL)`, and field `likely` is `gil`. It is likely and not certain, because the kernel does not know what a word of \
             memory is for.",
        )
        .text(
            "With `--sample` it is said where several threads waited on the variable, or one did so again and again. It is not \
             recognised in a program that has the interpreter built into itself under a name of its own, in a subinterpreter with a lock \
             of its own, whose variable is allocated like any other, nor with a C library (musl) that has no word in common for all who \
             wait. Python without the lock has no such waits.",
        )
        .text(
            "Of threads that compute, all but one wait for it, by turns: together they get no more than one \
             CPU. A thread that only ever waits for it, while one other is always `running`, waits for code that \
             does not let go: an extension in C.",
        )
        .code(
            "$ fdscope threads 4243 --sample 2s -c tid,cpu_percent,share,waits_for\n\
             \u{20}TID  CPU_PERCENT  SHARE  WAITS_FOR\n\
             4243          0.0  100.0  read on 0 (char /dev/pts/1)\n\
             4250         49.1   52.5  futex: likely the lock of the Python ...\n\
             4250         49.1   47.5  running: 98% in its program, ...\n\
             4251         48.7   53.0  futex: likely the lock of the Python ...\n\
             4251         48.7   47.0  running: 98% in its program, ...",
        )
}
