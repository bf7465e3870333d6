//! Receiving and sending on a connected socket, of streams and of messages alike.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, Result, ioctl_fionread, retry_on_intr};
use rustix::net::{
    RecvAncillaryBuffer, RecvFlags, ReturnFlags, SendFlags, SocketType, recvmsg, send, sockopt,
};
use std::io::IoSliceMut;
use std::os::fd::BorrowedFd;

/// Receives what is there, or a message; `None` at the end of the stream. A message may be empty.
///
/// # Errors
///
/// Those of `recvmsg(2)`, and `EMSGSIZE` where a message was longer than the buffer: its rest is
/// lost.
pub(super) fn receive(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> Result<Option<usize>> {
    // No room for ancillary data, so that fds which a unix peer passes are closed at once.
    let message = recvmsg(
        socket,
        &mut [IoSliceMut::new(buffer)],
        &mut RecvAncillaryBuffer::default(),
        RecvFlags::empty(),
    )?;
    if message.flags.contains(ReturnFlags::TRUNC) {
        return Err(Errno::MSGSIZE);
    }
    if message.bytes == 0 && ended(socket)? {
        return Ok(None);
    }
    Ok(Some(message.bytes))
}

/// Whether nothing received is the end, and not an empty message.
fn ended(socket: BorrowedFd<'_>) -> Result<bool> {
    if sockopt::socket_type(socket)? != SocketType::SEQPACKET {
        return Ok(true);
    }
    // In this order: once the peer has ended, no message can come to those that wait. Only empty
    // ones among the last are not told from the end, which looks the same in every way.
    let mut state = [PollFd::from_borrowed_fd(socket, PollFlags::RDHUP)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    let is_over = retry_on_intr(|| poll(&mut state, Some(&now)))? > 0;
    Ok(is_over && ioctl_fionread(socket)? == 0)
}

/// Sends some of a stream's bytes, or a whole message.
pub(super) fn give(socket: BorrowedFd<'_>, bytes: &[u8]) -> Result<usize> {
    send(socket, bytes, SendFlags::NOSIGNAL)
}

/// What is still to be sent. It has allocated nothing where that is nothing.
#[derive(Debug, Default)]
pub(super) struct Unsent {
    bytes: Option<Vec<u8>>,
    sent: usize,
}

impl Unsent {
    /// Nothing else may be unsent. An empty message is something.
    pub(super) fn keep(&mut self, bytes: Vec<u8>) {
        debug_assert!(self.is_none(), "bytes are lost");
        *self = Self { bytes: Some(bytes), sent: 0 };
    }

    pub(super) fn is_none(&self) -> bool {
        self.bytes.is_none()
    }

    /// Sends once, and gives how much was sent.
    pub(super) fn send(&mut self, socket: BorrowedFd<'_>) -> Result<usize> {
        let Some(bytes) = &self.bytes else { return Ok(0) };
        let sent = give(socket, &bytes[self.sent..])?;
        self.sent += sent;
        if self.sent == bytes.len() {
            *self = Self::default();
        }
        Ok(sent)
    }
}
