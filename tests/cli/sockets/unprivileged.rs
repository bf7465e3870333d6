//! As another user: what is shown all the same, and what is said not to be known.

use super::{absent, check, connection, listener, of, sockets};
use crate::support::{Fdscope, Helper, NOBODY, capable, run_as};
use serde_json::json;
use std::net::UdpSocket;
use std::os::unix::net::UnixStream;

/// `CAP_SETUID`.
const SETUID: u32 = 7;

/// Whether a run can be another user's, which is said where it cannot.
fn can_be_another() -> bool {
    if !capable(SETUID) {
        eprintln!("skipped: what another user sees, because that takes CAP_SETUID");
    }
    capable(SETUID)
}

fn as_nobody(fdscope: Fdscope) -> Fdscope {
    fdscope.with(|command| run_as(command, NOBODY))
}

#[test]
fn owners_are_not_known() {
    if !can_be_another() {
        return;
    }
    let listener = listener("127.0.0.1:0", 5);
    let (client, server) = connection(&listener);
    let (one, other) = UnixStream::pair().unwrap();
    let run = as_nobody(sockets("--json --wide")).run();
    assert_eq!((run.status(), run.stderr()), (0, String::new()));
    let records = run.records();
    let port = listener.local_addr().unwrap().port();
    // All that the kernel tells everybody is there.
    let expected = json!({
        "state": "listen", "local_port": port, "listener": {"waiting": 0, "max": 5}, "owners": null,
        "unowned": absent(), "source": "netlink",
    });
    check(of(&records, &listener), &expected);
    let expected = json!({
        "state": "established", "owners": null, "unowned": absent(), "peers": null, "source": "netlink",
        "mark": absent(), "tcp": {"retransmits": 0},
    });
    check(of(&records, &client), &expected);
    check(of(&records, &server), &expected);
    for end in [&one, &other] {
        check(of(&records, end), &json!({"state": "connected", "owners": null, "peers": null}));
    }
    let document = run.json();
    assert_eq!(document["complete"], false);
    assert!(document["denied"].as_u64() > Some(0));
    let table = as_nobody(sockets(format!("--port {port} --no-header"))).ok().stdout();
    let cells: Vec<Vec<&str>> = table.lines().map(|l| l.split_ascii_whitespace().collect()).collect();
    assert_eq!((cells[0].last(), cells[0][cells[0].len() - 2]), (Some(&"-"), "?"), "{table}");
    assert_eq!((cells[1].last(), cells[1][cells[1].len() - 2]), (Some(&"?"), "?"), "{table}");
}

#[test]
fn that_something_could_not_be_read_is_said() {
    if !can_be_another() {
        return;
    }
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let arguments = format!("sockets --netns own --family udp4 {}", socket.local_addr().unwrap());
    let run = as_nobody(Fdscope::new(&arguments)).run();
    run.check(0, "could not be read: permission denied; what they hold has '?' for an owner\n");
    let quiet = as_nobody(Fdscope::new(format!("{arguments} --quiet"))).ok();
    assert_eq!(quiet.lines().len(), 2);
    // Where nobody asks for owners, no process is looked at.
    as_nobody(Fdscope::new(format!("{arguments} --columns local,state"))).ok();
}

#[test]
fn a_process_that_may_not_be_read() {
    if !can_be_another() {
        return;
    }
    let pid = std::process::id();
    let run = as_nobody(sockets(format!("--process {pid}"))).run();
    run.check(3, &format!("the fds of process {pid} cannot be read: ")).prints("");
}

/// What is one's own is seen, whoever has the other end.
#[test]
fn ones_own() {
    if !can_be_another() {
        return;
    }
    let helper = Helper::start_with("inet::tcp", |command| run_as(command, NOBODY));
    let run = as_nobody(sockets(format!("--json --process {}", helper.pid()))).run();
    assert_eq!((run.status(), run.stderr()), (0, String::new()));
    let records = run.records();
    let at = |name: &str| {
        let inode = &helper.fact(name)["inode"];
        records.iter().find(|r| r["inode"] == *inode).unwrap_or_else(|| panic!("no {name}"))
    };
    let its = |name: &str| super::holder_of(helper.pid(), helper.fd(name) as i32);
    check(at("client"), &json!({"owners": [its("client")], "peers": [its("server")], "uid": NOBODY}));
    check(at("listener"), &json!({"owners": [its("listener")], "listener": {"waiting": 1}}));
}
