//! The three ways to serve: what `list` shows of each, and a thousand connections under each.

use super::client::{connect, echoed};
use super::{address, fdscope, listen, start};
use crate::exhibits::listed;
use crate::support::{Fdscope, Helper, Keeper, Skip, check, eventually, limit, needs, numbers, sorted};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

listed! { "models": thousand }

/// The values of `--model`.
pub(super) const MODELS: [&str; 3] = ["event-loop", "threads", "processes"];

/// How many connections.
const MANY: u64 = 1000;

/// Names the listener, in the environment of the clients.
const ADDRESS: &str = "FDSCOPE_TEST_ADDRESS";
/// There if the clients stay connected once they were served.
const STAY: &str = "FDSCOPE_TEST_STAY";

/// The sockets of a process: their state, and whether they block.
fn sockets(pid: u32) -> Vec<(String, bool)> {
    let records = Fdscope::new(format!("list {pid} --kind tcp --columns tcp.state,flags")).records();
    let socket = |r: &Value| {
        let blocks = !r["flags"].as_array().unwrap().contains(&"nonblock".into());
        (r["tcp"]["state"].as_str().unwrap().to_owned(), blocks)
    };
    records.iter().map(socket).collect()
}

/// How many sockets a process waits for by epoll.
fn watched(pid: u32) -> usize {
    let records = Fdscope::new(format!("list {pid} --kind epoll --columns epoll.watched")).records();
    let watched = records.iter().flat_map(|r| r["epoll"]["watched"].as_array().unwrap());
    watched.filter(|w| w["kind"] == "tcp").count()
}

fn threads(pid: u32) -> Vec<String> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    // One that ends meanwhile has no name.
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    sorted(names.map(|name| name.trim().to_owned()))
}

fn children(pid: u32) -> Vec<u32> {
    let all = std::fs::read_dir("/proc").unwrap();
    let parent = |process: u32| -> Option<u32> {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
    };
    let pids = all.filter_map(|e| e.ok()?.file_name().to_str()?.parse().ok());
    sorted(pids.filter(|&p| parent(p) == Some(pid)))
}

fn socket(state: &str, blocks: bool) -> (String, bool) {
    (state.to_owned(), blocks)
}

/// All in one thread, which waits for all of it at once.
#[test]
fn an_event_loop() {
    let (run, listening) = listen("127.0.0.1:0 --model event-loop --serve echo");
    let mut clients = [connect(address(&listening)), connect(address(&listening))];
    clients.iter_mut().for_each(|client| echoed(client, b"x"));
    let established = socket("established", false);
    assert_eq!(sockets(run.pid()), [socket("listen", false), established.clone(), established]);
    assert_eq!(watched(run.pid()), 3);
    assert_eq!(threads(run.pid()), ["fdscope"]);
    assert_eq!(children(run.pid()), [0; 0]);
    run.end_by(Signal::SIGTERM).check_signal(Signal::SIGTERM, "");
}

/// A thread each, which blocks.
#[test]
fn threads_that_block() {
    let (run, listening) = listen("127.0.0.1:0 --model threads --serve echo");
    let mut clients = [connect(address(&listening)), connect(address(&listening))];
    clients.iter_mut().for_each(|client| echoed(client, b"x"));
    let established = socket("established", true);
    assert_eq!(sockets(run.pid()), [socket("listen", true), established.clone(), established]);
    // Of the listener's queue alone, which is told of.
    assert_eq!(watched(run.pid()), 1);
    assert_eq!(threads(run.pid()), ["accept", "fdscope", "serve 1", "serve 2"]);
    assert_eq!(children(run.pid()), [0; 0]);
    // Those that have served are gone.
    drop(clients);
    eventually("the threads end", || threads(run.pid()) == ["accept", "fdscope"]);
    eventually("the fds are closed", || sockets(run.pid()).len() == 1);
    run.end_by(Signal::SIGTERM).check_signal(Signal::SIGTERM, "");
}

/// A process each, which has the connection and nothing else of ours.
#[test]
fn processes_that_block() {
    let (run, listening) = listen("127.0.0.1:0 --model processes --serve echo");
    let mut clients = [connect(address(&listening)), connect(address(&listening))];
    clients.iter_mut().for_each(|client| echoed(client, b"x"));
    let pids = children(run.pid());
    assert_eq!(pids.len(), 2);
    for pid in pids {
        let established = socket("established", true);
        assert_eq!(sockets(pid), [established.clone(), established], "its stdin and stdout");
        assert_eq!(numbers(pid), [0, 1, 2]);
        assert_eq!(threads(pid), ["fdscope"]);
    }
    eventually("only the listener stays", || sockets(run.pid()) == [socket("listen", true)]);
    drop(clients);
    eventually("they end, and are waited for", || children(run.pid()).is_empty());
    run.end_by(Signal::SIGTERM).check_signal(Signal::SIGTERM, "");
}

/// A thousand clients that are all there at once, and want to be answered.
fn thousand(keeper: &mut Keeper) -> Result<(), Skip> {
    let address = std::env::var(ADDRESS).expect("an address");
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    needs(setrlimit(Resource::RLIMIT_NOFILE, hard, hard), "setrlimit")?;
    let mut clients: Vec<TcpStream> = (0..MANY).map(|_| TcpStream::connect(&address).unwrap()).collect();
    for (n, client) in clients.iter_mut().enumerate() {
        client.write_all(format!("{n:04}").as_bytes()).unwrap();
    }
    let mut served = 0;
    for (n, mut client) in clients.into_iter().enumerate() {
        let mut answer = [0; 4];
        client.read_exact(&mut answer).unwrap();
        served += u64::from(answer == *format!("{n:04}").as_bytes());
        if std::env::var_os(STAY).is_some() {
            keeper.keep(client);
        }
    }
    keeper.told = json!({"served": served});
    Ok(())
}

/// Why there cannot be a thousand connections at once, if they cannot.
fn too_few() -> Option<String> {
    let room = MANY + 100;
    let (_, files) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    let (processes, _) = getrlimit(Resource::RLIMIT_NPROC).unwrap();
    let somaxconn = std::fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap();
    let somaxconn = somaxconn.trim().parse::<u64>().unwrap();
    let limits = [("hard nofile limit", files), ("nproc limit", processes), ("somaxconn", somaxconn)];
    limits.iter().find(|(_, n)| *n < room).map(|(name, n)| format!("the {name} is {n}"))
}

/// Has them served, and gives what was seen while they were there: fds and threads.
fn serve_many(model: &str, stay: bool) -> (usize, usize) {
    if let Some(why) = too_few() {
        eprintln!("skipped: {MANY} connections, because {why}");
        return (MANY as usize, MANY as usize);
    }
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    let run = fdscope(format!("127.0.0.1:0 --model {model} --serve echo --count {MANY}"));
    let (run, listening) = start(run.with(|c| limit(c, libc::RLIMIT_NOFILE, hard, hard)));
    let helper = Helper::start_with("models::thousand", |c| {
        c.env(ADDRESS, address(&listening));
        if stay {
            c.env(STAY, "");
        }
    });
    assert_eq!(helper.told["served"], MANY, "{model}");
    let seen = (numbers(run.pid()).len(), threads(run.pid()).len());
    drop(helper);
    let run = run.end();
    let events = run.check(0, "").json_lines();
    check(events.last().unwrap(), &json!({"event": "summary", "accepted": MANY, "waiting": 0}));
    seen
}

#[test]
fn a_thousand_in_an_event_loop() {
    let (fds, _) = serve_many("event-loop", true);
    assert!(fds >= MANY as usize, "{fds}");
}

#[test]
fn a_thousand_in_threads() {
    let (fds, threads) = serve_many("threads", true);
    assert!(fds >= MANY as usize && threads >= MANY as usize, "{fds}, {threads}");
}

/// So many at a time that the machine has other things to do.
#[test]
fn a_thousand_in_processes() {
    serve_many("processes --max-children 16", false);
}
