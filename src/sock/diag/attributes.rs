//! What follows the fixed part of a message.

use netlink_packet_core::{DecodeError, Emitable, NLA_HEADER_SIZE, NlasIterator};

/// The attributes of `message` behind its `header`, each with its kind. The values are those of
/// the message: nothing is copied, and one of an unknown kind costs nothing.
pub(super) fn after<'a>(
    header: &impl Emitable,
    message: &'a [u8],
) -> impl Iterator<Item = Result<(u16, &'a [u8]), DecodeError>> {
    let rest = message.get(header.buffer_len()..).unwrap_or_default();
    NlasIterator::new(rest).map(|attribute| {
        let attribute = attribute?;
        let (kind, end) = (attribute.kind(), attribute.length().into());
        Ok((kind, &attribute.into_inner()[NLA_HEADER_SIZE..end]))
    })
}

/// The `nth` number of a value that is an array of them. Newer kernels have longer arrays, so one
/// that is not there is no error.
pub(super) fn number(value: &[u8], nth: usize) -> Option<u32> {
    let (numbers, _) = value.as_chunks();
    numbers.get(nth).map(|&bytes| u32::from_ne_bytes(bytes))
}
