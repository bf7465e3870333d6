//! Internet addresses with their ports.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// One end of an internet socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint(pub SocketAddr);

impl Endpoint {
    /// Whether nothing is bound or connected here: the wildcard address and port 0.
    pub fn is_unset(self) -> bool {
        self.0.ip().is_unspecified() && self.0.port() == 0
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = self.0.port();
        match self.0.ip() {
            IpAddr::V4(ip) => f.write_str(Text::of(ip.octets(), port).as_str()),
            IpAddr::V6(ip) => write!(f, "[{ip}]:{port}"),
        }
    }
}

/// An address of IPv4 with its port, made at once: where there are very many, the parts would cost
/// more than all else.
struct Text {
    bytes: [u8; Self::LONGEST],
    length: usize,
}

impl Text {
    const LONGEST: usize = "255.255.255.255:65535".len();

    fn of(octets: [u8; 4], port: u16) -> Self {
        let mut text = Self { bytes: [0; Self::LONGEST], length: 0 };
        let mut number = itoa::Buffer::new();
        for (nth, octet) in octets.into_iter().enumerate() {
            if nth > 0 {
                text.push(b".");
            }
            text.push(number.format(octet).as_bytes());
        }
        text.push(b":");
        text.push(number.format(port).as_bytes());
        text
    }

    fn push(&mut self, bytes: &[u8]) {
        let end = self.length + bytes.len();
        self.bytes[self.length..end].copy_from_slice(bytes);
        self.length = end;
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::Endpoint;

    #[test]
    fn as_they_are_written() {
        for text in ["0.0.0.0:0", "10.20.30.4:80", "255.255.255.255:65535", "[::1]:22", "[fe80::1]:0"] {
            assert_eq!(Endpoint(text.parse().unwrap()).to_string(), text);
        }
    }
}
