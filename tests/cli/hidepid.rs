//! A /proc that hides the processes of others: what is not seen is told.

use crate::support::{Fdscope, Helper, Run, difference};
use serde_json::{Value, json};
use std::net::TcpListener;
use std::process::{Command, Stdio};

const TOLD: &str = "fdscope: /proc is mounted with hidepid: processes of others are not seen\n";

/// Mounts such a /proc, by a word that kernels do not know in which that would change all others, and
/// goes on as the user of this number, without any privilege.
const SCRIPT: &str = "user=$1; shift; mount -t proc proc /proc -o hidepid=invisible && \
                      exec setpriv --reuid $user --regid $user --clear-groups \"$@\"";
const THROUGH: [&str; 6] = ["unshare", "--mount", "sh", "-c", SCRIPT, "sh"];

/// Somebody who has no other processes: those of another test, which are just about to run a program,
/// would be seen and could not be read.
fn somebody(test: u32) -> String {
    (1_000_000 + 2 * std::process::id() + test).to_string()
}

fn is_possible(user: &str) -> bool {
    let tried =
        Command::new(THROUGH[0]).args(&THROUGH[1..]).args([user, "true"]).stderr(Stdio::null()).status();
    let possible = tried.is_ok_and(|status| status.success());
    if !possible {
        eprintln!("skipped: hidepid, because unshare(1), mount(8) and setpriv(1) cannot set that up");
    }
    possible
}

fn run_as(user: &str, arguments: &str) -> Run {
    Fdscope::through(&[&THROUGH[..], &[user]].concat(), arguments).run()
}

#[test]
fn what_is_hidden_is_told() {
    let user = somebody(0);
    if !is_possible(&user) {
        return;
    }
    let run = |arguments: &str| run_as(&user, arguments);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    for (arguments, status) in [
        (format!("list --port {port}"), 1),
        (format!("list --port {port} --pids"), 1),
        ("list --deleted -u root".to_owned(), 1),
        ("list --count -k tcp -u root".to_owned(), 1),
        ("list -w pid==1".to_owned(), 1),
        ("limits --all".to_owned(), 0),
        ("limits --all --fail-above 80".to_owned(), 0),
        ("limits --system".to_owned(), 0),
    ] {
        let told = run(&arguments);
        told.check(status, TOLD);
        assert_eq!(told.stderr(), TOLD, "{arguments}");
        run(&format!("{arguments} --quiet")).check(status, "");
        let document = run(&format!("{arguments} --json")).check(status, TOLD).json();
        let expected = json!({"complete": false, "denied": 0, "timed_out": 0, "hidden": {"$absent": true}});
        assert_eq!(difference(&expected, Some(&document)), Vec::<String>::new(), "{arguments}");
    }
    let shared = run("list --shared --json");
    assert_eq!(shared.check(1, TOLD).json()["complete"], Value::Bool(false));
}

#[test]
fn a_target_that_is_hidden_is_not_said_to_be_missing() {
    let user = somebody(1);
    if !is_possible(&user) {
        return;
    }
    let run = |arguments: &str| run_as(&user, arguments);
    let helper = Helper::start("pipes::pipe");
    let pid = helper.pid();
    let told = format!("fdscope: {pid}: process {pid} may not be seen: /proc is mounted with hidepid\n");
    for command in ["list", "limits", "sockets --process"] {
        run(&format!("{command} {pid}")).check(3, &told).prints("");
    }
    let none = i32::MAX;
    let run_none = run(&format!("list {none}"));
    run_none.check(3, &format!("fdscope: {none}: no process has pid {none}\n")).prints("");
    let told = "; processes of others may not be seen: /proc is mounted with hidepid\n";
    run("list nobody-at-all").check(3, told).prints("");
    // What is seen is complete.
    let own = run("list self --json");
    assert_eq!(own.check(0, "").json()["complete"], Value::Bool(true));
}
