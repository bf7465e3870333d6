//! Sockets between machines and their hosts: `linux/vm_sockets_diag.h`.

use super::attributes::{header, number};
use super::plain::Request;
use crate::model::{Family, Inode, Socket, VsockAddress};
use crate::sock::protocol;
use netlink_packet_core::DecodeError;

/// `struct vsock_diag_msg`.
const HEADER: usize = 32;

/// Asks for all vsock sockets in these states, `1 << TCP_*`.
pub(super) fn all(states: u32) -> Request<24> {
    Request::new(libc::AF_VSOCK, 0).with(4, states)
}

pub(super) fn socket(message: &[u8]) -> Result<Socket, DecodeError> {
    let head: &[u8; HEADER] = header(message)?;
    let word = |nth| number(head, nth).unwrap_or(0);
    let address = |nth| VsockAddress { cid: word(nth), port: word(nth + 1) };
    Ok(Socket {
        socket_type: protocol::socket_type(head[1].into()),
        state: Some(protocol::tcp_state(head[2].into())),
        shutdown: Some(head[3]),
        vsock: Some((address(1), address(3))),
        cookie: Some(u64::from(word(6)) | u64::from(word(7)) << 32),
        ..Socket::new(Inode(word(5).into()), Family::Vsock)
    })
}

#[cfg(test)]
mod tests {
    use super::socket;
    use crate::model::Inode;

    /// By the header file: this kernel was built without it.
    #[test]
    fn a_listener() {
        let numbers: [u32; 7] = [u32::MAX, 1024, u32::MAX, u32::MAX, 77, 5, 0];
        let mut message = vec![40, 1, 10, 0];
        message.extend(numbers.iter().flat_map(|n| n.to_ne_bytes()));
        let found = socket(&message).unwrap();
        assert_eq!(
            (found.inode, found.state, found.socket_type),
            (Inode(77), Some("listen"), Some("stream"))
        );
        let (local, remote) = found.vsock.unwrap();
        assert_eq!((local.to_string().as_str(), remote.is_unset()), ("*:1024", true));
        assert_eq!(found.cookie, Some(5));
        assert!(socket(&message[..31]).is_err());
    }
}
