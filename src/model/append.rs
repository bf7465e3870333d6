//! Text from parts, one after the other. The library's formatter costs several times as much, and where
//! there are very many rows, more than all else about them.

use super::endpoint::Endpoint;
use super::ids::{Device, FdNum};
use std::io::Write as _;
use std::net::IpAddr;

/// What can be a part of a text.
pub trait Part {
    /// Appends it.
    fn append_to(self, out: &mut Vec<u8>);
}

/// Appends parts to a text: `append!(out, "count ", count)`.
macro_rules! append {
    ($out:expr, $($part:expr),+ $(,)?) => {{
        $($crate::model::Part::append_to($part, &mut $out);)+
    }};
}
pub(crate) use append;

macro_rules! integers {
    ($($integer:ty),+) => {
        $(impl Part for $integer {
            fn append_to(self, out: &mut Vec<u8>) {
                out.extend_from_slice(itoa::Buffer::new().format(self).as_bytes());
            }
        })+
    };
}
integers!(u8, u16, u32, u64, usize, i32, i64);

impl Part for &[u8] {
    fn append_to(self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
}

impl Part for &str {
    #[inline]
    fn append_to(self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_bytes());
    }
}

impl Part for String {
    fn append_to(self, out: &mut Vec<u8>) {
        self.as_str().append_to(out);
    }
}

impl Part for FdNum {
    fn append_to(self, out: &mut Vec<u8>) {
        self.0.append_to(out);
    }
}

impl Part for Device {
    fn append_to(self, out: &mut Vec<u8>) {
        self.major.append_to(out);
        out.push(b':');
        self.minor.append_to(out);
    }
}

impl Part for IpAddr {
    fn append_to(self, out: &mut Vec<u8>) {
        let IpAddr::V4(ip) = self else {
            // In the shortest form, which is not ours to find.
            return drop(write!(out, "{self}"));
        };
        let [first, rest @ ..] = ip.octets();
        first.append_to(out);
        for octet in rest {
            out.push(b'.');
            octet.append_to(out);
        }
    }
}

impl Part for Endpoint {
    fn append_to(self, out: &mut Vec<u8>) {
        let (ip, port) = (self.0.ip(), self.0.port());
        match ip {
            IpAddr::V4(_) => append!(*out, ip, ":", port),
            IpAddr::V6(_) => append!(*out, "[", ip, "]:", port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Device, Endpoint, FdNum};

    #[test]
    fn parts_are_as_they_are_shown() {
        let mut out = b"a".to_vec();
        append!(out, ", ", -1_i64, " ", u64::MAX, " ", FdNum(7), &b"\xff"[..]);
        assert_eq!(out, b"a, -1 18446744073709551615 7\xff");
    }

    #[test]
    fn numbers_of_devices() {
        let device = Device { major: 4095, minor: 0 };
        let mut out = Vec::new();
        append!(out, device);
        assert_eq!(out, device.to_string().as_bytes());
    }

    #[test]
    fn addresses() {
        for text in ["0.0.0.0:0", "10.20.30.4:80", "255.255.255.255:65535", "[::1]:22", "[fe80::1]:0"] {
            let mut out = Vec::new();
            append!(out, Endpoint(text.parse().unwrap()));
            assert_eq!(out, text.as_bytes());
        }
    }
}
