//! A /proc of another pid namespace than fdscope is in, whose pids must not get into system calls.

use crate::support::{Fdscope, Helper, Run};
use std::process::{Command, Stdio};

/// Its note.
const TOLD: &str = "/proc is of another pid namespace: mount one of your own ('mount -t proc proc /proc', or \
                    unshare --mount-proc)";

/// fdscope as process 1 of a pid namespace of its own, which sees our /proc; nothing, and why, where
/// there can be none.
fn inside(arguments: &str) -> Option<Fdscope> {
    let through = ["unshare", "--pid", "--fork", "--kill-child"];
    let possible = Command::new(through[0]).args(&through[1..]).arg("true").stderr(Stdio::null()).status();
    if !possible.is_ok_and(|status| status.success()) {
        eprintln!("skipped: another pid namespace, because unshare(1) cannot make one");
        return None;
    }
    Some(Fdscope::through(&through, arguments))
}

#[test]
fn no_other_process_is_changed() {
    let Some(fdscope) = inside("limits 1 --set nofile=123") else { return };
    // There fdscope is process 1 itself, and here somebody else is.
    fdscope.run().check(3, &format!("process 1: its limits cannot be set: {TOLD}")).prints("");
}

#[test]
fn fdscope_itself_is_found() {
    let Some(fdscope) = inside("list self --json") else { return };
    let run = fdscope.run();
    let records = run.check(0, TOLD).records();
    assert_eq!(records.len(), 3, "{records:?}");
    assert!(records.iter().all(|r| r["command"] == "fdscope" && r["pid"] != 1), "{records:?}");
    let run = inside("limits --json").unwrap().run();
    assert_eq!(run.check(0, TOLD).records()[0]["command"], "fdscope");
}

#[test]
fn what_takes_a_pid_is_left_out() {
    let helper = Helper::start("pipes::pipe");
    let run = |arguments: &str| -> Option<Run> { Some(inside(arguments)?.run()) };
    let Some(listed) = run(&format!("list {} --json", helper.pid())) else { return };
    let records = listed.check(0, TOLD).records();
    let kind = |name| &records.iter().find(|r| r["fd"] == helper.fd(name)).unwrap()["kind"];
    assert_eq!((kind("reader"), kind("writer")), (&"pipe".into(), &"pipe".into()));
    for (command, subject) in [("loops", "loops"), ("watch", "fds")] {
        let arguments = format!("{command} {}:{}", helper.pid(), helper.fd("reader"));
        let told = format!(
            "{}: its {subject} cannot be {}: {TOLD}",
            helper.pid(),
            match command {
                "loops" => "looked at",
                _ => "watched",
            }
        );
        run(&arguments).unwrap().check(3, &told).prints("");
    }
    let threads = run(&format!("threads {}", helper.pid())).unwrap();
    threads.check(0, TOLD);
    assert!(!threads.stdout().contains("ESRCH"), "{}", threads.stdout());
    run("list --shared").unwrap().check(2, TOLD).prints("");
    run(&format!("list {} --quiet --pids", helper.pid())).unwrap().check(0, "");
}
