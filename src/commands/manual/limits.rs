//! The page of `fdscope limits`.

use super::{Manual, Section, registry, shared};
use crate::commands::{limits, setting, system};

pub(super) fn manual() -> Manual {
    Manual {
        command: "limits",
        sections: vec![
            registry::limits(Section::new("LIMITS").text(
                "The limits of `getrlimit`(2), in the order in which they are shown, with the unit and what \
                 is limited:",
            )),
            fields(),
            changing(),
            examples(),
            exit_status(),
            shared::environment(),
            notes(),
            shared::see_also(
                "`fdscope`(1), `fdscope-list`(1), `fdscope-sockets`(1), `fdscope-peers`(1), `fdscope-listen`(1), `fdscope-watch`(1), `prlimit`(1), \
                 `getrlimit`(2), `prlimit`(2), `select`(2), `proc_pid_limits`(5), `proc_sys_fs`(5)",
            ),
        ],
    }
}

fn fields() -> Section {
    let section = Section::new("FIELDS").heading("Of processes' limits");
    let section = registry::fields(section, limits::fields())
        .text(
            "A JSON record and a TSV line have the fields from `pid` to `percent`. A table shows sizes in powers \
             of 1024, and `unlimited`; JSON has bytes, and `null`.",
        )
        .heading("Of --system");
    let section = registry::fields(section, system::fields()).heading("Of --set");
    registry::fields(section, setting::COLUMNS.iter().map(|c| c.field))
}

fn changing() -> Section {
    Section::new("SETTING LIMITS")
        .text(
            "`--set` changes a limit of a running process with `prlimit`(2), and shows the old and the new \
             values. It may be given several times. A value is a number, `unlimited`, or for \
             limits in bytes also a number with `K`, `M`, `G` or `T`, powers of 1024. Without `:`*HARD* the hard \
             limit stays.",
        )
        .text(
            "One may lower limits of one's own processes and raise soft limits up to the hard ones. To raise \
             a hard limit, or to change another user's process, takes `CAP_SYS_RESOURCE`. \
             `nofile` never exceeds `fs.nr_open`. A lowered `nofile` closes nothing: fds that are open \
             stay open, and only new ones are refused.",
        )
}

fn examples() -> Section {
    Section::new("EXAMPLES")
        .example(
            "All limits of a process, and of all that have this name:",
            "fdscope limits 4242\nfdscope limits nginx",
        )
        .example("The ten processes nearest to running out of fds:", "fdscope limits --all --top 10")
        .example(
            "For a monitor: status 1, and the culprits, if any process has used more than 80%:",
            "fdscope limits --all --top 5 --fail-above 80%",
        )
        .example(
            "Give a running server more fds, without a restart:",
            "fdscope limits 4242 --set nofile=65536",
        )
        .example("Who uses up the inotify watches:", "fdscope limits --system")
}

fn exit_status() -> Section {
    shared::exit_status().text(
        "With `--fail-above`, status 1 says that a process that is shown uses more than that; with `--top` or \
         a *TARGET*, others are not looked at for it. Status 3 wins over 1.",
    )
}

fn notes() -> Section {
    Section::new("NOTES")
        .heading("What is used")
        .text(
            "The number of open fds is the size of the directory `/proc/`*PID*`/fd`, which Linux 6.2 and later give \
             to everybody and at once. Before that, it is counted, which takes the right to read it. `nproc` \
             and `sigpending` are shared by all processes of a real user, so what is used of them is \
             the user's sum. What the kernel does not tell is `null`.",
        )
        .text(
            "`nofile` is not a limit on how many fds are open, but on the numbers of new ones, which must be \
             below it. As the kernel gives out the lowest free number, both come to the same, except for a \
             process whose limit was lowered below what it had open: that is above 100%, and a soft limit of 0 \
             counts as 1.",
        )
        .text(
            "Without a *TARGET*, the limits are those that `fdscope` itself was started with, and so those of the \
             shell; what is used is `fdscope`'s own.",
        )
        .heading("Four numbers that are taken for one another")
        .terms(
            4,
            [
                (
                    "`nofile`",
                    "Of each process; `EMFILE` beyond it. The soft limit is enforced. A process may raise it \
                     to the hard limit by itself, and servers should.",
                ),
                (
                    "`fs.nr_open`",
                    "The most that any hard `nofile` limit can be raised to.",
                ),
                (
                    "`fs.file-max`",
                    "Open descriptions in the whole system, fds that share one counting once; `ENFILE` beyond it, \
                     except for `CAP_SYS_ADMIN`.",
                ),
                (
                    "`FD_SETSIZE`",
                    "1024, fixed when the C library was compiled. `select`(2) with an `fd_set` of the library \
                     cannot hold an fd of that number or above, and `FD_SET` on one overwrites other \
                     memory or aborts. So a program that uses `select`(2) is in danger with a soft limit above \
                     1024; `poll`(2) and `epoll`(7) have no such bound.",
                ),
            ],
        )
        .heading("Use by user")
        .text(
            "The kernel charges inotify instances, inotify watches and epoll registrations to the user who made \
             them. `--system` adds up what all processes hold that may be read, by their effective user, and says \
             on standard error if it had to leave some out. What several processes share, after `fork`(2) say, \
             counts for each of them.",
        )
        .heading("Permissions")
        .text("Limits and counts of all processes may be read by everybody, unless `/proc` is mounted with `hidepid`: \
               then those of others are not seen, and status 0 of `--fail-above` is about one's own. A note and \
               `complete` in JSON say so. See `fdscope`(1).")
}
