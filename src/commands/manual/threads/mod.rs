//! The page of `fdscope threads`.

mod reading;
mod serving;

use super::{Manual, Section, registry, shared};
use crate::commands::threads;

pub(super) fn manual() -> Manual {
    Manual {
        command: "threads",
        sections: vec![
            targets(),
            table(),
            waits(),
            times(),
            sampling(),
            reading::reading(),
            reading::gil(),
            serving::serving(),
            registry::fields(Section::new("FIELDS"), threads::all_fields()),
            examples(),
            exit_status(),
            shared::environment(),
            notes(),
            shared::see_also(
                "`fdscope`(1), `fdscope-list`(1), `fdscope-watch`(1), `fdscope-sockets`(1), `strace`(1), `top`(1), \
                 `gdb`(1), `proc_pid_syscall`(5), `proc_pid_wchan`(5), `proc_pid_stat`(5), \
                 `process_vm_readv`(2), `poll`(2), `select`(2), `epoll`(7), `futex`(2), `restart_syscall`(2)",
            ),
        ],
    }
}

fn targets() -> Section {
    Section::new("TARGETS")
        .terms(
            8,
            [
                ("*PID*, `self`, *NAME*", "All threads of a process, or of all processes that have this command name."),
                (
                    "*PID*`:`*TIDS*",
                    "Some of its threads, by their ids: `4242:4245`, `4242:4250-4260`. In the place of the pid, `self` or \
                     a command name.",
                ),
                ("*TID*", "The id of a thread that is not the first of its process: that thread alone."),
            ],
        )
        .text("A process that several of them name is shown once, with all the threads that they name.")
}

fn table() -> Section {
    Section::new("THE TABLE")
        .text("One line a thread, the first one of the process first, then by id.")
        .terms(
            4,
            [
                (
                    "STATE",
                    "`running` is on a CPU, or ready for one. `sleeping` waits, and a signal can end that. \
                     `uninterruptible` waits for a disk, a page or a lock of the kernel: one that stays so is \
                     stuck. `stopped` is by a signal such as SIGSTOP, `traced` by a debugger. All three are yellow.",
                ),
                ("CPU", "CPU time that the thread has used since it began."),
                (
                    "ASLEEP",
                    "For how long it has not run, at least: see TIMES. This is how long a thread hangs in its call, \
                     if nothing woke it up meanwhile.",
                ),
                ("WAITS_FOR", "The system call, and what it waits for."),
            ],
        )
}

fn waits() -> Section {
    Section::new("WHAT IT WAITS FOR")
        .text("An fd comes with what `fdscope list` says of it, as it is at the moment of the look.")
        .terms(
            4,
            [
                ("`epoll_wait on 6 (watching 12 fds: ...)`", "`fdscope list` *PID* `--fd 6 --columns epoll.watched --json` tells all of them."),
                (
                    "`poll on 3 (in), 5 (in, out), timeout 2.4 s`",
                    "What is asked of each fd. A lone fd is described too: `poll on 3 (in; tcp 127.0.0.1:80 → ...)`. \
                     The array is in the memory of the process, and so are times; they are read from there.",
                ),
                ("`select on 0, 7`", "To be readable goes without saying; other sets are named as for poll: `out`, `pri`."),
                ("`read on 4 (pipe read end of 12, empty)`", "Any call that waits for an fd: `recvfrom`, `accept4`, `connect`, `write`, `sendto`, `flock`, ... `(closed)` is an fd that another thread has closed during the call: it may wait for ever."),
                (
                    "`futex, 2 others wait on the same word`",
                    "A lock, a condition variable, or the end of another thread, through a word of memory: `futex`(2). The others are \
                     those of the same process. What is locked there, the kernel does not know.",
                ),
                ("`nanosleep 1.2 s`, `clock_nanosleep, 1.2 s left`", "Time alone."),
                ("`wait4 for child 4243 (make)`", "A child that ends."),
                ("`io_uring_enter on 5 for 1 completion`", "Which fds those are of, the kernel does not tell."),
                ("`rt_sigtimedwait for INT, TERM`", "A signal."),
                (
                    "`running`",
                    "It does not wait. It may be in its program, or in a call that works: the kernel tells that \
                     over time alone (`--sample`).",
                ),
                (
                    "`stopped in poll on 3 (in)`",
                    "The call that it is in, though something else stopped it. After SIGCONT some calls go on by \
                     `restart_syscall`(2), which is shown as the call that goes on (field `restarted`). If it is stopped again, \
                     that cannot be seen until it goes on, but of `clock_nanosleep`(2), which is `sleep` mostly.",
                ),
                (
                    "`frozen in epoll_wait on 4`",
                    "The same, with the cgroup of its process frozen: `docker pause`, `systemctl freeze`. The kernel itself \
                     says that such a thread sleeps. With `--sample`, it is not told.",
                ),
                (
                    "`in the kernel, in no call (FUNCTION)`",
                    "It waits for a page of memory, say. A function of the kernel is also told of \
                     calls that say too little: `openat, in the kernel at wait_for_partner` opens a FIFO that nobody \
                     has opened at the other end.",
                ),
                ("`not permitted (EACCES)`", "See NOTES."),
            ],
        )
}

fn times() -> Section {
    Section::new("TIMES")
        .text(
            "A call is told either a point in time, or how long to wait from its beginning. Of the former the \
             time left is known (`2.4 s left`), if the process reads the same clock: not in another time \
             namespace, nor for a clock of CPU time. Of the latter only the whole (`timeout 5 s`) can be read, because \
             nothing tells when the call began.",
        )
        .text(
            "But the scheduler notes when a thread last ran. ASLEEP is the time since then; and as the call began \
             before, `at most 2.6 s left` follows. It is a bound and no more: a thread that is woken up and goes on \
             waiting in the same call began earlier, and the scheduler's clock stands still while its CPU serves interrupts or, in \
             a virtual machine, other machines. It is absent where the kernel has no `/proc/`*PID*`/sched`, where the \
             scheduler has moved the sleeping thread to another CPU, and for CPUs on which `fdscope` itself may \
             not run: to read a CPU's clock, a thread of it goes there for a moment.",
        )
}

fn sampling() -> Section {
    Section::new("SAMPLING")
        .text(
            "With `--sample` it looks again and again. Each thread has a line for each call, set of fds and state that it was \
             seen in, the most frequent first, with the SHARE of the looks; the lines of a thread are 100%. \
             Looks come at the interval on average and not exactly, so that what happens regularly is not always met \
             at the same point. What is shorter than an interval is still counted right, on average; \
             with *n* looks a share *p* is exact to about the square root of *p*(1-*p*)/*n*: 5 percent points at most with 100 \
             looks, 2 with 625.",
        )
        .text(
            "CPU_PERCENT is how much of one CPU the thread used meanwhile, all its lines together, as the kernel counts it. \
             The line `running` says what that was made of: in its program, in the kernel, or ready for a CPU that others \
             had. A thread that is often ready and seldom on a CPU wants for CPUs, and does not hang.",
        )
        .text(
            "Times that change from look to look are left out; fds are described as they are at the end. \
             A thread that is seen in more than 32 ways has the rest in one line. \
             `fdscope` itself uses no more than half of a CPU; with thousands of threads there are fewer looks for it, \
             and a note says how many. SIGINT, SIGTERM and SIGHUP end it early, with what was seen.",
        )
}

fn examples() -> Section {
    Section::new("EXAMPLES")
        .example("Why does it not answer?", "fdscope threads 4242")
        .example("All workers of a server at once:", "fdscope threads nginx")
        .example("What do they spend their time in?", "fdscope threads 4242 --sample 2s")
        .example(
            "Threads that have hung in one call for more than a minute, with the fd:",
            "fdscope threads 4242 --where 'asleep > 60 && call != \"futex\"' \\\n    --columns tid,name,asleep,waits_for",
        )
        .example(
            "Which process is waited for in an endless `connect`, `recvfrom` or the like on this address?",
            "fdscope threads 4242 --where 'waits_for.contains(\"10.0.0.5:5432\")'",
        )
        .example("Threads that are stuck in the kernel:", "fdscope threads 4242 --where 'state == \"uninterruptible\"' \\\n    --columns +wchan")
        .example(
            "How much of the time threads wait for the lock of Python, by thread:",
            "fdscope threads 4242 --sample 5s --where 'likely == \"gil\"' \\\n    --columns tid,share,cpu_percent",
        )
        .example(
            "How does it serve, and from what is that seen?",
            "fdscope threads 4242 --where 'tid == pid' --json \\\n    --columns serving.model,serving.likely,serving.evidence",
        )
}

fn exit_status() -> Section {
    shared::exit_status().text(
        "Status 3 also says that of no thread of a process it may be known what it waits for, or that a process \
         ended while it was looked at with `--sample`; what was seen until then is shown. A signal that ends `--sample` \
         early does so for `fdscope` too, once the table is written.",
    )
}

fn notes() -> Section {
    Section::new("NOTES")
        .heading("What it does to a process")
        .text(
            "Nothing is stopped or traced. It reads files of `/proc/`*PID*`/task/`*TID*, and from memory, with \
             `process_vm_readv`(2), only what the arguments of a call point to: the array of `poll`, the sets of \
             `select`, times, masks of signals. What it read from there is thrown away if the thread has left the call \
             meanwhile. Descriptions of fds are made as in `fdscope-list`(1): for a pipe, a duplicate is held for the length of two calls.",
        )
        .heading("Permissions")
        .text(
            "Everybody may know names, states, CPU times and ASLEEP of all threads. What a thread waits for takes the right to trace \
             its process: one's own, or `CAP_SYS_PTRACE`, and for a process that is not dumpable \
             `CAP_SYS_PTRACE` in any case. Otherwise the rows say `not permitted`. See `fdscope`(1), PERMISSIONS.",
        )
        .heading("Programs of other ABIs")
        .text(
            "Calls of 32-bit programs, and of x32 ones, have other numbers. They are told as `32-bit call 168, not decoded`, \
             and not taken for others. That a 64-bit program makes 32-bit calls itself (`int 0x80`) can't be seen \
             from outside: such calls are given wrong names. Names are known on x86-64 and aarch64, and on other machines from \
             number 424 on.",
        )
        .heading("Moments")
        .text(
            "Nothing holds still for it. Two threads are seen at two moments, some microseconds apart, so two may \
             seem to hold what only one can. `closed` and `vanished` are part of that.",
        )
}
