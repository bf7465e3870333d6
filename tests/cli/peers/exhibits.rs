//! Processes whose fds are the ends of something.

use super::{holder, holder_with};
use crate::exhibits::listed;
use crate::support::{
    Keeper, NOBODY, Skip, add_loopback_address, call, call_fd, needs, own_network, raise_loopback, run_as,
};
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::fs::{CWD, Mode, OFlags};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, listen, socket, socketpair};
use rustix::pipe::{PipeFlags, pipe_with};
use serde_json::json;
use std::ffi::CString;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};

listed! { "peers": pipe prefork alone fifo unix unix_waiting tcp tcp_waiting udp udp_any eventfds queue odd_name
of_two_users }

fn cloexec() -> (OwnedFd, OwnedFd) {
    pipe_with(PipeFlags::CLOEXEC).unwrap()
}

fn again(fd: &impl AsFd) -> OwnedFd {
    rustix::io::fcntl_dupfd_cloexec(fd, 3).unwrap()
}

fn wait(fd: impl AsFd, flags: PollFlags) {
    let fd = fd.as_fd();
    assert_eq!(poll(&mut [PollFd::new(&fd, flags)], None), Ok(1));
}

/// Has another process hold a thing.
fn give(keeper: &mut Keeper, name: &str, thing: impl Into<OwnedFd>) {
    let child = holder(thing.into());
    keeper.told[name] = child.id().into();
    keeper.keep(child);
}

/// A pipe to another process, and one to ourselves.
fn pipe(keeper: &mut Keeper) -> Result<(), Skip> {
    let (reader, writer) = cloexec();
    give(keeper, "reader", reader);
    // Other fds for the same end are no peers.
    let twin = again(&writer);
    keeper.show("writer", writer, json!({}));
    keeper.keep(twin);
    let (reader, writer) = cloexec();
    keeper.show("own reader", reader, json!({}));
    keeper.show("own writer", writer, json!({}));
    let (reader, writer) = cloexec();
    let path = format!("/proc/self/fd/{}", reader.as_raw_fd());
    let both = rustix::fs::open(path, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()).unwrap();
    keeper.show("both", both, json!({}));
    keeper.show("reader of both", reader, json!({}));
    keeper.show("writer of both", writer, json!({}));
    Ok(())
}

/// Five processes read, so that there are more than are named.
fn prefork(keeper: &mut Keeper) -> Result<(), Skip> {
    let (reader, writer) = cloexec();
    let children: Vec<_> = (0..5).map(|_| holder(again(&reader))).collect();
    keeper.told["readers"] = children.iter().map(std::process::Child::id).collect();
    keeper.keep(children);
    keeper.show("writer", writer, json!({}));
    Ok(())
}

/// Ends that nobody has the other of.
fn alone(keeper: &mut Keeper) -> Result<(), Skip> {
    let (reader, _) = cloexec();
    keeper.show("reader", reader, json!({}));
    let (_, writer) = cloexec();
    keeper.show("writer", writer, json!({}));
    let (left, _) = UnixStream::pair().unwrap();
    keeper.show("unix", left, json!({}));
    let (left, _) = UnixDatagram::pair().unwrap();
    keeper.show("dgram", left, json!({}));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    drop(listener.accept().unwrap());
    wait(&client, PollFlags::RDHUP);
    keeper.show("tcp", client, json!({}));
    // Without an end it would be no news.
    keeper.show("listener", listener, json!({}));
    let path = keeper.path("fifo");
    rustix::fs::mkfifoat(CWD, &path, Mode::RUSR | Mode::WUSR).unwrap();
    let open = |flags| rustix::fs::open(&path, flags | OFlags::CLOEXEC, Mode::empty()).unwrap();
    let reader = open(OFlags::RDONLY | OFlags::NONBLOCK);
    drop(open(OFlags::WRONLY));
    keeper.show("fifo", reader, json!({}));
    keeper.show("path", open(OFlags::PATH), json!({}));
    Ok(())
}

/// A FIFO that has two names, and then none.
fn fifo(keeper: &mut Keeper) -> Result<(), Skip> {
    let (one, other) = (keeper.path("one"), keeper.path("other"));
    rustix::fs::mkfifoat(CWD, &one, Mode::RUSR | Mode::WUSR).unwrap();
    std::fs::hard_link(&one, &other).unwrap();
    let open = |path: &str, flags| rustix::fs::open(path, flags | OFlags::CLOEXEC, Mode::empty()).unwrap();
    let reader = open(&one, OFlags::RDONLY | OFlags::NONBLOCK);
    let writer = open(&other, OFlags::WRONLY);
    std::fs::remove_file(&one).unwrap();
    give(keeper, "reader", reader);
    keeper.show("writer", writer, json!({}));
    Ok(())
}

fn unix(keeper: &mut Keeper) -> Result<(), Skip> {
    for (ty, word) in
        [(SocketType::STREAM, "stream"), (SocketType::DGRAM, "dgram"), (SocketType::SEQPACKET, "seqpacket")]
    {
        let (own, theirs) = socketpair(AddressFamily::UNIX, ty, SocketFlags::CLOEXEC, None).unwrap();
        give(keeper, word, theirs);
        keeper.show(word, own, json!({}));
    }
    let path = keeper.path("socket");
    let listener = UnixListener::bind(&path).unwrap();
    let client = UnixStream::connect(&path).unwrap();
    let (accepted, _) = listener.accept().unwrap();
    give(keeper, "accepted", accepted);
    keeper.show("client", client, json!({}));
    keeper.show("listener", listener, json!({}));
    let path = keeper.path("dgrams");
    let server = UnixDatagram::bind(&path).unwrap();
    for name in ["one", "two"] {
        let client = UnixDatagram::unbound().unwrap();
        client.connect(&path).unwrap();
        keeper.show(name, client, json!({}));
    }
    give(keeper, "server", server);
    Ok(())
}

/// A client of a listener that two processes have, and that none accepts from.
fn unix_waiting(keeper: &mut Keeper) -> Result<(), Skip> {
    let address = SocketAddrUnix::new(keeper.path("socket")).unwrap();
    let listener = socket(AddressFamily::UNIX, SocketType::SEQPACKET, None).unwrap();
    bind(&listener, &address).unwrap();
    listen(&listener, 5).unwrap();
    let client = socket(AddressFamily::UNIX, SocketType::SEQPACKET, None).unwrap();
    rustix::net::connect(&client, &address).unwrap();
    give(keeper, "one", again(&listener));
    give(keeper, "two", listener);
    keeper.show("client", client, json!({}));
    Ok(())
}

fn tcp(keeper: &mut Keeper) -> Result<(), Skip> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    give(keeper, "server", server);
    keeper.show("client", client, json!({}));
    let listener = needs(TcpListener::bind("[::]:0"), "IPv6")?;
    let port = listener.local_addr().unwrap().port();
    let mapped = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let (server, _) = listener.accept().unwrap();
    give(keeper, "server of mapped", server);
    keeper.show("mapped", mapped, json!({}));
    let six = TcpStream::connect(("::1", port)).unwrap();
    let (server, _) = listener.accept().unwrap();
    give(keeper, "server of six", server);
    keeper.show("six", six, json!({}));
    Ok(())
}

fn tcp_waiting(keeper: &mut Keeper) -> Result<(), Skip> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    wait(&listener, PollFlags::IN);
    give(keeper, "listener", listener);
    keeper.show("client", client, json!({}));
    Ok(())
}

fn udp(keeper: &mut Keeper) -> Result<(), Skip> {
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let bound = || UdpSocket::bind(any).unwrap();
    // Both know of each other.
    let (one, other) = (bound(), bound());
    one.connect(other.local_addr().unwrap()).unwrap();
    other.connect(one.local_addr().unwrap()).unwrap();
    give(keeper, "other", other);
    keeper.show("one", one, json!({}));
    // The server knows of nobody.
    let (server, client) = (bound(), bound());
    client.connect(server.local_addr().unwrap()).unwrap();
    give(keeper, "client", client);
    keeper.show("server", server, json!({}));
    keeper.show("unasked", bound(), json!({}));
    Ok(())
}

/// A server on all addresses, and a client that sends to one that is not loopback's.
fn udp_any(keeper: &mut Keeper) -> Result<(), Skip> {
    own_network()?;
    needs(raise_loopback(), "a loopback interface")?;
    needs(add_loopback_address([192, 0, 2, 9]), "an address of its own")?;
    for (name, address) in [("server", "0.0.0.0:0"), ("server of both", "[::]:0")] {
        let server = match UdpSocket::bind(address) {
            Err(_) if address == "[::]:0" => continue,
            server => server.unwrap(),
        };
        let client = UdpSocket::bind("0.0.0.0:0").unwrap();
        client.connect(("192.0.2.9", server.local_addr().unwrap().port())).unwrap();
        give(keeper, name, server);
        keeper.show(&name.replace("server", "client"), client, json!({}));
    }
    Ok(())
}

fn eventfds(keeper: &mut Keeper) -> Result<(), Skip> {
    let shared = eventfd(7, EventfdFlags::CLOEXEC).unwrap();
    let twin = again(&shared);
    give(keeper, "child", again(&shared));
    keeper.show("shared", shared, json!({}));
    keeper.show("twin", twin, json!({}));
    Ok(())
}

fn queue(keeper: &mut Keeper) -> Result<(), Skip> {
    let name = CString::new(format!("fdscope-peers-{}", std::process::id())).unwrap();
    let flags = (libc::O_RDWR | libc::O_CREAT | libc::O_CLOEXEC) as usize;
    let open = || call_fd(libc::SYS_mq_open, [name.as_ptr() as usize, flags, 0o600, 0, 0, 0]);
    let (own, theirs) = (needs(open(), "message queues")?, open().unwrap());
    call(libc::SYS_mq_unlink, [name.as_ptr() as usize, 0, 0, 0, 0, 0]).unwrap();
    give(keeper, "child", theirs);
    keeper.show("queue", own, json!({}));
    Ok(())
}

/// A program whose name does what it can to confuse.
fn odd_name(keeper: &mut Keeper) -> Result<(), Skip> {
    let program = keeper.path("a,b;\n\x1b[31m 9");
    let sleep = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .map(|folder| folder.join("sleep"))
        .find(|path| path.exists());
    std::fs::copy(sleep.expect("sleep(1)"), &program).unwrap();
    let (reader, writer) = cloexec();
    let child = holder_with(&[&program, "600"], reader, |_| {});
    keeper.told["pid"] = child.id().into();
    keeper.keep(child);
    keeper.show("writer", writer, json!({}));
    Ok(())
}

/// Processes of another user, which write to a pipe that we read, and to one that nobody reads.
fn of_two_users(keeper: &mut Keeper) -> Result<(), Skip> {
    if !rustix::process::geteuid().is_root() {
        return Err(Skip("two users: we are not root".to_owned()));
    }
    let (reader, writer) = cloexec();
    let (_, lonely) = cloexec();
    for (name, fd) in [("known", writer), ("alone", lonely)] {
        let child = holder_with(&["sleep", "600"], fd, |command| run_as(command, NOBODY));
        keeper.told[name] = child.id().into();
        keeper.keep(child);
    }
    keeper.show("reader", reader, json!({}));
    Ok(())
}
