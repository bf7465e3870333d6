//! Targets that are none, are not there, or may not be watched.

use super::{fdscope, here_all};
use crate::support::{Fdscope, Helper, NOBODY, run_as};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::process::Command;

#[test]
fn nonsense() {
    for (target, reason) in [
        (
            "nginx",
            "'nginx' does not say which fds: nginx:3 or nginx:all for a process of that name, ./nginx for a",
        ),
        ("1:", "1:"),
        ("1:7-3", "7-3"),
        ("tcp:80", "'80' is not HOST:PORT, such as localhost:8080 or [::1]:8080"),
        ("tcp:localhost:0", "is not HOST:PORT"),
        ("udp:localhost:70000", "is not HOST:PORT"),
        ("unix:", "unix: wants a path, or @ and an abstract name, behind it"),
        ("w:", "a path is missing behind r:, w: or rw:"),
        ("99999999999", "is not an fd number"),
    ] {
        fdscope(target).run().check(2, reason).prints("");
    }
    fdscope("").arg("").run().check(2, "a target is an inherited fd such as 0");
    fdscope("").run().check(2, "TARGET");
    for arguments in ["--with kqueue", "--trigger sometimes", "-e hup", "-n 0", "-t never", "-u soon"] {
        fdscope(format!("0 {arguments}")).run().check(2, "error: invalid value").prints("");
    }
}

#[test]
fn what_is_not_there() {
    if super::cannot_watch_others() {
        return;
    }
    let mut child = Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    let pid = child.id();
    fdscope(format!("{pid}:3")).run().check(3, &format!("no process has pid {pid}")).prints("");
    fdscope(format!("{pid}:all")).run().check(3, &format!("no process has pid {pid}")).prints("");
    let target = here_all(&[999_999]);
    fdscope(&target).run().check(3, &format!("{target}: the process has no such fd")).prints("");
    fdscope("no-such-name-at-all:3").run().check(3, "no-such-name-at-all").prints("");
    fdscope("/no/such/file").run().check(3, "no such file or directory (ENOENT)").prints("");
    fdscope("tcp:no-such-host.invalid:80").run().check(3, "the host is not known").prints("");
}

/// Names are shown as they are everywhere: whatever is no text is escaped, and nothing is lost.
#[test]
fn names_that_are_no_text() {
    for (target, shown) in [
        (
            &b"unix:a\xff\x1b[31m\xc3\xa9"[..],
            "unix:a\\xff\\x1b[31m\u{e9}: no such file or directory (ENOENT)",
        ),
        (b"./a\xff\x1b[31m\xc3\xa9", "./a\\xff\\x1b[31m\u{e9}: no such file or directory (ENOENT)"),
    ] {
        let run = fdscope("").in_directory("/proc/self").arg(OsStr::from_bytes(target)).run();
        run.check(3, &format!("fdscope: {shown}\n")).prints("");
    }
    let run = Fdscope::new("watch").arg(OsStr::from_bytes(b"unix:@no\xff\x1b")).run();
    assert!(run.check(0, "").stdout().ends_with("  ECONNREFUSED  unix \u{2192} @no\\xff\\x1b\n"));
}

/// A process of root's, for somebody who is not.
#[test]
fn what_may_not_be_watched() {
    if super::cannot_watch_others() {
        return;
    }
    if rustix::process::geteuid().as_raw() != 0 {
        eprintln!("skipped: another user's process, because we are not root");
        return;
    }
    let helper = Helper::start("pipes::pipe");
    for fds in ["0", "all"] {
        let run = fdscope(format!("{}:{fds}", helper.pid())).with(|c| run_as(c, NOBODY)).run();
        run.check(3, "may not be watched: that takes the right to trace it").prints("");
        run.check(3, "CAP_SYS_PTRACE");
    }
}
