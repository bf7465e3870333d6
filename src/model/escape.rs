//! Bytes as text, so that nothing is lost and nothing harms a terminal.
//!
//! One rule for all outputs: a backslash is doubled, and a byte that is not UTF-8 becomes `\xHH`.
//! TSV and tables also escape control characters; tables and JSON the characters that change the
//! direction or the place of text.

use std::borrow::Cow;

/// How much is escaped beyond the common rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escape {
    /// Nothing: JSON has its own way with control characters.
    Json,
    /// Control characters.
    Tsv,
    /// Control characters, and those that reorder or hide text.
    Table,
}

/// Whether bytes are ASCII that nothing escapes, in whatever output: most names are.
pub fn is_plain(bytes: &[u8]) -> bool {
    // Eight at once, without an early end among them; the last eight may overlap those before them.
    match bytes.last_chunk() {
        Some(last) => bytes.as_chunks().0.iter().all(are_plain) && are_plain(last),
        None => bytes.iter().all(|&byte| is_plain_byte(byte)),
    }
}

fn are_plain(bytes: &[u8; 8]) -> bool {
    bytes.iter().fold(true, |all, &byte| all & is_plain_byte(byte))
}

fn is_plain_byte(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') & !matches!(byte, b'"' | b'\\')
}

/// Appends the bytes as text.
pub fn push_escaped(out: &mut Vec<u8>, bytes: &[u8], how: Escape) {
    if is_plain(bytes) {
        out.extend_from_slice(bytes);
    } else {
        out.extend_from_slice(escape(bytes, how).as_bytes());
    }
}

/// The bytes as text.
pub fn escape(bytes: &[u8], how: Escape) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes)
        && (is_plain(bytes) || !needs_escape(text, how))
    {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(bytes.len() + 8);
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            push(&mut out, c, how);
        }
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
        }
    }
    Cow::Owned(out)
}

/// Whether `text` is what some output has for these bytes, which somebody may copy from it.
pub fn is_escaped(text: &[u8], bytes: &[u8]) -> bool {
    let is = |how| escape(bytes, how).as_bytes() == text;
    is(Escape::Table) || is(Escape::Tsv) || is(Escape::Json)
}

fn needs_escape(text: &str, how: Escape) -> bool {
    let plain = |b: u8| b != b'\\' && (how == Escape::Json || !b.is_ascii_control());
    if text.is_ascii() {
        return !text.bytes().all(plain);
    }
    text.chars().any(|c| {
        c == '\\' || (how != Escape::Json && c.is_control()) || (how == Escape::Table && deceives(c))
    })
}

fn push(out: &mut String, c: char, how: Escape) {
    match c {
        '\\' => out.push_str("\\\\"),
        '\n' if how != Escape::Json => out.push_str("\\n"),
        '\t' if how != Escape::Json => out.push_str("\\t"),
        '\r' if how != Escape::Json => out.push_str("\\r"),
        c if c.is_ascii_control() && how != Escape::Json => out.push_str(&format!("\\x{:02x}", c as u32)),
        c if (c.is_control() && how != Escape::Json) || (how == Escape::Table && deceives(c)) => {
            out.push_str(&format!("\\u{{{:x}}}", c as u32));
        }
        c => out.push(c),
    }
}

/// A message of ours, in which names that somebody else chose may stand: control characters, and
/// those that reorder or hide text, are escaped, and nothing else. Some messages have several lines.
pub fn neutralise(message: &str) -> Cow<'_, str> {
    let harmful = |c: char| c != '\n' && (c.is_control() || deceives(c));
    if !message.contains(harmful) {
        return Cow::Borrowed(message);
    }
    let mut out = String::with_capacity(message.len() + 8);
    for c in message.chars() {
        if c == '\\' || c == '\n' { out.push(c) } else { push(&mut out, c, Escape::Table) }
    }
    Cow::Owned(out)
}

/// Whether a character is control, or reorders, joins or hides text: the format characters that
/// make one name look like another.
pub fn deceives(c: char) -> bool {
    matches!(c,
        '\u{80}'..='\u{9f}'
        | '\u{ad}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::{Escape, escape, neutralise};

    #[test]
    fn plain_text_is_not_copied() {
        assert!(matches!(escape("/tmp/ä".as_bytes(), Escape::Table), std::borrow::Cow::Borrowed(_)));
    }

    #[test]
    fn bytes_and_backslashes_are_reversible() {
        assert_eq!(escape(b"a\\xff\xff", Escape::Json), "a\\\\xff\\xff");
        assert_eq!(escape(b"\\", Escape::Tsv), "\\\\");
    }

    #[test]
    fn control_characters() {
        assert_eq!(escape(b"a\nb\x1b[m\tc", Escape::Tsv), "a\\nb\\x1b[m\\tc");
        assert_eq!(escape(b"a\nb", Escape::Json), "a\nb");
        assert_eq!(escape("\u{9b}".as_bytes(), Escape::Tsv), "\\u{9b}");
    }

    #[test]
    fn messages_play_no_tricks_with_a_terminal() {
        assert!(matches!(neutralise("a\\x1b ä"), std::borrow::Cow::Borrowed(_)));
        assert_eq!(neutralise("\u{1b}[31m\n\\x1b\u{202e}"), "\\x1b[31m\n\\x1b\\u{202e}");
    }

    #[test]
    fn text_that_deceives_is_escaped_in_tables() {
        assert_eq!(escape("a\u{202e}b".as_bytes(), Escape::Table), "a\\u{202e}b");
        assert_eq!(escape("a\u{202e}b".as_bytes(), Escape::Tsv), "a\u{202e}b");
    }
}
