//! What `--wide` tells: numbers of TCP, timers, memory, options, beside what the socket itself says.

use super::{
    absent, check, connection, holder, listener, of, option, records, set_option, sockets, tcp_state,
};
use crate::support::{call, capable, eventually};
use rustix::fd::AsFd;
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsRawFd;

/// `CAP_NET_ADMIN`.
const NET_ADMIN: u32 = 12;

/// `struct tcp_info` of a socket.
struct Info(Vec<u8>);

impl Info {
    fn of(socket: &impl AsFd) -> Self {
        Self(option(socket, libc::IPPROTO_TCP, libc::TCP_INFO))
    }

    fn word(&self, at: usize) -> u32 {
        u32::from_ne_bytes(*self.0[at..].first_chunk().expect("as long as kernels of today have it"))
    }

    fn long(&self, at: usize) -> u64 {
        u64::from_ne_bytes(*self.0[at..].first_chunk().expect("as long as kernels of today have it"))
    }

    fn seconds(&self, at: usize) -> f64 {
        f64::from(self.word(at)) / 1e6
    }
}

/// A connection that has carried a thousand bytes there and five back.
fn talk(listener: &TcpListener) -> (TcpStream, TcpStream) {
    let (mut client, mut server) = connection(listener);
    client.write_all(&[b'x'; 1000]).unwrap();
    server.read_exact(&mut [0; 1000]).unwrap();
    server.write_all(b"hello").unwrap();
    client.read_exact(&mut [0; 5]).unwrap();
    let acked = |socket: &TcpStream| Info::of(socket).word(24) == 0;
    eventually("all is acknowledged", || acked(&client) && acked(&server));
    (client, server)
}

#[test]
fn numbers_of_a_connection() {
    let listener = listener("127.0.0.1:0", 5);
    let (client, server) = talk(&listener);
    let records = records("--family tcp --wide");
    for (socket, sent, received) in [(&client, 1000, 5), (&server, 5, 1000)] {
        let info = Info::of(socket);
        let congestion = option(socket, libc::IPPROTO_TCP, libc::TCP_CONGESTION);
        let congestion = String::from_utf8(congestion.into_iter().take_while(|&b| b != 0).collect()).unwrap();
        let expected = json!({
            "rtt": info.seconds(68), "rttvar": info.seconds(72), "rto": info.seconds(8), "cwnd": info.word(80),
            "retransmits": 0, "timeouts": 0, "unacked": 0, "lost": 0, "mss": info.word(16), "pmtu": info.word(60),
            "bytes_sent": sent, "bytes_acked": info.long(120), "bytes_received": received, "not_sent": 0,
            "segments_out": info.word(136), "segments_in": info.word(140), "congestion_control": congestion,
            "congestion_state": "open", "options": {"$set": names(info.0[5])},
            "last_data_sent": {"$between": [0, 60]}, "last_data_received": {"$between": [0, 60]},
            "max_pacing_rate": null, "rwnd_limited": {"$between": [0, 1]},
        });
        check(&of(&records, socket)["tcp"], &expected);
        // The SYN of the client counts, too.
        assert!([sent, sent + 1].contains(&info.long(120)));
    }
    // A condition over them is met by the same sockets.
    let port = client.local_addr().unwrap().port();
    let found = sockets("--json --where").arg(format!("tcp.bytes_sent == 1000 && local_port == {port}")).ok();
    check(of(&found.records(), &client), &json!({"owners": [holder(&client)]}));
    let columns = "--no-header --columns tcp.bytes_sent,tcp.bytes_received";
    let only = format!("inode == {}", super::inode(&client));
    sockets(format!("-p {port} {columns} --where")).arg(only).ok().prints("1000  5\n");
}

/// `TCPI_OPT_*`.
fn names(bits: u8) -> Vec<&'static str> {
    const NAMES: [&str; 8] =
        ["timestamps", "sack", "wscale", "ecn", "ecn-seen", "syn-data", "usec-timestamps", "tfo-child"];
    NAMES.iter().enumerate().filter(|(bit, _)| bits & 1 << bit != 0).map(|(_, name)| *name).collect()
}

/// Without `--wide`, records have those that people ask for most, and only of what is connected.
#[test]
fn some_of_them_are_in_each_record() {
    let listener = listener("127.0.0.1:0", 5);
    let (client, _server) = talk(&listener);
    let records = records("--family tcp");
    let info = Info::of(&client);
    let expected = json!({
        "rtt": info.seconds(68), "cwnd": info.word(80), "retransmits": 0, "bytes_received": 5,
        "bytes_acked": info.long(120), "rto": absent(),
    });
    check(&of(&records, &client)["tcp"], &expected);
    check(&of(&records, &listener)["tcp"], &json!({"rtt": absent(), "cwnd": absent()}));
}

#[test]
fn timers() {
    let listener = listener("127.0.0.1:0", 5);
    let (client, server) = connection(&listener);
    set_option(&client, libc::SOL_SOCKET, libc::SO_KEEPALIVE, 1).unwrap();
    set_option(&client, libc::IPPROTO_TCP, libc::TCP_KEEPIDLE, 600).unwrap();
    let records = records("--family tcp --wide");
    let expected = json!({"kind": "keepalive", "expires": {"$between": [500, 601]}, "retransmits": 0});
    check(&of(&records, &client)["timer"], &expected);
    check(of(&records, &server), &json!({"timer": absent()}));
    let found = sockets("--json --where").arg("timer.kind == 'keepalive' && timer.expires > 500.0").ok();
    check(of(&found.records(), &client), &json!({"state": "established"}));
    // A window that stays closed is probed.
    super::stuff(&client);
    let kind = || {
        let records = super::records("--family tcp --columns inode,timer.kind");
        of(&records, &client)["timer"]["kind"] == "probe"
    };
    eventually("it is probed", kind);
}

#[test]
fn memory() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    set_option(&socket, libc::SOL_SOCKET, libc::SO_RCVBUF, 5000).unwrap();
    set_option(&socket, libc::SOL_SOCKET, libc::SO_SNDBUF, 6000).unwrap();
    socket.send_to(b"data", socket.local_addr().unwrap()).unwrap();
    const SO_MEMINFO: i32 = 55;
    let told = || -> Vec<u32> {
        let bytes = option(&socket, libc::SOL_SOCKET, SO_MEMINFO);
        bytes.as_chunks().0.iter().map(|&word| u32::from_ne_bytes(word)).collect()
    };
    eventually("it came", || told()[0] > 0 && told()[2] == 0);
    let records = records("--family udp --wide");
    let told = told();
    let expected = json!({
        "received": told[0], "receive_limit": 10000, "sent": told[2], "send_limit": 12000, "queued": told[5],
        "options": told[6], "backlog": told[7],
    });
    check(&of(&records, &socket)["memory"], &expected);
    check(of(&records, &socket), &json!({"recv_queue": told[0], "drops": 0}));
}

#[test]
fn options() {
    let ours = listener("127.0.0.1:0", 5);
    set_option(&ours, libc::IPPROTO_IP, libc::IP_TOS, 0x10).unwrap();
    set_option(&ours, libc::IPPROTO_IP, libc::IP_FREEBIND, 1).unwrap();
    set_option(&ours, libc::IPPROTO_IP, libc::IP_RECVERR, 1).unwrap();
    set_option(&ours, libc::SOL_SOCKET, libc::SO_PRIORITY, 5).unwrap();
    let marked = set_option(&ours, libc::SOL_SOCKET, libc::SO_MARK, 77).is_ok();
    let look = |socket: &TcpListener| of(&records("--listening --wide"), socket).clone();
    let record = look(&ours);
    check(&record, &json!({"tos": 16, "shutdown": [], "v6_only": absent(), "upper": absent()}));
    if let Some(options) = record.get("options") {
        let has = |name: &str| options.as_array().unwrap().contains(&json!(name));
        assert!(has("freebind") && has("recverr") && !has("transparent"), "{options}");
    }
    if capable(NET_ADMIN) && marked {
        check(&record, &json!({"mark": 77, "class": 5}));
    }
    let Ok(six) = TcpListener::bind("[::1]:0") else {
        eprintln!("skipped: options of IPv6, because there is none");
        return;
    };
    set_option(&six, libc::IPPROTO_IPV6, libc::IPV6_TCLASS, 0x20).unwrap();
    check(&look(&six), &json!({"traffic_class": 32, "v6_only": true}));
    set_option(&six, libc::IPPROTO_IPV6, libc::IPV6_TCLASS, 0x40).unwrap();
    check(&look(&six), &json!({"traffic_class": 64}));
}

#[test]
fn directions_that_are_shut_down() {
    let listener = listener("127.0.0.1:0", 5);
    let (client, server) = connection(&listener);
    client.shutdown(std::net::Shutdown::Write).unwrap();
    eventually("the end came", || tcp_state(&server) == 8);
    let records = records("--family tcp --wide");
    check(of(&records, &client), &json!({"shutdown": ["send"]}));
    check(of(&records, &server), &json!({"shutdown": ["receive"]}));
}

/// Binds a socket to the loopback interface, if that is allowed.
pub(super) fn bind_to_loopback(socket: &impl AsRawFd) -> bool {
    let name = b"lo\0";
    let arguments = [
        socket.as_raw_fd() as usize,
        libc::SOL_SOCKET as usize,
        libc::SO_BINDTODEVICE as usize,
        name.as_ptr() as usize,
        name.len(),
        0,
    ];
    let set = call(libc::SYS_setsockopt, arguments);
    if let Err(e) = &set {
        eprintln!("skipped: a socket of one interface: {e}");
    }
    set.is_ok()
}

/// Who listens on all addresses of one interface does not listen on all.
#[test]
fn interfaces() {
    let ours = listener("127.0.0.1:0", 5);
    if !bind_to_loopback(&ours) {
        return;
    }
    let address = ours.local_addr().unwrap();
    let port = address.port();
    let expected = json!({"local": address.to_string(), "interface": "lo"});
    check(of(&records("--listening --wide"), &ours), &expected);
    let shown = format!("127.0.0.1%lo:{port}");
    let table = sockets(format!("-l -p {port} --no-header")).ok().stdout();
    assert!(table.split_ascii_whitespace().any(|word| word == shown), "{table}");
    for filter in [&shown, "%lo", "*%lo"] {
        check(of(&sockets("--listening").arg(filter).records(), &ours), &json!({"local_port": port}));
    }
    assert_eq!(sockets(format!("127.0.0.1%eth77:{port}")).run().status(), 1);
}

#[test]
fn cgroups() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let text = std::fs::read_to_string("/proc/self/cgroup").unwrap();
    let Some(own) = text.lines().find_map(|line| line.strip_prefix("0::")) else {
        eprintln!("skipped: the cgroup of a socket, because this process is in none of version 2");
        return;
    };
    let record: Value = of(&records("--family udp --wide"), &socket).clone();
    if record.get("cgroup_id").is_none() {
        eprintln!("skipped: the cgroup of a socket, because this kernel does not tell it");
        return;
    }
    if let Some(cgroup) = record.get("cgroup") {
        assert_eq!(cgroup, own);
    }
}
