//! Formats, columns, sums, and statuses.

use super::{connection, holder, inode, listener, records, settles, sockets};
use crate::support::{Fdscope, in_own_network, sorted};
use serde_json::{Value, json};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;

/// A listener with one client that is accepted.
fn scene() -> (TcpListener, TcpStream, TcpStream) {
    let listener = listener("127.0.0.1:0", 5);
    let (client, server) = connection(&listener);
    (listener, client, server)
}

#[test]
fn the_document() {
    let (listener, ..) = scene();
    let port = listener.local_addr().unwrap().port();
    let run = sockets(format!("--json --port {port}")).ok();
    let document = run.json();
    assert_eq!(document["schema"], 1);
    assert_eq!(document["command"], "sockets");
    let keys = sorted(document.as_object().unwrap().keys().map(String::as_str));
    assert_eq!(keys, ["command", "complete", "denied", "records", "schema", "timed_out", "vanished"]);
    let lines = sockets(format!("--jsonl --port {port}")).ok().json_lines();
    // The same records a line each, but for what passes between the two looks.
    let lasting = |records: Vec<Value>| -> Vec<Value> {
        let strip = |mut record: Value| {
            record.as_object_mut().expect("a record is an object").remove("tcp");
            super::without_forks(record)
        };
        records.into_iter().filter(|r| r["inode"] == inode(&listener)).map(strip).collect()
    };
    assert_eq!(lasting(lines), lasting(run.records()));
}

/// The keys that scripts rely on, of a listener and of a connection, and no others.
#[test]
fn the_keys_of_a_record() {
    let (listener, client, _server) = scene();
    let records = records("--family tcp");
    let keys = |record: &Value| sorted(record.as_object().unwrap().keys().cloned());
    let expected = [
        "family",
        "inode",
        "listener",
        "local",
        "local_port",
        "netns",
        "owners",
        "recv_queue",
        "state",
        "tcp",
        "type",
        "uid",
    ];
    assert_eq!(keys(super::of(&records, &listener)), expected);
    let connected = super::of(&records, &client);
    let expected = [
        "family",
        "inode",
        "local",
        "local_port",
        "netns",
        "owners",
        "peers",
        "pending",
        "recv_queue",
        "remote",
        "remote_port",
        "send_queue",
        "state",
        "tcp",
        "type",
        "uid",
    ];
    assert_eq!(keys(connected), expected);
    assert_eq!(connected["pending"], false, "the other end was seen, and it is not a queue");
    let port = client.local_addr().unwrap().port();
    for expression in ["!pending", "pending == false"] {
        let found = Fdscope::new(format!("sockets --family tcp --port {port} --quiet --json --where"));
        let found = found.arg(expression).run();
        assert_eq!(found.check(0, "").records().len(), 1, "{expression}");
    }
    let expected = [
        "bytes_acked",
        "bytes_received",
        "bytes_sent",
        "congestion_control",
        "cwnd",
        "last_data_received",
        "last_data_sent",
        "retransmits",
        "rtt",
        "rwnd_limited",
        "timeouts",
        "unacked",
    ];
    assert_eq!(keys(&connected["tcp"]), expected);
    assert_eq!(keys(&super::of(&records, &listener)["listener"]), ["drops", "max", "waiting"]);
    let wide = super::records("--family tcp --wide");
    for key in ["cookie", "user", "memory", "options", "tos", "source", "shutdown"] {
        assert!(super::of(&wide, &client).get(key).is_some(), "{key}");
    }
}

#[test]
fn tables() {
    in_own_network(|| {
        let (listener, client, server) = scene();
        let (address, own) = (listener.local_addr().unwrap(), client.local_addr().unwrap());
        let cell = |holder: Value| {
            format!("{}/{} {}", holder["pid"], holder["command"].as_str().unwrap(), holder["fd"])
        };
        let (l, c, s) = (cell(holder(&listener)), cell(holder(&client)), cell(holder(&server)));
        let words =
            |line: &String| line.split_ascii_whitespace().map(str::to_owned).collect::<Vec<_>>().join(" ");
        let lines = |arguments: &str| sockets(arguments).ok().lines().iter().map(words).collect::<Vec<_>>();
        let connection = |from, to, owner, peer| format!("tcp established 0 0 {from} {to} {owner} {peer}");
        let mut connections = [
            (own.port(), connection(own, address, &c, &s)),
            (address.port(), connection(address, own, &s, &c)),
        ];
        connections.sort();
        let expected = [
            "FAMILY STATE RECV_QUEUE SEND_QUEUE LOCAL REMOTE OWNERS PEERS".to_owned(),
            format!("tcp listen 0/5 - {address} - {l} -"),
            connections[0].1.clone(),
            connections[1].1.clone(),
        ];
        settles(|| lines(""), &expected.to_vec());
        let expected = vec!["FAMILY RECV_QUEUE LOCAL OWNERS".to_owned(), format!("tcp 0/5 {address} {l}")];
        settles(|| lines("--listening"), &expected);
        let wide = words(&sockets("--wide").ok().lines()[0]);
        assert!(wide.starts_with("FAMILY TYPE STATE RECV_QUEUE"), "{wide}");
        assert!(
            wide.contains("INODE") && wide.contains("TCP.RTT") && wide.contains("MEMORY.RECEIVED"),
            "{wide}"
        );
        assert_eq!(sockets("--no-header --listening").ok().lines().len(), 1);
        let tsv = || {
            let columns = "--columns family,local,owners,peers,state";
            sockets(format!("--format tsv --listening {columns}")).ok().stdout()
        };
        let holder = l.replace(' ', ":");
        settles(tsv, &format!("family\tlocal\towners\tpeers\tstate\ntcp\t{address}\t{holder}\t\tlisten\n"));
    });
}

fn words(text: &str) -> Vec<String> {
    text.split_ascii_whitespace().map(str::to_owned).collect()
}

#[test]
fn sums() {
    in_own_network(|| {
        let (listener, client, server) = scene();
        let waiting = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let pair = UnixStream::pair().unwrap();
        std::io::Write::write_all(&mut &client, b"hello").unwrap();
        crate::support::eventually("it came", || rustix::io::ioctl_fionread(&server).unwrap() == 5);
        let sum = |family, state, sockets, without, received| {
            json!({
                "family": family, "state": state, "sockets": sockets, "without_file": without,
                "recv_queue": received, "send_queue": 0,
            })
        };
        let expected = [
            sum("tcp", "established", 4, 1, 5),
            sum("tcp", "listen", 1, 0, 1),
            sum("unix", "connected", 2, 0, 0),
        ];
        // A process is started through a pair of sockets, which children of ours may have for a while.
        settles(|| sockets("--summary").records(), &expected.to_vec());
        let row = || sockets("--summary --family unix --no-header").ok().stdout();
        settles(
            || row().split_ascii_whitespace().map(str::to_owned).collect(),
            &words("unix connected 2 0 0 0"),
        );
        let heading = sockets("--summary --family unix").ok().lines().remove(0);
        assert_eq!(words(&heading), words("FAMILY STATE SOCKETS WITHOUT_FILE RECV_QUEUE SEND_QUEUE"));
        assert_eq!(sockets("--summary --state close-wait").run().status(), 1);
        drop((waiting, pair));
    });
}

#[test]
fn columns() {
    let (listener, ..) = scene();
    let port = listener.local_addr().unwrap().port();
    let of = |columns: &str| sockets(format!("-l 127.0.0.1:{port} --columns {columns}")).ok().lines();
    assert_eq!(
        of("local_port,inode"),
        [
            format!("LOCAL_PORT  {:>width$}", "INODE", width = inode(&listener).to_string().len().max(5)),
            format!("{port:>10}  {}", inode(&listener)),
        ]
    );
    let heading = of("+uid,listener.max")[0].clone();
    assert!(heading.split_ascii_whitespace().eq([
        "FAMILY",
        "RECV_QUEUE",
        "LOCAL",
        "OWNERS",
        "UID",
        "LISTENER.MAX"
    ]));
    sockets("--columns nonsense").run().check(2, "there is no field 'nonsense'").prints("");
    sockets("--columns +inod").run().check(2, "did you mean 'inode'?");
    let help = sockets("--columns help --json").ok().records();
    let names: Vec<&str> = help.iter().map(|r| r["field"].as_str().unwrap()).collect();
    for name in ["local", "owners", "peers", "listener.waiting", "tcp.rtt", "timer.expires", "netns_name"] {
        assert!(names.contains(&name), "{name}");
    }
    // Each can be asked for, and is there in JSON or absent.
    for name in &names {
        let run = sockets(format!("-l 127.0.0.1:{port} --json --columns {name}")).ok();
        let record = run.records().remove(0);
        let top = name.split('.').next().unwrap();
        assert!(record.as_object().unwrap().keys().all(|key| key == top), "{name}: {record}");
    }
}

#[test]
fn statuses() {
    let (listener, ..) = scene();
    let port = listener.local_addr().unwrap().port();
    let status = |arguments: &str| sockets(arguments).run().status();
    assert_eq!(status(&format!("--port {port}")), 0);
    assert_eq!(status(&format!("--port {port} --family udp")), 1);
    assert_eq!(status(&format!("--port {port} --where false")), 1);
    let empty = sockets(format!("--port {port} --family udp --json")).run();
    assert!(empty.records().is_empty() && empty.status() == 1);
}

/// What is not done for the reader of stdout.
#[test]
fn a_reader_that_goes_away() {
    let (read, write) = std::io::pipe().unwrap();
    drop(read);
    for format in ["table", "json", "jsonl", "tsv"] {
        let run = sockets(format!("--format {format}")).stdout(write.try_clone().unwrap()).run();
        run.check(0, "");
    }
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    sockets("").stdout(full).run().check(2, "cannot write the output: ");
}

/// A full listener stands out.
#[test]
fn colour() {
    let full = listener("127.0.0.1:0", 0);
    let _client = TcpStream::connect(full.local_addr().unwrap()).unwrap();
    let some = listener("127.0.0.1:0", 5);
    let _other = TcpStream::connect(some.local_addr().unwrap()).unwrap();
    crate::support::eventually("they wait", || {
        let records = records("--listening");
        super::of(&records, &full)["recv_queue"] == 1 && super::of(&records, &some)["recv_queue"] == 1
    });
    let line = |listener: &TcpListener| {
        let port = listener.local_addr().unwrap().port();
        sockets(format!("-l 127.0.0.1:{port} --no-header --color always")).ok().stdout()
    };
    let (red, yellow) = (line(&full), line(&some));
    assert!(red.starts_with("\x1b[31m") || red.starts_with("\x1b[1;31m"), "{red:?}");
    assert!(yellow.starts_with("\x1b[33m"), "{yellow:?}");
    let plain = sockets(format!("-l -p {} --no-header", full.local_addr().unwrap().port())).ok().stdout();
    assert!(!plain.contains('\x1b'), "{plain:?}");
}
