//! Sockets of other families.

use super::exhibits;
use crate::support::{Keeper, Skip, bytes_of, call, needs, own_network};
use rustix::net::{AddressFamily, Protocol, SocketType};
use serde_json::json;
use std::num::NonZeroU32;
use std::os::fd::{AsRawFd as _, OwnedFd};

exhibits! { "sockets": netlink packet packet_of_interface vsock xdp alg }

fn socket(family: i32, ty: SocketType, protocol: u32) -> rustix::io::Result<OwnedFd> {
    let protocol = NonZeroU32::new(protocol).map(Protocol::from_raw);
    rustix::net::socket(AddressFamily::from_raw(family as u16), ty, protocol)
}

fn bind<T: Copy>(socket: &OwnedFd, address: T) -> std::io::Result<()> {
    let bytes = bytes_of(&address);
    let arguments = [socket.as_raw_fd() as usize, bytes.as_ptr() as usize, bytes.len(), 0, 0, 0];
    call(libc::SYS_bind, arguments).map(drop)
}

/// `struct sockaddr_nl`.
#[repr(C)]
#[derive(Clone, Copy)]
struct NetlinkAddress {
    family: u16,
    pad: u16,
    port_id: u32,
    groups: u32,
}

fn netlink(keeper: &mut Keeper) -> Result<(), Skip> {
    let family = libc::AF_NETLINK;
    for (number, word, port_id, groups) in [
        (libc::NETLINK_ROUTE, "route", 4_000_000_123u32, 0u32),
        (libc::NETLINK_KOBJECT_UEVENT, "kobject-uevent", 77, 1),
        (libc::NETLINK_GENERIC, "generic", 78, 0),
    ] {
        let socket = needs(socket(family, SocketType::DGRAM, number as u32), word)?;
        // Port ids are unique in a network only.
        let port_id = port_id.wrapping_add(std::process::id());
        bind(&socket, NetlinkAddress { family: family as u16, pad: 0, port_id, groups }).unwrap();
        let fields = json!({
            "protocol": word, "port_id": port_id, "groups": groups, "recv_queue": {"$between": [0, 1e9]},
            "drops": 0,
        });
        keeper.show(word, socket, json!({"kind": "netlink", "netlink": fields}));
    }
    Ok(())
}

const ALL_PROTOCOLS: u32 = libc::ETH_P_ALL as u32;

fn packet(keeper: &mut Keeper) -> Result<(), Skip> {
    // Where no traffic is.
    own_network()?;
    let protocol = u32::from((ALL_PROTOCOLS as u16).to_be());
    let socket = needs(socket(libc::AF_PACKET, SocketType::RAW, protocol), "packet sockets")?;
    let fields = json!({"type": "raw", "protocol": "all", "interface": "*", "recv_queue": 0});
    let name = "raw, protocol all, interface *";
    keeper.show("all", socket, json!({"kind": "packet", "name": name, "packet": fields}));
    Ok(())
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

fn packet_of_interface(keeper: &mut Keeper) -> Result<(), Skip> {
    let index = needs(nix::net::if_::if_nametoindex("lo"), "the loopback interface")? as i32;
    let socket = needs(socket(libc::AF_PACKET, SocketType::DGRAM, 0), "CAP_NET_RAW")?;
    let protocol = (libc::ETH_P_ARP as u16).to_be();
    let address = LinkAddress { family: libc::AF_PACKET as u16, protocol, index, rest: [0; 12] };
    bind(&socket, address).unwrap();
    let fields = json!({"type": "dgram", "protocol": "arp", "interface": "lo"});
    keeper.show("arp", socket, json!({"kind": "packet", "packet": fields}));
    Ok(())
}

fn vsock(keeper: &mut Keeper) -> Result<(), Skip> {
    let socket = needs(socket(libc::AF_VSOCK, SocketType::STREAM, 0), "AF_VSOCK")?;
    keeper.show("vsock", socket, json!({"kind": "vsock"}));
    Ok(())
}

/// A protocol without a file of its own goes by the kernel's name.
fn xdp(keeper: &mut Keeper) -> Result<(), Skip> {
    let socket = needs(socket(libc::AF_XDP, SocketType::RAW, 0), "AF_XDP")?;
    let expected = json!({"kind": "xdp", "name": "XDP socket", "socket": {"protocol": "XDP"}});
    keeper.show("xdp", socket, expected);
    Ok(())
}

fn alg(keeper: &mut Keeper) -> Result<(), Skip> {
    let socket = needs(socket(libc::AF_ALG, SocketType::SEQPACKET, 0), "AF_ALG")?;
    keeper.show("alg", socket, json!({"kind": "alg", "socket": {"protocol": "ALG"}}));
    Ok(())
}
