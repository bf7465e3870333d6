//! The page of `fdscope list`.

use super::{Manual, Section, registry, shared};
use crate::commands::{columns, counting};
use crate::model::{FD_FIELDS, SOCKET_FIELDS};

pub(super) fn manual() -> Manual {
    Manual {
        command: "list",
        sections: vec![
            targets(),
            searches(),
            sharing(),
            table(),
            records(),
            other_ends(),
            fields(),
            registry::kinds(Section::new("KINDS").text(
                "`--kind` takes these names, the groups in brackets behind them, and the protocol names of \
                 sockets that have no kind of their own, such as `xdp` or `sctp`.",
            )),
            expressions(),
            examples(),
            shared::exit_status().text(
                "The same holds where `/proc` is mounted with `hidepid`, and the processes of others cannot even be \
                 counted.",
            ),
            shared::environment(),
            bpf(),
            notes(),
            shared::see_also(
                "`fdscope`(1), `fdscope-sockets`(1), `fdscope-limits`(1), `fdscope-listen`(1), `fdscope-watch`(1), `lsof`(8), \
                 `lsfd`(1), `ss`(8), `fuser`(1), `open`(2), `dup`(2), `kcmp`(2), `epoll`(7), `proc_pid_fd`(5), `proc_pid_fdinfo`(5)",
            ),
        ],
    }
}

fn targets() -> Section {
    Section::new("TARGETS")
        .term(8, "*PID*", "A process.")
        .term(
            8,
            "`self`",
            "`fdscope` itself: the fds that it was started with, not those that it opened since.",
        )
        .term(
            8,
            "*NAME*",
            "All processes with this command name, exactly as in `/proc/`*PID*`/comm`. The kernel keeps only \
             15 bytes of it. If no process has it, what is shown so by `fdscope` is meant: `\\n` for a newline, `\\xff` for a byte \
             that is not UTF-8. A longer *NAME* must also be the file name of the program, as it was called or \
             as it is on disk. A number is always a pid.",
        )
        .term(8, "*TARGET*`:`*FDS*", "Only these of its fds: numbers and ranges such as `0,3-7,100-`.")
        .text(
            "A *TARGET* that is a zombie or a kernel thread holds nothing, which is told, and is no error. \
             One that is named twice is listed once.",
        )
        .text(
            "Without a *TARGET*, every process that may be read, but for `fdscope` itself, which is there \
             only because it looks.",
        )
}

fn searches() -> Section {
    Section::new("SEARCHING")
        .text("What is selected in several ways has to match all of them.")
        .text(
            "`--path` finds a file by device and inode, so by any of its names, and a directory with all \
             below it by name. By name it also finds deleted files that were called that or lay below it, \
             even if *PATH* does not exist any more. Unix sockets are found by the file that they are bound to, \
             and by the name that they were bound by. If *PATH* is where a filesystem is mounted, all that is held of that filesystem is found, also through \
             other mounts.",
        )
        .text(
            "A process in another mount namespace, such as a container, may have something else by the same \
             name. What it holds is found if it lies in the same place of the same filesystem, whatever the name \
             there: a directory that is mounted into a container as a volume is found. Of what is mounted below \
             *PATH*, this is seen only if *PATH* is the mount point. `--path /proc/`*PID*`/root/`*NAME* takes a \
             name of that process, and `--path /proc/`*PID*`/fd/`*N* the file itself: who else holds a deleted one.",
        )
        .text(
            "No server of a network or FUSE filesystem is asked about *PATH*. Links there are not followed, and \
             where the kernel does not remember the file from earlier, it is compared by name alone: it is not found \
             by another name (a hard link, a link, another mount point of a part). The mount point itself needs no \
             answer.",
        )
        .text(
            "Of a file whose path is longer than 4095 bytes the kernel tells no path: it is a record of kind `error` \
             with `ENAMETOOLONG`. `--path` finds it by device and inode, and by its filesystem, `--deleted` because \
             it has no name left. Where only the path could tell, a note on standard error says so, and \
             `denied` and `complete` in JSON.",
        )
        .text(
            "`--deleted` finds files and directories whose name is gone and which take space until they are closed. A file of \
             which another name is left (a hard link) is left out, because closing it frees nothing: \
             `--where deleted` finds it too. Memory that only looks like a deleted file (memfds, shared memory) is \
             left out as well.",
        )
        .text(
            "`--path` and `--deleted` look at working and root directories, programs and mapped files \
             too, since each of them keeps a file alive and a mount busy.",
        )
        .text(
            "`--port` compares the process's own port, not that of the other end: the processes that it \
             prints with `--pids` are those that serve the port, and no clients. To find clients, ask for \
             `--where 'tcp.remote_port == 443'`. Raw sockets, and those for echo requests (`ping`), have no port: what stands \
             in its place is the number of a protocol and an identifier, which `--port` does not find. `--where \
             'ping.local_port == 77'` does.",
        )
}

fn sharing() -> Section {
    Section::new("SHARED DESCRIPTIONS")
        .text(
            "An fd is a number in a process; what it stands for is an open file description, an object of the kernel. \
             `dup`(2), `fork`(2) and passing an fd on (`SCM_RIGHTS` of `unix`(7), `pidfd_getfd`(2)) give one \
             description another fd, of the same or another process. `--shared` lists only fds that share theirs, \
             those of one description together and under one number, SHARED. Whoever shares a description shares:",
        )
        .term(
            4,
            "the position",
            "Whoever reads, writes or seeks moves it for all (POS).",
        )
        .term(
            4,
            "the status flags",
            "`O_NONBLOCK` and `O_APPEND` of one, set by `fcntl`(2) `F_SETFL`, are those of all (MODE).",
        )
        .term(
            4,
            "the socket, the end of a pipe",
            "Workers with one listener take from one queue of connections. (Listeners of one port that are not \
             shared have a queue each: `SO_REUSEPORT`.) Closing one fd does not close the others: the other end \
             sees no end of file, and a port stays in use, until the last of them is closed.",
        )
        .term(
            4,
            "locks and registrations",
            "A lock of `flock`(2) is held until the last fd is closed, or any of them unlocks it. A registration in an \
             epoll set lives on when its own fd is closed: see NOTES.",
        )
        .text(
            "What is opened twice is not shared, though it is the same file; neither are the two ends of a pipe, nor \
             what is opened through `/proc/`*PID*`/fd` or `/dev/fd`.",
        )
        .text(
            "Close-on-exec (CLOEXEC) is the fd's own. An fd without it stays open in whatever the process runs by \
             `execve`(2): 0, 1 and 2 are meant to, and one above them often leaks by mistake. With or without \
             `--shared`, `--where '!cloexec && fd > 2'` shows those.",
        )
        .text(
            "A *TARGET*, `--user`, `--fd`, `--kind`, `--port`, `--path`, `--deleted` and `--where` select fds as they do \
             without `--shared`. A description is shown if at least one of its fds matches all of them, and it is \
             shown whole: with the fds of other processes and of other users, and with other fds of the same \
             process, whether they match or not. With a *TARGET*, its fds come first in each group. `--pids` and \
             `--count` are about all fds shown.",
        )
        .text(
            "Numbers start from 1 in each listing, and mean nothing in another; where `--where` asks for `shared`, \
             they stay what they were when it was asked. Without `--shared`, an expression or a column with \
             `shared` in it is refused. Nothing shared is exit status 1.",
        )
        .text(
            "The kernel itself compares, by `kcmp`(2), all fds that are alike in device and inode, or in the text of \
             their link where they have none of their own; and once more after they were read: one that was \
             closed or became something else meanwhile is left out, and counted in `vanished`. All processes are looked \
             through for it, but for `fdscope` itself, which has its standard input and output from whoever runs \
             it. Those that may not be read may share, too: a note on standard error, `denied` and `complete` in \
             JSON say so, as they do where `kcmp`(2) refuses single fds. Where it is refused altogether, as in some \
             containers, or `FDSCOPE_PROC` names another tree, nothing is listed, and the exit status is 3 or 2.",
        )
        .text(
            "Not seen is what holds a description without an fd: a message on its way through a socket, a mapping, \
             an `io_uring`(7) it was registered with. Threads with an fd table of their own are looked at \
             with `--threads`. Processes that share one table (`clone`(2) with `CLONE_FILES`) share all \
             that is in it.",
        )
}

fn table() -> Section {
    Section::new("THE TABLE")
        .text("Without `--columns`, a table has these columns:")
        .term(10, "PID, COMMAND", "The process.")
        .term(10, "FD", "The number of the fd; `-` for what is held without one.")
        .term(
            10,
            "MODE",
            "`r`, `w`, `rw`, `path` (`O_PATH`) or `none` (`ioctl`(2) only). Where reading or writing may have to \
             wait (sockets, pipes, terminals and the like) also `block` or `nonblock`: whether a call would \
             wait or fail with `EAGAIN`. This belongs to the open description, so that processes which \
             share it share that too.",
        )
        .term(10, "KIND", "What it is: see KINDS.")
        .term(10, "NAME", "The most useful thing about it, in a few words.")
        .text(
            "`--assoc`, `--mappings`, `--path` and `--deleted` add ASSOC: `fd`, `cwd`, `root`, `exe` or \
             `mem` (mapped). `--threads` adds TID. `--shared` adds SHARED, the number of the description, CLOEXEC, \
             whether `execve`(2) closes the fd, and POS, the position in what has one.",
        )
}

fn records() -> Section {
    Section::new("RECORDS")
        .text(
            "A JSON record has the fields from `pid` to `name` as far as they are known (see FIELDS; `mode`, \
             `mount`, `link` and `peers` only if they are asked for), then `path` and `deleted`, and one object \
             with the fields of its kind. A TSV line has `pid`, `command`, `user`, `uid`, `fd`, `assoc`, \
             `access`, `kind`, `flags`, `pos`, `inode`, `device` and `name`. `--shared` adds `shared` and `cloexec` to \
             both. A few records in JSON, shortened:",
        )
        .code(
            "{\"pid\":4242,\"command\":\"server\",\"fd\":6,\"assoc\":\"fd\",\"access\":\"rw\",\n \
             \"kind\":\"tcp\",\"flags\":[\"nonblock\",\"cloexec\"],\n \
             \"tcp\":{\"local\":\"127.0.0.1:8080\",\"local_port\":8080,\"state\":\"listen\",\n        \
             \"recv_queue\":0,\"send_queue\":0}}\n\
             {\"pid\":4242,\"command\":\"server\",\"fd\":3,\"assoc\":\"fd\",\"access\":\"rw\",\n \
             \"kind\":\"epoll\",\"flags\":[\"cloexec\"],\n \
             \"epoll\":{\"watches\":1,\"stale\":0,\"watched\":[\n   \
             {\"fd\":6,\"events\":[\"in\",\"et\"],\"data\":6,\"kind\":\"tcp\",\n    \"stale\":false}]}}\n\
             {\"pid\":4242,\"command\":\"server\",\"fd\":9,\"assoc\":\"fd\",\"kind\":\"error\",\n \
             \"error\":{\"call\":\"readlink\",\"errno\":\"EACCES\"}}",
        )
        .text(
            "With `--count`, the fields are `pid`, `command`, `kind` and `count`. With `--pids`, a table or TSV \
             is the bare pids, one a line, and a record is `pid` alone.",
        )
}

fn other_ends() -> Section {
    Section::new("OTHER ENDS")
        .text(
            "With `--peers`, NAME ends with who is at the other end, as *PID*`/`*COMMAND* and the fds there: all \
             that have it, be it by `fork`(2) or in a message. TSV and JSON get the fields `peers` and \
             `pending`. Either can also be asked for by `--columns` or `--where` alone. For this the fds of \
             all processes are looked at, once, and only if an fd is listed that has another end.",
        )
        .text("Words before it say how the two belong together:")
        .table(
            24,
            [
                ("`from`, `to`", "The writers and the readers of a pipe or FIFO."),
                ("`with`", "The other side of a connection, of a socketpair or of a pseudoterminal."),
                ("`waiting at`", "Nobody has accepted the connection yet, and these could: they hold the listener."),
                ("`not answered by`", "Over loopback: a SYN was sent to those who listen there, and dropped, as by a full queue. It is not `pending`."),
                ("`not accepted:`", "Those that wait at this listener, as far as they are on this machine."),
                ("`shared with`", "The same eventfd or message queue, which has but one end."),
                (
                    "`nobody at the other end`",
                    "Surely: the writer of a pipe is gone, or a connection was closed there. `peers` is an \
                     empty list.",
                ),
                (
                    "`other end not known`",
                    "Somebody may be there. `peers` is `null`: the process may not be read or is not seen from \
                     here, as from within a container, or the fd is on its way in a message. Of connections to \
                     other addresses than those of loopback, this is not said.",
                ),
            ]
            .map(|(words, meaning)| (words.to_owned(), meaning.to_owned())),
        )
        .text("Only with `--threads` the fd tables that threads have for themselves are looked at for other ends too. `peers` is \
               absent from what has no other end: files, timers, listeners at which nobody waits.")
        .text(
            "TCP and UDP are found by their addresses, in the same network namespace, also where one end has an IPv4 \
             address in IPv6. In another namespace they are found where only one socket has the addresses, as over \
             a link to a container; not if a packet filter has changed them, as for a published port. UDP sockets \
             and unix sockets for datagrams that are not connected may get data from anybody: their peers are those \
             that are connected with them. Whoever takes UDP on all addresses of the machine is found as the peer of those \
             that send to it over loopback, or from the address to which they send. A terminal that a process has opened as `/dev/tty` is not found.",
        )
        .text(
            "That nobody is at the other end, the kernel says for a pipe, a pseudoterminal and a unix socket, for a \
             TCP socket as long as it remembers the other end, and over loopback after that too. Of an eventfd or a \
             message queue it can be said only if all processes of the machine may be read.",
        )
}

fn fields() -> Section {
    let section = Section::new("FIELDS").heading("Of every record");
    let section = registry::fields(section, FD_FIELDS.iter().map(|c| c.field)).heading("Of every socket");
    let section = registry::fields(section, SOCKET_FIELDS.iter().map(|c| c.field))
        .text("These two are worked out only where they are asked for by name.");
    let section = registry::own_fields(section).heading("Of --count, and its first of --pids");
    let section = registry::fields(section, counting::fields()).heading("Of --columns help");
    registry::fields(section, columns::fields())
}

fn expressions() -> Section {
    Section::new("EXPRESSIONS")
        .text(
            "`--where` takes an expression in CEL, the Common Expression Language, over all fields, whether \
             they are shown or not. Its names and types are checked before anything is read, also those inside records.",
        )
        .terms(
            4,
            [
                ("`pid == 42`, `tcp.recv_queue > 0`, `kind != 'pipe'`", "Comparison. Text is in single or double quotes."),
                ("`&&`, `||`, `!`, `(...)`, `a ? b : c`", "And, or, not, grouping, choice."),
                ("`regular.size > 10M`", "Sizes: `K`, `M`, `G`, `T` and `P` are powers of 1024."),
                ("`fd in [0, 1, 2]`, `'nonblock' in flags`", "Whether a value is in a list."),
                (
                    "`path.matches('[.]log$')`",
                    "Whether a regular expression matches anywhere in it. Also `startsWith`, `endsWith` and \
                     `contains`, which take plain text.",
                ),
                (
                    "`has(tcp.state)`, `pos != null`",
                    "Whether the record has the field. `has` takes only fields that have a dot in their names.",
                ),
                ("`size(flags) > 2`", "The length of a list or text."),
                (
                    "`epoll.watched.exists(w, w.stale)`",
                    "Whether something is true of one record in a list; `all` of each, `exists_one` of exactly one.",
                ),
            ],
        )
        .text(
            "A record that lacks a field which the expression needs does not match, negated or not: \
             `tcp.state != 'listen'` is never true of a pipe. The other half of an `||` can still be \
             true of it.",
        )
        .text(
            "Text compares as it is in JSON, after JSON's own escapes are undone: a backslash in a name is \
             two, and a byte that is not UTF-8 is `\\xHH`. CEL doubles backslashes once more, unless an \
             `r` stands before the quote: `path == r'/tmp/\\xff'`.",
        )
}

fn examples() -> Section {
    Section::new("EXAMPLES")
        .example(
            "What a process holds open, and three of its fds:",
            "fdscope list 4242\nfdscope list 4242:0-2",
        )
        .example("Which process serves a port:", "fdscope list --port 8080")
        .example(
            "End what serves it. Clients of the port are not among them:",
            "kill $(fdscope list --port 8080 --pids)",
        )
        .example("What keeps a filesystem from being unmounted:", "fdscope list --path /mnt/usb")
        .example(
            "Deleted files above 100 MiB that still take space:",
            "fdscope list --deleted --where 'regular.size > 100M'",
        )
        .example(
            "Listeners with connections that nobody accepts:",
            "fdscope list --where \"tcp.state == 'listen' && tcp.recv_queue > 0\"",
        )
        .example(
            "Blocking sockets in a server that should have none:",
            "fdscope list nginx --kind socket --where \"!('nonblock' in flags)\"",
        )
        .example(
            "Epoll registrations that no longer mean what they say, one a line:",
            "fdscope list --kind epoll --where 'epoll.stale > 0' --jsonl |\n  \
             jq -c '{pid} + (.epoll.watched[] | select(.stale))'",
        )
        .example(
            "Who else has the listeners of a process, and whatever it shares besides:",
            "fdscope list 4242 --shared --kind inet\nfdscope list 4242 --shared",
        )
        .example(
            "What leaks into the programs that a process runs:",
            "fdscope list 4242 --where '!cloexec && fd > 2'",
        )
        .example("Who is at the other end of what a process holds:", "fdscope list 4242 --peers")
        .example(
            "Pipes and connections whose other end is gone:",
            "fdscope list --where 'peers == []' --columns +peers",
        )
        .example(
            "Who is connected with redis, over whatever it is:",
            "fdscope list --where \"peers.exists(p, p.command == 'redis-server')\"",
        )
        .example("How many of each kind every process has:", "fdscope list --count")
        .example(
            "For scripts: fields that are chosen, separated by tabs:",
            "fdscope list --kind tcp --columns pid,fd,tcp.local --format tsv",
        )
}

fn bpf() -> Section {
    Section::new("BPF")
        .text(
            "Built with the feature `bpf`, `fdscope` can have the kernel itself go through the fds of a process: by \
             a small program for the `task_file` iterator of `bpf`(2). An fd then costs some 0.4 microseconds, \
             where reading its link, its `fdinfo` and `stat`(2) of it cost 3 to 12.",
        )
        .text(
            "It takes `CAP_BPF`, `CAP_PERFMON` and `CAP_SYS_PTRACE` in the first user namespace, Linux 6.2 or later with its \
             types in `/sys/kernel/btf/vmlinux`, and a machine of 64 bits that is little-endian. It is used by \
             itself once a run has come to 1000 fds, for processes with 12 fds or more: loading the program \
             takes 3 milliseconds. Smaller runs, and those without the privileges, are as ever, and so are \
             processes whose links may not be read, fds that are named, and a search for the owners of a few \
             sockets or ports. `FDSCOPE_BPF` decides otherwise on what pays.",
        )
        .text(
            "The rows are the same. What the program tells is the text of the link, open flags, position, mount, \
             inode, and on ext4, tmpfs and XFS what `stat`(2) would say. The rest is read as without it, and so are \
             whole fds where the kind has lines of its own in `fdinfo` (epoll, eventfd, timerfd, inotify, ...), \
             files that are or were locked, pipes with something in them, and links above 399 bytes. `list`, \
             `peers`, `--peers` and the owners in `fdscope-sockets`(1) gain by it.",
        )
        .text(
            "An iterator sees the moment in which it runs: its fds are all of one time, and as old as that when \
             they are printed. Nothing of the process is stopped or changed.",
        )
}

fn notes() -> Section {
    Section::new("NOTES")
        .heading("Stale epoll registrations")
        .text(
            "A registration belongs to an open description, not to the number it was made with. If that \
             description is shared (by `dup`(2), `fork`(2), or passing it on), closing the fd does not end \
             the registration: `epoll_wait`(2) goes on reporting events for a number that is closed, or is \
             something else by now. `fdscope` asks the kernel, with `kcmp`(2), whether each \
             registration still is of what that number means, and calls it stale if not.",
        )
        .text(
            "`kcmp`(2) tells it exactly. In sets of more than 256 registrations sockets and pipes are compared \
             by inode instead, and in those of more than 2048 the others are not compared at all (`stale` is \
             `null`), since `epoll_ctl`(2) of the process would have to wait meanwhile.",
        )
        .heading("What is not atomic")
        .text(
            "A process goes on while it is read, so that records of one process are of slightly different \
             times. An fd that is closed meanwhile is left out, and counted in `vanished`. So is one whose number came to \
             mean something else with each try to read it. Of a file only the name is read by itself: should the \
             number go over to another file in that very moment, the row has the name of the one and the size of the \
             other.",
        )
        .heading("Sockets")
        .text(
            "Addresses, states and queues come from the kernel by netlink (`sock_diag`(7)), or where that may not be \
             used from `/proc/`*PID*`/net`, for the process's own network namespace. A socket that is not bound yet, \
             was closed by the other end and let go, is newer than that reading, or was made in another namespace, \
             is not listed there: it is shown with its protocol alone. The tables in `/proc` tell less: not the \
             backlog of listeners, nothing of the queues and the other end of unix sockets, and nothing at all of \
             vsock sockets. What waits in TCP and unix streams is counted in bytes, in others in memory, which is \
             more.",
        )
        .heading("What a filter leaves out")
        .text(
            "Of an fd that may not be read it is not known whether it is what was asked for. Where a *TARGET* has such fds and \
             nothing else of it is shown, that is said, whatever the options, and the exit status is 3, not 1.",
        )
        .heading("Its own limit")
        .text(
            "`fdscope` raises its own soft limit on open files where its work takes more, as far as the hard one \
             allows. If that is not enough, it says so, and processes that it could not look at for that are \
             exit status 3.",
        )
        .heading("Permissions, and what is done to a process")
        .text("See `fdscope`(1).")
}
