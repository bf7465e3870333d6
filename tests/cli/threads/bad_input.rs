//! What cannot be known, or makes no sense.

use super::{of, settle, thread};
use crate::exhibits::listed;
use crate::support::{Fdscope, Helper, Keeper, NOBODY, Skip, call, eventually_state, run_as};
use nix::sys::signal::Signal;
use nix::unistd::geteuid;
use rustix::pipe::pipe;
use serde_json::json;
use std::process::Command;

listed! { "threads::bad_input": secret }

/// A process that lets nobody look into it: prctl(PR_SET_DUMPABLE).
fn secret(keeper: &mut Keeper) -> Result<(), Skip> {
    call(libc::SYS_prctl, [libc::PR_SET_DUMPABLE as usize, 0, 0, 0, 0, 0]).unwrap();
    let (reader, writer) = pipe().unwrap();
    thread(keeper, "reads", move || {
        let _ = rustix::io::read(&reader, &mut [0; 8]);
    });
    keeper.keep(writer);
    Ok(())
}

#[test]
fn targets_that_are_none() {
    let run = |arguments: &str| Fdscope::new(format!("threads {arguments}")).run();
    run("").check(2, "<TARGET>");
    run("4242:x").check(3, "no process has the command name '4242:x'");
    run("1:3x").check(2, "'3x' is not a thread id or a range such as 3-7");
    run("1:7-3").check(2, "the range '7-3' runs backwards");
    run("0").check(2, "'0' is not a pid");
    run("2147483647").check(3, "2147483647: no process has pid 2147483647");
    Fdscope::new("threads").arg("").run().check(2, "a target is a pid, 'self', PID:TIDS or a command name");
    // Of several, the others are shown.
    let run = run("2147483647 self --jsonl");
    run.check(3, "no process has pid 2147483647");
    assert_eq!(run.json_lines().len(), 1);
}

#[test]
fn options_that_make_no_sense() {
    let run = |arguments: &str| Fdscope::new(format!("threads self {arguments}")).run();
    run("--interval 5ms").check(2, "--sample <TIME>");
    run("--sample 0").check(2, "it must be more than nothing");
    run("--sample -1s").check(2, "unexpected argument '-1'");
    run("--sample x").check(2, "'x' is not a duration");
    run("--sample 1s --interval 0").check(2, "it must be more than nothing");
    run("--columns tid,nmae").check(2, "there is no field 'nmae'; did you mean 'name'?");
    run("--where cal==1").check(2, "there is no field 'cal'");
    run("--where tid").check(2, "--where");
    let none = run("--where tid==1 --jsonl");
    none.check(1, "").prints("");
}

#[test]
fn itself() {
    let run = Fdscope::new("threads self --json").ok();
    let records = run.records();
    assert_eq!(records.len(), 1);
    assert_eq!((&records[0]["pid"], &records[0]["waits_for"]), (&json!(run.pid), &json!("running")));
}

/// Has a command run without privileges, of which root has some that help here.
fn plainly(command: &mut Command) {
    if geteuid().is_root() {
        run_as(command, NOBODY);
    }
}

/// Of one's own process that is not dumpable, and of another user's.
#[test]
fn what_may_not_be_known_is_said() {
    is_said(&Helper::start_with("threads::bad_input::secret", plainly));
    if geteuid().is_root() {
        is_said(&Helper::start("threads::states::reader"));
    } else {
        eprintln!("skipped: a process of another user, because it takes root to make one");
    }
}

/// Waits until its thread reads.
fn settle_in_read(helper: &Helper) {
    eventually_state(helper.pid(), helper.told["reads"]["tid"].as_u64().unwrap(), 'S');
}

fn is_said(helper: &Helper) {
    settle_in_read(helper);
    for look in ["", "--sample 50ms"] {
        let run = of(helper, &format!("{look} --json")).with(plainly).run();
        run.check(
            3,
            &format!("what the threads of process {} (helper) wait for may not be read", helper.pid()),
        );
        let document = run.json();
        assert_eq!(document["complete"], false);
        let records = run.records();
        assert_eq!(document["denied"], records.len());
        let reads = super::named(&records, "reads").unwrap();
        assert_eq!(
            (&reads["error"], &reads["waits_for"]),
            (&json!("EACCES"), &json!("not permitted (EACCES)"))
        );
        // Anybody may know these.
        assert_eq!(reads["state"], "sleeping");
        assert!(reads["cpu"].is_number() && reads.get("call").is_none() && reads.get("serving").is_none());
    }
}

#[test]
fn one_of_several_may_not_be_known() {
    let secret = Helper::start_with("threads::bad_input::secret", plainly);
    let own = Helper::start_with("threads::states::reader", plainly);
    settle_in_read(&own);
    let run = Fdscope::new(format!("threads {} {} --json", secret.pid(), own.pid())).with(plainly).run();
    run.check(3, "may not be read");
    let records = run.records();
    let read = records.iter().any(|r| r["pid"] == own.pid() && r["call"] == "read");
    let denied = records.iter().any(|r| r["pid"] == secret.pid() && r["error"] == "EACCES");
    assert!(read && denied, "{records:?}");
}

#[test]
fn another_program_in_its_place() {
    let mut child = std::process::Command::new("sh")
        .args(["-c", "read line; exec cat"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let pid = child.id();
    let look = || Fdscope::new(format!("threads {pid} --json")).run().records();
    settle(look, &[("sh", json!({"call": "read"}))]);
    let run = Fdscope::new(format!("threads {pid} --sample 1h --jsonl")).start();
    super::eventually_catches(run.pid(), Signal::SIGINT);
    let mut stdin = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut stdin, b"\n").unwrap();
    settle(look, &[("cat", json!({"call": "read"}))]);
    // It may have looked at the shell alone: only what it saw is told.
    let run = run.end_by(Signal::SIGINT);
    let told = run.stderr();
    let both = format!("fdscope: process {pid} (");
    assert!(told.is_empty() || told.starts_with(&both) && told.contains("another program"), "{told}");
    assert!(run.json_lines().iter().all(|r| r["pid"] == pid));
    drop(stdin);
    child.wait().unwrap();
}
