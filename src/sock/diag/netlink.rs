//! Netlink sockets: `linux/netlink_diag.h`.

use super::attributes::{after, header, number, numbers};
use super::plain::Request;
use crate::model::{Family, Inode, Socket, SocketDetail};
use crate::sock::protocol;
use netlink_packet_core::DecodeError;

/// All protocols: `NDIAG_PROTO_ALL`.
const ALL: u8 = !0;
const SHOW_MEMINFO: u32 = 1;
const SHOW_GROUPS: u32 = 2;
const MEMINFO: u16 = 0;
const GROUPS: u16 = 1;
/// `struct netlink_diag_msg`.
const HEADER: usize = 28;

/// Asks for all netlink sockets.
pub(super) fn all() -> Request<20> {
    Request::new(libc::AF_NETLINK, ALL).with(8, SHOW_MEMINFO | SHOW_GROUPS)
}

pub(super) fn socket(message: &[u8], detail: bool) -> Result<Socket, DecodeError> {
    let head: &[u8; HEADER] = header(message)?;
    let word = |nth| number(head, nth).unwrap_or(0);
    let mut socket = Socket {
        socket_type: protocol::socket_type(head[1].into()),
        protocol: Some(protocol::netlink(head[2].into()).into_bytes()),
        port_id: Some(word(1)),
        cookie: Some(u64::from(word(5)) | u64::from(word(6)) << 32),
        ..Socket::new(Inode(word(4).into()), Family::Netlink)
    };
    for attribute in after(HEADER, message) {
        match attribute? {
            (MEMINFO, value) => {
                let memory: [u32; 9] = numbers(value);
                socket.recv_queue = Some(memory[0].into());
                socket.drops = Some(memory[8].into());
                if detail {
                    let detail = SocketDetail { memory: Some(memory), ..SocketDetail::default() };
                    socket.detail = Some(Box::new(detail));
                }
            }
            // As the table has it: the first 32 groups.
            (GROUPS, value) => socket.groups = number(value, 0).map(u64::from),
            _ => {}
        }
    }
    socket.groups.get_or_insert(0);
    Ok(socket)
}
