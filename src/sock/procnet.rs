//! The tables of `/proc/PID/net`: `proc_pid_net(5)`.

use super::protocol;
use super::request::{Request, States};
use crate::model::{AcceptQueue, Endpoint, Family, Inode, Socket, decimal, hex};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZero;
use std::path::Path;

/// One file of `/proc/PID/net`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Table {
    file: &'static str,
    family: Family,
}

const fn table(file: &'static str, family: Family) -> Table {
    Table { file, family }
}

impl Table {
    /// All tables, the likeliest first.
    pub(super) const ALL: &[Self] = &[
        table("unix", Family::Unix),
        table("tcp", Family::Tcp),
        table("tcp6", Family::Tcp6),
        table("udp", Family::Udp),
        table("udp6", Family::Udp6),
        table("netlink", Family::Netlink),
        table("packet", Family::Packet),
        table("raw", Family::Raw),
        table("raw6", Family::Raw6),
        table("icmp", Family::Ping),
        table("icmp6", Family::Ping6),
        table("udplite", Family::Udplite),
        table("udplite6", Family::Udplite6),
    ];

    /// The table that lists sockets of `family`, if there is one.
    pub(super) fn of(family: Family) -> Option<Self> {
        Self::ALL.iter().copied().find(|table| table.family == family)
    }

    /// The sockets of the table below `net` that are as asked for. `NotFound` where there is no
    /// such table: the kernel was built without that protocol, or the process has ended.
    pub(super) fn sockets(self, net: &Path, request: &Request) -> io::Result<Vec<Socket>> {
        let text = std::fs::read(net.join(self.file))?;
        let mut records = Records { table: self, rest: &text };
        records.next(); // the heading
        let port = request.port.map(NonZero::get);
        let state = |socket: &Socket| socket.state.and_then(States::of).unwrap_or(States::ALL);
        let wanted = |socket: &Socket| {
            state(socket).0 & request.states.0 != 0 && (port.is_none() || socket.port() == port)
        };
        Ok(records.filter_map(|record| self.parse(record)).filter(wanted).collect())
    }

    /// Whether a line is the start of a record, and not the rest of one: the path of a unix socket
    /// may have newlines in it. A path that has all that the kernel writes in it cannot be told from
    /// what the kernel writes.
    fn starts_record(self, line: &[u8]) -> bool {
        self.family != Family::Unix || starts_unix_record(line).is_some()
    }

    fn parse(self, line: &[u8]) -> Option<Socket> {
        match self.family {
            Family::Unix => unix(line),
            Family::Netlink => netlink(line),
            Family::Packet => packet(line),
            _ => inet(line, self.family),
        }
    }
}

/// The records of a table, each without the newline that ends it.
struct Records<'t> {
    table: Table,
    rest: &'t [u8],
}

impl<'t> Iterator for Records<'t> {
    type Item = &'t [u8];

    fn next(&mut self) -> Option<&'t [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let next = |&(at, line): &(usize, &[u8])| at > 0 && self.table.starts_record(line);
        let end = lines(self.rest).find(next).map_or(self.rest.len(), |(at, _)| at);
        let (record, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(record.strip_suffix(b"\n").unwrap_or(record))
    }
}

/// Whether the namespace has multipath sockets, by their count in `protocols`.
pub(super) fn has_multipath(net: &Path) -> Option<bool> {
    let text = std::fs::read(net.join("protocols")).ok()?;
    let mut lines = text.split(|&b| b == b'\n').map(words);
    Some(lines.any(|mut words| {
        matches!(words.next(), Some(b"MPTCP" | b"MPTCPv6"))
            && words.nth(1).and_then(decimal).is_some_and(|sockets| sockets > 0)
    }))
}

/// Lines with their starts.
fn lines(text: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut start = 0;
    text.split(|&b| b == b'\n').map(move |line| {
        let at = start;
        start += line.len() + 1;
        (at, line)
    })
}

fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|&b| b == b' ').filter(|w| !w.is_empty())
}

/// `0: 0100007F:1F90 00000000:0000 0A tx:rx tr:when retrnsmt uid timeout inode ref pointer drops`
fn inet(line: &[u8], family: Family) -> Option<Socket> {
    let mut words = words(line);
    let local = endpoint(words.nth(1)?)?;
    let remote = endpoint(words.next()?)?;
    let state = hex(words.next()?)?;
    let queues = words.next()?;
    let colon = queues.iter().position(|&b| b == b':')?;
    let uid = decimal(words.nth(2)?)?;
    let inode = decimal(words.nth(1)?)?;
    let tcp = matches!(family, Family::Tcp | Family::Tcp6);
    let state = if tcp { protocol::tcp_state(state) } else { protocol::datagram_state(state) };
    let recv_queue = hex(&queues[colon + 1..]);
    let listens = tcp && state == "listen";
    // Of a listener, this is how many connections wait. How many may, the table does not tell.
    let waiting = recv_queue.filter(|_| listens).map(|n| n as u32);
    Some(Socket {
        local: Some(local),
        remote: Some(remote),
        state: Some(state),
        send_queue: hex(&queues[..colon]).filter(|_| !listens),
        recv_queue,
        queue: waiting.map(|waiting| AcceptQueue { waiting, max: None, drops: None }),
        // Of what belongs to no file the kernel says 0.
        uid: Some(uid as u32).filter(|_| inode != 0),
        drops: if tcp { None } else { words.nth(2).and_then(decimal) },
        ..Socket::new(Inode(inode), family)
    })
}

/// `0100007F:1F90`: the address as words in the byte order of this machine, the port as a number.
fn endpoint(text: &[u8]) -> Option<Endpoint> {
    let colon = text.iter().position(|&b| b == b':')?;
    let port = hex(&text[colon + 1..])? as u16;
    let address = &text[..colon];
    let ip = match address.len() {
        8 => IpAddr::V4(Ipv4Addr::from((hex(address)? as u32).to_ne_bytes())),
        32 => {
            let mut bytes = [0; 16];
            for (word, digits) in bytes.chunks_mut(4).zip(address.chunks(8)) {
                word.copy_from_slice(&(hex(digits)? as u32).to_ne_bytes());
            }
            IpAddr::V6(Ipv6Addr::from(bytes))
        }
        _ => return None,
    };
    Some(Endpoint(SocketAddr::new(ip, port)))
}

/// `__SO_ACCEPTCON`: the socket listens.
const ACCEPTS: u64 = 1 << 16;

/// Whether a line has the columns of the table of unix sockets, each as wide as the kernel makes it.
fn starts_unix_record(line: &[u8]) -> Option<()> {
    let digits = |word: &[u8]| word.iter().all(u8::is_ascii_hexdigit).then_some(());
    let colon = line.iter().position(|&b| b == b':')?;
    let (address, mut rest) = line.split_at(colon);
    matches!(address.len(), 8 | 16).then_some(())?;
    digits(address)?;
    rest = rest.strip_prefix(b":")?;
    for width in [8, 8, 8, 4, 2] {
        let word;
        (word, rest) = rest.strip_prefix(b" ")?.split_at_checked(width)?;
        digits(word)?;
    }
    // The inode takes five columns, or as many as it needs.
    let rest = rest.strip_prefix(b" ")?;
    let inode = rest.trim_ascii_start();
    let length = inode.iter().take_while(|b| b.is_ascii_digit()).count();
    let blanks = rest.len() - inode.len();
    let is_wide = blanks + length == 5 || blanks == 0 && length > 5;
    (length > 0 && is_wide && matches!(inode.get(length), None | Some(b' '))).then_some(())
}

/// `00000000c4f3b81d: 00000003 00000000 00000000 0001 03  1135 /path with blanks`
fn unix(line: &[u8]) -> Option<Socket> {
    let mut words = words(line);
    let flags = hex(words.nth(3)?)?;
    let socket_type = hex(words.next()?)?;
    let state = hex(words.next()?)?;
    let inode_word = words.next()?;
    let inode = decimal(inode_word)?;
    // The path is all that follows one blank, whatever bytes it has.
    let end = inode_word.as_ptr() as usize - line.as_ptr() as usize + inode_word.len();
    let path = line.get(end + 1..).filter(|p| !p.is_empty());
    Some(Socket {
        socket_type: protocol::socket_type(socket_type),
        state: Some(protocol::unix_state(state, flags & ACCEPTS != 0)),
        path: path.map(<[u8]>::to_vec),
        ..Socket::new(Inode(inode), Family::Unix)
    })
}

/// `sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode`
fn netlink(line: &[u8]) -> Option<Socket> {
    let mut words = words(line);
    let number = decimal(words.nth(1)?)?;
    let port_id = decimal(words.next()?)?;
    let groups = hex(words.next()?);
    let recv_queue = decimal(words.next()?);
    let drops = decimal(words.nth(3)?);
    let inode = decimal(words.next()?)?;
    Some(Socket {
        protocol: Some(protocol::netlink(number).into_bytes()),
        port_id: Some(port_id as u32),
        groups,
        recv_queue,
        drops,
        ..Socket::new(Inode(inode), Family::Netlink)
    })
}

/// `sk RefCnt Type Proto Iface R Rmem User Inode`
fn packet(line: &[u8]) -> Option<Socket> {
    let mut words = words(line);
    let socket_type = decimal(words.nth(2)?)?;
    let ethernet = hex(words.next()?)?;
    let interface = decimal(words.next()?);
    let recv_queue = decimal(words.nth(1)?);
    let inode = decimal(words.nth(1)?)?;
    Some(Socket {
        socket_type: protocol::socket_type(socket_type),
        protocol: Some(protocol::ethernet(ethernet).into_bytes()),
        interface: interface.map(|i| i as u32),
        recv_queue,
        ..Socket::new(Inode(inode), Family::Packet)
    })
}

#[cfg(test)]
mod tests {
    use super::{Family, Request, Socket, Table, inet, netlink, packet, unix};

    #[test]
    fn a_tcp_listener() {
        let line = b"   0: 0100007F:07E8 00000000:0000 0A 00000002:00000003 00:00000000 00000000     0        0 1139 1 00000000025627f0 100 0 0 10 0                     ";
        let socket = inet(line, Family::Tcp).unwrap();
        assert_eq!(socket.inode.0, 1139);
        assert_eq!(socket.state, Some("listen"));
        assert_eq!((socket.send_queue, socket.recv_queue), (None, Some(3)));
        assert_eq!(socket.queue.unwrap().waiting, 3);
        if cfg!(target_endian = "little") {
            assert_eq!(socket.local.unwrap().to_string(), "127.0.0.1:2024");
        }
    }

    #[test]
    fn an_ipv6_address() {
        let line = b"   0: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 77 2 0000000000000000 5";
        let socket = inet(line, Family::Udp6).unwrap();
        if cfg!(target_endian = "little") {
            assert_eq!(socket.local.unwrap().to_string(), "[::1]:80");
        }
        assert_eq!(socket.drops, Some(5));
        assert_eq!(socket.state, Some("unconnected"));
    }

    fn read(table: &str, family: Family, text: &[u8]) -> Vec<Socket> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(table), text).unwrap();
        Table::of(family).unwrap().sockets(dir.path(), &Request::all(&[family])).unwrap()
    }

    #[test]
    fn what_has_no_inode_is_listed_too() {
        let text = b"heading\n\
            1: 0100007F:07E8 0100007F:0001 06 00000000:00000000 03:00000000 00000000     0        0 0 3 0\n\
            2: 0100007F:07E8 0100007F:0002 01 00000000:00000000 00:00000000 00000000     0        0 9 1 0\n\
            3: 0100007F:07E8 0100007F:0003 08 00000000:00000000 00:00000000 00000000  1000        0 7 1 0\n";
        let sockets = read("tcp", Family::Tcp, text);
        let seen: Vec<_> = sockets.iter().map(|s| (s.inode.0, s.state.unwrap(), s.uid)).collect();
        let expected = [(0, "time-wait", None), (9, "established", Some(0)), (7, "close-wait", Some(1000))];
        assert_eq!(seen, expected);
    }

    #[test]
    fn unix_paths_may_have_newlines() {
        let text = b"Num       RefCount Protocol Flags    Type St Inode Path\n\
            00000000c4f3b81d: 00000002 00000000 00010000 0001 01     7 /run/a\nb: c\n\
            00000000c4f3b81e: 00000002 00000000 00010000 0001 01     9 /run/d\n";
        let paths: Vec<_> = read("unix", Family::Unix, text).into_iter().map(|s| s.path.unwrap()).collect();
        assert_eq!(paths, [&b"/run/a\nb: c"[..], b"/run/d"]);
    }

    #[test]
    fn the_rest_of_a_path_is_no_record() {
        let good = "00000000c4f3b81e: 00000002 00000000 00010000 0001 01     9 /run/d";
        let feigned = [
            "00000000c4f3b81d: 1 1 10000 1 1 42 /run/evil",
            "00000000c4f3b81d: 00000002 00000000 00010000 0001 01 4242 /run/evil",
            "00000000c4f3b81d: 00000002 00000000 00010000 0001 01       4242 /run/evil",
            "00000000c4f3b81d: 00000002 00000000 00010000 0001 01 424242/run/evil",
            "00000000c4f3b81d: 00000002  00000000 00010000 0001 01 424242 /run/evil",
            "00000000c4f3b81d: 0000000g 00000000 00010000 0001 01 424242 /run/evil",
            "00000000c4f3b81d: ",
        ];
        for line in feigned {
            let text = format!(
                "Num       RefCount Protocol Flags    Type St Inode Path\n\
                 00000000c4f3b81d: 00000002 00000000 00010000 0001 01     7 @x\n{line}\n{good}\n"
            );
            let sockets = read("unix", Family::Unix, text.as_bytes());
            let paths: Vec<_> = sockets.into_iter().map(|s| s.path.unwrap()).collect();
            assert_eq!(paths, [format!("@x\n{line}").as_bytes(), b"/run/d"]);
        }
    }

    #[test]
    fn unix_paths_are_bytes() {
        let line = b"00000000c4f3b81d: 00000002 00000000 00010000 0001 01  1135 /run/a b\xff ";
        let socket = unix(line).unwrap();
        assert_eq!(socket.path.as_deref(), Some(&b"/run/a b\xff "[..]));
        assert_eq!(socket.state, Some("listen"));
        let nameless = b"00000000c4f3b81d: 00000003 00000000 00000000 0005 03  1136";
        let socket = unix(nameless).unwrap();
        assert_eq!((socket.path, socket.socket_type), (None, Some("seqpacket")));
    }

    #[test]
    fn netlink_and_packet() {
        let line =
            b"0000000077cd49fa 15  4294967295 00000001 0        0        0     2        9        484     ";
        let socket = netlink(line).unwrap();
        assert_eq!(socket.protocol.as_deref(), Some(&b"kobject-uevent"[..]));
        assert_eq!((socket.port_id, socket.drops, socket.inode.0), (Some(u32::MAX), Some(9), 484));
        let line = b"0000000049f17160 3      3    0003   2     1 0      0      9577  ";
        let socket = packet(line).unwrap();
        assert_eq!((socket.socket_type, socket.interface, socket.inode.0), (Some("raw"), Some(2), 9577));
    }

    #[test]
    fn nonsense_is_passed_over() {
        for line in [&b""[..], b"x", b"\xff\xff \xff", b"1: x y z"] {
            assert!(inet(line, Family::Tcp).is_none());
            assert!(unix(line).is_none());
            assert!(netlink(line).is_none());
            assert!(packet(line).is_none());
        }
    }
}
