//! Bit masks that print their names.

/// A mask and the kernel's names for its bits. Bits without a name print in hex, so that nothing
/// is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BitSet {
    /// The mask.
    pub bits: u64,
    /// Names, several-bit masks before the single bits that they contain.
    pub names: &'static [(u64, &'static str)],
}

impl BitSet {
    /// Calls `each` with every name in table order, then once with the hex of what is left.
    pub fn each(self, mut each: impl FnMut(&str)) {
        let mut rest = self.bits;
        for &(mask, name) in self.names {
            if rest == 0 {
                return;
            }
            if mask != 0 && rest & mask == mask {
                each(name);
                rest &= !mask;
            }
        }
        if rest != 0 {
            each(&format!("{rest:#x}"));
        }
    }

    /// The names, joined.
    pub fn join(self, separator: &str) -> String {
        let mut text = String::new();
        self.each(|name| {
            if !text.is_empty() {
                text.push_str(separator);
            }
            text.push_str(name);
        });
        text
    }
}

#[cfg(test)]
mod tests {
    use super::BitSet;

    const NAMES: &[(u64, &str)] = &[(0b11, "both"), (0b01, "low"), (0b10, "high")];

    #[test]
    fn wide_masks_win_and_unknown_bits_stay() {
        let join = |bits| BitSet { bits, names: NAMES }.join(",");
        assert_eq!(join(0), "");
        assert_eq!(join(1), "low");
        assert_eq!(join(3), "both");
        assert_eq!(join(0x102), "high,0x100");
    }
}
