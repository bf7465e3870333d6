//! Sockets of each family.

use super::{absent, all_of, check, holder, inode, of, option, records, sockets};
use crate::support::{Skip, bytes_of, call, eventually, in_own_network, needs};
use rustix::fd::{AsFd, OwnedFd};
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, Protocol, SendFlags, SocketFlags, SocketType, ipproto};
use serde_json::{Value, json};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::num::NonZeroU32;
use std::os::fd::AsRawFd as _;

/// `SO_MEMINFO` of `socket(7)`: the memory that what is not read takes comes first.
const SO_MEMINFO: i32 = 55;

fn socket(family: AddressFamily, ty: SocketType, protocol: Option<Protocol>) -> rustix::io::Result<OwnedFd> {
    rustix::net::socket_with(family, ty, SocketFlags::CLOEXEC, protocol)
}

/// Runs what makes sockets, and says why it cannot.
fn try_it(test: impl FnOnce() -> Result<(), Skip>) {
    if let Err(Skip(reason)) = test() {
        eprintln!("skipped: {reason}");
    }
}

/// Whether all that is said of a socket is said under `--family` with this word too.
fn check_family(word: &str, socket: &impl AsFd, expected: &Value) {
    for arguments in [String::new(), format!("--family {word}")] {
        check(of(&records(arguments), socket), expected);
    }
}

fn memory(socket: &impl AsFd) -> u32 {
    u32::from_ne_bytes(*option(socket, libc::SOL_SOCKET, SO_MEMINFO).first_chunk().expect("numbers"))
}

#[test]
fn udp() {
    for (kind, any, own, unset) in
        [("udp", "0.0.0.0:0", "127.0.0.1", "0.0.0.0"), ("udp6", "[::]:0", "[::1]", "[::]")]
    {
        let receiver = UdpSocket::bind(any).unwrap();
        let port = receiver.local_addr().unwrap().port();
        let sender = UdpSocket::bind(format!("{own}:0")).unwrap();
        sender.connect(format!("{own}:{port}")).unwrap();
        sender.send(b"data").unwrap();
        eventually("it came", || memory(&receiver) > 4);
        let expected = json!({
            "family": kind, "type": "dgram", "state": "unconnected", "local": format!("{unset}:{port}"),
            "local_port": port, "remote": absent(), "remote_port": absent(), "recv_queue": memory(&receiver),
            "send_queue": 0, "owners": [holder(&receiver)], "peers": [holder(&sender)], "tcp": absent(),
        });
        check_family(kind, &receiver, &expected);
        let expected = json!({
            "family": kind, "state": "established", "local": sender.local_addr().unwrap().to_string(),
            "remote": format!("{own}:{port}"), "remote_port": port, "recv_queue": 0,
            "owners": [holder(&sender)], "peers": [holder(&receiver)],
        });
        check_family(kind, &sender, &expected);
    }
}

#[test]
fn datagrams_that_found_no_room() {
    let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
    super::set_option(&receiver, libc::SOL_SOCKET, libc::SO_RCVBUF, 1).unwrap();
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    let drops = || of(&records("--family udp --wide"), &receiver)["drops"].clone();
    assert_eq!(drops(), 0);
    const SENT: u64 = 100;
    for _ in 0..SENT {
        sender.send_to(&[0; 512], receiver.local_addr().unwrap()).unwrap();
    }
    receiver.set_nonblocking(true).unwrap();
    let taken = std::iter::from_fn(|| receiver.recv(&mut [0; 512]).ok()).count() as u64;
    assert_eq!(drops(), SENT - taken);
    assert!(taken < SENT);
}

#[test]
fn udplite() {
    try_it(|| {
        for (family, kind, any) in
            [(AddressFamily::INET, "udplite", "127.0.0.1:0"), (AddressFamily::INET6, "udplite6", "[::1]:0")]
        {
            let socket = needs(socket(family, SocketType::DGRAM, Some(ipproto::UDPLITE)), "UDP-Lite")?;
            needs(rustix::net::bind(&socket, &any.parse::<SocketAddr>().unwrap()), "IPv6")?;
            let socket = UdpSocket::from(socket);
            let local = socket.local_addr().unwrap();
            let expected = json!({
                "family": kind, "type": "dgram", "state": "unconnected", "local": local.to_string(),
                "local_port": local.port(), "owners": [holder(&socket)],
            });
            check_family("udplite", &socket, &expected);
        }
        Ok(())
    });
}

/// What stands for their port is none.
#[test]
fn raw() {
    try_it(|| {
        for (family, protocol, kind, local) in [
            (AddressFamily::INET, ipproto::ICMP, "raw", "0.0.0.0:1"),
            (AddressFamily::INET6, ipproto::ICMPV6, "raw6", "[::]:58"),
        ] {
            let socket = needs(socket(family, SocketType::RAW, Some(protocol)), "CAP_NET_RAW")?;
            let expected = json!({
                "family": kind, "type": "raw", "state": "unconnected", "local": local, "local_port": absent(),
                "remote": absent(), "owners": [holder(&socket)], "recv_queue": {"$between": [0, 1e9]},
            });
            check_family("raw", &socket, &expected);
            let by_port = sockets(":1 :58 --family raw --json").run();
            assert!(by_port.records().iter().all(|r| r["inode"] != inode(&socket)));
        }
        Ok(())
    });
}

#[test]
fn ping() {
    in_own_network(|| {
        try_it(|| {
            let range = std::fs::write("/proc/sys/net/ipv4/ping_group_range", "0 4294967294");
            needs(range, "net.ipv4.ping_group_range")?;
            for (family, protocol, kind, local) in [
                (AddressFamily::INET, ipproto::ICMP, "ping", "0.0.0.0:77"),
                (AddressFamily::INET6, ipproto::ICMPV6, "ping6", "[::]:78"),
            ] {
                let socket = needs(socket(family, SocketType::DGRAM, Some(protocol)), "ping sockets")?;
                rustix::net::bind(&socket, &local.parse::<SocketAddr>().unwrap()).unwrap();
                let expected = json!({
                    "family": kind, "type": "dgram", "state": "unconnected", "local": local, "local_port": absent(),
                    "owners": [holder(&socket)],
                });
                check_family("ping", &socket, &expected);
                // No kernel has these in sock_diag.
                let columns = records("--family ping --columns source,inode");
                check(of(&columns, &socket), &json!({"source": "proc"}));
            }
            Ok(())
        });
    });
}

/// A multipath socket is listed beside its first subflow.
#[test]
fn mptcp() {
    try_it(|| {
        for (family, kind, subflow, any) in [
            (AddressFamily::INET, "mptcp", "tcp", "127.0.0.1:0"),
            (AddressFamily::INET6, "mptcp6", "tcp6", "[::1]:0"),
        ] {
            let new = || needs(socket(family, SocketType::STREAM, Some(ipproto::MPTCP)), "multipath TCP");
            let listener = new()?;
            needs(rustix::net::bind(&listener, &any.parse::<SocketAddr>().unwrap()), "IPv6")?;
            rustix::net::listen(&listener, 3).unwrap();
            let address = SocketAddr::try_from(rustix::net::getsockname(&listener).unwrap()).unwrap();
            let client = new()?;
            rustix::net::connect(&client, &address).unwrap();
            let server = rustix::net::accept(&listener).unwrap();
            let waiting = new()?;
            rustix::net::connect(&waiting, &address).unwrap();
            eventually("it waits", || {
                of_family(&records("--family mptcp"), kind, &listener)["recv_queue"] == 1
            });
            let records = records("");
            if records.iter().all(|r| r["family"] != kind) {
                return Err(Skip(format!("{kind}: this kernel has no sock_diag of it")));
            }
            for (socket, state, peers) in [
                (&client, "established", json!([holder(&server)])),
                (&server, "established", json!([holder(&client)])),
                (&waiting, "established", json!([holder(&listener)])),
                (&listener, "listen", absent()),
            ] {
                let expected = json!({
                    "type": "stream", "state": state, "owners": [holder(socket)], "peers": peers,
                });
                for family in [kind, subflow] {
                    check(of_family(&records, family, socket), &expected);
                }
                assert_eq!(all_of(&records, socket).len(), 2);
            }
            let expected = json!({"local": address.to_string(), "listener": {"waiting": 1, "max": 3}});
            check(of_family(&records, kind, &listener), &expected);
            // It has no struct tcp_info; its subflow has.
            assert!(of_family(&records, kind, &client).get("tcp").is_none());
            check(of_family(&records, subflow, &client), &json!({"tcp": {"retransmits": 0}}));
        }
        Ok(())
    });
}

fn of_family<'r>(records: &'r [Value], family: &str, socket: &impl AsFd) -> &'r Value {
    let found = all_of(records, socket).into_iter().find(|r| r["family"] == family);
    found.unwrap_or(&Value::Null)
}

/// Once, in however many groups it is; those of the kernel only if they are asked for.
#[test]
fn netlink() {
    let any = socket(AddressFamily::NETLINK, SocketType::RAW, None).unwrap();
    rustix::net::bind(&any, &SocketAddrNetlink::new(0, 0b101)).unwrap();
    let id = SocketAddrNetlink::try_from(rustix::net::getsockname(&any).unwrap()).unwrap().pid();
    let expected = json!({
        "family": "netlink", "type": "raw", "state": absent(), "local": format!("route:{id}"),
        "local_port": absent(), "remote": absent(), "recv_queue": {"$between": [0, 1e9]}, "owners": [holder(&any)],
        "peers": absent(),
    });
    check_family("netlink", &any, &expected);
    let details = json!({"protocol": "route", "groups": 5, "drops": 0});
    check(of(&records("--family netlink --wide"), &any), &details);
    let kernels = |arguments: &str| {
        let records = records(arguments);
        let is = |r: &&Value| r["unowned"] == "kernel";
        records.iter().filter(is).map(|r| r["local"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(kernels("").is_empty());
    let shown = kernels("--family netlink");
    assert!(shown.contains(&"route:kernel".to_owned()), "{shown:?}");
    // What fdscope itself asks through is not among them.
    let run = sockets("--family netlink --json").ok();
    assert!(run.records().iter().all(|r| r["local"] != format!("sock-diag:{}", run.pid)));
    assert!(!run.stdout().contains(&format!("\"pid\":{},", run.pid)));
}

/// `struct sockaddr_ll`.
#[repr(C)]
#[derive(Clone, Copy)]
struct LinkAddress {
    family: u16,
    protocol: u16,
    index: i32,
    rest: [u8; 12],
}

#[test]
fn packet() {
    in_own_network(|| {
        try_it(|| {
            let protocol =
                |number: i32| NonZeroU32::new(u32::from((number as u16).to_be())).map(Protocol::from_raw);
            let new = |ty, number| socket(AddressFamily::PACKET, ty, protocol(number));
            let all = needs(new(SocketType::RAW, libc::ETH_P_ALL), "CAP_NET_RAW")?;
            let one = needs(new(SocketType::DGRAM, libc::ETH_P_IP), "CAP_NET_RAW")?;
            let address = LinkAddress {
                family: libc::AF_PACKET as u16,
                protocol: (libc::ETH_P_ARP as u16).to_be(),
                index: 1,
                rest: [0; 12],
            };
            let bytes = bytes_of(&address);
            let arguments = [one.as_raw_fd() as usize, bytes.as_ptr() as usize, bytes.len(), 0, 0, 0];
            call(libc::SYS_bind, arguments).unwrap();
            let uid = rustix::process::geteuid().as_raw();
            let expected = json!({
                "family": "packet", "type": "raw", "state": absent(), "local": "all:*", "owners": [holder(&all)],
                "uid": uid,
            });
            check_family("packet", &all, &expected);
            let expected = json!({"type": "dgram", "local": "arp:lo", "owners": [holder(&one)], "uid": uid});
            check_family("packet", &one, &expected);
            let details = records("--family packet --wide");
            check(of(&details, &all), &json!({"interface": "*", "protocol": "all"}));
            check(of(&details, &one), &json!({"interface": "lo", "protocol": "arp"}));
            // What comes is counted by the memory that it takes.
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            socket.send_to(b"x", socket.local_addr().unwrap()).unwrap();
            eventually("it came", || of(&records("--family packet"), &all)["recv_queue"] != 0);
            Ok(())
        });
    });
}

/// Where the kernel lists none, that is said.
#[test]
fn vsock() {
    try_it(|| {
        let listener = needs(socket(AddressFamily::VSOCK, SocketType::STREAM, None), "AF_VSOCK")?;
        // struct sockaddr_vm: the family, the port, the machine.
        let mut address = [0_u8; 16];
        address[..2].copy_from_slice(&(libc::AF_VSOCK as u16).to_ne_bytes());
        address[4..8].copy_from_slice(&u32::MAX.to_ne_bytes());
        address[8..12].copy_from_slice(&u32::MAX.to_ne_bytes());
        let arguments = [listener.as_raw_fd() as usize, address.as_ptr() as usize, address.len(), 0, 0, 0];
        needs(call(libc::SYS_bind, arguments), "an address of AF_VSOCK")?;
        rustix::net::listen(&listener, 1).unwrap();
        let fdscope = crate::support::Fdscope::new("sockets --netns own --family vsock --json");
        let run = fdscope.run();
        if run.stderr().contains("vsock sockets cannot be listed: this kernel has no sock_diag of them") {
            assert_eq!((run.status(), run.records().len()), (1, 0));
            return Ok(());
        }
        let expected = json!({
            "family": "vsock", "type": "stream", "state": "listen", "owners": [holder(&listener)],
        });
        check(of(&run.records(), &listener), &expected);
        Ok(())
    });
}

/// IPv4 in a socket of IPv6 is the same connection.
#[test]
fn a_listener_of_both_families() {
    try_it(|| {
        let listener = needs(std::net::TcpListener::bind("[::]:0"), "IPv6")?;
        let port = listener.local_addr().unwrap().port();
        let client = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
        let (server, _) = listener.accept().unwrap();
        let waiting = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
        for arguments in ["", "--family tcp6", "--family tcp4", "127.0.0.1"] {
            let records = records(arguments);
            if arguments != "--family tcp4" {
                let expected = json!({
                    "family": "tcp6", "local": format!("[::ffff:127.0.0.1]:{port}"),
                    "remote": format!("[::ffff:127.0.0.1]:{}", client.local_addr().unwrap().port()),
                    "peers": [holder(&client)],
                });
                check(of(&records, &server), &expected);
            }
            if arguments != "--family tcp6" {
                let expected = json!({"family": "tcp", "remote": format!("127.0.0.1:{port}")});
                check(of(&records, &client), &expected);
                check(of(&records, &client), &json!({"peers": [holder(&server)], "pending": false}));
                check(of(&records, &waiting), &json!({"peers": [holder(&listener)], "pending": true}));
            }
        }
        let own = json!({"local": format!("[::]:{port}"), "v6_only": false});
        check(of(&records("--listening --wide"), &listener), &own);
        Ok(())
    });
}

/// What nobody has sent to is nobody's peer.
#[test]
fn a_socket_of_one_direction() {
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
    rustix::net::sendto(&sender, b"x", SendFlags::empty(), &receiver.local_addr().unwrap()).unwrap();
    let records = records("--family udp");
    check(of(&records, &sender), &json!({"peers": absent(), "remote": absent()}));
    check(of(&records, &receiver), &json!({"peers": absent()}));
}
