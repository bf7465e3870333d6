//! A netlink socket that is connected to the kernel: a request, and its replies.

use crate::model::Inode;
use netlink_packet_core::{
    DecodeError, Emitable, NLM_F_ACK, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_MULTIPART, NLM_F_REQUEST,
    NLMSG_ALIGNTO, NLMSG_DONE, NLMSG_ERROR, NetlinkBuffer,
};
use netlink_packet_sock_diag::{SOCK_DESTROY, SOCK_DIAG_BY_FAMILY};
use rustix::fd::OwnedFd;
use rustix::io::{Errno, retry_on_intr};
use rustix::net::netlink::{SOCK_DIAG, SocketAddrNetlink};
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use std::io;
use std::time::Duration;

/// How long a reply may take to come.
pub(super) const TIMEOUT: Duration = Duration::from_secs(2);

/// No reply is longer: `netlink_dump` of the kernel fills what the reader has room for, up to this.
const REPLY: usize = 32 << 10;

/// How often a dump is begun before its table is taken to change all the time.
const ATTEMPTS: usize = 5;

const HEADER: usize = 16;

/// A connection to the kernel. Its buffers are kept from request to request.
#[derive(Debug)]
pub(super) struct Connection {
    socket: OwnedFd,
    sequence: u32,
    request: Vec<u8>,
    reply: Vec<u8>,
}

impl Connection {
    pub(super) fn open() -> io::Result<Self> {
        let (family, flags) = (AddressFamily::NETLINK, SocketFlags::CLOEXEC);
        let socket = rustix::net::socket_with(family, SocketType::DGRAM, flags, Some(SOCK_DIAG))?;
        // From here on nobody else can send to it.
        rustix::net::connect(&socket, &SocketAddrNetlink::new(0, 0))?;
        Self::over(socket, TIMEOUT)
    }

    /// The inode of our own socket.
    pub(super) fn inode(&self) -> io::Result<Inode> {
        Ok(Inode(rustix::fs::fstat(&self.socket)?.st_ino))
    }

    /// The name of a network interface, by its index, in the namespace that this is of.
    pub(super) fn interface(&self, index: u32) -> io::Result<String> {
        Ok(rustix::net::netdevice::index_to_name(&self.socket, index)?)
    }

    fn over(socket: OwnedFd, timeout: Duration) -> io::Result<Self> {
        set_socket_timeout(&socket, Timeout::Recv, Some(timeout))?;
        Ok(Self { socket, sequence: 0, request: Vec::new(), reply: vec![0; REPLY] })
    }

    /// Asks for one thing. The error of the kernel is `ENOENT` where it is not there.
    pub(super) fn ask<T>(
        &mut self,
        request: &impl Emitable,
        mut read: impl FnMut(&[u8]) -> Result<T, DecodeError>,
    ) -> io::Result<Option<T>> {
        let mut answer = None;
        self.exchange(SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, request, |message| {
            answer = Some(read(message)?);
            Ok(())
        })?;
        Ok(answer)
    }

    /// Has the kernel close the socket that the request names, `SOCK_DESTROY`.
    pub(super) fn destroy(&mut self, request: &impl Emitable) -> io::Result<()> {
        self.exchange(SOCK_DESTROY, NLM_F_REQUEST | NLM_F_ACK, request, |_| Ok(())).map(drop)
    }

    /// Asks for all things that the request matches, and adds those that `read` makes something
    /// of. A dump that the kernel marks as inconsistent, or
    /// of which a part is lost, is repeated.
    pub(super) fn dump<T>(
        &mut self,
        request: &impl Emitable,
        found: &mut Vec<T>,
        read: impl FnMut(&[u8]) -> Result<Option<T>, DecodeError>,
    ) -> io::Result<()> {
        self.dump_of(SOCK_DIAG_BY_FAMILY, request, found, read)
    }

    /// The same for a request of another kind, whose replies are of that kind too.
    pub(super) fn dump_of<T>(
        &mut self,
        kind: u16,
        request: &impl Emitable,
        found: &mut Vec<T>,
        mut read: impl FnMut(&[u8]) -> Result<Option<T>, DecodeError>,
    ) -> io::Result<()> {
        let before = found.len();
        for _ in 0..ATTEMPTS {
            let flags = NLM_F_REQUEST | NLM_F_DUMP;
            let consistent = self.exchange(kind, flags, request, |message| {
                found.extend(read(message)?);
                Ok(())
            });
            if matches!(consistent, Ok(true)) {
                return Ok(());
            }
            found.truncate(before);
            consistent?;
        }
        Err(io::Error::new(io::ErrorKind::ResourceBusy, "the sockets changed whenever they were listed"))
    }

    /// Sends a request and gives each reply to `each`; says whether they are consistent.
    fn exchange(
        &mut self,
        kind: u16,
        flags: u16,
        request: &impl Emitable,
        mut each: impl FnMut(&[u8]) -> Result<(), DecodeError>,
    ) -> io::Result<bool> {
        self.send(kind, flags, request)?;
        let mut consistent = true;
        let mut unreadable = None;
        loop {
            let length = match self.receive() {
                // There was no room for a reply; more may come, but that one is lost.
                Err(e) if e.raw_os_error() == Some(libc::ENOBUFS) => {
                    consistent = false;
                    continue;
                }
                length => length?,
            };
            let mut rest = &self.reply[..length];
            while !rest.is_empty() {
                let message = NetlinkBuffer::new_checked(rest).map_err(invalid)?;
                let next = message.length().next_multiple_of(NLMSG_ALIGNTO.into()) as usize;
                rest = rest.get(next..).unwrap_or_default();
                if message.sequence_number() != self.sequence {
                    continue; // of a request that was given up
                }
                consistent &= message.flags() & NLM_F_DUMP_INTR == 0;
                match message.message_type() {
                    NLMSG_DONE | NLMSG_ERROR => {
                        outcome(message.payload())?;
                        return unreadable.map_or(Ok(consistent), |e| Err(invalid(e)));
                    }
                    // The rest is taken even if it is of no use any more: the kernel begins no
                    // dump before the last has ended.
                    told if told == kind && unreadable.is_none() => {
                        unreadable = each(message.payload()).err()
                    }
                    _ => {}
                }
                if message.flags() & NLM_F_MULTIPART == 0 {
                    return unreadable.map_or(Ok(consistent), |e| Err(invalid(e)));
                }
            }
        }
    }

    fn send(&mut self, kind: u16, flags: u16, request: &impl Emitable) -> io::Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        let length = HEADER + request.buffer_len();
        self.request.clear();
        self.request.resize(length, 0);
        let mut message = NetlinkBuffer::new(self.request.as_mut_slice());
        message.set_length(length as u32);
        message.set_message_type(kind);
        message.set_flags(flags);
        message.set_sequence_number(self.sequence);
        request.emit(message.payload_mut());
        retry_on_intr(|| rustix::net::send(&self.socket, &self.request, SendFlags::empty()))?;
        Ok(())
    }

    /// Waits for a reply, and gives its length.
    fn receive(&mut self) -> io::Result<usize> {
        let received =
            retry_on_intr(|| rustix::net::recv(&self.socket, self.reply.as_mut_slice(), RecvFlags::TRUNC));
        match received {
            Ok((_, length)) if length > self.reply.len() => Err(invalid(
                format!("a reply of {length} bytes, which is more than there is room for").into(),
            )),
            Ok((_, 0)) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok((_, length)) => Ok(length),
            Err(Errno::AGAIN) => Err(io::Error::new(io::ErrorKind::TimedOut, "no reply of sock_diag")),
            Err(error) => Err(error.into()),
        }
    }
}

/// The payload of the last message begins with the negated errno, or 0.
fn outcome(payload: &[u8]) -> io::Result<()> {
    match payload.first_chunk().map_or(0, |&bytes| i32::from_ne_bytes(bytes)) {
        errno @ ..0 => Err(io::Error::from_raw_os_error(errno.wrapping_neg())),
        _ => Ok(()),
    }
}

fn invalid(error: DecodeError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("cannot read a reply of sock_diag: {error}"))
}

#[cfg(test)]
mod tests {
    use super::{ATTEMPTS, Connection, SOCK_DIAG_BY_FAMILY};
    use netlink_packet_core::{
        DecodeError, NLM_F_DUMP_INTR, NLM_F_MULTIPART, NLMSG_DONE, NLMSG_ERROR, NetlinkBuffer,
    };
    use netlink_packet_sock_diag::unix::{ShowFlags, StateFlags, UnixRequest};
    use rustix::fd::OwnedFd;
    use rustix::io::Errno;
    use rustix::net::netlink::{SocketAddrNetlink, USERSOCK};
    use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType};
    use std::io;
    use std::time::Duration;

    /// What stands in for the kernel: its replies are there before it is asked.
    struct Script {
        connection: Connection,
        kernel: OwnedFd,
    }

    impl Script {
        fn new(timeout: Duration) -> Self {
            let (ours, kernel) = rustix::net::socketpair(
                AddressFamily::UNIX,
                SocketType::SEQPACKET,
                SocketFlags::CLOEXEC,
                None,
            )
            .unwrap();
            Self { connection: Connection::over(ours, timeout).unwrap(), kernel }
        }

        fn reply(&self, parts: &[Vec<u8>]) {
            rustix::net::send(&self.kernel, &parts.concat(), SendFlags::empty()).unwrap();
        }

        fn dump(&mut self) -> io::Result<Vec<u8>> {
            let mut found = vec![0xee];
            self.connection.dump(&request(), &mut found, first_byte).map(|()| found)
        }

        fn ask(&mut self) -> io::Result<Option<u8>> {
            self.connection.ask(&request(), first_byte).map(Option::flatten)
        }
    }

    fn request() -> UnixRequest {
        let none = (StateFlags::empty(), ShowFlags::empty());
        UnixRequest { state_flags: none.0, inode: 0, show_flags: none.1, cookie: [0; 8] }
    }

    /// Passes over 0, and cannot read 255.
    fn first_byte(message: &[u8]) -> Result<Option<u8>, DecodeError> {
        match message[0] {
            0 => Ok(None),
            255 => Err("255".into()),
            byte => Ok(Some(byte)),
        }
    }

    fn message(kind: u16, flags: u16, sequence: u32, payload: &[u8]) -> Vec<u8> {
        let length = 16 + payload.len();
        let mut bytes = vec![0; length.next_multiple_of(4)];
        let mut message = NetlinkBuffer::new(&mut bytes[..]);
        message.set_length(length as u32);
        message.set_message_type(kind);
        message.set_flags(flags);
        message.set_sequence_number(sequence);
        message.payload_mut().copy_from_slice(payload);
        bytes
    }

    fn part(sequence: u32, byte: u8) -> Vec<u8> {
        message(SOCK_DIAG_BY_FAMILY, NLM_F_MULTIPART, sequence, &[byte])
    }

    fn done(sequence: u32, errno: i32) -> Vec<u8> {
        message(NLMSG_DONE, NLM_F_MULTIPART, sequence, &(-errno).to_ne_bytes())
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_dump_ends_when_the_kernel_says_so_and_keeps_what_was_found_before() {
        let mut script = Script::new(LONG);
        script.reply(&[part(1, 1), part(1, 0), part(1, 2)]);
        script.reply(&[part(1, 3), done(1, 0)]);
        assert_eq!(script.dump().unwrap(), [0xee, 1, 2, 3]);
    }

    #[test]
    fn replies_to_another_request_are_passed_over() {
        let mut script = Script::new(LONG);
        script.reply(&[part(7, 9), done(7, 0)]);
        script.reply(&[part(1, 1), done(1, 0)]);
        assert_eq!(script.dump().unwrap(), [0xee, 1]);
    }

    #[test]
    fn an_inconsistent_dump_is_repeated() {
        let mut script = Script::new(LONG);
        script.reply(&[message(SOCK_DIAG_BY_FAMILY, NLM_F_MULTIPART | NLM_F_DUMP_INTR, 1, &[1])]);
        script.reply(&[done(1, 0)]);
        script.reply(&[part(2, 2), done(2, 0)]);
        assert_eq!(script.dump().unwrap(), [0xee, 2]);
        for sequence in 3..3 + ATTEMPTS as u32 {
            let interrupted = NLM_F_MULTIPART | NLM_F_DUMP_INTR;
            script.reply(&[part(sequence, 1), message(NLMSG_DONE, interrupted, sequence, &[0; 4])]);
        }
        assert_eq!(script.dump().unwrap_err().kind(), io::ErrorKind::ResourceBusy);
    }

    /// A reader for whom there is no room, as the kernel has it: it gets `ENOBUFS` first, and then
    /// what was there before.
    #[test]
    fn a_dump_of_which_a_part_is_lost_is_repeated() {
        let new = || {
            let flags = SocketFlags::CLOEXEC;
            rustix::net::socket_with(AddressFamily::NETLINK, SocketType::DGRAM, flags, Some(USERSOCK))
                .unwrap()
        };
        let group = 1 << (std::process::id() % 32);
        let (ours, kernel) = (new(), new());
        rustix::net::sockopt::set_socket_recv_buffer_size(&ours, 4096).unwrap();
        rustix::net::bind(&ours, &SocketAddrNetlink::new(0, group)).unwrap();
        rustix::net::bind(&kernel, &SocketAddrNetlink::new(0, 0)).unwrap();
        rustix::net::connect(&ours, &rustix::net::getsockname(&kernel).unwrap()).unwrap();
        let reply = |parts: &[Vec<u8>]| {
            // Its groups get it, and then it is refused by the kernel's end, which there is none of.
            let to = SocketAddrNetlink::new(0, group);
            let sent = rustix::net::sendto(&kernel, &parts.concat(), SendFlags::empty(), &to);
            assert!(matches!(sent, Ok(_) | Err(Errno::CONNREFUSED)), "{sent:?}");
        };
        reply(&[part(1, 1), done(1, 0)]);
        reply(&[part(2, 2), done(2, 0)]);
        for _ in 0..100 {
            reply(&[message(SOCK_DIAG_BY_FAMILY, NLM_F_MULTIPART, 99, &[9; 512])]);
        }
        let mut connection = Connection::over(ours, LONG).unwrap();
        let mut found = vec![0xee];
        connection.dump(&request(), &mut found, first_byte).unwrap();
        assert_eq!(found, [0xee, 2]);
    }

    #[test]
    fn errors_are_those_of_the_kernel() {
        let mut script = Script::new(LONG);
        script.reply(&[message(NLMSG_ERROR, 0, 1, &(-libc::ENOENT).to_ne_bytes())]);
        assert_eq!(script.ask().unwrap_err().raw_os_error(), Some(libc::ENOENT));
        script.reply(&[part(2, 1), done(2, libc::EPERM)]);
        assert_eq!(script.dump().unwrap_err().raw_os_error(), Some(libc::EPERM));
        // Not one that a kernel would give, and no reason to panic.
        script.reply(&[message(NLMSG_ERROR, 0, 3, &i32::MIN.to_ne_bytes())]);
        assert!(script.ask().is_err());
    }

    #[test]
    fn an_answer_is_one_message() {
        let mut script = Script::new(LONG);
        script.reply(&[message(SOCK_DIAG_BY_FAMILY, 0, 1, &[5])]);
        assert_eq!(script.ask().unwrap(), Some(5));
        script.reply(&[message(NLMSG_DONE, 0, 2, &[])]);
        assert_eq!(script.ask().unwrap(), None);
    }

    #[test]
    fn what_cannot_be_read_is_an_error_once_the_dump_has_ended() {
        let mut script = Script::new(LONG);
        script.reply(&[part(1, 1), part(1, 255)]);
        script.reply(&[part(1, 2), done(1, 0)]);
        let error = script.dump().unwrap_err();
        assert_eq!(error.to_string(), "cannot read a reply of sock_diag: 255");
        script.reply(&[part(2, 3), done(2, 0)]);
        assert_eq!(script.dump().unwrap(), [0xee, 3]);
    }

    #[test]
    fn nonsense_is_an_error() {
        let replies: [&[u8]; 4] =
            [&[1], &[0; 16], &[0xff; 16], &[17, 0, 0, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]];
        for reply in replies {
            let mut script = Script::new(LONG);
            script.reply(&[reply.to_vec()]);
            assert_eq!(script.dump().unwrap_err().kind(), io::ErrorKind::InvalidData, "{reply:?}");
        }
        let mut script = Script::new(LONG);
        script.reply(&[vec![0; 40_000]]);
        assert_eq!(script.ask().unwrap_err().kind(), io::ErrorKind::InvalidData);
        drop(script.kernel);
        assert!(script.connection.dump(&request(), &mut Vec::new(), first_byte).is_err());
    }

    #[test]
    fn no_reply_is_an_error_and_no_wait_for_ever() {
        let mut script = Script::new(Duration::from_millis(1));
        assert_eq!(script.ask().unwrap_err().kind(), io::ErrorKind::TimedOut);
        script.reply(&[part(2, 1)]);
        assert_eq!(script.dump().unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
