//! Requests that are a family, a protocol and some numbers: those of most families.

use netlink_packet_core::Emitable;

/// A request of `N` bytes; what is not set is 0.
#[derive(Debug)]
pub(super) struct Request<const N: usize> {
    bytes: [u8; N],
}

impl<const N: usize> Request<N> {
    pub(super) fn new(family: i32, protocol: u8) -> Self {
        let mut bytes = [0; N];
        (bytes[0], bytes[1]) = (family as u8, protocol);
        Self { bytes }
    }

    /// With a number that stands so many bytes behind the start.
    pub(super) fn with(mut self, at: usize, number: u32) -> Self {
        self.bytes[at..at + 4].copy_from_slice(&number.to_ne_bytes());
        self
    }
}

impl<const N: usize> Emitable for Request<N> {
    fn buffer_len(&self) -> usize {
        N
    }

    fn emit(&self, buffer: &mut [u8]) {
        buffer.copy_from_slice(&self.bytes);
    }
}
