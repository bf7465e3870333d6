//! Other ends that cannot be known: of processes that may not be read or are not seen.

use super::{peer, record};
use crate::support::{FakeProc, Fdscope, Helper, NOBODY, eventually, run_as};
use rustix::pipe::{PipeFlags, pipe_with};
use serde_json::{Value, json};

#[test]
fn of_another_user() {
    let helper = Helper::start("peers::of_two_users");
    if helper.was_skipped() {
        return;
    }
    let told = |name: &str| helper.told[name].as_u64().unwrap() as u32;
    let known = record(told("known"), 0);
    assert_eq!(known["peers"], json!([peer(helper.pid(), "helper", helper.fd("reader"))]));
    let as_nobody =
        |pid: u32| Fdscope::new(format!("list {pid}:0 --peers --json")).with(|c| run_as(c, NOBODY)).run();
    let run = as_nobody(told("known"));
    run.check(0, "fdscope: not all processes may be read, so that not every other end is known\n");
    let record = &run.records()[0];
    assert_eq!((&record["peers"], &record["pending"]), (&Value::Null, &json!(false)));
    assert!(record["name"].as_str().unwrap().ends_with(", other end not known"), "{record}");
    assert_eq!(run.json()["complete"], false);
    // That nobody is there is known all the same.
    let run = as_nobody(told("alone"));
    assert_eq!(run.check(0, "").records()[0]["peers"], json!([]));
}

#[test]
fn outside_of_the_container() {
    let through = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"];
    if !std::process::Command::new(through[0])
        .args(&through[1..])
        .arg("true")
        .status()
        .is_ok_and(|s| s.success())
    {
        eprintln!("skipped: a pid namespace, because none can be made");
        return;
    }
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).unwrap();
    let list = || {
        let run = Fdscope::through(&through, "list self:0 --peers --json --quiet");
        run.stdin(reader.try_clone().unwrap()).ok().records().remove(0)
    };
    let record = list();
    assert_eq!(
        record["peers"],
        Value::Null,
        "all processes that are seen are read, and we are none: {record}"
    );
    drop(writer);
    // Whatever another test starts has it for a moment.
    eventually("nobody writes", || list()["peers"] == json!([]));
}

/// A made-up tree: what its links and tables tell.
#[test]
fn of_a_tree_that_was_made() {
    let fake = FakeProc::new();
    let end = |flags: &str| format!("pos:\t0\nflags:\t{flags}\n");
    let little = cfg!(target_endian = "little");
    let local = if little { "0100007F" } else { "7F000001" };
    let tcp = |lines: &[(&str, &str, &str, u32)]| {
        let line = |(own, other, state, inode): &(&str, &str, &str, u32)| {
            format!("0: {local}:{own} {local}:{other} {state} 0:0 00:0 0 0 0 {inode} 2 0\n")
        };
        format!("head\n{}", lines.iter().map(line).collect::<String>())
    };
    let table = tcp(&[("0050", "1F90", "01", 101), ("1F90", "0050", "01", 102)]);
    fake.process(77, b"one")
        .fd(0, "pipe:[5]", &end("0"))
        .fd(1, "pipe:[6]", &end("0"))
        .fd(2, "anon_inode:[eventfd]", "pos:\t0\nflags:\t02\neventfd-count: 0\neventfd-id: 4\n")
        .fd(3, "socket:[101]", &end("02"))
        .write("net/tcp", &table)
        .write("net/dev", "");
    fake.process(78, b"other")
        .fd(1, "pipe:[5]", &end("01"))
        .fd(2, "pipe:[5]", &end("01"))
        .fd(3, "socket:[102]", &end("02"))
        .fd(4, "anon_inode:[eventfd]", "pos:\t0\nflags:\t02\neventfd-count: 0\neventfd-id: 4\n")
        .write("net/tcp", &table)
        .write("net/dev", "");
    let peers = |fd: i64| {
        let records = fake.fdscope(&format!("list 77:{fd} --peers --quiet")).records();
        records[0]["peers"].clone()
    };
    let other = |fd| peer(78, "other", fd);
    assert_eq!(peers(0), json!([other(1), other(2)]));
    assert_eq!(peers(1), Value::Null, "it may be a part of the machine");
    assert_eq!(peers(2), json!([other(4)]));
    assert_eq!(peers(3), json!([other(3)]));
    // With the kernel's own threads it is all of it.
    fake.process(2, b"kthreadd").write("stat", "2 (kthreadd) S 0 0 0 0 -1 2129984");
    assert_eq!(peers(1), json!([]));
}
