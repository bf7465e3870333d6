//! The page of the program: what all subcommands have in common.

use super::{Manual, Section, shared};

pub(super) fn manual() -> Manual {
    Manual {
        command: "",
        sections: vec![
            formats(),
            names(),
            exit_status(),
            shared::environment(),
            completion(),
            examples(),
            permissions(),
            harmless(),
            shared::see_also(
                "`fdscope-list`(1), `fdscope-sockets`(1), `fdscope-peers`(1), `fdscope-limits`(1), `fdscope-threads`(1), `fdscope-loops`(1), `fdscope-listen`(1), `fdscope-watch`(1), `fdscope-bench`(1), `lsof`(8), `lsfd`(1), `ss`(8), \
                 `prlimit`(1), `fuser`(1), `proc_pid_fd`(5), `proc_pid_fdinfo`(5)",
            ),
        ],
    }
}

fn formats() -> Section {
    Section::new("OUTPUT FORMATS")
        .text(
            "Fields have the same name in every format, in `--columns` and in `--where`. Scripts should \
             read JSON, JSON lines or TSV: the table is for people and may change.",
        )
        .term(
            8,
            "`table`",
            "Aligned columns. Sizes are in powers of 1024 (64K), times in units that suit them (1.5 s), \
             what is true or false is `yes` or `no`, and what is absent or not known is `-`. On a terminal that allows it, a line that stands out \
             is coloured: red where an fd could not be read or 90% of a limit are used, yellow where a file \
             is deleted or 75% are used.",
        )
        .term(
            8,
            "`json`",
            "One document. `schema` is 1: fields may be added under that number, and none changes its \
             meaning or goes away. `command` is the subcommand, `records` an array of its records. \
             `denied`, `vanished` and `timed_out` count what is missing from it: what may not be read, \
             what went away while it was read, and files on a filesystem that did not answer. \
             `complete` is true if nothing was denied and nothing timed out.",
        )
        .code(
            "{ \"schema\": 1, \"command\": \"list\", \"records\": [ ... ],\n  \"complete\": true, \
             \"denied\": 0, \"vanished\": 0, \"timed_out\": 0 }",
        )
        .term(
            8,
            "`jsonl`",
            "The same records, one a line, as they are found, and without the document around them.",
        )
        .term(
            8,
            "`tsv`",
            "A line a record, the values separated by tabs, below a line with the fields' names. A value that \
             is absent or not known is empty. The values of a list are joined by commas, the records in a \
             list by semicolons.",
        )
        .term(8, "`trace`", "Trace events, of `watch` alone: see `fdscope-watch`(1).")
        .term(8, "`dot`", "A graph for graphviz, of `peers` alone: see `fdscope-peers`(1).")
        .text(
            "In JSON, a field of a kind of fd, such as `tcp.state`, is in an object: \
             `{\"tcp\":{\"state\":\"listen\"}}`. A field that a record does not have is absent, and one \
             that has no value, such as an unlimited limit, is `null`. Sizes are in bytes and times in \
             seconds, as numbers.",
        )
}

fn names() -> Section {
    Section::new("NAMES AND ESCAPES")
        .text(
            "Names on Linux are bytes, and may hold anything. All formats write a backslash as `\\\\` and a \
             byte that is not UTF-8 as `\\xHH`, so that the name can be had back. JSON has its own escapes \
             on top of that, which its readers undo.",
        )
        .text(
            "Tables and TSV also write control characters as `\\n`, `\\t`, `\\r`, `\\xHH` or `\\u{HH}`. \
             Tables and JSON also escape characters that reorder, join or hide text, such as \
             right-to-left overrides: `\\u{202e}` in tables, `\\u202e` in JSON, where it means the same \
             string. So no name can play tricks with a terminal.",
        )
}

fn exit_status() -> Section {
    shared::exit_status()
        .text(
            "`listen` and `watch`, which go on until something ends them, have 124 too; `listen`, which can run a \
             command, has 3 also where it cannot listen, and the others:",
        )
        .terms(
            6,
            [
                ("`124`", "The time of `--timeout` is over."),
                ("`126`", "The command could not be started."),
                ("`127`", "There is no such command."),
                (
                    "others",
                    "Those of the command, or 128 and the number of the signal that ended it. A signal that ends \
                     `fdscope` itself does so once the summary is written, so that a shell shows 130 after Ctrl-C.",
                ),
            ],
        )
}

fn completion() -> Section {
    Section::new("SHELL COMPLETION")
        .text(
            "`fdscope` itself can complete pids, fds, ports, kinds, fields and limits, from the running system. \
             To have that, put the line of your shell into its start-up file:",
        )
        .code(
            "source <(COMPLETE=bash fdscope)          # ~/.bashrc\n\
             source <(COMPLETE=zsh fdscope)           # ~/.zshrc\n\
             COMPLETE=fish fdscope | source           # ~/.config/fish/config.fish\n\
             eval (E:COMPLETE=elvish fdscope | slurp) # ~/.config/elvish/rc.elv",
        )
        .text(
            "bash takes a colon for the end of a word, so that it does not complete what comes behind one, such as \
             `fdscope watch` *PID*`:`, unless this is in its start-up file too:",
        )
        .code("COMP_WORDBREAKS=${COMP_WORDBREAKS//:}")
        .text(
            "Files with the options alone, which also exist for PowerShell and Nushell, come with the \
             sources, in `completions/`.",
        )
}

fn examples() -> Section {
    Section::new("EXAMPLES")
        .example("What this shell holds open:", "fdscope list $$")
        .example("Who is at the other end of that, and what waits to be read:", "fdscope peers $$")
        .example("How near it is to its limits:", "fdscope limits $$")
        .example("Which processes are nearest to running out of fds:", "fdscope limits --all --top 10")
        .example("Why it does not answer: what each thread waits for:", "fdscope threads 4242")
        .example("Whether its event loops stall, and what blocks them:", "fdscope loops 4242 --for 10s")
        .example(
            "Whether the server on port 443 accepts as fast as clients come:",
            "fdscope listen --watch-only 443",
        )
        .example(
            "What clients do while a server accepts nothing:",
            "fdscope listen 127.0.0.1:8080 --backlog 5 --accept none",
        )
        .example("Whether a server takes what comes, and how long it lets it wait:", "fdscope watch 4242:all")
        .example(
            "Wait until a port answers:",
            "fdscope watch tcp:127.0.0.1:8080 --retry 1s --until ready --quiet",
        )
        .example("What select, poll and epoll cost here as fds grow:", "fdscope bench")
}

fn permissions() -> Section {
    Section::new("PERMISSIONS")
        .text("What may be seen of a process depends on who asks:")
        .term(
            4,
            "any process",
            "Its command name, user, limits, and how many fds it has open (Linux 6.2 and later). This is \
             all that `fdscope limits` needs.",
        )
        .term(
            4,
            "one's own",
            "All of `fdscope list`. A process that is not dumpable (it runs a set-user-ID program, or has \
             asked for that with `prctl`(2)) counts as another user's.",
        )
        .term(
            4,
            "another user's",
            "The fds take `CAP_SYS_PTRACE`, which root usually has. A security module, or a container, \
             may refuse it even so. Where `/proc` is mounted with `hidepid`, other users' \
             processes may not be seen at all, which a note says.",
        )
        .text(
            "Some facts take more, and are absent without it: bytes queued in a pipe, its capacity, seals \
             of a memfd and the state of a message queue take the right to attach to the process with \
             `ptrace`(2), which Yama's `ptrace_scope` can restrict; the paths that inotify and fanotify watch \
             take `CAP_DAC_READ_SEARCH`; names of BPF objects take `CAP_SYS_ADMIN` or `CAP_BPF`.",
        )
        .text(
            "The queue of a TCP listener in `fdscope`'s own network namespace may be seen by everybody; to name a \
             listener as *PID*`:`*FD* takes what seeing that fd does, and another network namespace takes \
             `CAP_SYS_ADMIN` besides.",
        )
        .text(
            "To watch an fd takes the right to attach to its process, in all cases. So does what a thread waits for, in \
             `threads`; names, states and CPU times of threads are for all to see.",
        )
        .text(
            "A process that may not be read is left out of a listing of all processes, and told of on \
             standard error. If it was named as a *TARGET*, that is an error. An fd that cannot be read is \
             never dropped: it is a record of kind `error` with the system call and its error.",
        )
}

fn harmless() -> Section {
    Section::new("WHAT IT DOES TO A PROCESS")
        .text(
            "`fdscope` looks from outside. It stops no process, reads nothing from its fds, and changes \
             nothing, unless `limits --set` asks for it. It never opens the file behind an fd.",
        )
        .text(
            "`listen --watch-only` only asks the kernel about a listener. It holds neither the socket nor a \
             connection, and accepts nothing, so that the server can close it, and bind it again, at any time.",
        )
        .text(
            "`watch` has a duplicate of each fd that it watches, made with `pidfd_getfd`(2), for the microseconds \
             that it takes to register it with epoll, or to ask it with select or poll, and closes it. \
             Whatever else it asks (`FIONREAD`, `SIOCOUTQ`, `TCP_INFO`), it asks in the same way. It holds \
             nothing, reads nothing, and sets no flag; `--drain` and `--tee` read `fdscope`'s own fds. Each \
             event on a watched fd costs the kernel a little more: see `fdscope-watch`(1).",
        )
        .text(
            "`loops` polls a duplicate of an epoll fd, and while it is ready one of each fd that it watches, without \
             waiting, and closes it at once; it registers nothing. What polling would change something of, it \
             leaves alone: see `fdscope-loops`(1).",
        )
        .text(
            "`threads` reads what `/proc` says of each thread, and from the memory of the process only what the arguments of a \
             call point to, such as the array of `poll`(2). No thread is stopped for that.",
        )
        .text("`bench` looks at no other process: it measures itself.")
        .text(
            "For pipes, FIFOs, memfds and POSIX message queues it asks the kernel what only a holder may \
             ask: it makes a duplicate of the fd with `pidfd_getfd`(2), makes one or two calls on it \
             (`FIONREAD` and `F_GETPIPE_SZ`, `F_GET_SEALS`, or `mq_getattr`(3)), and closes it before it \
             looks at the next fd. For those microseconds the other end of a pipe would not notice a \
             close. `list --peers` and `peers` ask a duplicate, with `poll`(2), whether the other end is gone, where \
             nobody was found there, and `socket.netns` asks that of a socket of another network namespace.",
        )
        .text(
            "A file on a network or FUSE filesystem is asked for by a thread that can be left behind, and \
             no server is asked anything, so that a dead one cannot hang a listing, nor does *PATH* of `list --path` \
             on such a filesystem: see SEARCHING in `fdscope-list`(1). What does not answer \
             within half a second is a record of kind `error` with `ETIMEDOUT`.",
        )
}
