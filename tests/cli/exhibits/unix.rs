//! Unix-domain sockets.

use super::exhibits;
use crate::support::{Keeper, Skip};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, listen, socket, socketpair};
use serde_json::json;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};

exhibits! { "unix": stream pairs bound_by_name abstract_names seqpacket unbound }

fn stream(keeper: &mut Keeper) -> Result<(), Skip> {
    let path = keeper.path("a socket");
    let listener = UnixListener::bind(&path).unwrap();
    let client = UnixStream::connect(&path).unwrap();
    let (server, _) = listener.accept().unwrap();
    client.set_nonblocking(true).unwrap();
    let fields = |state| json!({"type": "stream", "path": path, "state": state});
    let name = format!("stream {path} listen");
    keeper.show("listener", listener, json!({"kind": "unix", "name": name, "unix": fields("listen")}));
    keeper.show("server", server, json!({"kind": "unix", "unix": fields("connected")}));
    let nameless = json!({"type": "stream", "path": {"$absent": true}, "state": "connected"});
    keeper.show("client", client, json!({"kind": "unix", "unix": nameless}));
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
