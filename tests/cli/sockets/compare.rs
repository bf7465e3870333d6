//! The same sockets as ss(8) shows, where that is installed: addresses, states, queues, owners.

use super::{connection, listener, records, stuff};
use crate::support::{eventually, in_own_network};
use regex::Regex;
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::process::Command;

/// A socket as both tell of it.
type Row = (String, u64, u64, String, String, u64, BTreeSet<(u64, u64)>);

/// The lines of ss, or nothing where it is not installed, which is said.
fn ss(arguments: &str) -> Option<Vec<String>> {
    let output = match Command::new("ss").args(arguments.split(' ')).output() {
        Ok(output) => output,
        Err(e) => {
            eprintln!("skipped: comparing with ss, because it cannot be run: {e}");
            return None;
        }
    };
    assert!(output.status.success(), "ss {arguments}");
    Some(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
}

fn owners_in(line: &str) -> BTreeSet<(u64, u64)> {
    let each = Regex::new(r"pid=(\d+),fd=(\d+)").unwrap();
    each.captures_iter(line).map(|c| (c[1].parse().unwrap(), c[2].parse().unwrap())).collect()
}

fn owners_of(record: &Value) -> BTreeSet<(u64, u64)> {
    let number = |owner: &Value, key: &str| owner[key].as_u64().unwrap();
    let owners = record["owners"].as_array().map(Vec::as_slice).unwrap_or_default();
    owners.iter().map(|owner| (number(owner, "pid"), number(owner, "fd"))).collect()
}

/// The address as we write it: `*` is that of IPv6 for both families.
fn address(text: &str) -> String {
    let (ip, port) = text.rsplit_once(':').unwrap();
    let ip = if ip == "*" { "[::]" } else { ip };
    format!("{ip}:{}", if port == "*" { "0" } else { port })
}

fn state(word: &str) -> &'static str {
    match word {
        "LISTEN" => "listen",
        "ESTAB" => "established",
        "SYN-SENT" => "syn-sent",
        "SYN-RECV" => "syn-recv",
        "FIN-WAIT-1" => "fin-wait-1",
        "FIN-WAIT-2" => "fin-wait-2",
        "TIME-WAIT" => "time-wait",
        "CLOSE-WAIT" => "close-wait",
        "LAST-ACK" => "last-ack",
        "CLOSING" => "closing",
        word => panic!("what is {word}?"),
    }
}

fn tcp_of_ss(line: &str) -> Row {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let inode = Regex::new(r"\bino:(\d+)").unwrap().captures(line).map_or(0, |c| c[1].parse().unwrap());
    let number = |nth: usize| words[nth].parse().unwrap();
    let (local, remote) = (address(words[3]), address(words[4]));
    (state(words[0]).to_owned(), number(1), number(2), local, remote, inode, owners_in(line))
}

/// The queues of a listener are how many wait and how many may.
fn queues(record: &Value) -> (u64, u64) {
    let number = |value: &Value| value.as_u64().unwrap_or(0);
    match record.get("listener") {
        Some(listener) => (number(&listener["waiting"]), number(&listener["max"])),
        None => (number(&record["recv_queue"]), number(&record["send_queue"])),
    }
}

fn tcp_of_ours(record: &Value) -> Row {
    let text = |key: &str| record[key].as_str().map(str::to_owned);
    let any = if record["family"] == "tcp6" { "[::]:0" } else { "0.0.0.0:0" };
    let (received, sent) = queues(record);
    let remote = text("remote").unwrap_or_else(|| any.to_owned());
    (
        text("state").unwrap(),
        received,
        sent,
        text("local").unwrap(),
        remote,
        record["inode"].as_u64().unwrap(),
        owners_of(record),
    )
}

/// Both, sorted. Timers and acknowledgements may move something between one look and the next, and
/// children of this process come and go.
#[track_caller]
fn same<R: Ord + std::fmt::Debug>(ss: impl Fn() -> Option<Vec<R>>, ours: impl Fn() -> Vec<R>) {
    let sorted = |mut rows: Vec<R>| {
        rows.sort();
        rows
    };
    for _ in 0..50 {
        let Some(heard) = ss() else { return };
        if sorted(heard) == sorted(ours()) {
            return;
        }
    }
    assert_eq!(ss().map(sorted).unwrap(), sorted(ours()));
}

#[test]
fn tcp() {
    in_own_network(|| {
        let four = listener("127.0.0.1:0", 7);
        let six = listener("[::]:0", 0);
        let shared = four.try_clone().unwrap();
        let plain = connection(&four);
        let mapped = {
            let port = six.local_addr().unwrap().port();
            let client = TcpStream::connect(("127.0.0.1", port)).unwrap();
            (client, six.accept().unwrap().0)
        };
        let half = connection(&four);
        half.0.shutdown(Shutdown::Write).unwrap();
        let stuffed = connection(&four);
        stuff(&stuffed.0);
        stuffed.0.shutdown(Shutdown::Write).unwrap();
        drop(connection(&four));
        let orphan = connection(&four);
        drop(orphan.0);
        let waiting = TcpStream::connect(four.local_addr().unwrap()).unwrap();
        super::set_option(&shared, libc::IPPROTO_TCP, libc::TCP_DEFER_ACCEPT, 60).unwrap();
        let deferred = TcpStream::connect(four.local_addr().unwrap()).unwrap();
        eventually("all states are there", || {
            let states = ["time-wait", "fin-wait-1", "fin-wait-2", "close-wait", "syn-recv"];
            let all = records("--family tcp");
            states.iter().all(|state| all.iter().any(|r| r["state"] == *state))
        });
        let heard = || Some(ss("-tanpeH")?.iter().map(|line| tcp_of_ss(line)).collect());
        // ss does not ask for sockets that are bound and no more.
        let ours = || records("--family tcp").iter().map(tcp_of_ours).collect::<Vec<Row>>();
        same(heard, ours);
        let heard = || Some(ss("-ltnpeH")?.iter().map(|line| tcp_of_ss(line)).collect());
        same(heard, || records("--listening --family tcp").iter().map(tcp_of_ours).collect());
        drop((waiting, plain, mapped, half, stuffed, orphan.1, deferred));
    });
}

/// Type, whether it listens, queues, own and other inode, owners.
type UnixRow = (String, bool, u64, u64, u64, u64, BTreeSet<(u64, u64)>);

fn unix_of_ss(line: &str) -> UnixRow {
    let parts = Regex::new(r"^(\w+)\s+(\S+)\s+(\d+)\s+(\d+)\s+.* (\d+)\s+\* (\d+)").unwrap();
    let c = parts.captures(line).unwrap_or_else(|| panic!("{line}"));
    let number = |nth: usize| c[nth].parse().unwrap();
    (c[1].to_owned(), &c[2] == "LISTEN", number(3), number(4), number(5), number(6), owners_in(line))
}

fn unix_of_ours(record: &Value) -> UnixRow {
    let ty = match record["type"].as_str().unwrap() {
        "stream" => "u_str",
        "dgram" => "u_dgr",
        _ => "u_seq",
    };
    let (received, sent) = queues(record);
    let number = |key: &str| record.get(key).map_or(0, |n| n.as_u64().unwrap());
    let listens = record["state"] == "listen";
    (ty.to_owned(), listens, received, sent, number("inode"), number("peer_inode"), owners_of(record))
}

#[test]
fn unix() {
    in_own_network(|| {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("listener");
        let listener = UnixListener::bind(&path).unwrap();
        let mut client = UnixStream::connect(&path).unwrap();
        let (server, _) = listener.accept().unwrap();
        std::io::Write::write_all(&mut client, b"hello").unwrap();
        let waiting = UnixStream::connect(&path).unwrap();
        let log = directory.path().join("log");
        let receiver = UnixDatagram::bind(&log).unwrap();
        let sender = UnixDatagram::unbound().unwrap();
        sender.connect(&log).unwrap();
        sender.send(b"abc").unwrap();
        let (pair, other) = UnixStream::pair().unwrap();
        drop(other);
        let seqpacket =
            rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None);
        let heard = || Some(ss("-xanpH")?.iter().map(|line| unix_of_ss(line)).collect());
        let ours = || {
            let columns = "family,type,state,recv_queue,send_queue,listener.waiting,listener.max,inode,peer_inode,owners";
            records(format!("--family unix --columns {columns}")).iter().map(unix_of_ours).collect()
        };
        same(heard, ours);
        drop((server, waiting, receiver, pair, seqpacket));
    });
}

/// Held by several, and shown so by both.
#[test]
fn owners() {
    in_own_network(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let copies: Vec<_> = (0..3).map(|_| listener.try_clone().unwrap()).collect();
        let child = super::owners::Heir::of(&listener);
        let heard = || Some(ss("-ltnpeH")?.iter().map(|line| tcp_of_ss(line)).collect());
        let ours = || records("--listening").iter().map(tcp_of_ours).collect::<Vec<Row>>();
        same(heard, ours);
        assert!(owners_of(&records("--listening")[0]).len() >= 5);
        drop((copies, child));
    });
}
