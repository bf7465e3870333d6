//! Completion by the running program, as the script that `COMPLETE=bash fdscope` prints asks for
//! it.

use std::process::Command;

/// The candidates for the last word.
fn candidates(words: &[&str]) -> Vec<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_fdscope"))
        .env("COMPLETE", "bash")
        .env("_CLAP_COMPLETE_INDEX", (words.len() - 1).to_string())
        .env("_CLAP_COMPLETE_COMP_TYPE", "9")
        .env("_CLAP_IFS", "\n")
        .arg("--")
        .args(words)
        .output()
        .unwrap();
    assert!(output.status.success(), "{words:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[track_caller]
fn offers(words: &[&str], expected: &[&str]) {
    assert_eq!(candidates(words), expected, "{words:?}");
}

#[test]
fn the_script_asks_the_program() {
    for (shell, call) in
        [("bash", "complete "), ("zsh", "compdef "), ("fish", "complete "), ("elvish", "edit:")]
    {
        let output = Command::new(env!("CARGO_BIN_EXE_fdscope")).env("COMPLETE", shell).output().unwrap();
        let script = String::from_utf8(output.stdout).unwrap();
        assert!(script.contains(call) && script.contains("COMPLETE"), "{shell}: {script}");
    }
}

/// It is said what is wrong, and which shells there are, on a line of its own.
#[test]
fn a_shell_that_is_not_known() {
    let output = Command::new(env!("CARGO_BIN_EXE_fdscope")).env("COMPLETE", "nosuch").arg("list").output();
    let output = output.unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(2), &b""[..]), "{told}");
    assert!(
        told.starts_with("fdscope: COMPLETE: unknown shell `nosuch`") && told.contains("`bash`"),
        "{told}"
    );
    assert!(told.ends_with('\n') && told.lines().count() == 1, "{told:?}");
}

/// Those of one subcommand alone are not offered to others.
#[test]
fn formats() {
    let common = ["table", "json", "jsonl", "tsv"];
    for (command, own) in
        [("listen", None), ("bench", None), ("watch", Some("trace")), ("peers", Some("dot"))]
    {
        let expected: Vec<&str> = common.into_iter().chain(own).collect();
        offers(&["fdscope", command, "--format", ""], &expected);
    }
}

#[test]
fn selectors_each_once() {
    offers(&["fdscope", "watch", "--with", "s"], &["select"]);
    offers(&["fdscope", "watch", "--with", ""], &["auto", "select", "poll", "epoll", "mio"]);
    offers(&["fdscope", "watch", "--with", "select,"], &["select,poll", "select,epoll", "select,mio"]);
    offers(&["fdscope", "watch", "--with", "auto,"], &[]);
    offers(&["fdscope", "watch", "--events", "in,"], &["in,in", "in,out", "in,pri", "in,rdhup"]);
}

#[test]
fn socket_files() {
    for command in ["listen", "watch"] {
        offers(&["fdscope", command, "unix:Cargo.t"], &["unix:Cargo.toml"]);
        offers(&["fdscope", command, "uni"], &["unix:"]);
    }
}

#[test]
fn subcommands_and_options() {
    offers(&["fdscope", "li"], &["list", "limits", "listen"]);
    offers(&["fdscope", "list", "--kin"], &["--kind"]);
}

#[test]
fn pids_that_run() {
    let own = std::process::id().to_string();
    for command in ["list", "limits"] {
        let pids = candidates(&["fdscope", command, ""]);
        assert!(pids.contains(&own), "{own} is not in {pids:?}");
    }
}

#[test]
fn kinds_after_a_comma_too() {
    offers(&["fdscope", "list", "--kind", "tc"], &["tcp", "tcp6"]);
    offers(&["fdscope", "list", "--kind", "pipe,tc"], &["pipe,tcp", "pipe,tcp6"]);
}

#[test]
fn columns_after_a_comma_or_a_plus_too() {
    offers(&["fdscope", "list", "--columns", "epoll.wa"], &["epoll.watches", "epoll.watched"]);
    offers(&["fdscope", "list", "--columns", "pid,epoll.st"], &["pid,epoll.stale"]);
    offers(&["fdscope", "list", "--columns", "+dele"], &["+deleted"]);
    offers(&["fdscope", "limits", "--columns", "limit,per"], &["limit,percent"]);
}

#[test]
fn limits_to_set() {
    offers(&["fdscope", "limits", "1", "--set", "no"], &["nofile="]);
}

#[test]
fn services_and_the_file_to_send() {
    offers(&["fdscope", "listen", "--serve", "h"], &["hold", "http"]);
    offers(&["fdscope", "listen", "--serve", "se"], &["send="]);
    offers(&["fdscope", "listen", "--serve", "send=Cargo.t"], &["send=Cargo.toml"]);
}

#[test]
fn targets_to_watch() {
    let own = std::process::id();
    let pids = candidates(&["fdscope", "watch", &own.to_string()]);
    assert!(pids.contains(&format!("{own}:")), "{own}: is not in {pids:?}");
    let (reader, _writer) = std::io::pipe().unwrap();
    let fd = format!("{own}:{}", std::os::fd::AsRawFd::as_raw_fd(&reader));
    let fds = candidates(&["fdscope", "watch", &format!("{own}:")]);
    assert!(fds.contains(&fd) && fds.contains(&format!("{own}:all")), "{fd} is not in {fds:?}");
    offers(&["fdscope", "watch", "tc"], &["tcp:"]);
    offers(&["fdscope", "watch", "rw:Cargo.t"], &["rw:Cargo.toml"]);
    offers(&["fdscope", "watch", "./Cargo.t"], &["./Cargo.toml"]);
}

#[test]
fn threads_of_a_process() {
    let own = std::process::id();
    offers(&["fdscope", "threads", &own.to_string()], &[&own.to_string()]);
    let threads = candidates(&["fdscope", "threads", &format!("{own}:")]);
    assert!(threads.contains(&format!("{own}:{own}")), "{threads:?}");
    offers(&["fdscope", "threads", "1", "--columns", "+serving.m"], &["+serving.model"]);
}

#[test]
fn ports_that_somebody_listens_on() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let ports = candidates(&["fdscope", "listen", "--watch-only", ""]);
    assert!(ports.contains(&port), "{port} is not in {ports:?}");
    offers(&["fdscope", "listen", "--watch-only", &port], &[&port]);
}
