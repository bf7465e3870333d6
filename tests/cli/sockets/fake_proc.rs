//! Another /proc: the tables that it has, and the names of its containers.

use super::{absent, check};
use crate::support::{FakeProc, Run};
use serde_json::{Value, json};

const HEADING: &str =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

/// A line of `net/tcp`: addresses and state as the kernel writes them on this machine, and the inode.
fn line(
    local: (u32, u16),
    remote: (u32, u16),
    state: u8,
    queues: (u32, u32),
    uid: u32,
    inode: u64,
) -> String {
    let address = |(ip, port): (u32, u16)| format!("{:08X}:{port:04X}", u32::from_ne_bytes(ip.to_be_bytes()));
    format!(
        "   0: {} {} {state:02X} {:08X}:{:08X} 00:00000000 00000000 {uid:5}        0 {inode} 1 0\n",
        address(local),
        address(remote),
        queues.0,
        queues.1
    )
}

const LOOPBACK: u32 = 0x7f00_0001;
const ANY: (u32, u16) = (0, 0);
const WEB: (u32, u16) = (LOOPBACK, 8080);
const CLIENT: (u32, u16) = (LOOPBACK, 40000);
const GONE: (u32, u16) = (LOOPBACK, 40001);
const WAITING: (u32, u16) = (LOOPBACK, 40002);

/// A web server and a client.
fn web() -> FakeProc {
    let fake = FakeProc::new();
    let tcp = [
        HEADING.to_owned(),
        line(WEB, ANY, 10, (0, 1), 33, 100),
        line(WEB, CLIENT, 1, (0, 7), 33, 101),
        line(CLIENT, WEB, 1, (3, 0), 1000, 102),
        line(WEB, GONE, 6, (0, 0), 0, 0),
        line(WEB, WAITING, 1, (0, 0), 0, 0),
        line(WAITING, WEB, 1, (0, 0), 1000, 103),
        line((LOOPBACK, 40003), (LOOPBACK, 8081), 4, (5, 0), 0, 0),
    ];
    let unix = b"Num       RefCount Protocol Flags    Type St Inode Path\n\
        00000000c4f3b81d: 00000002 00000000 00010000 0001 01   201 /run/a\nb: c\n\
        00000000c4f3b81e: 00000003 00000000 00000000 0001 03   202 /run/a\nb: c\n\
        00000000c4f3b81f: 00000002 00000000 00000000 0002 01   203 @esc\x1b[1m\xff\n";
    for (pid, command, fds) in
        [(77, "httpd", &[(3, 100), (4, 101), (5, 201)][..]), (78, "curl", &[(3, 102), (4, 103), (5, 202)])]
    {
        let process = fake.process(pid, command.as_bytes());
        process.write("net/tcp", tcp.concat()).write("net/unix", unix).write("net/dev", "");
        for (fd, inode) in fds {
            process.fd(*fd, format!("socket:[{inode}]"), "pos:\t0\nflags:\t02\n");
        }
    }
    fake
}

/// Two processes of one namespace, by its number, which everybody may compare.
fn one_namespace(fake: &FakeProc, number: u64) {
    for pid in [77, 78] {
        let link = fake.path().join(format!("{pid}/ns/net"));
        std::os::unix::fs::symlink(format!("net:[{number}]"), link).unwrap();
    }
}

fn run(fake: &FakeProc, arguments: &str) -> Run {
    fake.fdscope(&format!("sockets {arguments}")).run()
}

fn by_inode(records: &[Value], inode: u64) -> &Value {
    let found: Vec<_> = records.iter().filter(|r| r["inode"] == inode).collect();
    assert_eq!(found.len(), 1, "{found:#?}");
    found[0]
}

#[test]
fn tables_tell_less() {
    let fake = web();
    one_namespace(&fake, 4026531999);
    let told = run(&fake, "--json --wide");
    told.check(0, "");
    let records = told.records();
    let holder = |pid: u32, command: &str, fd: u32| json!({"pid": pid, "command": command, "fd": fd});
    let expected = json!({
        "family": "tcp", "type": "stream", "state": "listen", "local": "127.0.0.1:8080", "recv_queue": 1,
        "send_queue": absent(), "listener": {"waiting": 1, "max": absent(), "drops": absent()},
        "owners": [holder(77, "httpd", 3)], "uid": 33, "cookie": absent(), "source": "proc", "tcp": absent(),
        "netns": 4026531999_u64, "memory": absent(), "timer": absent(),
    });
    check(by_inode(&records, 100), &expected);
    let expected = json!({
        "state": "established", "recv_queue": 7, "send_queue": 0, "owners": [holder(77, "httpd", 4)],
        "peers": [holder(78, "curl", 3)], "remote": "127.0.0.1:40000",
    });
    check(by_inode(&records, 101), &expected);
    check(by_inode(&records, 102), &json!({"send_queue": 3, "uid": 1000, "peers": [holder(77, "httpd", 4)]}));
    check(by_inode(&records, 103), &json!({"peers": [holder(77, "httpd", 3)], "pending": true}));
    let nobodys: Vec<_> = records.iter().filter(|r| r["inode"] == 0).collect();
    let reasons: Vec<_> = nobodys.iter().map(|r| r["unowned"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["time-wait", "not-accepted", "closed"]);
    assert!(nobodys.iter().all(|r| r["owners"] == json!([]) && r.get("uid").is_none()));
    assert_eq!(records.len(), 10);
    let expected = json!({"state": "listen", "local": "/run/a\nb: c", "owners": [holder(77, "httpd", 5)]});
    check(by_inode(&records, 201), &expected);
    // Whoever has the other end, the table does not tell.
    check(
        by_inode(&records, 202),
        &json!({"state": "connected", "peers": null, "owners": [holder(78, "curl", 5)]}),
    );
    let expected = json!({
        "type": "dgram", "local": "@esc\u{1b}[1m\\xff", "owners": [], "unowned": "no-fd", "peers": absent(),
    });
    check(by_inode(&records, 203), &expected);
    let table = run(&fake, "--no-header --family unix").stdout();
    assert!(
        table.contains(r"/run/a\nb: c") && table.contains(r"@esc\x1b[1m\xff") && table.contains("no fd"),
        "{table}"
    );
    assert_eq!(table.lines().count(), 3, "{table}");
}

/// Each number is a namespace, each table read once.
#[test]
fn namespaces_by_their_numbers() {
    let fake = web();
    one_namespace(&fake, 4026531999);
    for word in ["4026531999", "77", "78"] {
        assert_eq!(run(&fake, &format!("--netns {word} --json")).records().len(), 10, "{word}");
    }
    // None of them is the one that we are in: its processes are others.
    run(&fake, "--netns own").check(3, "own: there is no such network namespace; it takes a name");
    run(&fake, "--netns 79").check(3, "79: there is no such network namespace");
}

/// What tools call their containers, by the cgroup of a process.
#[test]
fn containers() {
    let id = "4f3ac0de".repeat(8);
    let cgroups = [
        (format!("0::/system.slice/docker-{id}.scope\n"), "docker:4f3ac0de4f3a"),
        (
            format!("0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-{id}.scope\n"),
            "containerd:4f3ac0de4f3a",
        ),
        (format!("12:pids:/docker/{id}\n0::/\n"), "docker:4f3ac0de4f3a"),
        ("0::/lxc.payload.web/init.scope\n".to_owned(), "lxc:web"),
        ("0::/machine.slice/machine-my\\x2dbox.scope\n".to_owned(), "machine:my-box"),
        ("0::/lxc.payload.new\u{1b}[31m/x\n".to_owned(), "lxc:new\u{1b}[31m"),
    ];
    for (cgroup, name) in cgroups {
        let fake = web();
        one_namespace(&fake, 4026532001);
        std::fs::write(fake.path().join("77/cgroup"), &cgroup).unwrap();
        let told = run(&fake, "--json --port 8080 --listening");
        told.check(0, "");
        let expected = json!({"netns": 4026532001_u64, "netns_name": name});
        check(&told.records()[0], &expected);
        let selected = fake.fdscope("sockets --json --netns").arg(name).run();
        assert_eq!(selected.records().len(), 10, "{name}");
        let table = run(&fake, "--no-header --columns netns -l -p 8080").stdout();
        assert_eq!(table.trim_end(), name.replace('\u{1b}', r"\x1b"));
    }
    let fake = web();
    one_namespace(&fake, 4026532001);
    std::fs::write(fake.path().join("77/cgroup"), "0::/user.slice\n").unwrap();
    let plain = run(&fake, "--json -l -p 8080");
    check(&plain.records()[0], &json!({"netns_name": absent()}));
}

/// Two namespaces with the same addresses are not taken for each other.
#[test]
fn two_namespaces() {
    let fake = FakeProc::new();
    for (pid, namespace, inode) in [(77, 1, 100), (78, 2, 200)] {
        let tcp = [
            HEADING.to_owned(),
            line(WEB, CLIENT, 1, (0, 0), 0, inode),
            line(CLIENT, WEB, 1, (0, 0), 0, inode + 1),
        ];
        let process = fake.process(pid, b"web");
        process.write("net/tcp", tcp.concat());
        process.fd(3, format!("socket:[{inode}]"), "").fd(4, format!("socket:[{}]", inode + 1), "");
        std::os::unix::fs::symlink(format!("net:[{namespace}]"), fake.path().join(format!("{pid}/ns/net")))
            .unwrap();
    }
    let told = run(&fake, "--json");
    told.check(0, "");
    for (pid, inode) in [(77, 100), (78, 200)] {
        let holder = |fd: u32| json!([{"pid": pid, "command": "web", "fd": fd}]);
        check(by_inode(&told.records(), inode), &json!({"owners": holder(3), "peers": holder(4)}));
        check(by_inode(&told.records(), inode + 1), &json!({"owners": holder(4), "peers": holder(3)}));
    }
    let table = run(&fake, "").stdout();
    assert!(table.starts_with("NETNS "), "{table}");
}

#[test]
fn tables_that_make_no_sense() {
    let fake = FakeProc::new();
    let process = fake.process(77, b"web");
    process.write("net/tcp", b"\xff\xff\n1: x y\n\n   0: 0100007F:1F90 0000:00 0A\n".as_slice());
    process.write("net/unix", "Num\nnonsense: x\n").write("net/netlink", "").write("net/packet", "\0\0\0");
    std::os::unix::fs::symlink("net:[1]", fake.path().join("77/ns/net")).unwrap();
    let told = run(&fake, "--json");
    told.check(1, "");
    assert!(told.records().is_empty());
    let empty = FakeProc::new();
    run(&empty, "--json").check(3, "no process is to be seen there").prints("");
    let missing = crate::support::Fdscope::new("sockets").env("FDSCOPE_PROC", "/no/such/directory").run();
    missing.check(3, "cannot read /no/such/directory: ").prints("");
}
