//! Addresses as users write them.

use super::socket_address::SocketAddress;
use crate::model::{Escape, escape};
use std::ffi::OsStr;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, ToSocketAddrs as _};
use std::os::unix::ffi::OsStrExt as _;

/// What can be listened on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    text: String,
    place: Place,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// Every address of the machine.
    Any(u16),
    Ip(SocketAddr),
    /// A host's name, to be looked up.
    Name(String, u16),
    /// A unix or vsock address, which is what it is.
    Exact(SocketAddress),
}

/// The most bytes of a socket file's path: `sun_path` less the NUL.
const LONGEST_PATH: usize = 107;
/// The most bytes of an abstract name: `sun_path` less the NUL in front.
const LONGEST_NAME: usize = 107;

impl Address {
    /// Reads an address.
    pub fn parse(text: &OsStr) -> Result<Self, String> {
        let lossy = text.to_string_lossy().into_owned();
        let place = match text.as_bytes().strip_prefix(b"unix:") {
            Some(name) => unix(name)?,
            None => {
                let text = text.to_str().ok_or("only the path of a unix: address may be other than UTF-8")?;
                match text.strip_prefix("vsock:") {
                    Some(rest) => vsock(rest)?,
                    None => inet(text.strip_prefix("tcp:").unwrap_or(text))?,
                }
            }
        };
        Ok(Self { text: lossy, place })
    }

    /// As it was written; bytes that are not UTF-8 are lost.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it is a TCP address.
    pub fn is_tcp(&self) -> bool {
        !matches!(self.place, Place::Exact(_))
    }

    /// Whether it is an address of IPv4, and no name that may have others.
    pub fn is_ipv4(&self) -> bool {
        matches!(self.place, Place::Ip(address) if address.is_ipv4())
    }

    /// Whether it is a unix socket.
    pub fn is_unix(&self) -> bool {
        matches!(self.place, Place::Exact(SocketAddress::Path(_) | SocketAddress::Abstract(_)))
    }

    /// The path of the socket file, if it is one.
    pub fn path(&self) -> Option<&[u8]> {
        if let Place::Exact(SocketAddress::Path(path)) = &self.place { Some(path) } else { None }
    }

    /// The addresses to try, the first that this machine has being the one.
    pub fn candidates(&self, v6_only: bool) -> Result<Vec<SocketAddress>, String> {
        let all = match &self.place {
            Place::Exact(address) => return Ok(vec![address.clone()]),
            Place::Ip(address) => vec![*address],
            Place::Any(port) => {
                let any = |ip: IpAddr| SocketAddr::new(ip, *port);
                vec![any(Ipv6Addr::UNSPECIFIED.into()), any(Ipv4Addr::UNSPECIFIED.into())]
            }
            Place::Name(name, port) => (name.as_str(), *port)
                .to_socket_addrs()
                .map_err(|e| {
                    let name = escape(name.as_bytes(), Escape::Table);
                    format!("the name '{name}' has no address: {e}")
                })?
                .collect(),
        };
        let fitting: Vec<_> =
            all.into_iter().filter(|a| !v6_only || a.is_ipv6()).map(SocketAddress::Inet).collect();
        if fitting.is_empty() {
            let text = escape(self.text.as_bytes(), Escape::Table);
            return Err(format!("{text}: --v6-only is for IPv6 addresses"));
        }
        Ok(fitting)
    }
}

fn unix(name: &[u8]) -> Result<Place, String> {
    let address = match name.split_first() {
        None => return Err("unix: wants a path, or @ and an abstract name, behind it".to_owned()),
        Some((b'@', [])) => return Err("an abstract name has at least one byte behind the @".to_owned()),
        Some((b'@', rest)) => {
            too_long(rest, LONGEST_NAME, "abstract name")?;
            SocketAddress::Abstract(rest.to_vec())
        }
        Some(_) => {
            too_long(name, LONGEST_PATH, "path of a socket")?;
            SocketAddress::Path(name.to_vec())
        }
    };
    Ok(Place::Exact(address))
}

fn too_long(name: &[u8], most: usize, what: &str) -> Result<(), String> {
    if name.len() <= most {
        return Ok(());
    }
    let length = name.len();
    Err(format!(
        "the {what} may have {most} bytes (sun_path of unix(7)), and this has {length}; \
         a shorter one, or a relative path, will do"
    ))
}

fn vsock(text: &str) -> Result<Place, String> {
    let (cid, port) =
        text.rsplit_once(':').ok_or("a vsock address is vsock:CID:PORT, such as vsock:any:5000")?;
    let cid = match cid {
        "any" | "-1" => libc::VMADDR_CID_ANY,
        "hypervisor" => libc::VMADDR_CID_HYPERVISOR,
        "local" => libc::VMADDR_CID_LOCAL,
        "host" => libc::VMADDR_CID_HOST,
        number => number
            .parse()
            .map_err(|_| format!("'{number}' is not a CID: a number, or any, local, host or hypervisor"))?,
    };
    let port = port.parse().map_err(|_| format!("'{port}' is not a vsock port: a number of 32 bits"))?;
    Ok(Place::Exact(SocketAddress::Vsock { cid, port }))
}

fn inet(text: &str) -> Result<Place, String> {
    const FORMS: &str = "HOST:PORT, :PORT, [IPV6]:PORT, unix:PATH, unix:@NAME or vsock:CID:PORT";
    let Some((host, port)) = text.rsplit_once(':') else {
        let hint = if text.parse::<u16>().is_ok() {
            format!("; for port {text}, write :{text} (all addresses) or 127.0.0.1:{text}")
        } else if text.contains('/') {
            format!("; for a socket file, write unix:{text}")
        } else {
            String::new()
        };
        return Err(format!("an address is {FORMS}{hint}"));
    };
    if host.contains(':') && !host.starts_with('[') {
        return Err(format!("an IPv6 address stands in brackets: [{host}]:{port}, or [{text}]:PORT"));
    }
    // `parse` takes a sign too.
    let port: u16 = match port.parse() {
        Ok(number) if port.bytes().all(|b| b.is_ascii_digit()) => number,
        _ => return Err(format!("'{port}' is not a port: a number from 0 (any that is free) to 65535")),
    };
    if let Some(inside) = host.strip_prefix('[') {
        let Some(inside) = inside.strip_suffix(']') else {
            return Err(format!("'{host}' lacks its closing bracket"));
        };
        return ipv6(inside, port).map(Place::Ip);
    }
    Ok(match host {
        "" | "*" => Place::Any(port),
        _ => match host.parse::<Ipv4Addr>() {
            Ok(ip) => Place::Ip(SocketAddr::new(ip.into(), port)),
            // What is all digits and dots is no name, but a number with a mistake in it.
            Err(_) if host.bytes().all(|b| b.is_ascii_digit() || b == b'.') => {
                return Err(format!("'{host}' is not an IPv4 address"));
            }
            Err(_) => Place::Name(host.to_owned(), port),
        },
    })
}

/// An address, with `%` and an interface's name or index for those that are only good on one.
fn ipv6(text: &str, port: u16) -> Result<SocketAddr, String> {
    let (ip, zone) = text.split_once('%').map_or((text, None), |(ip, zone)| (ip, Some(zone)));
    let ip: Ipv6Addr = ip.parse().map_err(|_| format!("'{ip}' is not an IPv6 address"))?;
    let scope = match zone {
        None => 0,
        Some(zone) => zone
            .parse()
            .or_else(|_| nix::net::if_::if_nametoindex(zone))
            .map_err(|_| format!("there is no network interface '{zone}'"))?,
    };
    Ok(SocketAddrV6::new(ip, port, 0, scope).into())
}

#[cfg(test)]
mod tests {
    use super::{Address, Place, SocketAddress};
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    fn place(text: &str) -> Place {
        Address::parse(OsStr::new(text)).unwrap_or_else(|e| panic!("{text}: {e}")).place
    }

    fn refused(text: &str) -> String {
        Address::parse(OsStr::new(text)).expect_err(text)
    }

    #[test]
    fn forms() {
        assert_eq!(place(":80"), Place::Any(80));
        assert_eq!(place("*:0"), Place::Any(0));
        assert_eq!(place("127.0.0.1:80"), Place::Ip("127.0.0.1:80".parse().unwrap()));
        assert_eq!(place("tcp:127.0.0.1:80"), Place::Ip("127.0.0.1:80".parse().unwrap()));
        assert_eq!(place("[::1]:80"), Place::Ip("[::1]:80".parse().unwrap()));
        assert_eq!(place("[fe80::1%7]:80"), Place::Ip("[fe80::1%7]:80".parse().unwrap()));
        assert_eq!(place("localhost:80"), Place::Name("localhost".to_owned(), 80));
        assert_eq!(place("unix:/run/a"), Place::Exact(SocketAddress::Path(b"/run/a".to_vec())));
        assert_eq!(place("unix:@a"), Place::Exact(SocketAddress::Abstract(b"a".to_vec())));
        assert_eq!(place("vsock:any:7"), Place::Exact(SocketAddress::Vsock { cid: u32::MAX, port: 7 }));
        assert_eq!(place("vsock:3:7"), Place::Exact(SocketAddress::Vsock { cid: 3, port: 7 }));
    }

    #[test]
    fn paths_may_be_any_bytes() {
        let address = Address::parse(OsStr::from_bytes(b"unix:/a\xff")).unwrap();
        assert_eq!(address.place, Place::Exact(SocketAddress::Path(b"/a\xff".to_vec())));
        assert!(Address::parse(OsStr::from_bytes(b"\xff:80")).is_err());
    }

    #[test]
    fn refusals_say_what_would_be_right() {
        assert!(refused("8080").contains(":8080 (all addresses)"));
        assert!(refused("/run/a").contains("unix:/run/a"));
        assert!(refused("a:65536").contains("65535"));
        assert!(refused("a:+1").contains("not a port"));
        assert!(refused("a:").contains("not a port"));
        assert!(refused("::1:80").contains("[::1]:80"));
        assert!(refused("[::1:80").contains("bracket"));
        assert!(refused("300.0.0.1:80").contains("IPv4"));
        assert!(refused("unix:").contains("path"));
        assert!(refused("unix:@").contains("@"));
        assert!(refused(&format!("unix:/{}", "a".repeat(107))).contains("107 bytes"));
        assert!(refused("vsock:1").contains("CID:PORT"));
        assert!(refused("vsock:x:1").contains("CID"));
        assert!(refused("vsock:1:x").contains("port"));
        assert!(refused("[::1%nowhere]:1").contains("nowhere"));
        assert!(refused("").contains("an address is"));
    }

    #[test]
    fn the_longest_path_fits() {
        assert!(matches!(place(&format!("unix:/{}", "a".repeat(106))), Place::Exact(_)));
    }
}
