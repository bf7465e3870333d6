//! The parts of a message.

use netlink_packet_core::{DecodeError, NLA_ALIGNTO, NLA_HEADER_SIZE, NLA_TYPE_MASK};

/// The attributes of `message` behind its header, which is so long, each with its kind. The values
/// are those of the message: nothing is copied, and one of an unknown kind costs nothing.
pub(super) fn after(
    header: usize,
    message: &[u8],
) -> impl Iterator<Item = Result<(u16, &[u8]), DecodeError>> {
    let mut rest = message.get(header..).unwrap_or_default();
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let all = std::mem::take(&mut rest);
        let &[a, b, c, d, ..] = all else { return Some(Err(too_long(all.len()))) };
        let length = usize::from(u16::from_ne_bytes([a, b]));
        let Some(value) = all.get(NLA_HEADER_SIZE..length) else { return Some(Err(too_long(all.len()))) };
        rest = all.get(length.next_multiple_of(NLA_ALIGNTO)..).unwrap_or_default();
        Some(Ok((u16::from_ne_bytes([c, d]) & NLA_TYPE_MASK, value)))
    })
}

fn too_long(left: usize) -> DecodeError {
    format!("an attribute does not fit into the {left} bytes that are left").into()
}

/// The `nth` number of a value that is an array of them. Newer kernels have longer arrays, so one
/// that is not there is no error.
pub(super) fn number(value: &[u8], nth: usize) -> Option<u32> {
    let (numbers, _) = value.as_chunks();
    numbers.get(nth).map(|&bytes| u32::from_ne_bytes(bytes))
}

/// All numbers of a value, as many as are wanted; 0 stands for those that it does not have.
pub(super) fn numbers<const N: usize>(value: &[u8]) -> [u32; N] {
    std::array::from_fn(|nth| number(value, nth).unwrap_or(0))
}

/// A text, without the NUL that ends it.
pub(super) fn text(value: &[u8]) -> &[u8] {
    value.split(|&b| b == 0).next().unwrap_or_default()
}

/// The header of a message that is `N` bytes long.
pub(super) fn header<const N: usize>(message: &[u8]) -> Result<&[u8; N], DecodeError> {
    message.first_chunk().ok_or_else(|| DecodeError::buffer_too_small(message.len(), N))
}
