//! TCP sockets of each state, with their queues.

use super::{
    absent, between, check, connection, holder, listener, of, records, set_option, sockets, stuff, tcp_state,
};
use crate::support::{Fdscope, PATIENCE, call, eventually, in_own_network};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use serde_json::{Value, json};
use std::io::Write as _;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;

/// `net/tcp_states.h`.
const SYN_SENT: u8 = 2;
const FIN_WAIT_2: u8 = 5;
const CLOSE_WAIT: u8 = 8;
const CLOSING: u8 = 11;

/// The own and the other address of the client's end.
fn addresses(client: &TcpStream) -> (SocketAddr, SocketAddr) {
    (client.local_addr().unwrap(), client.peer_addr().unwrap())
}

/// Waits until somebody waits to be accepted.
fn wait_for_client(listener: &TcpListener) {
    let patience = Timespec { tv_sec: PATIENCE.as_secs() as i64, tv_nsec: 0 };
    assert_eq!(poll(&mut [PollFd::new(listener, PollFlags::IN)], Some(&patience)), Ok(1));
}

/// Bytes in the send queue: `SIOCOUTQ`.
fn unsent(socket: &impl AsFd) -> i32 {
    let mut bytes = 0_i32;
    let arguments =
        [socket.as_fd().as_raw_fd() as usize, libc::TIOCOUTQ as usize, (&raw mut bytes) as usize, 0, 0, 0];
    call(libc::SYS_ioctl, arguments).expect("SIOCOUTQ");
    bytes
}

fn tcp(listener: &str) -> (TcpListener, SocketAddr, Value) {
    let listener = super::listener(listener, 5);
    let address = listener.local_addr().unwrap();
    (listener, address, json!(address.to_string()))
}

#[test]
fn a_listener() {
    for (address, family, shown) in [("127.0.0.1:0", "tcp", "127.0.0.1"), ("[::1]:0", "tcp6", "[::1]")] {
        let ours = listener(address, 5);
        let clients: Vec<_> =
            (0..2).map(|_| TcpStream::connect(ours.local_addr().unwrap()).unwrap()).collect();
        let port = ours.local_addr().unwrap().port();
        let expected = json!({
            "family": family, "type": "stream", "state": "listen", "local": format!("{shown}:{port}"),
            "local_port": port, "remote": absent(), "remote_port": absent(), "recv_queue": 2,
            "send_queue": absent(), "listener": {"waiting": 2, "max": 5, "drops": 0}, "owners": [holder(&ours)],
            "unowned": absent(), "peers": absent(), "pending": absent(), "tcp": {"rtt": absent()},
        });
        for arguments in ["", "--listening", "--state listen", "--family tcp", &format!("--port {port}")] {
            let mut expected = expected.clone();
            if arguments == "--listening" {
                expected["peers"] = absent();
            }
            check(of(&records(arguments), &ours), &expected);
        }
        let table = sockets(format!("-l -p {port} --no-header")).ok().stdout();
        assert!(table.contains(" 2/5 "), "{table}");
        drop(clients);
    }
}

#[test]
fn established() {
    let (listener, address, to) = tcp("127.0.0.1:0");
    let (mut client, server) = connection(&listener);
    client.write_all(b"hello").unwrap();
    eventually("it came", || rustix::io::ioctl_fionread(&server).unwrap() == 5 && unsent(&client) == 0);
    let records = records("--family tcp");
    let own = client.local_addr().unwrap();
    let expected = json!({
        "family": "tcp", "state": "established", "local": own.to_string(), "local_port": own.port(), "remote": to,
        "remote_port": address.port(), "recv_queue": 0, "send_queue": 0, "listener": absent(),
        "owners": [holder(&client)], "peers": [holder(&server)], "pending": false,
    });
    check(of(&records, &client), &expected);
    let expected = json!({
        "state": "established", "local": to, "remote": own.to_string(), "recv_queue": 5, "send_queue": 0,
        "owners": [holder(&server)], "peers": [holder(&client)],
    });
    check(of(&records, &server), &expected);
}

/// More than the other end takes.
#[test]
fn bytes_that_are_not_sent() {
    let (listener, ..) = tcp("127.0.0.1:0");
    let (client, server) = connection(&listener);
    stuff(&client);
    let queues = || (unsent(&client), rustix::io::ioctl_fionread(&server).unwrap());
    // Something moves still, until the window is closed.
    eventually("nothing moves while it is listed", || {
        let before = queues();
        let records = records("--family tcp");
        let (unsent, unread) = queues();
        if before != (unsent, unread) || unread == 0 {
            return false;
        }
        check(of(&records, &client), &json!({"send_queue": unsent, "recv_queue": 0}));
        check(of(&records, &server), &json!({"send_queue": 0, "recv_queue": unread}));
        unsent > 0
    });
}

/// The end of the data counts as a byte, as long as it is not read.
#[test]
fn half_closed() {
    let (listener, ..) = tcp("127.0.0.1:0");
    let (client, mut server) = connection(&listener);
    client.shutdown(Shutdown::Write).unwrap();
    eventually("it is half closed", || tcp_state(&client) == FIN_WAIT_2 && tcp_state(&server) == CLOSE_WAIT);
    let records = records("--family tcp");
    let expected = json!({"state": "fin-wait-2", "owners": [holder(&client)], "peers": [holder(&server)]});
    check(of(&records, &client), &expected);
    let expected = json!({"state": "close-wait", "recv_queue": 1, "owners": [holder(&server)], "peers": [holder(&client)]});
    check(of(&records, &server), &expected);
    assert_eq!(std::io::Read::read(&mut server, &mut [0]).unwrap(), 0);
    check(of(&super::records("--state close-wait"), &server), &json!({"recv_queue": 0}));
}

/// What one end closes with data that the other does not take.
#[test]
fn closed_and_not_acknowledged() {
    in_own_network(|| {
        let (listener, ..) = tcp("127.0.0.1:0");
        let (shut, shut_server) = connection(&listener);
        stuff(&shut);
        shut.shutdown(Shutdown::Write).unwrap();
        let (orphan, orphan_server) = connection(&listener);
        let (from, to) = addresses(&orphan);
        stuff(&orphan);
        drop(orphan);
        let (last, last_server) = connection(&listener);
        let (last_from, last_to) = addresses(&last);
        last_server.shutdown(Shutdown::Write).unwrap();
        eventually("the end came", || tcp_state(&last) == CLOSE_WAIT);
        stuff(&last);
        drop(last);
        let (closing, closing_server) = connection(&listener);
        stuff(&closing);
        closing.shutdown(Shutdown::Write).unwrap();
        closing_server.shutdown(Shutdown::Write).unwrap();
        eventually("both have closed", || {
            tcp_state(&closing) == CLOSING && tcp_state(&closing_server) == FIN_WAIT_2
        });

        let records = records("--family tcp");
        let data = json!({"$between": [1, 1e9]});
        let expected = json!({
            "state": "fin-wait-1", "send_queue": data, "owners": [holder(&shut)], "peers": [holder(&shut_server)],
        });
        check(of(&records, &shut), &expected);
        check(of(&records, &shut_server), &json!({"state": "established", "peers": [holder(&shut)]}));
        let expected = json!({
            "state": "fin-wait-1", "send_queue": data, "inode": 0, "owners": [], "unowned": "closed",
            "peers": [holder(&orphan_server)], "uid": absent(), "pending": false,
        });
        check(between(&records, from, to), &expected);
        check(of(&records, &orphan_server), &json!({"state": "established", "peers": []}));
        let expected = json!({"state": "last-ack", "send_queue": data, "unowned": "closed", "inode": 0});
        check(between(&records, last_from, last_to), &expected);
        check(of(&records, &last_server), &json!({"state": "fin-wait-2", "peers": []}));
        let expected = json!({
            "state": "closing", "send_queue": data, "owners": [holder(&closing)], "peers": [holder(&closing_server)],
        });
        check(of(&records, &closing), &expected);
        let table = sockets("--family tcp --state last-ack --no-header").ok().stdout();
        assert!(table.contains("closed by its owner"), "{table}");
    });
}

#[test]
fn what_is_left_of_a_connection() {
    in_own_network(|| {
        let (listener, ..) = tcp("127.0.0.1:0");
        let (gone, server) = connection(&listener);
        let (from, to) = addresses(&gone);
        drop((gone, server));
        let (half, half_server) = connection(&listener);
        let (half_from, half_to) = addresses(&half);
        drop(half);
        let (short, short_server) = connection(&listener);
        set_option(&short, libc::IPPROTO_TCP, libc::TCP_LINGER2, 1).unwrap();
        drop(short);
        eventually("the end came", || tcp_state(&half_server) == CLOSE_WAIT);
        let state_of = |from, to| between(&records("--family tcp"), from, to)["state"].clone();
        eventually("it is over", || state_of(from, to) == "time-wait");
        eventually("the other half is open", || state_of(half_from, half_to) == "fin-wait-2");

        let records = records("--family tcp --wide");
        let expected = json!({
            "state": "time-wait", "inode": 0, "owners": [], "unowned": "time-wait", "peers": absent(),
            "uid": absent(), "user": absent(), "timer": {"kind": "time-wait", "expires": {"$between": [0.1, 60]}},
            "tcp": absent(),
        });
        check(between(&records, from, to), &expected);
        let expected = json!({
            "state": "fin-wait-2", "inode": 0, "owners": [], "unowned": "closed", "peers": [holder(&half_server)],
            "uid": absent(),
        });
        check(between(&records, half_from, half_to), &expected);
        check(of(&records, &half_server), &json!({"state": "close-wait", "peers": []}));
        // The kernel gives up on one after a while, whose other end is then still not closed.
        let gone =
            || super::records("--state fin-wait-2").iter().all(|r| r["local"] == half_from.to_string());
        eventually("it is given up", gone);
        let left = super::records("--family tcp");
        check(of(&left, &short_server), &json!({"state": "close-wait", "peers": []}));
    });
}

#[test]
fn bound_and_no_more() {
    let socket =
        rustix::net::socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None)
            .unwrap();
    rustix::net::bind(&socket, &"127.0.0.1:0".parse::<SocketAddr>().unwrap()).unwrap();
    let local = SocketAddr::try_from(rustix::net::getsockname(&socket).unwrap()).unwrap();
    let found = sockets(format!("--port {} --json", local.port())).run();
    if found.status() == 1 {
        eprintln!("skipped: a TCP socket that is bound only, because this kernel lists none (6.8 does)");
        return;
    }
    let expected = json!({
        "state": "close", "local": local.to_string(), "remote": absent(), "owners": [holder(&socket)],
        "peers": absent(), "tcp": absent(),
    });
    check(of(&found.records(), &socket), &expected);
    check(of(&records("--state close"), &socket), &expected);
}

#[test]
fn not_accepted_yet() {
    let (listener, _, to) = tcp("127.0.0.1:0");
    let waiting = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let mut talking = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    talking.write_all(b"hello").unwrap();
    talking.shutdown(Shutdown::Write).unwrap();
    eventually("it is acknowledged", || tcp_state(&talking) == FIN_WAIT_2);
    let records = records("--family tcp");
    check(of(&records, &listener), &json!({"recv_queue": 2, "listener": {"waiting": 2, "max": 5}}));
    for (client, state, unread) in [(&waiting, "established", 0), (&talking, "close-wait", 6)] {
        let (from, to_address) = addresses(client);
        let expected = json!({"remote": to, "peers": [holder(&listener)], "pending": true});
        check(of(&records, client), &expected);
        let expected = json!({
            "state": state, "inode": 0, "recv_queue": unread, "owners": [], "unowned": "not-accepted",
            "peers": [holder(client)], "pending": true, "uid": absent(),
        });
        check(between(&records, to_address, from), &expected);
    }
    let table = sockets(format!("{} --no-header", listener.local_addr().unwrap())).ok().stdout();
    assert!(table.contains("not accepted yet") && table.contains("waiting at "), "{table}");
}

/// A full queue drops what comes: the client asks again and again.
#[test]
fn syn_sent() {
    let full = listener("127.0.0.1:0", 0);
    let to = full.local_addr().unwrap();
    let first = TcpStream::connect(to).unwrap();
    wait_for_client(&full);
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let late: OwnedFd =
        rustix::net::socket_with(AddressFamily::INET, SocketType::STREAM, flags, None).unwrap();
    assert_eq!(rustix::net::connect(&late, &to), Err(Errno::INPROGRESS));
    assert_eq!(tcp_state(&late), SYN_SENT);
    let records = records("--family tcp --wide");
    let expected = json!({
        "state": "syn-sent", "remote": to.to_string(), "owners": [holder(&late)], "send_queue": 1,
        "peers": [holder(&full)], "pending": false,
        "timer": {"kind": "retransmit", "expires": {"$between": [0, 10]}},
    });
    check(of(&records, &late), &expected);
    let expected = json!({"listener": {"waiting": 1, "max": 0, "drops": {"$between": [1, 100]}}});
    check(of(&records, &full), &expected);
    check(of(&super::records("--state syn-sent"), &late), &json!({"state": "syn-sent"}));
    // It is in no queue.
    let port = SocketAddr::try_from(rustix::net::getsockname(&late).unwrap()).unwrap().port();
    let table = sockets(format!("--port {port} --no-header")).ok().stdout();
    assert!(table.contains(" not answered by ") && !table.contains("waiting at"), "{table}");
    let list = |fd: &dyn AsRawFd| {
        let target = format!("{}:{}", std::process::id(), fd.as_raw_fd());
        Fdscope::new(format!("list {target} --peers --json --quiet")).ok().records().remove(0)
    };
    let client = list(&late);
    check(&client, &json!({"peers": [holder(&full)], "pending": false}));
    assert!(client["name"].as_str().unwrap().contains(", not answered by "), "{client}");
    let queue = list(&full);
    check(&queue, &json!({"peers": [holder(&first)], "pending": true}));
}

/// A server that is told of a client only once it sends data has not taken the last acknowledgement.
#[test]
fn syn_recv() {
    let (deferring, to, _) = tcp("127.0.0.1:0");
    set_option(&deferring, libc::IPPROTO_TCP, libc::TCP_DEFER_ACCEPT, 60).unwrap();
    let client = TcpStream::connect(to).unwrap();
    let from = client.local_addr().unwrap();
    for arguments in ["--family tcp --wide", "--state syn-recv,established --wide"] {
        let records = records(arguments);
        let expected = json!({
            "state": "syn-recv", "inode": 0, "owners": [], "unowned": "syn-recv", "peers": [holder(&client)],
            "pending": false, "uid": absent(), "timer": {"kind": "retransmit"},
        });
        check(between(&records, to, from), &expected);
        let expected = json!({"state": "established", "peers": [holder(&deferring)], "pending": true});
        check(of(&records, &client), &expected);
    }
    check(of(&records("--listening"), &deferring), &json!({"listener": {"waiting": 0}}));
}

/// What asks for one state is given that one alone.
#[test]
fn states_are_selected() {
    let (listener, ..) = tcp("127.0.0.1:0");
    let (client, _server) = connection(&listener);
    client.shutdown(Shutdown::Write).unwrap();
    eventually("the end came", || tcp_state(&client) == FIN_WAIT_2);
    let states = |arguments: &str| -> Vec<String> {
        let mut states: Vec<_> = sockets(format!("{arguments} --json"))
            .run()
            .records()
            .iter()
            .filter(|r| {
                r["local_port"] == client.local_addr().unwrap().port()
                    || r["local_port"] == listener.local_addr().unwrap().port()
            })
            .map(|r| r["state"].as_str().unwrap().to_owned())
            .collect();
        states.sort();
        states
    };
    // Whether the kernel is asked for these alone or other ends are looked for.
    for columns in ["", "--columns state,local_port"] {
        let of = |word: &str| states(&format!("--state {word} {columns}"));
        assert_eq!(of("listen"), ["listen"]);
        assert_eq!(of("fin-wait-2,close-wait"), ["close-wait", "fin-wait-2"]);
        assert_eq!(of("established"), [""; 0]);
        assert_eq!(of("unconnected"), [""; 0]);
    }
}
