//! Unix-domain sockets.

use super::exhibits;
use crate::support::{Keeper, Skip};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, listen, socket, socketpair};
use serde_json::json;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};

exhibits! { "unix": stream lonely pairs bound_by_name abstract_names seqpacket unbound }

fn stream(keeper: &mut Keeper) -> Result<(), Skip> {
    let path = keeper.path("a socket");
    let listener = UnixListener::bind(&path).unwrap();
    let client = UnixStream::connect(&path).unwrap();
    let (server, _) = listener.accept().unwrap();
    client.set_nonblocking(true).unwrap();
    let fields = |state| json!({"type": "stream", "path": path, "state": state});
    assert_eq!(rustix::io::write(&client, b"hello"), Ok(5));
    let inode = |socket: &UnixStream| rustix::fs::fstat(socket).unwrap().st_ino;
    let (at_client, at_server) = (inode(&client), inode(&server));
    let name = json!({"$holds": format!("stream {path} listen, queue 0 of ")});
    let mut listens = fields("listen");
    (listens["recv_queue"], listens["backlog"]) = (0.into(), json!({"$between": [1, 1e9]}));
    keeper.show("listener", listener, json!({"kind": "unix", "name": name, "unix": listens}));
    let mut accepted = fields("connected");
    (accepted["peer"], accepted["recv_queue"], accepted["send_queue"]) =
        (at_client.into(), 5.into(), 0.into());
    let name = format!("stream {path} connected, 5 unread");
    keeper.show("server", server, json!({"kind": "unix", "name": name, "unix": accepted}));
    let nameless = json!({
        "type": "stream", "path": {"$absent": true}, "state": "connected", "peer": at_server,
        "recv_queue": 0, "send_queue": {"$between": [5, 1e6]},
    });
    keeper.show("client", client, json!({"kind": "unix", "unix": nameless}));
    Ok(())
}

/// What became of the other end.
fn lonely(keeper: &mut Keeper) -> Result<(), Skip> {
    let path = keeper.path("socket");
    let listener = socket(AddressFamily::UNIX, SocketType::STREAM, None).unwrap();
    bind(&listener, &SocketAddrUnix::new(path.as_str()).unwrap()).unwrap();
    listen(&listener, 1).unwrap();
    let waiting = UnixStream::connect(&path).unwrap();
    let name = format!("stream {path} listen, queue 1 of 2");
    let fields = json!({"recv_queue": 1, "backlog": 1, "peer": {"$absent": true}});
    keeper.show("listener", listener, json!({"name": name, "unix": fields}));
    let fields = json!({"state": "connected", "peer": 0});
    keeper.show("waiting", waiting, json!({"name": "stream connected", "unix": fields}));
    for (ty, word) in [(SocketType::STREAM, "stream"), (SocketType::DGRAM, "dgram")] {
        let (left, _) = socketpair(AddressFamily::UNIX, ty, SocketFlags::empty(), None).unwrap();
        let name = format!("{word} connected, closed by the other end");
        keeper.show(word, left, json!({"name": name, "unix": {"peer": null}}));
    }
    Ok(())
}

fn pairs(keeper: &mut Keeper) -> Result<(), Skip> {
    for (ty, word) in
        [(SocketType::STREAM, "stream"), (SocketType::DGRAM, "dgram"), (SocketType::SEQPACKET, "seqpacket")]
    {
        let (a, b) = socketpair(AddressFamily::UNIX, ty, SocketFlags::empty(), None).unwrap();
        for end in [a, b] {
            let fields = json!({"type": word, "state": "connected", "path": {"$absent": true}});
            keeper.show(
                word,
                end,
                json!({"kind": "unix", "name": format!("{word} connected"), "unix": fields}),
            );
        }
    }
    Ok(())
}

fn bound_by_name(keeper: &mut Keeper) -> Result<(), Skip> {
    let path = keeper.path("dgram");
    let socket = UnixDatagram::bind(&path).unwrap();
    let fields = json!({"type": "dgram", "path": path, "state": "unconnected"});
    keeper.show("dgram", socket, json!({"kind": "unix", "unix": fields}));
    Ok(())
}

fn abstract_names(keeper: &mut Keeper) -> Result<(), Skip> {
    let name = format!("fdscope test {}", std::process::id());
    for (suffix, shown) in [(&b""[..], ""), (b" \xff\\", r" \xff\\")] {
        let bytes = [name.as_bytes(), suffix].concat();
        let ty = SocketType::STREAM;
        let socket = socket(AddressFamily::UNIX, ty, None).unwrap();
        bind(&socket, &SocketAddrUnix::new_abstract_name(&bytes).unwrap()).unwrap();
        let fields = json!({"type": "stream", "path": format!("@{name}{shown}"), "state": "unconnected"});
        keeper.show(shown, socket, json!({"kind": "unix", "unix": fields}));
    }
    Ok(())
}

fn seqpacket(keeper: &mut Keeper) -> Result<(), Skip> {
    let path = keeper.path("seqpacket");
    let socket = socket(AddressFamily::UNIX, SocketType::SEQPACKET, None).unwrap();
    bind(&socket, &SocketAddrUnix::new(path.as_str()).unwrap()).unwrap();
    listen(&socket, 5).unwrap();
    let fields = json!({"type": "seqpacket", "path": path, "state": "listen"});
    keeper.show("listener", socket, json!({"kind": "unix", "unix": fields}));
    Ok(())
}

fn unbound(keeper: &mut Keeper) -> Result<(), Skip> {
    let socket = socket(AddressFamily::UNIX, SocketType::DGRAM, None).unwrap();
    let fields = json!({"type": "dgram", "state": "unconnected", "path": {"$absent": true}});
    keeper.show("unbound", socket, json!({"kind": "unix", "unix": fields}));
    Ok(())
}
