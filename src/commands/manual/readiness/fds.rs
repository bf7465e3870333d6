//! Section 2: numbers, what is behind them, and how many there can be.

use super::Section;

pub(super) fn section() -> Section {
    let section = Section::new("FILE DESCRIPTORS").text(
        "What a process has open it knows by small numbers, file descriptors or fds: files, sockets, pipes, timers. \
         They count from 0, for each process anew. By convention 0 is where it reads from, 1 where it writes to, and \
         2 where it complains; a shell sets these up. That is all that is special about them.",
    );
    counts(limits(sharing(section)))
}

fn sharing(section: Section) -> Section {
    section
        .heading("Descriptor and description")
        .text(
            "The number is only a name. Behind it is the open file description, in the kernel: which file or socket, the \
             position in it, and the status flags, `O_NONBLOCK` and `O_APPEND` among them. `open`(2), `socket`(2) and \
             `accept`(2) make a new description. `dup`(2), `fork`(2), and sending an fd over a unix socket make one more \
             name for the same. What belongs to the number alone is whether `execve`(2) closes it, `FD_CLOEXEC`. Here \
             1 and 2 are one description (SHARED has the same number for both), because the shell made 2 with dup:",
        )
        .session(
            "$ sleep 600 < /etc/passwd > out 2>&1 &\n\
             $ fdscope list $!:0-2 --shared -q -c shared,command,fd,mode,name\n\
             SHARED  COMMAND  FD  MODE  NAME\n     \
             1  sleep     1  w     ...out\n     \
             1  sleep     2  w     ...out\n",
        )
        .text("And a position that is shared moves for all: another program reads ten bytes, and the shell's fd has moved:")
        .session(
            "$ exec 3< /etc/passwd\n\
             $ dd bs=10 count=1 <&3 > out 2> err\n\
             $ fdscope list $$:3 --columns fd,pos,name\n\
             FD  POS  NAME\n \
             3   10  /etc/passwd\n\
             $ exec 3<&-\n",
        )
        .text(
            "A connection ends when its last name is closed. So if a server has forked, and its child still holds the socket, \
             the server's close goes unnoticed by the client (`shutdown`(2) would not). `fdscope list --path` and `fdscope peers` find who \
             holds what.",
        )
        .heading("The lowest free number")
        .text(
            "A new fd gets the lowest number that is free. So what comes after 0, 1 and 2 is 3, and if 0 is closed, the \
             next file is 0, that is, what everybody takes for the input. In `lowest.py`:",
        )
        .file(
            "lowest.py",
            "import os\n\
             print(os.open(\"/etc/passwd\", os.O_RDONLY))\n\
             os.close(0)\n\
             print(os.open(\"/etc/passwd\", os.O_RDONLY))\n",
        )
        .session("$ python3 lowest.py\n«3»\n0\n")
        .text(
            "It follows that numbers are used again at once. Whoever remembers a number after a close, in a table or in an \
             epoll set, means somebody else's connection.",
        )
}

fn limits(section: Section) -> Section {
    section
        .heading("How many there can be")
        .terms(
            4,
            [
                (
                    "`RLIMIT_NOFILE`",
                    "The limit that counts: fds of a process are below it, so a limit of 20 allows 0 to 19. The soft \
                     limit is in force; the process itself may raise it, up to the hard one. 1024 is a usual soft \
                     limit, for the sake of select, and a server should raise its own. Beyond it `open`, `socket` and \
                     `accept` fail with `EMFILE`.",
                ),
                ("`fs.nr_open`", "The most that a hard limit can be set to, and who does that needs `CAP_SYS_RESOURCE`."),
                (
                    "`fs.file-max`",
                    "Descriptions in the whole system. Beyond it everybody without `CAP_SYS_ADMIN` gets `ENFILE`: the table of the system is \
                     full, not that of the process. `EMFILE` is yours to mend, `ENFILE` the administrator's.",
                ),
                (
                    "`OPEN_MAX`",
                    "The name by which POSIX asks how many files a process may have open: one more than the highest \
                     number. Linux does not define it as a constant; `sysconf(_SC_OPEN_MAX)` gives the soft limit.",
                ),
                (
                    "`_POSIX_OPEN_MAX`",
                    "20: the least that any POSIX system grants, and so what a portable program may count on: \
                     0 to 19. It is no limit of Linux.",
                ),
                (
                    "`FD_SETSIZE`",
                    "1024: how many bits the `fd_set` of the C library has, and so what select can be asked about: \
                     0 to 1023. It is a matter of the type and not of the limit, and cannot be raised. See section 4.",
                ),
            ],
        )
        .session(
            "$ fdscope limits --system --quiet --format tsv | cut -f 1,2 | \\\n    \
             grep -E 'file-max|nr_open|OPEN_MAX|FD_SETSIZE'\n\
             fs.file-max     «2466170»\n\
             fs.nr_open      «1048576»\n\
             OPEN_MAX        «20000»\n\
             _POSIX_OPEN_MAX 20\n\
             FD_SETSIZE      1024\n\
             $ fdscope limits $$ --quiet | grep -E 'LIMIT|nofile'\n\
             LIMIT            SOFT       HARD  USED  PERCENT  UNIT  ...\n\
             nofile          «20000»      «20000»     «6»      «0.0»  fds   ...\n\
             $ bash -c 'ulimit -n 3; : < /etc/passwd'\n\
             «bash: line 1:|bash:» /etc/passwd: Too many open files\n",
        )
}

fn counts(section: Section) -> Section {
    section
        .text(
            "The last one had 0, 1 and 2, and so none to spare. A server in that state has a nasty habit: `accept` fails with \
             `EMFILE`, the connection stays in the queue, the listener stays ready, and a loop that takes no care asks \
             again at once, with a whole CPU. `fdscope limits --all --top 10` shows who is near it.",
        )
        .text(
            "Limits are cheap today: an fd costs some hundreds of bytes in the kernel, a TCP connection some thousands. Reasons \
             for a low limit are programs that close \"all\" fds one by one, and select.",
        )
}
