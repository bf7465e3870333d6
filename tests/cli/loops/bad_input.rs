//! Targets that are none, are not there or may not be looked at, and times that do not fit together.

use super::server::Server;
use super::{cannot_look, fdscope};
use crate::support::{FakeProc, NOBODY, run_as};
use std::process::Command;

#[test]
fn nonsense() {
    fdscope("").run().check(2, "TARGET");
    fdscope("").arg("").run().check(2, "a target is a pid").prints("");
    fdscope("1:7-3").run().check(2, "7-3").prints("");
    for option in ["--stall 1s", "--interval 1ms"] {
        fdscope(format!("1 {option}")).run().check(2, "--for").prints("");
    }
    for option in ["--for 0", "--for x", "--watch --stall 0", "--watch --interval 1x"] {
        fdscope(format!("1 {option}")).run().check(2, "error: invalid value").prints("");
    }
    fdscope("1 --all --watch").run().check(2, "--all").prints("");
}

#[test]
fn times_that_do_not_fit() {
    let own = std::process::id();
    fdscope(format!("{own} --watch --stall 20ms"))
        .run()
        .check(2, "--stall 20ms takes an --interval of 6.666666ms or less, not 10ms")
        .prints("");
    fdscope(format!("{own} --for 50ms"))
        .run()
        .check(2, "--for 50ms is too short to see a stall of 100ms")
        .prints("");
}

#[test]
fn what_is_not_there() {
    if cannot_look() {
        return;
    }
    let mut child = Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    let pid = child.id();
    fdscope(pid.to_string()).run().check(3, &format!("no process has pid {pid}")).prints("");
    fdscope("no-such-name").run().check(3, "no process has the command name 'no-such-name'").prints("");
    let server = Server::start("level");
    let run = fdscope(format!("{}:9999", server.pid())).run();
    // Nor is it said that it has none at all.
    run.check(3, &format!("fdscope: process {} has no epoll fd of that number\n", server.pid())).prints("");
    // One that is there is shown all the same.
    let run = fdscope(format!("{pid} {}", server.pid())).run();
    assert_eq!(run.check(3, "no process has pid").json_lines()[0]["loop"], server.epoll);
}

#[test]
fn another_proc() {
    let fake = FakeProc::new();
    fake.process(77, b"fake");
    fake.fdscope("loops 77").run().check(3, "77: its loops cannot be looked at: FDSCOPE_PROC=").prints("");
}

#[test]
fn what_may_not_be_looked_at() {
    if cannot_look() {
        return;
    }
    if !rustix::process::geteuid().is_root() {
        return eprintln!("skipped: a process of another user, because that takes root to make");
    }
    let server = Server::start("level");
    let run = fdscope(server.pid().to_string()).with(|command| run_as(command, NOBODY)).run();
    let told = format!("the loops of process {} may not be looked at", server.pid());
    run.check(3, &told).prints("");
}

/// Without the call that duplicates, though all may be read.
#[test]
fn no_duplicates() {
    if cannot_look() {
        return;
    }
    let server = Server::start("level");
    let forbid = |command: &mut Command| crate::support::forbid(command, libc::SYS_pidfd_getfd, libc::EPERM);
    let run = fdscope(server.pid().to_string()).with(forbid).run();
    run.check(3, "may not be looked at").prints("");
}
