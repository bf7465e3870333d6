//! `fdscope peers`: what waits to be read, and who does not read it.

use super::{holder, holder_with};
use crate::exhibits::listed;
use crate::support::{
    Fdscope, Helper, Keeper, Skip, eventually, lower_loopback, own_network, raise_loopback,
};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket, socket_with, socketpair};
use rustix::pipe::{PipeFlags, fcntl_getpipe_size, pipe_with};
use serde_json::{Value, json};
use std::io::Write as _;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::Stdio;
use std::time::Duration;

listed! { "stuck": lying marks read }

fn wait(fd: impl AsFd, flags: PollFlags) {
    let fd = fd.as_fd();
    assert_eq!(poll(&mut [PollFd::new(&fd, flags)], None), Ok(1));
}

fn give(keeper: &mut Keeper, thing: impl Into<OwnedFd>) {
    keeper.keep(holder(thing.into()));
}

fn pair(ty: SocketType) -> (OwnedFd, OwnedFd) {
    socketpair(AddressFamily::UNIX, ty, SocketFlags::CLOEXEC, None).unwrap()
}

/// Bytes in all sorts of connections, which processes that sleep do not read, and which we do not.
fn lying(keeper: &mut Keeper) -> Result<(), Skip> {
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).unwrap();
    assert_eq!(rustix::io::write(&writer, b"hello"), Ok(5));
    give(keeper, reader);
    keeper.show("pipe", writer, json!({}));
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).unwrap();
    let size = fcntl_getpipe_size(&reader).unwrap();
    assert_eq!(rustix::io::write(&writer, &vec![0; size]), Ok(size));
    give(keeper, reader);
    keeper.told["size"] = size.into();
    keeper.show("full", writer, json!({}));
    for (name, ty) in [("stream", SocketType::STREAM), ("dgram", SocketType::DGRAM)] {
        let (own, theirs) = pair(ty);
        assert_eq!(rustix::io::write(&own, b"sent here"), Ok(9));
        give(keeper, theirs);
        keeper.show(name, own, json!({}));
    }
    let (own, theirs) = pair(SocketType::STREAM);
    assert_eq!(rustix::io::write(&theirs, b"not read"), Ok(8));
    give(keeper, theirs);
    keeper.show("unread", own, json!({}));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    client.write_all(b"over tcp").unwrap();
    wait(&server, PollFlags::IN);
    give(keeper, server);
    keeper.show("tcp", client, json!({}));
    let mut waiting = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    wait(&listener, PollFlags::IN);
    waiting.write_all(b"early").unwrap();
    give(keeper, listener);
    keeper.show("waiting", waiting, json!({}));
    let path = keeper.path("socket");
    let listener = UnixListener::bind(&path).unwrap();
    let mut waiting = UnixStream::connect(&path).unwrap();
    waiting.write_all(b"early").unwrap();
    keeper.show("unix waiting", waiting, json!({}));
    keeper.show("unix listener", listener, json!({}));
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).unwrap();
    give(keeper, reader);
    keeper.show("empty", writer, json!({}));
    Ok(())
}

/// Connections in which nothing lies but a SYN or a FIN that nobody acknowledges.
fn marks(keeper: &mut Keeper) -> Result<(), Skip> {
    own_network()?;
    raise_loopback().unwrap();
    let full = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    rustix::net::bind(&full, &any).unwrap();
    rustix::net::listen(&full, 0).unwrap();
    let full = TcpListener::from(full);
    let queued = TcpStream::connect(full.local_addr().unwrap()).unwrap();
    wait(&full, PollFlags::IN);
    let syn = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::NONBLOCK, None).unwrap();
    let connected = rustix::net::connect(&syn, &full.local_addr().unwrap());
    assert_eq!(connected, Err(rustix::io::Errno::INPROGRESS));
    give(keeper, full);
    keeper.keep(queued);
    keeper.show("syn", syn, json!({}));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    // Nothing comes through any more.
    lower_loopback().unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    keeper.show("fin", client, json!({}));
    give(keeper, server);
    Ok(())
}

/// A pipe that is always full, and a connection in which something always lies, both of which are read.
fn read(keeper: &mut Keeper) -> Result<(), Skip> {
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).unwrap();
    let child = holder_with(&["cat"], reader, |command| {
        // Both write until they are killed.
        let (out, to) = pipe_with(PipeFlags::CLOEXEC).unwrap();
        command.stdout(Stdio::from(to));
        slowly(out);
    });
    keeper.told["cat"] = child.id().into();
    keeper.keep(child);
    let twin = rustix::io::fcntl_dupfd_cloexec(&writer, 3).unwrap();
    std::thread::spawn(move || while rustix::io::write(&twin, &[0; 4096]).is_ok() {});
    keeper.show("pipe", writer, json!({}));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    slowly(server.try_clone().unwrap().into());
    let mut writer = client.try_clone().unwrap();
    std::thread::spawn(move || while writer.write_all(&[0; 4096]).is_ok() {});
    keeper.show("client", client, json!({}));
    keeper.show("server", server, json!({}));
    Ok(())
}

/// Reads a little every millisecond.
fn slowly(fd: OwnedFd) {
    std::thread::spawn(move || {
        let mut bytes = [0; 64];
        while matches!(rustix::io::read(&fd, &mut bytes), Ok(1..)) {
            std::thread::sleep(Duration::from_millis(1));
        }
    });
}

fn records(helper: &Helper, arguments: &str) -> Vec<Value> {
    let run = Fdscope::new(format!("peers {} --json --quiet {arguments}", helper.pid())).ok();
    run.records()
}

fn of<'r>(records: &'r [Value], helper: &Helper, name: &str) -> &'r Value {
    let fd = helper.fd(name);
    records
        .iter()
        .find(|r| r["fd"] == fd && r["pid"] == helper.pid())
        .unwrap_or_else(|| panic!("{name}: {records:?}"))
}

#[test]
fn syn_and_fin_are_no_bytes() {
    let helper = Helper::start("stuck::marks");
    if helper.was_skipped() {
        return;
    }
    let seen = records(&helper, "");
    for (name, state) in [("syn", "syn-sent"), ("fin", "fin-wait-1")] {
        let record = of(&seen, &helper, name);
        assert_eq!(record["unsent"].as_u64().unwrap_or(0), 0, "{record}");
        let words = record["name"].as_str().unwrap();
        assert!(words.contains(state) && !words.contains("unsent"), "{record}");
        let fd = Fdscope::new(format!("list {}:{} --json --quiet", helper.pid(), helper.fd(name))).ok();
        assert_eq!(fd.records()[0]["tcp"]["send_queue"], 1, "what the kernel says");
    }
    let tree = Fdscope::new(format!("peers {} --quiet", helper.pid())).ok().stdout();
    assert!(!tree.contains("unread there"), "{tree}");
}

#[test]
fn bytes_in_each_direction() {
    let helper = Helper::start("stuck::lying");
    let seen = records(&helper, "");
    let unsent = |name: &str| of(&seen, &helper, name)["unsent"].as_u64();
    let size = helper.told["size"].as_u64().unwrap();
    for (name, bytes) in
        [("pipe", 5), ("full", size), ("stream", 9), ("unread", 0), ("tcp", 8), ("waiting", 5), ("empty", 0)]
    {
        assert_eq!(unsent(name), Some(bytes), "{name}");
    }
    assert!(unsent("dgram") > Some(9), "of datagrams, the memory");
    // So too what waits at a unix listener with its client.
    let waiting = of(&seen, &helper, "unix listener")["unread"].as_u64();
    assert!(waiting > Some(5), "{seen:?}");
    assert_eq!(of(&seen, &helper, "unread")["unread"], 8);
    // One look tells nothing of who reads.
    assert!(seen.iter().all(|record| record.get("stuck").is_none()), "{seen:?}");
    let tree = Fdscope::new(format!("peers {} --quiet", helper.pid())).ok().stdout();
    for words in
        ["  5 unread there\n", "64K unread there (full)\n", "  8 unread here\n", "  8 unread there  127."]
    {
        assert!(tree.contains(words), "{words:?} in {tree}");
    }
    // From the other end, also where that is still to accept.
    let listener = of(&seen, &helper, "waiting")["peers"][0]["pid"].as_u64().unwrap();
    let run = Fdscope::new(format!("peers {listener}:0 --json --quiet --for 20ms")).ok();
    assert_eq!((&run.records()[0]["unread"], &run.records()[0]["stuck"]), (&json!(5), &json!("self")));
    let child = of(&seen, &helper, "stream")["peers"][0]["pid"].as_u64().unwrap();
    let run = Fdscope::new(format!("peers {child}:0 --json --quiet")).ok();
    assert_eq!(run.records()[0]["unread"], 9);
}

#[test]
fn who_does_not_read() {
    let helper = Helper::start("stuck::lying");
    let seen = records(&helper, "--for 100ms");
    let stuck = |name: &str| of(&seen, &helper, name)["stuck"].as_str();
    for name in ["pipe", "full", "stream", "dgram", "tcp", "waiting"] {
        assert_eq!(stuck(name), Some("peer"), "{name}: {seen:?}");
    }
    assert_eq!(stuck("unix listener"), Some("self"));
    assert_eq!((stuck("unread"), stuck("empty")), (Some("self"), None));
    assert_eq!(records(&helper, "--for 100ms --stuck").len(), 8);
    let run = Fdscope::new(format!("peers {} --quiet --for 100ms --stuck", helper.pid())).ok();
    let tree = run.stdout();
    assert_eq!(tree.lines().count(), 9, "{tree}");
    for words in ["5 unread there, nothing read in 100 ms\n", "8 unread here, nothing read in 100 ms\n"] {
        assert!(tree.contains(words), "{words:?} in {tree}");
    }
    let fd = helper.fd("pipe");
    let dot =
        Fdscope::new(format!("peers {}:{fd} --quiet --for 100ms --format dot", helper.pid())).ok().stdout();
    let label =
        format!("label=\"pipe {fd} → 0\\n5 from {} unread, nothing is read\", color=red", helper.pid());
    assert!(dot.contains(&label), "{dot}");
    // Nothing was taken by the looking.
    assert_eq!(of(&records(&helper, ""), &helper, "pipe")["unsent"], 5);
}

#[test]
fn who_reads_slowly_is_not_blamed() {
    let helper = Helper::start("stuck::read");
    eventually("all is read", || {
        let seen = records(&helper, "--for 200ms");
        ["pipe", "client", "server"].iter().all(|name| {
            let edges = seen.iter().filter(|r| r["pid"] == helper.pid() && r["fd"] == helper.fd(name));
            edges.clone().all(|record| record.get("stuck").is_none())
        })
    });
    let seen = records(&helper, "");
    let pipe = of(&seen, &helper, "pipe");
    assert!(pipe["unsent"].as_u64() > Some(0), "there is always something: {pipe}");
    let check = format!("peers {}:{} --for 200ms --stuck", helper.pid(), helper.fd("client"));
    eventually("nobody is stuck", || Fdscope::new(&check).run().status() == 1);
    // With the reader stopped it is.
    let cat = nix::unistd::Pid::from_raw(helper.told["cat"].as_i64().unwrap() as i32);
    nix::sys::signal::kill(cat, nix::sys::signal::Signal::SIGSTOP).unwrap();
    eventually("nobody reads the pipe", || {
        of(&records(&helper, "--for 100ms"), &helper, "pipe")["stuck"] == "peer"
    });
}
