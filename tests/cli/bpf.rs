//! The iterator of bpf(2) that the feature `bpf` reads fds by: the same rows as without it.

use crate::exhibits::{KINDS, listed};
use crate::support::{Fdscope, Helper, Keeper, NOBODY, PATIENCE, Skip, capable, in_own_network, run_as};
use rustix::event::{EventfdFlags, eventfd};
use rustix::pipe::pipe;
use serde_json::{Value, json};
use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::Instant;

listed! { "bpf": hundreds_of_each thousands }

/// What begins each note that says why the iterator is not used.
const NOTE: &str = "fdscope: FDSCOPE_BPF: fds are read without the iterator of bpf(2): ";

/// Fds of the kinds that a server has most of.
fn mixture(keeper: &mut Keeper, count: usize) -> Result<(), Skip> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    for n in 0..count {
        let path = keeper.path(&format!("{}-{n}", "x".repeat(n % 200)));
        keeper.keep(File::create(&path).unwrap());
        if n % 3 == 0 {
            std::fs::remove_file(&path).unwrap();
        }
        let (reader, writer) = pipe().unwrap();
        if n % 2 == 0 {
            rustix::io::write(&writer, b"unread").unwrap();
        }
        keeper.keep((reader, writer, UnixStream::pair().unwrap()));
        keeper.keep((
            eventfd(n as u32, EventfdFlags::NONBLOCK).unwrap(),
            File::open("/proc/self/maps").unwrap(),
        ));
        if n % 10 == 0 {
            let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            keeper.keep((client, listener.accept().unwrap()));
        }
    }
    keeper.keep(listener);
    // Longer than what the program of the iterator has room for.
    let deep = keeper.dir.join(vec!["deep".repeat(50); 4].join("/"));
    std::fs::create_dir_all(&deep).unwrap();
    keeper.keep(File::open(&deep).unwrap());
    keeper.show("listener", TcpListener::bind("127.0.0.1:0").unwrap(), json!({"kind": "tcp"}));
    Ok(())
}

fn hundreds_of_each(keeper: &mut Keeper) -> Result<(), Skip> {
    mixture(keeper, 100)
}

/// So many that the process is read in parts, and the iterator used without being asked for.
fn thousands(keeper: &mut Keeper) -> Result<(), Skip> {
    mixture(keeper, 500)
}

/// Whether the iterator can be used here; why not is said.
fn is_there() -> bool {
    let pid = std::process::id();
    let run = Fdscope::new(format!("list {pid} --pids")).env("FDSCOPE_BPF", "always").run();
    let told = run.stderr();
    if told.is_empty() {
        return true;
    }
    let reason = told.strip_prefix(NOTE).unwrap_or_else(|| run.fail("a note on the iterator"));
    eprintln!("skipped: reading by the iterator of bpf(2), because {}", reason.trim_end());
    false
}

/// The records of both ways, which must be the same.
fn same(arguments: &str, uses: &str) -> Vec<Value> {
    let records = |uses| Fdscope::new(arguments).env("FDSCOPE_BPF", uses).records();
    let all = |records: &[Value]| records.iter().map(pretty).collect::<Vec<_>>();
    let until = Instant::now() + PATIENCE;
    let mut before = records("never");
    loop {
        let (fast, after) = (records(uses), records("never"));
        // The kernel sends what is in a full queue by and by, for which its timers take some time.
        if all(&before) == all(&after) || Instant::now() > until {
            for (plain, fast) in all(&after).iter().zip(&all(&fast)) {
                assert_eq!(plain, fast, "{arguments}");
            }
            assert_eq!(after.len(), fast.len(), "{arguments}");
            return after;
        }
        before = after;
    }
}

/// A record, without what goes on by itself.
fn pretty(record: &Value) -> String {
    let mut record = record.clone();
    // What the test prints goes there: it grows, and is read.
    if record["fd"].as_i64().is_some_and(|fd| fd <= 2) {
        let lasts =
            |name: &str| matches!(name, "pid" | "fd" | "access" | "mode" | "kind" | "flags" | "inode");
        record.as_object_mut().unwrap().retain(|name, _| lasts(name));
    }
    for kind in ["timerfd", "tcp"] {
        if let Some(fields) = record[kind].as_object_mut() {
            fields.retain(|name, _| !matches!(&name[..], "remaining" | "next" | "expires"));
        }
    }
    serde_json::to_string_pretty(&record).unwrap()
}

#[test]
fn exhibits_are_shown_the_same() {
    if !is_there() {
        return;
    }
    let holders: Vec<Helper> = KINDS.iter().copied().flatten().map(|(name, _)| Helper::start(name)).collect();
    let pids: Vec<String> = holders.iter().map(|helper| helper.pid().to_string()).collect();
    let pids = pids.join(" ");
    for columns in
        ["", "--wide", "--threads", "--kind socket,pipe", "--columns fd,kind", "--columns mode,inode"]
    {
        let records = same(&format!("list {pids} {columns}"), "always");
        assert!(records.len() > 100, "{columns}: {}", records.len());
    }
}

#[test]
fn a_large_process_is_shown_the_same() {
    if !is_there() {
        return;
    }
    for (exhibit, uses) in [("bpf::hundreds_of_each", "always"), ("bpf::thousands", "")] {
        let helper = Helper::start(exhibit);
        let pid = helper.pid();
        for arguments in ["", "--wide", "--kind pipe", "--fd 100-200,1500", "--deleted", "--peers"] {
            same(&format!("list {pid} {arguments}"), uses);
        }
        let sockets = same(&format!("list {pid} --kind tcp"), uses);
        let port = &sockets.last().unwrap()["tcp"]["local_port"];
        assert_eq!(same(&format!("list {pid} --port {port}"), uses).len(), 1);
    }
}

#[test]
fn sockets_have_the_same_owners() {
    in_own_network(|| {
        if !is_there() {
            return;
        }
        let helper = Helper::start("bpf::hundreds_of_each");
        // Of what others have, not all may be read, which is told.
        let columns = "--netns own --quiet --columns family,state,local,remote,inode,owners,peers";
        for arguments in ["", "--listening"] {
            let records = same(&format!("sockets {columns} {arguments}"), "always");
            let ours = |r: &&Value| r["owners"][0]["pid"] == helper.pid();
            assert!(records.iter().filter(ours).count() >= 1, "{arguments}");
        }
    });
}

#[test]
fn who_may_not_is_told_so_and_shown_the_rows() {
    if !capable(7) {
        eprintln!("skipped: what another user is told, because that takes CAP_SETUID");
        return;
    }
    let run = Fdscope::new("list self --pids")
        .env("FDSCOPE_BPF", "always")
        .with(|command| run_as(command, NOBODY))
        .run();
    let told = if cfg!(feature = "bpf") { "it takes CAP_BPF" } else { "built without" };
    run.check(0, told);
    assert_eq!(run.stdout(), format!("{}\n", run.pid));
}

#[test]
fn what_it_is_set_to_must_make_sense() {
    let run = Fdscope::new("list self").env("FDSCOPE_BPF", "yes").run();
    run.check(2, "FDSCOPE_BPF is 'yes', and can be 'always', 'never' or empty").prints("");
}
