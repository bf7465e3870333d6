//! Numbers as the kernel writes them: bytes, with blanks around them perhaps.

#[inline(always)]
fn number(digits: &[u8], radix: u8) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, &digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            _ => (digit | 0x20).checked_sub(b'a')?.checked_add(10)?,
        };
        if digit >= radix {
            return None;
        }
        number.checked_mul(radix.into())?.checked_add(digit.into())
    })
}

/// A decimal number with nothing around it.
pub fn digits(text: &[u8]) -> Option<u64> {
    number(text, 10)
}

/// A decimal number.
pub fn decimal(text: &[u8]) -> Option<u64> {
    digits(text.trim_ascii())
}

/// A signed decimal number.
pub fn signed(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text.trim_ascii()).ok()?.parse().ok()
}

/// A number in hex, with or without `0x`.
pub fn hex(text: &[u8]) -> Option<u64> {
    let text = text.trim_ascii();
    number(text.strip_prefix(b"0x").unwrap_or(text), 16)
}

/// A number in octal.
pub fn octal(text: &[u8]) -> Option<u64> {
    number(text.trim_ascii(), 8)
}

#[cfg(test)]
mod tests {
    use super::{decimal, digits, hex, octal, signed};

    #[test]
    fn bases_and_nonsense() {
        assert_eq!(decimal(b" 12 "), Some(12));
        assert_eq!((digits(b"12"), digits(b"12 "), digits(b"+12")), (Some(12), None, None));
        assert_eq!(signed(b"-1"), Some(-1));
        assert_eq!(hex(b"0x1f"), Some(31));
        assert_eq!(hex(b"1F"), Some(31));
        assert_eq!(octal(b"0100002"), Some(0o100_002));
        for text in [&b""[..], b"x", b"\xff", b"1 2"] {
            assert_eq!((decimal(text), signed(text), hex(text), octal(text)), (None, None, None, None));
        }
    }
}
