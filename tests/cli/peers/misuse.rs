//! `fdscope peers`: what cannot be done.

use crate::support::{FakeProc, Fdscope, Helper, NOBODY, run_as};

#[test]
fn wrong_usage() {
    for (arguments, told) in [
        ("peers --stuck", "--for <DURATION>"),
        ("peers --depth 2", "<TARGET>..."),
        ("peers 1 --depth 0", "a number of steps is a whole number from 1 on"),
        ("peers 1 --depth x", "a number of steps is a whole number from 1 on"),
        ("peers --for 0", "it must be more than nothing"),
        ("peers --for soon", "'soon' is not a duration"),
        ("peers --kind pip", "did you mean 'pipe'?"),
        ("peers --format trace", "fdscope: --format trace is a format of fdscope watch alone\n"),
        ("list --format dot", "fdscope: --format dot is a format of fdscope peers alone\n"),
        ("peers --format dot --json", "cannot be used with"),
        ("peers 0", "'0' is not a pid"),
    ] {
        Fdscope::new(arguments).run().check(2, told).prints("");
    }
}

#[test]
fn targets_that_are_not_there() {
    let helper = Helper::start("peers::pipe");
    let nobody = std::fs::read_to_string("/proc/sys/kernel/pid_max").unwrap();
    let nobody = nobody.trim();
    let run = Fdscope::new(format!("peers {nobody} --quiet")).run();
    run.check(3, &format!("fdscope: {nobody}: no process has pid {nobody}\n")).prints("");
    // What could be read is shown.
    let run = Fdscope::new(format!("peers {nobody} {} --quiet", helper.pid())).run();
    assert!(run.check(3, "no process has pid").stdout().contains("pipe"));
}

#[test]
fn nothing_to_show() {
    let helper = Helper::start("targets::nothing");
    // Of the pipes by which the harness talks to it nobody asks.
    let run = Fdscope::new(format!("peers {} --kind eventfd,udp", helper.pid())).run();
    run.check(1, "fdscope: no fd here has another end\n").prints("");
    Fdscope::new(format!("peers {} --kind udp --quiet", helper.pid())).run().check(1, "").prints("");
    let run = Fdscope::new(format!("peers {} --kind udp --json --quiet", helper.pid())).run();
    assert_eq!(run.check(1, "").records().len(), 0);
    let mut helper = helper;
    helper.kill();
    let run = Fdscope::new(format!("peers {}", helper.pid())).run();
    run.check(1, "is a zombie: it holds nothing open any more\n").prints("");
}

#[test]
fn of_other_users() {
    if !rustix::process::geteuid().is_root() {
        return eprintln!("skipped: another user, because we are not root");
    }
    let helper = Helper::start("peers::pipe");
    let run = Fdscope::new(format!("peers {}", helper.pid())).with(|c| run_as(c, NOBODY)).run();
    let told = format!("fdscope: the fds of process {} may not be read: permission denied\n", helper.pid());
    run.check(3, &told).prints("");
    // Of all processes it shows those that may be read, and tells of the others.
    let run = Fdscope::new("peers --json").with(|c| run_as(c, NOBODY)).run();
    assert!(run.status() <= 1 && run.stderr().contains(" could not be read: permission denied\n"));
    assert_eq!(run.json()["complete"], false);
}

#[test]
fn fds_that_make_no_sense_do_no_harm() {
    let fake = FakeProc::new();
    fake.process(77, b"\xff\x1b[31m\n")
        .fd(0, "pipe:[99999999999999999999]", "flags:\t01\n")
        .fd(1, "pipe:[1]", "")
        .fd(2, "socket:[0]", "\n\n")
        .fd(3, "anon_inode:[eventfd]", "eventfd-id: zz\n")
        .fd(4, "/dev/pts/ptmx", "tty-index:\t-1\n")
        .fd(5, "/dev/pts/18446744073709551616", "flags:\t02\n");
    for arguments in ["peers", "peers 77", "peers 77 --format dot", "peers 77 --for 10ms --jsonl"] {
        let run = fake.fdscope(arguments).run();
        assert!(run.status() <= 1, "{}", run.stderr());
    }
}
