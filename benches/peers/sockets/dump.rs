//! A dump by sock_diag netlink, whose replies are counted and thrown away.

use crate::Result;
use netlink_packet_core::{
    Emitable, NLM_F_DUMP, NLM_F_REQUEST, NLMSG_ALIGNTO, NLMSG_DONE, NLMSG_ERROR, NetlinkBuffer,
};
use netlink_packet_sock_diag::inet::{ExtensionFlags, InetRequest, SocketId, StateFlags};
use netlink_packet_sock_diag::unix::{self, ShowFlags, UnixRequest};
use netlink_packet_sock_diag::{AF_INET, AF_INET6, IPPROTO_TCP, SOCK_DIAG_BY_FAMILY};
use rustix::fd::OwnedFd;
use rustix::net::netlink::{SOCK_DIAG, SocketAddrNetlink};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketType};
use std::io;

/// The requests for sockets of a sort.
pub(crate) struct Dump(Vec<Vec<u8>>);

/// No reply is longer.
const REPLY: usize = 32 << 10;

const HEADER: usize = 16;

impl Dump {
    /// `tcp`, `tcp-info` (with `tcp_info`, memory and congestion control), `listeners`,
    /// `listeners:PORT` or `unix` (with what a line about them needs).
    pub(crate) fn parse(sort: &str) -> Result<Self> {
        let tcp = |states: StateFlags, port, extensions: ExtensionFlags| {
            let request = |family| {
                let socket_id = SocketId { source_port: port, ..SocketId::new_v4() };
                let (states, extensions) = (states.clone(), extensions.clone());
                message(&InetRequest { family, protocol: IPPROTO_TCP, extensions, states, socket_id })
            };
            vec![request(AF_INET), request(AF_INET6)]
        };
        let listeners = |port| tcp(StateFlags::LISTEN, port, ExtensionFlags::SKMEMINFO);
        let info = ExtensionFlags::INFO | ExtensionFlags::SKMEMINFO | ExtensionFlags::CONG;
        Ok(Self(match sort.split_once(':').unwrap_or((sort, "")) {
            ("tcp", "") => tcp(StateFlags::all(), 0, ExtensionFlags::empty()),
            ("tcp-info", "") => tcp(StateFlags::all(), 0, info),
            ("listeners", "") => listeners(0),
            ("listeners", port) => listeners(port.parse()?),
            ("unix", "") => vec![message(&UnixRequest {
                state_flags: unix::StateFlags::from_bits_retain(!0),
                inode: 0,
                show_flags: ShowFlags::NAME | ShowFlags::PEER | ShowFlags::RQLEN,
                cookie: [0xff; 8],
            })],
            _ => return Err(format!("there is no dump of '{sort}'").into()),
        }))
    }

    /// How many sockets the kernel shows.
    pub(crate) fn count(&self) -> io::Result<usize> {
        let socket = rustix::net::socket(AddressFamily::NETLINK, SocketType::DGRAM, Some(SOCK_DIAG))?;
        rustix::net::connect(&socket, &SocketAddrNetlink::new(0, 0))?;
        self.0.iter().try_fold(0, |sum, request| Ok(sum + exchange(&socket, request)?))
    }
}

fn message(request: &impl Emitable) -> Vec<u8> {
    let mut bytes = vec![0; HEADER + request.buffer_len()];
    let length = bytes.len() as u32;
    let mut message = NetlinkBuffer::new(bytes.as_mut_slice());
    message.set_length(length);
    message.set_message_type(SOCK_DIAG_BY_FAMILY);
    message.set_flags(NLM_F_REQUEST | NLM_F_DUMP);
    request.emit(message.payload_mut());
    bytes
}

fn exchange(socket: &OwnedFd, request: &[u8]) -> io::Result<usize> {
    rustix::net::send(socket, request, SendFlags::empty())?;
    let mut reply = vec![0; REPLY];
    let mut count = 0;
    loop {
        let (_, length) = rustix::net::recv(socket, reply.as_mut_slice(), RecvFlags::TRUNC)?;
        let mut rest = reply.get(..length).ok_or(io::ErrorKind::InvalidData)?;
        while !rest.is_empty() {
            let message = NetlinkBuffer::new_checked(rest).map_err(io::Error::other)?;
            match message.message_type() {
                NLMSG_DONE => return Ok(count),
                NLMSG_ERROR => return Err(io::Error::other("sock_diag refuses the dump")),
                _ => count += 1,
            }
            let next = message.length().next_multiple_of(NLMSG_ALIGNTO.into()) as usize;
            rest = rest.get(next..).unwrap_or_default();
        }
    }
}
