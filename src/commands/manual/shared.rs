//! Sections that every page has.

use super::Section;

pub(super) fn exit_status() -> Section {
    let statuses = [
        ("`0`", "Done: something matched, or the condition was met."),
        ("`1`", "Nothing matched, or the condition was not met."),
        ("`2`", "Wrong usage or bad input, or the output could not be written."),
        (
            "`3`",
            "A *TARGET* does not exist, ended, or may not be read or changed. What could be read is \
             shown all the same.",
        ),
    ];
    Section::new("EXIT STATUS").terms(6, statuses).text(
        "A reader that goes away early, such as `head`, ends `fdscope` quietly and with 0. A listing of \
         all processes that had to leave out those of other users is still 0: a note on standard error, \
         and `complete` in JSON, say what was left out.",
    )
}

pub(super) fn environment() -> Section {
    let variables = [
        ("`NO_COLOR`", "If set and not empty, `--color auto` does not colour."),
        (
            "`CLICOLOR_FORCE`",
            "If set, not empty and not 0, `--color auto` colours even what is not written to a \
             terminal. `NO_COLOR` wins.",
        ),
        ("`TERM`", "If it is `dumb`, `--color auto` does not colour."),
        (
            "`FDSCOPE_PROC`",
            "The proc filesystem to read instead of `/proc`: that of a host, say, mounted elsewhere in a \
             container. Its pids are then not those of system calls, so that whatever takes one is left \
             out: what is asked of a duplicate of an fd, threads with an fd table of their own, \
             `list --shared`, and `limits --set`. The same goes, with a note on standard error, for a `/proc` \
             that shows another pid namespace than that of `fdscope`, as after `unshare --pid` without \
             `--mount-proc`.",
        ),
        (
            "`FDSCOPE_BPF`",
            "If `never`, fds are not read by the iterator of `bpf`(2); if `always`, they are also where it does \
             not pay, and a note on standard error says so where it cannot be had, which is always so in a \
             `fdscope` without the feature `bpf`. Other words are refused: see `fdscope-list`(1), BPF.",
        ),
        ("`COMPLETE`", "Used by shell completion: see `fdscope`(1), SHELL COMPLETION."),
    ];
    Section::new("ENVIRONMENT").terms(18, variables)
}

/// `pages`, and the guides.
pub(super) fn see_also(pages: &str) -> Section {
    Section::new("SEE ALSO").text(format!("{pages}, `fdscope-fields`(7), `fdscope-readiness`(7)"))
}
