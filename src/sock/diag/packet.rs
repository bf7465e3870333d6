//! Packet sockets: `linux/packet_diag.h`.

use super::attributes::{after, header, number, numbers};
use super::plain::Request;
use crate::model::{Family, Inode, Socket, SocketDetail};
use crate::sock::protocol;
use netlink_packet_core::DecodeError;

const SHOW_INFO: u32 = 1;
const SHOW_MEMINFO: u32 = 1 << 4;
const INFO: u16 = 0;
const UID: u16 = 5;
const MEMINFO: u16 = 6;
/// `struct packet_diag_msg`.
const HEADER: usize = 16;

/// Asks for all packet sockets.
pub(super) fn all() -> Request<20> {
    Request::new(libc::AF_PACKET, 0).with(8, SHOW_INFO | SHOW_MEMINFO)
}

pub(super) fn socket(message: &[u8], detail: bool) -> Result<Socket, DecodeError> {
    let head: &[u8; HEADER] = header(message)?;
    let word = |nth| number(head, nth).unwrap_or(0);
    let protocol = u16::from_ne_bytes([head[2], head[3]]);
    let mut socket = Socket {
        socket_type: protocol::socket_type(head[1].into()),
        protocol: Some(protocol::ethernet(protocol.into()).into_bytes()),
        cookie: Some(u64::from(word(2)) | u64::from(word(3)) << 32),
        ..Socket::new(Inode(word(1).into()), Family::Packet)
    };
    for attribute in after(HEADER, message) {
        match attribute? {
            (INFO, value) => socket.interface = number(value, 0),
            (UID, value) => socket.uid = number(value, 0),
            (MEMINFO, value) => {
                let memory: [u32; 9] = numbers(value);
                socket.recv_queue = Some(memory[0].into());
                if detail {
                    let detail = SocketDetail { memory: Some(memory), ..SocketDetail::default() };
                    socket.detail = Some(Box::new(detail));
                }
            }
            _ => {}
        }
    }
    Ok(socket)
}
