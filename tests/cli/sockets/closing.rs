//! `--close`: which sockets are closed, what becomes of them, and when it is refused.

use super::details::bind_to_loopback;
use super::{absent, check, connection, holder, listener, sockets, without_forks};
use crate::support::{
    FakeProc, Fdscope, NOBODY, Run, Skip, capable, in_own_network, needs, run_as, terminal,
};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, ipproto};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixListener;

/// `CAP_NET_ADMIN`.
const NET_ADMIN: u32 = 12;

/// Runs a test in a network of its own, where nothing else can be hit, if the kernel closes sockets at
/// all.
fn where_sockets_can_be_closed(test: impl FnOnce() + Send) {
    in_own_network(|| {
        let (client, _server) = connection(&listener("127.0.0.1:0", 1));
        let run = close(&format!(":{}", client.local_addr().unwrap().port()));
        if run.stderr().contains("CONFIG_INET_DIAG_DESTROY") {
            eprintln!(
                "skipped: closing sockets, because this kernel was built without CONFIG_INET_DIAG_DESTROY"
            );
            return;
        }
        test();
    });
}

/// Closes what is selected.
fn close(arguments: &str) -> Run {
    sockets(format!("--close --yes {arguments}")).run()
}

/// Closes what is selected, and gives the records of it; all must have been closed.
fn closed(arguments: &str) -> Vec<Value> {
    let run = close(&format!("--json {arguments}"));
    run.check(0, "");
    run.records().into_iter().map(without_forks).collect()
}

fn port(socket: &TcpListener) -> u16 {
    socket.local_addr().unwrap().port()
}

/// The error of the next read.
fn error_of(mut stream: &TcpStream) -> ErrorKind {
    stream.read(&mut [0]).expect_err("it is closed").kind()
}

/// The network namespace that the test is in.
fn network() -> u64 {
    std::fs::metadata("/proc/thread-self/ns/net").unwrap().ino()
}

#[test]
fn a_connection() {
    where_sockets_can_be_closed(|| {
        let listener = listener("127.0.0.1:0", 5);
        let (client, server) = connection(&listener);
        let other = connection(&listener);
        let (own, to) = (client.local_addr().unwrap(), listener.local_addr().unwrap());
        let records = closed(&format!("--port {}", own.port()));
        let expected = json!([{
            "family": "tcp", "state": "established", "local": own.to_string(), "remote": to.to_string(),
            "owners": [holder(&client)], "netns": network(), "closed": true,
        }]);
        assert_eq!(Value::from(records), expected);
        assert_eq!(error_of(&client), ErrorKind::ConnectionAborted);
        assert_eq!(error_of(&server), ErrorKind::ConnectionReset);
        // Nothing else was hit, and fds stay.
        (&other.0).write_all(b"x").unwrap();
        assert_eq!((&other.1).read(&mut [0]).unwrap(), 1);
        assert!(rustix::fs::fstat(&client).is_ok());
        TcpStream::connect(to).expect("it listens still");
    });
}

/// The second end is gone with the first, and that is what was wanted.
#[test]
fn both_ends() {
    where_sockets_can_be_closed(|| {
        let listener = listener("[::1]:0", 5);
        let (client, server) = connection(&listener);
        let records = closed(&format!(":{}", client.local_addr().unwrap().port()));
        assert_eq!(records.len(), 2);
        assert!(records.iter().all(|r| r["closed"] == true && r.get("error").is_none()), "{records:#?}");
        let errors = [error_of(&client), error_of(&server)];
        assert!(
            errors.contains(&ErrorKind::ConnectionAborted) && errors.contains(&ErrorKind::ConnectionReset)
        );
        let (again, _server) = connection(&listener);
        let arguments = format!("sockets --netns own --close --yes :{}", again.local_addr().unwrap().port());
        let run = Fdscope::new(arguments).run();
        run.check(0, "fdscope: 1 socket closed, 1 gone by then\n");
    });
}

#[test]
fn a_listener_with_its_queue() {
    where_sockets_can_be_closed(|| {
        // A port that was asked for by number is kept, and this network is our own.
        let listener = listener("127.0.0.1:7000", 5);
        let to = listener.local_addr().unwrap();
        let waiting = TcpStream::connect(to).unwrap();
        let records = closed(&format!("--listening --port {}", to.port()));
        check(&records[0], &json!({"state": "listen", "remote": absent(), "closed": true}));
        assert_eq!(records.len(), 1);
        assert_eq!(listener.accept().unwrap_err().raw_os_error(), Some(libc::EINVAL));
        assert_eq!(error_of(&waiting), ErrorKind::ConnectionReset);
        assert_eq!(TcpStream::connect(to).unwrap_err().kind(), ErrorKind::ConnectionRefused);
        // It is bound still, and that is all; not all kernels list such a one.
        let run = close(&format!("--port {} --json", to.port()));
        let expected = json!({
            "state": "close", "closed": false, "error": "it is bound and no more, which cannot be closed so",
        });
        if let [left] = &run.records()[..] {
            run.check(3, "");
            check(left, &expected);
        }
    });
}

/// The kernel finds always the same of those that share a port, until that one is closed.
#[test]
fn listeners_that_share_a_port() {
    where_sockets_can_be_closed(|| {
        let first = shared("127.0.0.1:0".parse().unwrap());
        let address = first.local_addr().unwrap();
        let all = [first, shared(address), shared(address), shared(address)];
        let records = closed(&format!("--port {}", address.port()));
        assert_eq!(records.len(), 4);
        for listener in &all {
            assert_eq!(listener.accept().unwrap_err().raw_os_error(), Some(libc::EINVAL));
        }
    });
}

fn shared(address: SocketAddr) -> TcpListener {
    let flags = SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(AddressFamily::INET, SocketType::STREAM, flags, None).unwrap();
    rustix::net::sockopt::set_socket_reuseport(&socket, true).unwrap();
    rustix::net::bind(&socket, &address).unwrap();
    rustix::net::listen(&socket, 1).unwrap();
    TcpListener::from(socket)
}

#[test]
fn datagrams() {
    where_sockets_can_be_closed(|| {
        // Nothing else is in this network. A port that the kernel has chosen would be given back.
        let receiver = UdpSocket::bind("127.0.0.1:4000").unwrap();
        let sender = UdpSocket::bind("127.0.0.1:4001").unwrap();
        sender.connect(receiver.local_addr().unwrap()).unwrap();
        let unbound = UdpSocket::from(
            rustix::net::socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)
                .unwrap(),
        );
        unbound.connect("127.0.0.1:9").unwrap();
        let own = unbound.local_addr().unwrap().to_string();
        let run = close("--family udp --json");
        run.check(3, "");
        let records = run.records();
        assert_eq!(records.len(), 3, "{records:?}");
        for record in &records {
            let is_closed = record["local"] == own.as_str();
            assert_eq!(record["closed"], is_closed, "{record}");
            let error = "it is disconnected and its owner told (ECONNABORTED), but it stays bound and goes on \
                         receiving";
            assert_eq!(record["error"], if is_closed { Value::Null } else { error.into() }, "{record}");
        }
        let still = sockets("--family udp --json").run().records();
        assert_eq!(still.len(), 2, "{still:?}");
        for socket in [&receiver, &sender] {
            assert_eq!(socket.recv(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionAborted);
        }
        assert!(sender.peer_addr().is_err(), "it is not connected any more");
    });
}

#[test]
fn what_cannot_be_closed() {
    where_sockets_can_be_closed(|| {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let unix = UnixListener::bind(&path).unwrap();
        let arguments = format!("--json {}", path.display());
        let run = close(&arguments);
        run.check(3, "");
        let expected = json!([{
            "family": "unix", "state": "listen", "local": path, "owners": [holder(&unix)], "netns": network(),
            "closed": false, "error": "only TCP and UDP sockets can be closed so",
        }]);
        assert_eq!(Value::from_iter(run.records().into_iter().map(without_forks)), expected);
        let told = format!("the unix socket {} was not closed: only TCP and UDP sockets", path.display());
        close(&format!("{}", path.display())).check(3, &told);
        assert!(std::os::unix::net::UnixStream::connect(&path).is_ok());
        if let Err(Skip(reason)) = mptcp_and_raw() {
            eprintln!("skipped: {reason}");
        }
    });
}

fn mptcp_and_raw() -> Result<(), Skip> {
    let new = |ty, protocol| {
        rustix::net::socket_with(AddressFamily::INET, ty, SocketFlags::CLOEXEC, Some(protocol))
    };
    let _raw: OwnedFd = needs(new(SocketType::RAW, ipproto::ICMP), "CAP_NET_RAW")?;
    let run = close("--family raw --json");
    if run.status() == 3 {
        check(
            &run.records()[0],
            &json!({"closed": false, "error": "only TCP and UDP sockets can be closed so"}),
        );
    }
    let mptcp = needs(new(SocketType::STREAM, ipproto::MPTCP), "multipath TCP")?;
    needs(rustix::net::bind(&mptcp, &"127.0.0.1:0".parse::<SocketAddr>().unwrap()), "an address")?;
    rustix::net::listen(&mptcp, 1).unwrap();
    let run = close("--family mptcp --json");
    if run.status() != 1 {
        run.check(3, "");
        check(&run.records()[0], &json!({"error": "only TCP and UDP sockets can be closed so"}));
    }
    Ok(())
}

#[test]
fn nothing_selected() {
    for arguments in ["", "--json", "--no-header", "--netns own"] {
        let run = Fdscope::new(format!("sockets --close --yes {arguments}")).run();
        run.check(2, "--close closes what is selected, and nothing is; say which: a FILTER, --port")
            .prints("");
    }
    let run = Fdscope::new("sockets --netns own --close --yes @fdscope-no-such-name").run();
    run.check(1, "nothing is selected, so nothing was closed").prints("");
    let run = sockets("--close --yes --json @fdscope-no-such-name").run();
    run.check(1, "");
    assert!(run.records().is_empty());
}

#[test]
fn no_terminal_to_ask_at() {
    let run = sockets("--close --port 1").run();
    run.check(2, "--close: standard input is no terminal to ask at; --yes closes without asking").prints("");
    sockets("--yes --port 1").run().check(2, "--close");
    sockets("--close --yes --port 1 --columns family").run().check(2, "cannot be used with");
    sockets("--close --yes --port 1 --summary").run().check(2, "cannot be used with");
}

/// The run, and what was typed for it before it asked.
fn asked(arguments: &str, typed: &str) -> Run {
    let (mut master, slave): (File, OwnedFd) = terminal();
    master.write_all(typed.as_bytes()).unwrap();
    sockets(format!("--close {arguments}")).stdin(slave).run()
}

#[test]
fn the_question() {
    where_sockets_can_be_closed(|| {
        let listener = listener("127.0.0.1:0", 5);
        let arguments = format!("--port {} --listening", port(&listener));
        let who = holder(&listener);
        let who = format!("{}/{} {}", who["pid"], who["command"].as_str().unwrap(), who["fd"]);
        let shown = format!("  tcp 127.0.0.1:{} listen, ", port(&listener));
        let asks = |run: &Run, status| {
            run.check(status, &shown).check(status, &who).check(status, "\nClose 1 socket? [y/N] ");
        };
        // The end of what is typed is no, too.
        for answer in ["n\n", "\n", "Yup\n", "\x04"] {
            let run = asked(&arguments, answer);
            asks(run.prints(""), 1);
            TcpStream::connect(listener.local_addr().unwrap()).expect("it listens still");
        }
        let run = asked(&arguments, "y\n");
        asks(&run, 0);
        assert!(run.stdout().contains(" yes "), "{}", run.stdout());
        assert_eq!(
            TcpStream::connect(listener.local_addr().unwrap()).unwrap_err().kind(),
            ErrorKind::ConnectionRefused
        );
    });
}

/// Two listeners may have one address and differ in the interface alone, or in the namespace.
#[test]
fn where_it_is() {
    in_own_network(|| {
        let listener = listener("127.0.0.1:0", 5);
        if !bind_to_loopback(&listener) {
            return;
        }
        let arguments = format!("--listening --netns own --port {}", port(&listener));
        let address = format!("127.0.0.1%lo:{}", port(&listener));
        let run = asked(&arguments, "y\n");
        assert!(run.stderr().contains(&format!("  tcp {address} listen, ")), "{}", run.stderr());
        assert!(run.stdout().contains(&address), "{}", run.stdout());
    });
    let Some(helper) = super::namespaces::start() else { return };
    let number = super::namespaces::number(&helper);
    let run = asked(&format!("--listening --netns {number} --port 7000"), "n\n");
    run.check(1, &format!("in network namespace {number}\nClose 1 socket? [y/N] "));
    let arguments = format!("--listening --netns {number} --port 7000");
    let run = close(&arguments);
    if run.status() == 0 {
        assert!(run.stdout().contains(&number.to_string()), "{}", run.stdout());
    }
}

/// Ten are shown, and the others counted.
#[test]
fn a_long_question() {
    in_own_network(|| {
        let listeners: Vec<_> = (0..12).map(|_| listener("127.0.0.1:0", 5)).collect();
        let run = asked("--listening", "no\n");
        run.check(1, "\n  and 2 more\nClose 12 sockets? [y/N] ").prints("");
        assert_eq!(run.stderr().lines().count(), 12, "{}", run.stderr());
        drop(listeners);
    });
}

#[test]
fn without_the_right() {
    in_own_network(|| {
        let listener = listener("127.0.0.1:0", 5);
        let (client, _server) = connection(&listener);
        let nobody = |arguments: &str| {
            let run = sockets(format!("--close --yes --port {} {arguments}", port(&listener)));
            run.with(|command| run_as(command, NOBODY)).run()
        };
        let run = nobody("--json");
        run.check(3, "");
        // Whose they are may not be seen, which is not nobody.
        assert_eq!((&run.json()["complete"], &run.records()[0]["owners"]), (&json!(false), &json!(null)));
        assert!(nobody("--no-header").stdout().contains("  ?  "), "{}", run.stdout());
        let error = "it takes CAP_NET_ADMIN (root) in its network namespace";
        assert!(
            run.records().iter().all(|r| r["closed"] == false && r["error"] == error),
            "{}",
            run.stdout()
        );
        nobody("").check(3, &format!("the tcp socket 127.0.0.1:{} was not closed: {error}", port(&listener)));
        assert_eq!(tcp_error(&client), Errno::AGAIN);
    });
}

/// The error of a read that does not wait.
fn tcp_error(stream: &TcpStream) -> Errno {
    let flags = rustix::net::RecvFlags::DONTWAIT;
    rustix::net::recv(stream.as_fd(), &mut [0_u8; 1][..], flags).expect_err("nothing comes")
}

/// Another proc filesystem is of another time and place: nothing there is closed.
#[test]
fn of_another_proc() {
    if !capable(NET_ADMIN) {
        return;
    }
    let listener = listener("127.0.0.1:0", 5);
    let fake = FakeProc::new();
    let process = fake.process(77, b"fake");
    let line = format!(
        "heading\n   0: 0100007F:{:04X} 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 {} 1 0\n",
        port(&listener),
        super::inode(&listener)
    );
    process.write("net/tcp", line);
    process.write("net/dev", "");
    let run = fake.fdscope(&format!("sockets -q --close --yes --json --port {}", port(&listener))).run();
    run.check(3, "");
    check(&run.records()[0], &json!({"closed": false, "error": "there is no netlink to ask for it"}));
    TcpStream::connect(listener.local_addr().unwrap()).expect("it listens still");
}
