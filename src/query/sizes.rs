//! Sizes such as `10M`, which CEL does not have: written out before it sees them.

/// An expression with its sizes written out.
pub(super) struct Expanded {
    pub(super) text: String,
    /// Where each size stood: end in the new text, and by how much later places moved.
    shifts: Vec<(usize, isize)>,
}

impl Expanded {
    /// The place in the text as it was written.
    pub(super) fn original(&self, at: usize) -> usize {
        let shift = self.shifts.iter().rev().find(|(end, _)| *end <= at).map_or(0, |s| s.1);
        at.checked_add_signed(-shift).unwrap_or(0)
    }
}

/// Replaces `10K`, `10M`, `10G`, `10T` and `10P`, also with `i` or `iB` behind, by numbers of bytes:
/// powers of 1024, outside quotes.
pub(super) fn expand(source: &str) -> Expanded {
    let mut text = String::with_capacity(source.len());
    let mut shifts = Vec::new();
    let mut shift = 0isize;
    let mut quote = None;
    let mut rest = source;
    let mut previous = ' ';
    while let Some(c) = rest.chars().next() {
        if let Some(q) = quote {
            if c == '\\' {
                let end = rest.char_indices().nth(2).map_or(rest.len(), |(i, _)| i);
                text.push_str(&rest[..end]);
                rest = &rest[end..];
                continue;
            }
            if c == q {
                quote = None;
            }
        } else if c == '"' || c == '\'' {
            quote = Some(c);
        } else if c.is_ascii_digit()
            && !is_word(previous)
            && previous != '.'
            && let Some((length, bytes)) = size(rest)
        {
            let before = text.len();
            text.push_str(&bytes.to_string());
            shift += (text.len() - before) as isize - length as isize;
            shifts.push((text.len(), shift));
            rest = &rest[length..];
            previous = 'K';
            continue;
        }
        text.push(c);
        previous = c;
        rest = &rest[c.len_utf8()..];
    }
    Expanded { text, shifts }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The length and value of a size at the start of `text`.
fn size(text: &str) -> Option<(usize, u64)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let exponent = "KMGTP".find(text[digits..].chars().next()?)? as u32 + 1;
    let tail = &text[digits + 1..];
    let suffix = ["iB", "i", "B", ""].into_iter().find(|s| tail.starts_with(s))?;
    if tail[suffix.len()..].starts_with(is_word) {
        return None;
    }
    let bytes = text[..digits].parse::<u64>().ok()?.checked_mul(1 << (10 * exponent))?;
    (bytes <= i64::MAX as u64).then_some((digits + 1 + suffix.len(), bytes))
}

#[cfg(test)]
mod tests {
    use super::expand;

    #[test]
    fn sizes_outside_quotes() {
        assert_eq!(expand("a > 10M && b < 1KiB").text, "a > 10485760 && b < 1024");
        assert_eq!(expand("a == '10M' && b == \"\\\"1K\"").text, "a == '10M' && b == \"\\\"1K\"");
        assert_eq!(expand("x1K + 10Mx + 0x1F").text, "x1K + 10Mx + 0x1F");
    }

    #[test]
    fn places_lead_back() {
        let expanded = expand("a > 10M && b");
        let at = expanded.text.find('b').unwrap();
        assert_eq!(expanded.original(at), 11);
        assert_eq!(expanded.original(0), 0);
    }
}
