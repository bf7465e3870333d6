//! FILTER: which sockets are meant, by one of their ends.

use crate::commands::names;
use crate::model::{Escape, Family, Socket, escape};
use clap::builder::{ValueParser, ValueParserFactory};
use std::fmt::Write as _;
use std::net::IpAddr;
use std::num::NonZero;
use std::str::FromStr;

/// A pattern that an end of a socket matches or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    /// An address, or a network, and ports; and the interface that the socket is bound to.
    Inet { network: Option<Network>, interface: Option<Vec<u8>>, ports: Option<Ports> },
    /// A path or an abstract name with `@` in front; whatever begins so, where a `*` stood behind.
    Unix { name: Vec<u8>, prefix: bool },
    /// An address of `vsock(7)`; `None` for any.
    Vsock(Option<u32>, Option<u32>),
}

/// Addresses that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Network {
    address: IpAddr,
    bits: u8,
}

/// A port, or all from one to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ports {
    first: u16,
    last: u16,
}

impl Pattern {
    /// A pattern of any bytes: names of unix sockets need not be UTF-8.
    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        if let Ok(text) = std::str::from_utf8(bytes) {
            return text.parse();
        }
        let name = bytes.strip_prefix(b"unix:").or_else(|| bytes.starts_with(b"/").then_some(bytes));
        let name = name.or_else(|| bytes.starts_with(b"@").then_some(bytes));
        let Some(name) = name else {
            return Err(
                "only the names of unix sockets, unix:PATH, /PATH and @NAME, may be no UTF-8".to_owned()
            );
        };
        let (name, prefix) = name.strip_suffix(b"*").map_or((name, false), |name| (name, true));
        Ok(Self::Unix { name: name.to_vec(), prefix })
    }
}

impl ValueParserFactory for Pattern {
    type Parser = ValueParser;

    fn value_parser() -> ValueParser {
        names::parser(Self::from_bytes)
    }
}

impl FromStr for Pattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = |reason: &str| {
            format!(
                "{reason}; a FILTER is ADDRESS, ADDRESS:PORT, :PORT, NETWORK/BITS, [IPV6]:PORT, unix:PATH, /PATH, \
                 @NAME or vsock:CID:PORT"
            )
        };
        if let Some(vsock) = text.strip_prefix("vsock:") {
            let (cid, port) = vsock.split_once(':').unwrap_or((vsock, "*"));
            let number = |text: &str| match text {
                "*" | "" => Ok(None),
                digits => {
                    digits.parse().map(Some).map_err(|_| bad(&format!("'{digits}' is no number of vsock")))
                }
            };
            return Ok(Self::Vsock(number(cid)?, number(port)?));
        }
        let name = text.strip_prefix("unix:").or_else(|| text.starts_with(['/', '@']).then_some(text));
        if let Some(name) = name {
            if name.is_empty() {
                return Err(bad("behind 'unix:' comes a path, or @ and a name"));
            }
            let (name, prefix) = name.strip_suffix('*').map_or((name, false), |name| (name, true));
            return Ok(Self::Unix { name: name.as_bytes().to_vec(), prefix });
        }
        let (address, ports) = split(text).map_err(|reason| bad(&reason))?;
        let (address, interface) = match address.split_once('%') {
            Some((_, "")) => return Err(bad("behind % comes the name of an interface")),
            Some((address, interface)) => (address, Some(interface.as_bytes().to_vec())),
            None => (address, None),
        };
        let network = match address {
            "" | "*" => None,
            address => Some(network(address).map_err(|reason| bad(&reason))?),
        };
        let ports = match ports {
            None | Some("*") => None,
            Some(ports) => Some(range(ports).map_err(|reason| bad(&reason))?),
        };
        if network.is_none() && interface.is_none() && ports.is_none() && text != "*" {
            return Err(bad("nothing is said"));
        }
        Ok(Self::Inet { network, interface, ports })
    }
}

/// The address and what stands behind the colon.
fn split(text: &str) -> Result<(&str, Option<&str>), String> {
    if let Some(rest) = text.strip_prefix('[') {
        let (address, behind) = rest.split_once(']').ok_or_else(|| format!("'{text}' lacks a ]"))?;
        return match behind.strip_prefix(':') {
            Some(ports) => Ok((address, Some(ports))),
            None if behind.is_empty() => Ok((address, None)),
            None => Err(format!("'{behind}' behind the address is not a colon and a port")),
        };
    }
    match text.matches(':').count() {
        0 => Ok((text, None)),
        1 => Ok(text.split_once(':').map(|(address, ports)| (address, Some(ports))).unwrap_or((text, None))),
        // Without brackets, it is all address.
        _ => Ok((text, None)),
    }
}

fn network(text: &str) -> Result<Network, String> {
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let address: IpAddr = address.parse().map_err(|_| {
        if address.bytes().all(|b| b.is_ascii_digit()) {
            format!("'{address}' is not an address; a port has a colon in front: ':{address}'")
        } else {
            format!("'{address}' is not an IP address")
        }
    })?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = match bits {
        None => most,
        Some(bits) => bits
            .parse()
            .ok()
            .filter(|&n| n <= most)
            .ok_or_else(|| format!("'/{bits}' is not a number of bits from 0 to {most}"))?,
    };
    Ok(Network { address, bits })
}

/// The value of `--port`.
pub(super) fn port(text: &str) -> Result<NonZero<u16>, String> {
    text.parse().map_err(|_| "a port is a number from 1 to 65535".to_owned())
}

fn range(text: &str) -> Result<Ports, String> {
    let port = |text: &str| {
        let digits = text.bytes().all(|b| b.is_ascii_digit());
        let number = digits.then(|| text.parse().ok()).flatten();
        number.ok_or_else(|| format!("'{text}' is not a port from 0 to 65535"))
    };
    let (first, last) = match text.split_once('-') {
        Some((first, last)) => (port(first)?, port(last)?),
        None => (port(text)?, port(text)?),
    };
    if first > last {
        return Err(format!("ports are from the lower to the higher, not {text}"));
    }
    Ok(Ports { first, last })
}

impl Network {
    fn holds(self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.bits)).unwrap_or(0);
                (own.to_bits() ^ other.to_bits()) & mask == 0
            }
            (IpAddr::V6(own), _) => {
                let IpAddr::V6(other) = address else { return false };
                let mask = u128::MAX.checked_shl(128 - u32::from(self.bits)).unwrap_or(0);
                (own.to_bits() ^ other.to_bits()) & mask == 0
            }
            _ => false,
        }
    }
}

/// One end of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Local,
    Remote,
}

impl Pattern {
    /// Whether one end of a socket is meant. `unix` is the name that the socket at the other end of a
    /// unix socket is bound to, `device` the interface that it is bound to itself.
    pub(super) fn matches(&self, socket: &Socket, side: Side, unix: Option<&[u8]>, device: &[u8]) -> bool {
        match self {
            Self::Inet { network, interface, ports } => {
                let end = if side == Side::Local { socket.local } else { socket.remote };
                end.is_some_and(|end| {
                    let port = end.0.port();
                    // What is not connected has no other end.
                    (side == Side::Local || !end.is_unset())
                        && interface.as_ref().is_none_or(|interface| interface == device)
                        && network.is_none_or(|network| network.holds(end.0.ip()))
                        // What stands for a port in a raw socket is none.
                        && ports.is_none_or(|ports| {
                            socket.port().is_some() && (ports.first..=ports.last).contains(&port)
                        })
                })
            }
            Self::Unix { name, prefix } => {
                let end = if side == Side::Local { socket.path.as_deref() } else { unix };
                socket.family == Family::Unix
                    && end.is_some_and(|end| {
                        let is = |end: &[u8]| if *prefix { end.starts_with(name) } else { end == name };
                        // Or as it is shown, from where it may have been copied.
                        let shown = |how| is(escape(end, how).as_bytes());
                        is(end)
                            || name.contains(&b'\\')
                                && [Escape::Table, Escape::Tsv, Escape::Json].into_iter().any(shown)
                    })
            }
            Self::Vsock(cid, port) => socket.vsock.is_some_and(|(local, remote)| {
                let end = if side == Side::Local { local } else { remote };
                cid.is_none_or(|cid| cid == end.cid) && port.is_none_or(|port| port == end.port)
            }),
        }
    }

    /// Which families it can be about at all.
    pub(super) fn takes(&self, family: Family) -> bool {
        match (self, family) {
            (Self::Unix { .. }, family) => family == Family::Unix,
            (Self::Vsock(..), family) => family == Family::Vsock,
            (Self::Inet { .. }, family) => {
                !matches!(family, Family::Unix | Family::Vsock | Family::Netlink | Family::Packet)
            }
        }
    }
}

/// A list of words for a message: `a, b and c`.
pub(super) fn listed(words: &[String]) -> String {
    let mut text = String::new();
    for (nth, word) in words.iter().enumerate() {
        let before = match nth {
            0 => "",
            _ if nth + 1 == words.len() => " and ",
            _ => ", ",
        };
        let _ = write!(text, "{before}{word}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Pattern, Side, listed};
    use crate::model::{Endpoint, Family, Inode, Socket, VsockAddress};

    fn matches(pattern: &str, local: &str, remote: &str) -> (bool, bool) {
        let end = |text: &str| Some(Endpoint(text.parse().unwrap()));
        let socket = Socket { local: end(local), remote: end(remote), ..Socket::new(Inode(1), Family::Tcp) };
        let pattern: Pattern = pattern.parse().unwrap();
        (pattern.matches(&socket, Side::Local, None, b""), pattern.matches(&socket, Side::Remote, None, b""))
    }

    #[test]
    fn addresses_networks_and_ports() {
        let of = |pattern| matches(pattern, "127.0.0.1:80", "10.1.2.3:5000");
        assert_eq!(of("127.0.0.1"), (true, false));
        assert_eq!(of("127.0.0.1:81"), (false, false));
        assert_eq!(of(":80"), (true, false));
        assert_eq!(of("*:4999-5001"), (false, true));
        assert_eq!(of("10.0.0.0/8"), (false, true));
        assert_eq!(of("10.0.0.0/8:5000"), (false, true));
        assert_eq!(of("0.0.0.0/0"), (true, true));
        assert_eq!(of("::/0"), (false, false));
        let six = |pattern| matches(pattern, "[fe80::1]:80", "[::ffff:10.1.2.3]:5000");
        assert_eq!(six("fe80::/10"), (true, false));
        assert_eq!(six("[fe80::1]:80"), (true, false));
        assert_eq!(six("10.1.2.3:5000"), (false, true), "IPv4 in IPv6");
        assert_eq!(matches("0.0.0.0", "0.0.0.0:80", "0.0.0.0:0"), (true, false));
    }

    #[test]
    fn interfaces() {
        let end = |text: &str| Some(Endpoint(text.parse().unwrap()));
        let socket = Socket { local: end("[fe80::1]:80"), ..Socket::new(Inode(1), Family::Tcp6) };
        let of = |text: &str| text.parse::<Pattern>().unwrap().matches(&socket, Side::Local, None, b"eth0");
        assert!(of("[fe80::1%eth0]:80") && of("fe80::1%eth0") && of("*%eth0") && of("fe80::1"));
        assert!(!of("[fe80::1%eth1]:80") && !of("fe80::2%eth0"));
        assert!("fe80::1%".parse::<Pattern>().unwrap_err().contains("the name of an interface"));
    }

    #[test]
    fn a_protocol_is_no_port() {
        let end = |text: &str| Some(Endpoint(text.parse().unwrap()));
        let socket = Socket { local: end("127.0.0.1:6"), ..Socket::new(Inode(1), Family::Raw) };
        let of = |text: &str| text.parse::<Pattern>().unwrap().matches(&socket, Side::Local, None, b"");
        assert!(of("127.0.0.1") && !of(":6") && !of("127.0.0.1:6"));
    }

    #[test]
    fn names_of_unix_sockets() {
        let socket = Socket { path: Some(b"/run/a.sock".to_vec()), ..Socket::new(Inode(1), Family::Unix) };
        let local = |text: &str| text.parse::<Pattern>().unwrap().matches(&socket, Side::Local, None, b"");
        assert!(local("/run/a.sock") && local("unix:/run/a.sock") && local("/run/*"));
        assert!(!local("/run") && !local("@a") && !local("/run/a.sock/"));
        let remote: Pattern = "@x".parse().unwrap();
        assert!(remote.matches(&socket, Side::Remote, Some(b"@x"), b""));
        assert!(!remote.matches(&socket, Side::Remote, None, b""));
    }

    #[test]
    fn names_of_unix_sockets_as_they_are_shown_and_of_any_bytes() {
        let name = b"@ab\x00c\nd\xff\\e".to_vec();
        let socket = Socket { path: Some(name.clone()), ..Socket::new(Inode(1), Family::Unix) };
        let of = |bytes: &[u8]| Pattern::from_bytes(bytes).unwrap().matches(&socket, Side::Local, None, b"");
        assert!(of(&name) && of(br"@ab\x00c\nd\xff\\e") && of(br"@ab\x00c\n*") && of(b"@ab\x00c\nd\xff*"));
        assert!(!of(br"@ab\x00c\n") && !of(b"@ab\x00c\nd\xfe*") && !of(br"@ab\x01*"));
        assert!(Pattern::from_bytes(b"\xff:80").unwrap_err().contains("only the names of unix sockets"));
    }

    #[test]
    fn vsock() {
        let address = |cid, port| VsockAddress { cid, port };
        let socket =
            Socket { vsock: Some((address(2, 9), address(3, 1024))), ..Socket::new(Inode(1), Family::Vsock) };
        let of = |text: &str| text.parse::<Pattern>().unwrap().matches(&socket, Side::Remote, None, b"");
        assert!(of("vsock:3:1024") && of("vsock:3") && of("vsock:*:1024"));
        assert!(!of("vsock:2") && !of("vsock:3:9"));
    }

    #[test]
    fn what_is_no_filter_is_told() {
        let told = |text: &str| text.parse::<Pattern>().unwrap_err();
        assert!(told("80").contains("a port has a colon in front: ':80'"));
        assert!(told("localhost").contains("'localhost' is not an IP address"));
        assert!(told(":65536").contains("'65536' is not a port"));
        assert!(told(":90-80").contains("lower to the higher"));
        assert!(told("10.0.0.0/33").contains("from 0 to 32"));
        assert!(told("[::1").contains("lacks a ]"));
        for text in ["", ":", "[::1]80", ":+80", "unix:", "vsock:x", "1.2.3.4:http"] {
            assert!(told(text).contains("a FILTER is"), "{text:?}");
        }
    }

    #[test]
    fn lists_read_well() {
        let of = |words: &[&str]| listed(&words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>());
        assert_eq!((of(&[]), of(&["a"])), (String::new(), "a".to_owned()));
        assert_eq!((of(&["a", "b"]), of(&["a", "b", "c"])), ("a and b".to_owned(), "a, b and c".to_owned()));
    }
}
