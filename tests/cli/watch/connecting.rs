//! Connections that it makes itself: what becomes of them is the readiness it is.

use super::{fdscope, names, watch};
use crate::support::{Fdscope, call, check, eventually, in_own_network};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, bind, listen, socket};
use serde_json::{Value, json};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, TcpListener, UdpSocket};
use std::os::fd::{AsRawFd as _, OwnedFd};

/// A socket with a port, at which nobody listens yet; so nobody else can take it.
pub(super) fn deaf() -> (OwnedFd, SocketAddr) {
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    bind(&socket, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
    let address = rustix::net::getsockname(&socket).unwrap().try_into().unwrap();
    (socket, address)
}

/// The event that it waits for comes, and it ends.
fn ready(arguments: &str) -> Value {
    let run = fdscope(format!("{arguments} -u ready")).run();
    let events = run.check(0, "").json_lines();
    assert_eq!(names(&events), ["armed", "ready", "summary"]);
    events[1].clone()
}

#[test]
fn tcp() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = format!("tcp:{}", listener.local_addr().unwrap());
    for with in super::ALL {
        check(
            &ready(&format!("{target} --with {with}")),
            &json!({"target": target, "kind": "tcp", "readiness": ["out"], "selector": with,
                    "pid": {"$absent": true}, "socket_error": {"$absent": true}}),
        );
    }
    let (peer, _) = listener.accept().unwrap();
    drop(peer);
}

/// A link-local address is one of an interface, by name or by number.
#[test]
fn link_local() {
    in_own_network(|| {
        let scope = nix::net::if_::if_nametoindex("lo").unwrap();
        let ip: Ipv6Addr = "fe80::1".parse().unwrap();
        if let Err(e) = give_address(ip, scope) {
            eprintln!("skipped: a link-local address, because it cannot be had: {e}");
            return;
        }
        // The kernel has a look at it first.
        let address = SocketAddrV6::new(ip, 0, 0, scope);
        eventually("it can be bound", || UdpSocket::bind(address).is_ok());
        let listener = TcpListener::bind(address).unwrap();
        let port = listener.local_addr().unwrap().port();
        for zone in ["lo".to_owned(), scope.to_string()] {
            for protocol in ["tcp", "udp"] {
                let target = format!("{protocol}:[{ip}%{zone}]:{port}");
                check(&ready(&target), &json!({"target": target, "readiness": ["out"]}));
            }
        }
        let run = fdscope(format!("tcp:[{ip}%nowhere]:{port}")).run();
        run.check(3, "[fe80::1%nowhere]:").check(3, "the host is not known").prints("");
    });
}

/// Gives an interface an address.
fn give_address(ip: Ipv6Addr, interface: u32) -> std::io::Result<()> {
    let socket = UdpSocket::bind("[::]:0")?;
    // struct in6_ifreq: the address, the length of its prefix, and the interface.
    let prefix: u32 = 64;
    let request = [&ip.octets()[..], &prefix.to_ne_bytes(), &interface.to_ne_bytes()].concat();
    let (fd, pointer) = (socket.as_raw_fd() as usize, request.as_ptr() as usize);
    call(libc::SYS_ioctl, [fd, libc::SIOCSIFADDR as usize, pointer, 0, 0, 0]).map(drop)
}

#[test]
fn udp() {
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    let target = format!("udp:{}", peer.local_addr().unwrap());
    check(&ready(&target), &json!({"target": target, "kind": "udp", "readiness": ["out"]}));
}

/// Of whichever type the other end is.
#[test]
fn unix() {
    let dir = tempfile::tempdir().unwrap();
    for (socket_type, name) in
        [(SocketType::STREAM, "stream"), (SocketType::SEQPACKET, "seqpacket"), (SocketType::DGRAM, "dgram")]
    {
        let path = dir.path().join(name);
        let peer = socket(AddressFamily::UNIX, socket_type, None).unwrap();
        bind(&peer, &SocketAddrUnix::new(&path).unwrap()).unwrap();
        let target = format!("unix:{}", path.display());
        if socket_type != SocketType::DGRAM {
            is_refused(&target);
            listen(&peer, 8).unwrap();
        }
        check(&ready(&target), &json!({"target": target, "kind": "unix", "readiness": ["out"]}));
    }
    let run = fdscope(format!("unix:{}/nobody", dir.path().display())).run();
    run.check(3, "no such file or directory (ENOENT)").prints("");
    is_refused(&format!("unix:@{}", dir.path().display()));
}

/// A unix socket at which nobody listens: the events and statuses are those of TCP, though no selector
/// sees anything of it.
fn is_refused(target: &str) {
    for (arguments, status) in [("", 0), ("-u error", 0), ("-u ready", 1), ("-n 1", 0), ("-n 2", 0)] {
        let run = fdscope(format!("{target} {arguments}")).run();
        let events = run.check(status, "").json_lines();
        assert_eq!(names(&events), ["armed", "error"]);
        let expected = json!({"target": target, "kind": "unix", "socket_error": "ECONNREFUSED", "selector": {"$absent": true}});
        check(&events[1], &expected);
    }
    let run = Fdscope::new(format!("watch {target} --drain")).run();
    run.check(3, &format!("fdscope: {target}: connection refused (ECONNREFUSED)"));
    assert!(
        run.lines()[1].ends_with(&format!("  ECONNREFUSED  unix → {}", &target[5..])),
        "{}",
        run.stdout()
    );
}

/// Each time, until somebody listens.
#[test]
fn retry_unix() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("socket");
    let peer = socket(AddressFamily::UNIX, SocketType::STREAM, None).unwrap();
    bind(&peer, &SocketAddrUnix::new(&path).unwrap()).unwrap();
    let mut run = watch(format!("unix:{} --retry 5ms -u ready", path.display()));
    for _ in 0..3 {
        check(&run.event("error"), &json!({"socket_error": "ECONNREFUSED"}));
    }
    listen(&peer, 8).unwrap();
    check(&run.event("ready"), &json!({"readiness": ["out"]}));
    run.end().check(0, "");
}

#[test]
fn refused() {
    let (_socket, address) = deaf();
    for with in super::ALL {
        let run = fdscope(format!("tcp:{address} --with {with} -u ready")).run();
        let events = run.check(1, "").json_lines();
        assert_eq!(names(&events), ["armed", "error", "summary"]);
        // All that select has to show is what it shows of one that is there, too.
        let readiness = match with {
            "select" => json!(["in", "out"]),
            "mio" => json!({"$set": ["in", "out", "err", "hup"]}),
            _ => json!({"$set": ["in", "out", "err", "hup", "rdhup"]}),
        };
        check(
            &events[1],
            &json!({"socket_error": "ECONNREFUSED", "readiness": readiness, "unsent_bytes": {"$absent": true}}),
        );
        fdscope(format!("tcp:{address} --with {with} -u error")).run().check(0, "");
    }
    // Each says why, though the error is gone once it was asked for.
    for with in ["select,epoll", "epoll,select"] {
        let run = fdscope(format!("tcp:{address} --with {with} -u ready")).run();
        let events = run.check(1, "").json_lines();
        assert_eq!(names(&events), ["armed", "error", "error", "summary", "summary"]);
        assert!(events[1..3].iter().all(|e| e["socket_error"] == "ECONNREFUSED"), "{events:#?}");
    }
}

/// Again and again, until somebody listens.
#[test]
fn retry() {
    let (socket, address) = deaf();
    let retry = |with: &str| watch(format!("tcp:{address} --retry 5ms -u ready --with {with}"));
    let mut runs = super::ALL.map(retry);
    for run in &mut runs {
        for _ in 0..2 {
            check(&run.event("error"), &json!({"socket_error": "ECONNREFUSED"}));
        }
    }
    listen(&socket, 8).unwrap();
    for mut run in runs {
        check(&run.event("ready"), &json!({"readiness": ["out"]}));
        run.end().check(0, "");
    }
}

/// Also where there is nothing yet that could refuse.
#[test]
fn retry_what_is_not_there() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("socket");
    let mut run = watch(format!("unix:{} --retry 5ms -u ready", path.display()));
    let peer = socket(AddressFamily::UNIX, SocketType::STREAM, None).unwrap();
    bind(&peer, &SocketAddrUnix::new(&path).unwrap()).unwrap();
    listen(&peer, 8).unwrap();
    check(&run.event("ready"), &json!({"kind": "unix", "readiness": ["out"]}));
    let run = run.end();
    run.check(0, "no such file or directory (ENOENT); trying again");
    assert_eq!(run.json_lines()[0]["targets"], 1);
}

/// The time is up, though it would go on trying.
#[test]
fn retry_in_vain() {
    let (_socket, address) = deaf();
    let run = fdscope(format!("tcp:{address} --retry 5ms -u ready -t 50ms")).run();
    let events = run.check(124, "").json_lines();
    // There is a summary only if it got so far as to be refused.
    let last = events.iter().rfind(|event| event["event"] != "summary").unwrap();
    assert_eq!(last["event"], "timeout", "{events:#?}");
}
