//! Sockets, processes and namespaces that come and go while they are listed.

use super::{check, inode, listener, of, sockets};
use crate::support::in_own_network;
use serde_json::{Value, json};
use std::io::Write as _;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

/// How often it is listed meanwhile.
const RUNS: usize = 25;

/// Does something again and again while a test lists sockets.
fn while_that_goes_on(act: impl Fn() + Sync, mut test: impl FnMut()) {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    act();
                }
            });
        }
        let outcome =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| (0..RUNS).for_each(|_| test())));
        over.store(true, Ordering::Relaxed);
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
    });
}

/// What must hold of each record, whatever came and went.
fn check_record(record: &Value) {
    let unowned = record.get("unowned").and_then(Value::as_str);
    match record["owners"].as_array().map(Vec::len) {
        Some(0) => {
            let fits = match unowned {
                Some("not-accepted" | "closed" | "time-wait" | "syn-recv") => record["inode"] == 0,
                // None that a file belongs to is nobody's here: it is closed by who has it, or passed on.
                _ => false,
            };
            assert!(fits, "{record}");
        }
        Some(_) => assert!(unowned.is_none() && record["inode"] != 0, "{record}"),
        None => assert!(unowned.is_none() && record["inode"] != 0, "{record}"),
    }
}

#[test]
fn connections() {
    in_own_network(|| {
        let listener = listener("127.0.0.1:0", 128);
        let to = listener.local_addr().unwrap();
        let (kept, server) = super::connection(&listener);
        let echo = || {
            let mut client = TcpStream::connect(to).unwrap();
            client.write_all(b"x").unwrap();
            drop(listener.accept().unwrap());
            let (one, other) = UnixStream::pair().unwrap();
            drop((one, other, client));
        };
        while_that_goes_on(echo, || {
            let run = sockets("--family tcp,unix --json").run();
            assert_eq!((run.status(), run.stderr()), (0, String::new()));
            let records = run.records();
            records.iter().for_each(check_record);
            // What stays is there each time, with its owners and other end.
            let holder = super::holder(&kept);
            check(of(&records, &kept), &json!({"owners": [holder]}));
            check(of(&records, &server), &json!({"peers": [holder]}));
            assert_eq!(records.iter().filter(|r| r["inode"] == inode(&listener)).count(), 1);
        });
    });
}

/// A server that gives each connection to a child and closes it itself: it always is somebody's.
#[test]
fn processes() {
    in_own_network(|| {
        let listener = listener("127.0.0.1:0", 128);
        let to = listener.local_addr().unwrap();
        let serve = || {
            let client = TcpStream::connect(to).unwrap();
            let (server, _) = listener.accept().unwrap();
            let mut child = Command::new("true")
                .stdin(std::os::fd::OwnedFd::from(server))
                .stdout(Stdio::null())
                .spawn()
                .unwrap();
            child.wait().unwrap();
            drop(client);
        };
        while_that_goes_on(serve, || {
            let run = sockets("--family tcp --json").run();
            assert_eq!((run.status(), run.stderr()), (0, String::new()));
            run.records().iter().for_each(check_record);
        });
    });
}

/// Each is entered or gone, and its sockets are listed or not; there is no third.
#[test]
fn namespaces() {
    let possible = Command::new("unshare").args(["--net", "true"]).stderr(Stdio::null()).status();
    if !possible.is_ok_and(|status| status.success()) {
        eprintln!("skipped: network namespaces that go, because unshare(1) makes none");
        return;
    }
    let here = listener("127.0.0.1:0", 1);
    let port = here.local_addr().unwrap().port();
    let come_and_go = || {
        let done = Command::new("unshare").args(["--net", "true"]).status();
        assert!(done.unwrap().success());
    };
    while_that_goes_on(come_and_go, || {
        let run = crate::support::Fdscope::new(format!("sockets -q -l -p {port} --json")).run();
        assert_eq!((run.status(), run.stderr()), (0, String::new()));
        assert_eq!(of(&run.records(), &here)["state"], "listen");
    });
}
