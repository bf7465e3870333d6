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
            IpAddr::V4(ip) => write!(f, "{ip}:{port}"),
            IpAddr::V6(ip) => write!(f, "[{ip}]:{port}"),
        }
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
