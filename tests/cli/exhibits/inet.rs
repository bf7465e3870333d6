//! Internet sockets.

use super::exhibits;
use crate::support::{Keeper, Skip, call, needs, own_network, raise_loopback};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::AsFd;
use rustix::net::{AddressFamily, Protocol, RecvFlags, SocketType, ipproto};
use serde_json::{Value, json};
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd as _, OwnedFd};

exhibits! { "inet": tcp tcp6 tcp_not_bound udp udplite raw raw6 mptcp ping interface other_namespace }

/// Waits for a condition that is bound to come.
fn wait(fd: impl AsFd, flags: PollFlags) {
    let fd = fd.as_fd();
    assert_eq!(poll(&mut [PollFd::new(&fd, flags)], None), Ok(1));
}

fn socket(family: AddressFamily, ty: SocketType, protocol: Option<Protocol>) -> rustix::io::Result<OwnedFd> {
    rustix::net::socket(family, ty, protocol)
}

fn of(local: SocketAddr, remote: &str, state: &str, more: Value) -> Value {
    let port = |address: &str| address.rsplit(':').next().unwrap().parse::<u16>().unwrap();
    let mut fields = json!({
        "local": local.to_string(), "local_port": local.port(),
        "remote": remote, "remote_port": port(remote), "state": state,
    });
    if remote.ends_with(":0") {
        (fields["remote"], fields["remote_port"]) = (json!({"$absent": true}), json!({"$absent": true}));
    }
    for (key, value) in more.as_object().unwrap() {
        fields[key] = value.clone();
    }
    fields
}

fn connections(keeper: &mut Keeper, kind: &str, listener: TcpListener, any: &str) {
    let address = listener.local_addr().unwrap();
    let client = TcpStream::connect(address).unwrap();
    let (server, _) = listener.accept().unwrap();
    (&client).write_all(b"hello").unwrap();
    let mut seen = [0; 5];
    rustix::net::recv(&server, &mut seen[..], RecvFlags::PEEK | RecvFlags::WAITALL).unwrap();

    let closing = TcpStream::connect(address).unwrap();
    let (left, _) = listener.accept().unwrap();
    closing.shutdown(std::net::Shutdown::Write).unwrap();
    wait(&left, PollFlags::RDHUP);

    let stuffed = TcpStream::connect(address).unwrap();
    let (unread, _) = listener.accept().unwrap();
    stuffed.set_nonblocking(true).unwrap();
    while (&stuffed).write(&[0; 65536]).is_ok() {}

    let waiting = TcpStream::connect(address).unwrap();
    wait(&listener, PollFlags::IN);

    let show = |keeper: &mut Keeper, name, socket: OwnedFd, fields: Value| {
        keeper.show(name, socket, json!({"kind": kind, "tcp": fields}));
    };
    let own = client.local_addr().unwrap();
    let name = format!("{address} → {own}, 5 unread");
    let fields = of(address, &own.to_string(), "established", json!({"recv_queue": 5, "send_queue": 0}));
    keeper.show("server", server, json!({"kind": kind, "name": name, "tcp": fields}));
    show(
        keeper,
        "client",
        client.into(),
        of(own, &address.to_string(), "established", json!({"recv_queue": 0})),
    );
    let name = json!({"$holds": format!("{address} listen, queue 1 of ")});
    let queue = json!({"recv_queue": 1, "backlog": {"$between": [1, 1e9]}, "drops": {"$absent": true}});
    let fields = of(address, any, "listen", queue);
    keeper.show("listener", listener, json!({"kind": kind, "name": name, "tcp": fields}));
    let other = closing.local_addr().unwrap().to_string();
    show(keeper, "close-wait", left.into(), of(address, &other, "close-wait", json!({})));
    let own = closing.local_addr().unwrap();
    // The acknowledgement, which makes it fin-wait-2, may be delayed.
    let state = json!({"state": {"$holds": "fin-wait-"}});
    show(keeper, "fin-wait", closing.into(), of(own, &address.to_string(), "", state));
    let own = stuffed.local_addr().unwrap();
    let queue = json!({"send_queue": {"$between": [1, 1e9]}});
    show(keeper, "stuffed", stuffed.into(), of(own, &address.to_string(), "established", queue));
    keeper.keep((unread, waiting));
}

fn tcp(keeper: &mut Keeper) -> Result<(), Skip> {
    connections(keeper, "tcp", TcpListener::bind("127.0.0.1:0").unwrap(), "0.0.0.0:0");
    Ok(())
}

fn tcp6(keeper: &mut Keeper) -> Result<(), Skip> {
    let listener = needs(TcpListener::bind("[::1]:0"), "IPv6")?;
    connections(keeper, "tcp6", listener, "[::]:0");
    let listener = TcpListener::bind("[::]:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let expected = json!({"name": {"$holds": format!("[::]:{port} listen, queue 0 of ")}, "tcp": {"local": format!("[::]:{port}")}});
    keeper.show("any", listener, expected);
    Ok(())
}

/// No table lists a socket without an address.
fn tcp_not_bound(keeper: &mut Keeper) -> Result<(), Skip> {
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    let expected = json!({"kind": "tcp", "name": {"$holds": "unbound"}, "tcp": {"$absent": true}});
    keeper.show("unbound", socket, expected);
    Ok(())
}

fn udp(keeper: &mut Keeper) -> Result<(), Skip> {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_nonblocking(true).unwrap();
    let address = socket.local_addr().unwrap();
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.connect(address).unwrap();
    client.send(b"data").unwrap();
    wait(&socket, PollFlags::IN);
    let own = client.local_addr().unwrap();
    // The kernel counts the memory that the datagrams take, which is more than their bytes.
    let fields =
        of(address, "0.0.0.0:0", "unconnected", json!({"recv_queue": {"$between": [4, 65536]}, "drops": 0}));
    keeper.show("server", socket, json!({"kind": "udp", "udp": fields}));
    let fields = of(own, &address.to_string(), "established", json!({"recv_queue": 0, "send_queue": 0}));
    keeper.show("client", client, json!({"kind": "udp", "udp": fields}));
    let six = needs(UdpSocket::bind("[::1]:0"), "IPv6")?;
    let fields = of(six.local_addr().unwrap(), "[::]:0", "unconnected", json!({}));
    keeper.show("six", six, json!({"kind": "udp6", "udp": fields}));
    Ok(())
}

/// Sockets that an interface is part of the address of.
fn interface(keeper: &mut Keeper) -> Result<(), Skip> {
    own_network()?;
    needs(raise_loopback(), "a loopback interface")?;
    let bound = UdpSocket::bind("0.0.0.0:0").unwrap();
    let (fd, name) = (bound.as_raw_fd() as usize, c"lo");
    let (level, option) = (libc::SOL_SOCKET as usize, libc::SO_BINDTODEVICE as usize);
    let set = call(libc::SYS_setsockopt, [fd, level, option, name.as_ptr() as usize, 2, 0]);
    needs(set, "SO_BINDTODEVICE")?;
    let address = bound.local_addr().unwrap();
    // Whoever asks is in another network, and knows the index alone.
    let expected = json!({
        "name": format!("*%1:{} unconnected", address.port()),
        "udp": {"local": address.to_string(), "interface": "1", "remote": {"$absent": true}},
    });
    keeper.show("bound", bound, expected);
    Ok(())
}

fn udplite(keeper: &mut Keeper) -> Result<(), Skip> {
    for (family, kind, any) in
        [(AddressFamily::INET, "udplite", "127.0.0.1:0"), (AddressFamily::INET6, "udplite6", "[::1]:0")]
    {
        let socket = needs(socket(family, SocketType::DGRAM, Some(ipproto::UDPLITE)), "UDP-Lite")?;
        needs(rustix::net::bind(&socket, &any.parse::<SocketAddr>().unwrap()), "IPv6")?;
        let socket = UdpSocket::from(socket);
        let local = socket.local_addr().unwrap();
        let fields = json!({"local": local.to_string(), "local_port": local.port(), "state": "unconnected"});
        keeper.show(kind, socket, json!({"kind": kind, "udplite": fields}));
    }
    Ok(())
}

/// The port is the protocol.
fn raw(keeper: &mut Keeper) -> Result<(), Skip> {
    let socket = socket(AddressFamily::INET, SocketType::RAW, Some(ipproto::ICMP));
    let socket = needs(socket, "CAP_NET_RAW")?;
    let fields = json!({"local": "0.0.0.0:1", "local_port": 1, "state": "unconnected"});
    keeper.show("raw", socket, json!({"kind": "raw", "raw": fields}));
    Ok(())
}

fn raw6(keeper: &mut Keeper) -> Result<(), Skip> {
    let socket = socket(AddressFamily::INET6, SocketType::RAW, Some(ipproto::ICMPV6));
    let socket = needs(socket, "CAP_NET_RAW and IPv6")?;
    let fields = json!({"local": "[::]:58", "local_port": 58});
    keeper.show("raw6", socket, json!({"kind": "raw6", "raw": fields}));
    Ok(())
}

fn mptcp(keeper: &mut Keeper) -> Result<(), Skip> {
    for (family, kind) in [(AddressFamily::INET, "mptcp"), (AddressFamily::INET6, "mptcp6")] {
        let socket = needs(socket(family, SocketType::STREAM, Some(ipproto::MPTCP)), "multipath TCP")?;
        keeper.show(kind, socket, json!({"kind": kind}));
    }
    Ok(())
}

/// Ping sockets take a setting that is made for them in a network of their own.
fn ping(keeper: &mut Keeper) -> Result<(), Skip> {
    own_network()?;
    let range = std::fs::write("/proc/sys/net/ipv4/ping_group_range", "0 4294967294");
    needs(range, "net.ipv4.ping_group_range")?;
    for (family, protocol, kind, local) in [
        (AddressFamily::INET, ipproto::ICMP, "ping", "0.0.0.0:77"),
        (AddressFamily::INET6, ipproto::ICMPV6, "ping6", "[::]:78"),
    ] {
        let socket = needs(socket(family, SocketType::DGRAM, Some(protocol)), "ping sockets")?;
        rustix::net::bind(&socket, &local.parse::<SocketAddr>().unwrap()).unwrap();
        keeper.show(kind, socket, json!({"kind": kind, "ping": {"local": local, "state": "unconnected"}}));
    }
    Ok(())
}

/// The tables are those of the process's network, not of ours.
fn other_namespace(keeper: &mut Keeper) -> Result<(), Skip> {
    own_network()?;
    let listener = TcpListener::bind("0.0.0.0:8080").unwrap();
    let expected = json!({"name": {"$holds": "*:8080 listen, queue 0 of "}, "tcp": {"local": "0.0.0.0:8080", "state": "listen"}});
    keeper.show("listener", listener, expected);
    Ok(())
}
