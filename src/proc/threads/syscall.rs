//! The text of `/proc/PID/task/TID/syscall`, `proc_pid_syscall(5)`.

use crate::model::hex;

/// What it says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// On a CPU, or ready for one.
    Running,
    /// Waiting, but in no call.
    None,
    /// Waiting in a call.
    Call {
        /// Its number.
        number: i64,
        /// Its arguments.
        args: [u64; 6],
    },
}

impl Line {
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let text = text.trim_ascii();
        if text == b"running" {
            return Some(Self::Running);
        }
        let mut words = text.split(u8::is_ascii_whitespace);
        let number: i64 = std::str::from_utf8(words.next()?).ok()?.parse().ok()?;
        if number < 0 {
            return Some(Self::None);
        }
        let mut args = [0; 6];
        for arg in &mut args {
            *arg = hex(words.next()?.strip_prefix(b"0x")?)?;
        }
        Some(Self::Call { number, args })
    }
}

#[cfg(test)]
mod tests {
    use super::Line;

    #[test]
    fn lines() {
        assert_eq!(Line::parse(b"running\n"), Some(Line::Running));
        assert_eq!(Line::parse(b"-1 0x7ffdb1a70cf0 0x7f13946fcc77\n"), Some(Line::None));
        let call = Line::Call { number: 7, args: [0x7f13943a4790, 1, 0x186a0, 1, 0, 0] };
        let text = b"7 0x7f13943a4790 0x1 0x186a0 0x1 0x0 0x0 0x7ffdb1a70c18 0x7f139451a230\n";
        assert_eq!(Line::parse(text), Some(call));
        for text in [&b""[..], b"\n", b"7", b"7 0x1", b"x", b"7 1 2 3 4 5 6", b"99999999999999999999 0x0"] {
            assert_eq!(Line::parse(text), None, "{text:?}");
        }
    }
}
