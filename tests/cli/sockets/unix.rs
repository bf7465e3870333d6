//! Unix sockets: paths and abstract names, other ends, queues.

use super::{absent, check, holder, inode, of, records, sockets};
use rustix::fd::OwnedFd;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, listen};
use serde_json::{Value, json};
use std::ffi::OsStr;
use std::io::{Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use tempfile::TempDir;

/// Names that try what prints them: a newline and what looks like a heading, an escape, bytes that
/// are not UTF-8, a backslash. And how JSON has them.
const ODD: &[(&[u8], &str)] = &[
    (b"new\nFAMILY  STATE", "new\nFAMILY  STATE"),
    (b"escape\x1b[31m", "escape\u{1b}[31m"),
    (b"bytes\xff\xfe", r"bytes\xff\xfe"),
    (b"back\\slash \t", "back\\\\slash \t"),
];

fn socket(ty: SocketType) -> OwnedFd {
    rustix::net::socket_with(AddressFamily::UNIX, ty, SocketFlags::CLOEXEC, None).unwrap()
}

fn directory() -> TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

/// An abstract name that no other test has.
fn name(test: &str) -> String {
    format!("fdscope-sockets-{}-{test}", std::process::id())
}

#[test]
fn a_connection() {
    let dir = directory();
    let path = dir.path().join("a socket");
    let listener = UnixListener::bind(&path).unwrap();
    let mut client = UnixStream::connect(&path).unwrap();
    let (server, _) = listener.accept().unwrap();
    client.write_all(b"hello").unwrap();
    let waiting = UnixStream::connect(&path).unwrap();
    let records = records("--family unix");
    let path = path.to_str().unwrap();
    let expected = json!({
        "family": "unix", "type": "stream", "state": "listen", "local": path, "local_port": absent(),
        "remote": absent(), "recv_queue": 1, "send_queue": absent(),
        "listener": {"waiting": 1, "max": {"$between": [1, 1e9]}, "drops": absent()},
        "owners": [holder(&listener)], "peers": absent(),
    });
    check(of(&records, &listener), &expected);
    let expected = json!({
        "state": "connected", "local": path, "remote": absent(), "recv_queue": 5, "send_queue": 0,
        "owners": [holder(&server)], "peers": [holder(&client)], "listener": absent(),
    });
    check(of(&records, &server), &expected);
    // What it sent takes more than its bytes, until it is read.
    let expected = json!({
        "state": "connected", "local": absent(), "remote": path, "recv_queue": 0,
        "send_queue": {"$between": [5, 65536]}, "owners": [holder(&client)], "peers": [holder(&server)],
        "pending": false,
    });
    check(of(&records, &client), &expected);
    let expected =
        json!({"state": "connected", "peers": [holder(&listener)], "pending": true, "remote": path});
    check(of(&records, &waiting), &expected);
    let uid = rustix::process::geteuid().as_raw();
    if let Some(told) = of(&records, &client).get("uid") {
        assert_eq!(told, uid);
    }
    let (device, node) = {
        let stat = rustix::fs::stat(path).unwrap();
        (format!("{}:{}", rustix::fs::major(stat.st_dev), rustix::fs::minor(stat.st_dev)), stat.st_ino as u32)
    };
    let wide = super::records("--family unix --wide");
    check(of(&wide, &listener), &json!({"file_device": device, "file_inode": node}));
    check(of(&wide, &client), &json!({"peer_inode": inode(&server), "file_inode": absent(), "shutdown": []}));
}

#[test]
fn pairs_of_each_type() {
    for (ty, word) in
        [(SocketType::STREAM, "stream"), (SocketType::DGRAM, "dgram"), (SocketType::SEQPACKET, "seqpacket")]
    {
        let pair = rustix::net::socketpair(AddressFamily::UNIX, ty, SocketFlags::CLOEXEC, None).unwrap();
        let found = records("--family unix");
        for (end, other) in [(&pair.0, &pair.1), (&pair.1, &pair.0)] {
            let expected = json!({
                "type": word, "state": "connected", "local": absent(), "remote": absent(), "recv_queue": 0,
                "owners": [holder(end)], "peers": [holder(other)],
            });
            check(of(&found, end), &expected);
        }
        drop(pair.1);
        let expected = json!({"peers": [], "state": "connected", "owners": [holder(&pair.0)]});
        check(of(&records("--family unix"), &pair.0), &expected);
    }
}

#[test]
fn shut_down() {
    let (one, mut other) = UnixStream::pair().unwrap();
    one.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(other.read(&mut [0]).unwrap(), 0);
    let wide = records("--family unix --wide");
    check(of(&wide, &one), &json!({"shutdown": ["send"], "peers": [holder(&other)]}));
    check(of(&wide, &other), &json!({"shutdown": ["receive"], "peers": [holder(&one)]}));
}

/// Many may send to one.
#[test]
fn datagrams() {
    let dir = directory();
    let path = dir.path().join("log");
    let receiver = UnixDatagram::bind(&path).unwrap();
    let senders = [UnixDatagram::unbound().unwrap(), UnixDatagram::unbound().unwrap()];
    for sender in &senders {
        sender.connect(&path).unwrap();
    }
    senders[0].send(b"abc").unwrap();
    senders[0].send(b"defgh").unwrap();
    let records = records("--family unix");
    let path = path.to_str().unwrap();
    let expected = json!({
        "type": "dgram", "state": "unconnected", "local": path, "recv_queue": 3,
        "peers": {"$set": [holder(&senders[0]), holder(&senders[1])]},
    });
    check(of(&records, &receiver), &expected);
    let expected = json!({"state": "connected", "remote": path, "peers": [holder(&receiver)]});
    for sender in &senders {
        check(of(&records, sender), &expected);
    }
}

#[test]
fn odd_names() {
    let dir = directory();
    for (bytes, shown) in ODD {
        let path = dir.path().join(OsStr::from_bytes(bytes));
        let at_path = UnixListener::bind(&path).unwrap();
        let unique = [name("odd").as_bytes(), bytes].concat();
        let abstract_name = socket(SocketType::SEQPACKET);
        bind(&abstract_name, &SocketAddrUnix::new_abstract_name(&unique).unwrap()).unwrap();
        listen(&abstract_name, 1).unwrap();
        let client = UnixStream::connect(&path).unwrap();
        let shown_path = format!("{}/{shown}", dir.path().to_str().unwrap());
        let shown_name = format!("@{}{shown}", name("odd"));
        let found = records("--family unix");
        check(of(&found, &at_path), &json!({"local": shown_path, "state": "listen", "type": "stream"}));
        check(of(&found, &client), &json!({"remote": shown_path, "peers": [holder(&at_path)]}));
        check(
            of(&found, &abstract_name),
            &json!({"local": shown_name, "state": "listen", "type": "seqpacket"}),
        );
        // Each row is a line, whatever its name is.
        let pid = std::process::id();
        for format in ["table", "tsv"] {
            let columns = "--columns local,inode --no-header --format";
            let run = sockets(format!("-l --family unix --process {pid} {columns} {format}")).ok();
            for line in run.lines() {
                let last = line.split_ascii_whitespace().last().unwrap();
                assert!(last.parse::<u64>().is_ok(), "{line:?} in {}", run.stdout());
            }
            assert!(!run.stdout().contains('\x1b'), "{}", run.stdout());
        }
        // By its name, if that can be typed, and with what begins so.
        let all = format!("{}/*", dir.path().display());
        for argument in path.to_str().into_iter().chain([all.as_str()]) {
            let found = sockets("").arg(argument).records();
            assert_eq!(inodes(&found), inodes_of(&[inode(&at_path), inode(&client)]), "{argument:?}");
        }
        drop(at_path);
        std::fs::remove_file(&path).unwrap();
    }
}

fn inodes(records: &[Value]) -> Vec<u64> {
    inodes_of(&records.iter().map(|r| r["inode"].as_u64().unwrap()).collect::<Vec<_>>())
}

fn inodes_of(inodes: &[u64]) -> Vec<u64> {
    crate::support::sorted(inodes.iter().copied())
}

#[test]
fn an_abstract_name_is_a_filter() {
    let unique = name("filter");
    let address = SocketAddrUnix::new_abstract_name(unique.as_bytes()).unwrap();
    let server = socket(SocketType::STREAM);
    bind(&server, &address).unwrap();
    listen(&server, 1).unwrap();
    let client = socket(SocketType::STREAM);
    rustix::net::connect(&client, &address).unwrap();
    let of = |filter: String| inodes(&records(filter));
    let (server, client) = (inode(&server), inode(&client));
    let both = inodes_of(&[server, client]);
    assert_eq!(of(format!("@{unique}")), both);
    assert_eq!(of(format!("unix:@{unique}")), both);
    assert_eq!(of(format!("@{}*", &unique[..unique.len() - 2])), both);
    assert_eq!(of(format!("--remote @{unique}")), [client]);
    assert_eq!(of(format!("@{unique} --listening")), [server]);
    sockets(format!("{unique}x")).run().check(2, "is not an IP address");
    assert_eq!(sockets(format!("@{unique}x")).run().status(), 1);
}

/// A path is what bind(2) was given.
#[test]
fn a_relative_path() {
    let dir = directory();
    let helper = std::process::Command::new("sleep").arg("0").current_dir(dir.path()).status();
    assert!(helper.is_ok());
    // Threads share a working directory; one of its own can be changed.
    let made = std::thread::scope(|scope| {
        let bound = || {
            nix::sched::unshare(nix::sched::CloneFlags::CLONE_FS).ok()?;
            std::env::set_current_dir(dir.path()).ok()?;
            UnixListener::bind("relative.sock").ok()
        };
        scope.spawn(bound).join().unwrap()
    });
    let listener = made.expect("a thread can leave its directory");
    check(of(&records("-l unix:relative.sock"), &listener), &json!({"local": "relative.sock"}));
    assert_eq!(sockets(format!("{}/relative.sock", dir.path().display())).run().status(), 1);
}

/// A name of any bytes can be asked for by its bytes, and by what is shown of it.
#[test]
fn a_filter_of_any_bytes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(OsStr::from_bytes(b"a\xff\nb"));
    let listener = UnixListener::bind(&path).unwrap();
    let shown = format!(r"{}/a\xff\nb", directory.path().display());
    for filter in [path.as_os_str(), OsStr::new(&shown)] {
        let run = sockets("--no-header --columns inode,local --format tsv").arg(filter).ok();
        assert_eq!(run.stdout(), format!("{}\t{shown}\n", super::inode(&listener)));
    }
    sockets("").arg(OsStr::from_bytes(b"1.2.3.4\xff")).run().check(2, "only the names of unix sockets");
}
