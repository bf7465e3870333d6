//! Connections between network namespaces.

use super::{check, check_fd, holder, peer, record};
use crate::exhibits::listed;
use crate::support::{Fdscope, Helper, Keeper, Skip, needs, own_network};
use nix::sched::{CloneFlags, unshare};
use serde_json::json;
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;

listed! { "networks": apart elsewhere }

/// Runs ip(8).
fn ip(arguments: &str) -> Result<(), Skip> {
    let mut command = Command::new("ip");
    let run = command.args(arguments.split(' ')).stdin(Stdio::null()).stdout(Stdio::null()).output();
    let output = needs(run, "ip(8)")?;
    match output.status.success() {
        true => Ok(()),
        false => Err(Skip(format!("ip {arguments}: {}", String::from_utf8_lossy(&output.stderr)))),
    }
}

/// Two namespaces with a link between, a process in the second, and connections from the first to it.
fn apart(keeper: &mut Keeper) -> Result<(), Skip> {
    own_network()?;
    let path = keeper.path("socket");
    let (told, tells) = channel();
    let (go, goes) = channel::<()>();
    let far = std::thread::spawn(move || -> Result<Vec<Child>, Skip> {
        needs(unshare(CloneFlags::CLONE_NEWNET), "a network namespace")?;
        let mut children = vec![holder(OwnedFd::from(std::fs::File::open("/dev/null").unwrap()))];
        told.send(Ok(children[0].id())).unwrap();
        goes.recv().unwrap();
        ip("addr add 10.77.0.2/24 dev fdsB")?;
        ip("link set fdsB up")?;
        let tcp = TcpListener::bind("10.77.0.2:4000").unwrap();
        let unix = UnixListener::bind(&path).unwrap();
        told.send(Err(())).unwrap();
        let (server, _) = tcp.accept().unwrap();
        let (local, _) = unix.accept().unwrap();
        children.extend([holder(server.into()), holder(local.into())]);
        told.send(Err(())).unwrap();
        // The children end with this thread.
        let _ = goes.recv();
        Ok(children)
    });
    let pid = match tells.recv() {
        Ok(Ok(pid)) => pid,
        _ => return Err(far.join().unwrap().expect_err("it said why")),
    };
    ip(&format!("link add fdsA type veth peer name fdsB netns {pid}"))?;
    ip("addr add 10.77.0.1/24 dev fdsA")?;
    ip("link set fdsA up")?;
    go.send(()).unwrap();
    if tells.recv().is_err() {
        return Err(far.join().unwrap().expect_err("it said why"));
    }
    let tcp = TcpStream::connect("10.77.0.2:4000").unwrap();
    let unix = UnixStream::connect(keeper.path("socket")).unwrap();
    tells.recv().unwrap().unwrap_err();
    keeper.show("tcp", tcp, json!({}));
    keeper.show("unix", unix, json!({}));
    keeper.keep((go, far));
    Ok(())
}

/// A socket that was made in another namespace than its process is in.
fn elsewhere(keeper: &mut Keeper) -> Result<(), Skip> {
    let thread = std::thread::spawn(|| -> Result<(TcpListener, u64), Skip> {
        needs(unshare(CloneFlags::CLONE_NEWNET), "a network namespace")?;
        crate::support::raise_loopback().unwrap();
        let id = std::os::unix::fs::MetadataExt::ino(&std::fs::metadata("/proc/thread-self/ns/net").unwrap());
        Ok((TcpListener::bind("127.0.0.1:0").unwrap(), id))
    });
    let (listener, id) = thread.join().unwrap()?;
    keeper.told["netns"] = id.into();
    keeper.show("listener", listener, json!({}));
    Ok(())
}

#[test]
fn from_one_namespace_to_another() {
    let helper = Helper::start("networks::apart");
    if helper.was_skipped() {
        return;
    }
    for (name, port) in [("tcp", Some(4000)), ("unix", None)] {
        let found = record(helper.pid(), helper.fd(name));
        let peers = found["peers"].as_array().unwrap_or_else(|| panic!("not known: {found}"));
        assert_eq!(peers.len(), 1, "{found}");
        let pid = peers[0]["pid"].as_u64().unwrap() as u32;
        check(&helper, name, json!([peer(pid, "sleep", 0)]), &format!(", with {pid}/sleep 0"));
        let ending = format!(", with {}/helper {}", helper.pid(), helper.fd(name));
        check_fd(pid, 0, json!([peer(helper.pid(), "helper", helper.fd(name))]), &ending);
        assert_eq!(record(pid, 0)["tcp"]["local_port"].as_u64(), port);
        let netns = |pid: u32, fd: i64| {
            let list = format!("list {pid}:{fd} --columns socket.netns --format tsv --no-header");
            format!("net:[{}]", Fdscope::new(list).ok().stdout().trim())
        };
        let link =
            |pid: u32| std::fs::read_link(format!("/proc/{pid}/ns/net")).unwrap().display().to_string();
        assert_ne!(link(pid), link(helper.pid()));
        assert_eq!(netns(helper.pid(), helper.fd(name)), link(helper.pid()));
        // A unix socket that is accepted is made in the namespace of its client.
        assert_eq!(netns(pid, 0), link(if port.is_some() { pid } else { helper.pid() }));
    }
}

#[test]
fn a_socket_knows_its_namespace() {
    let helper = Helper::start("networks::elsewhere");
    if helper.was_skipped() {
        return;
    }
    let fd = helper.fd("listener");
    let records = helper.list(&format!("--fd {fd} --columns +socket.netns")).records();
    assert_eq!(records[0]["socket"], json!({"netns": helper.told["netns"]}), "{records:?}");
}

/// The fields of all sockets stand in one object with those of the kind `socket`.
#[test]
fn one_object_holds_both() {
    let helper = Helper::start("sockets::xdp");
    if helper.was_skipped() {
        return;
    }
    let fd = helper.fd("xdp");
    for columns in ["+socket.netns", "socket.netns,socket.protocol", "socket.protocol,socket.netns"] {
        let run = helper.list(&format!("--fd {fd} --jsonl --columns {columns}")).ok();
        assert_eq!(run.stdout().matches("\"socket\":").count(), 1, "{}", run.stdout());
        let socket = run.json_lines().remove(0)["socket"].take();
        assert_eq!((&socket["protocol"], socket["netns"].is_u64()), (&json!("XDP"), true), "{socket}");
    }
    // Of other kinds it is an object beside theirs.
    let helper = Helper::start("unix::pairs");
    let fd = helper.fd("stream");
    let records = helper.list(&format!("--fd {fd} --columns +socket.netns")).records();
    assert!(records[0]["socket"]["netns"].is_u64() && records[0]["unix"].is_object(), "{records:?}");
    let matching =
        helper.list("--columns fd --no-header --where").arg("socket.netns > 0 && unix.type == 'dgram'");
    assert_eq!(matching.ok().lines().len(), 2);
}
