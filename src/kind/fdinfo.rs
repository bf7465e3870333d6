//! `/proc/PID/fdinfo/N`, taken apart without copying: `proc_pid_fdinfo(5)`.

use crate::model::{Inode, OpenFlags, decimal, hex, octal, signed};

/// The fields that every fd has, and the lines that its kind adds.
#[derive(Clone, Copy, Debug, Default)]
pub struct FdInfo<'a> {
    /// File position.
    pub pos: Option<u64>,
    /// Open flags.
    pub flags: Option<OpenFlags>,
    /// Mount id.
    pub mount: Option<u32>,
    /// Inode number, since Linux 5.14.
    pub inode: Option<Inode>,
    /// The kind's own lines, which follow the generic ones.
    own: &'a [u8],
}

impl<'a> FdInfo<'a> {
    /// Parses the file's text. Lines that make no sense are passed over: a decoder finds them
    /// missing.
    pub fn parse(text: &'a [u8]) -> Self {
        Self::usual(text).unwrap_or_else(|| Self::unusual(text))
    }

    /// What the kernel writes since Linux 5.14, where nothing is odd about it.
    fn usual(text: &'a [u8]) -> Option<Self> {
        let (pos, text) = number_line(text, b"pos:\t", 10)?;
        let (flags, text) = number_line(text, b"flags:\t", 8)?;
        let (mount, text) = number_line(text, b"mnt_id:\t", 10)?;
        let (inode, own) = number_line(text, b"ino:\t", 10)?;
        let mount = Some(u32::try_from(mount).ok()?);
        Some(Self { pos: Some(pos), flags: Some(OpenFlags(flags)), mount, inode: Some(Inode(inode)), own })
    }

    /// Anything else.
    fn unusual(text: &'a [u8]) -> Self {
        let mut info = Self { own: text, ..Self::default() };
        while let Some((line, rest)) = split_line(info.own) {
            if let Some(value) = line.strip_prefix(b"pos:") {
                info.pos = decimal(value).or_else(|| signed(value).map(|n| n as u64));
            } else if let Some(value) = line.strip_prefix(b"flags:") {
                info.flags = octal(value).map(OpenFlags);
            } else if let Some(value) = line.strip_prefix(b"mnt_id:") {
                info.mount = decimal(value).and_then(|n| n.try_into().ok());
            } else if let Some(value) = line.strip_prefix(b"ino:") {
                info.inode = decimal(value).map(Inode);
            } else {
                break;
            }
            info.own = rest;
        }
        info
    }

    /// The key of the first of the kind's own lines.
    pub fn first_key(&self) -> Option<&'a [u8]> {
        let end = self.own.iter().position(|byte| matches!(byte, b':' | b'\n'))?;
        Some(&self.own[..end])
    }

    /// With nothing but what every fd has.
    pub fn plain(pos: u64, flags: OpenFlags, mount: u32, inode: Inode) -> Self {
        Self { pos: Some(pos), flags: Some(flags), mount: Some(mount), inode: Some(inode), own: b"" }
    }

    /// The kind's own lines as they are.
    pub fn raw_lines(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        lines(self.own)
    }

    /// The same as key and value, blanks around the value removed.
    pub fn lines(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        self.raw_lines().map(|line| match line.iter().position(|&b| b == b':') {
            Some(colon) => (&line[..colon], line[colon + 1..].trim_ascii()),
            None => (line, &b""[..]),
        })
    }

    /// The raw lines that start with `word` and a blank, as inotify and fanotify write them.
    pub fn records(&self, word: &'static [u8]) -> impl Iterator<Item = Words<'a>> + use<'a> {
        lines(self.own).filter_map(move |line| line.strip_prefix(word)?.strip_prefix(b" ")).map(Words)
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&'a [u8]> {
        lines(self.own)
            .find_map(|line| line.strip_prefix(key.as_bytes())?.strip_prefix(b":"))
            .map(<[u8]>::trim_ascii)
    }

    /// A value that is a decimal number.
    pub fn decimal(&self, key: &str) -> Option<u64> {
        self.get(key).and_then(decimal)
    }

    /// A value that is a number in hex, with or without `0x`.
    pub fn hex(&self, key: &str) -> Option<u64> {
        self.get(key).and_then(hex)
    }

    /// A value that is a number in octal.
    pub fn octal(&self, key: &str) -> Option<u64> {
        self.get(key).and_then(octal)
    }
}

/// The number in a line that is a key and digits, and what follows that line.
#[inline(always)]
fn number_line<'a>(text: &'a [u8], key: &[u8], radix: u8) -> Option<(u64, &'a [u8])> {
    let digits = text.strip_prefix(key)?;
    let (mut number, mut rest) = (0_u64, digits);
    loop {
        let (&byte, after) = rest.split_first()?;
        let digit = byte.wrapping_sub(b'0');
        if digit >= radix {
            return (byte == b'\n' && rest.len() < digits.len()).then_some((number, after));
        }
        number = number.checked_mul(radix.into())?.checked_add(digit.into())?;
        rest = after;
    }
}

/// The first line that is not empty, and what follows it.
fn split_line(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut text = text;
    loop {
        // Lines are short, and `memchr` asks what the processor can do before its first search, which
        // takes a virtual machine as long as all these.
        let end = text.iter().position(|&byte| byte == b'\n').unwrap_or(text.len());
        let (line, rest) = text.split_at(end);
        text = rest.get(1..).unwrap_or_default();
        if !line.is_empty() {
            return Some((line, text));
        }
        if text.is_empty() {
            return None;
        }
    }
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let line;
        (line, rest) = split_line(rest)?;
        Some(line)
    })
}

/// A line of `key:value` words.
#[derive(Clone, Copy, Debug)]
pub struct Words<'a>(&'a [u8]);

impl<'a> Words<'a> {
    /// The value of a key.
    pub fn get(self, key: &str) -> Option<&'a [u8]> {
        self.0.split(|&b| b == b' ').find_map(|word| word.strip_prefix(key.as_bytes())?.strip_prefix(b":"))
    }

    /// A value in hex.
    pub fn hex(self, key: &str) -> Option<u64> {
        self.get(key).and_then(hex)
    }

    /// A decimal value.
    pub fn decimal(self, key: &str) -> Option<u64> {
        self.get(key).and_then(decimal)
    }
}

#[cfg(test)]
mod tests {
    use super::FdInfo;
    use crate::model::Inode;

    #[test]
    fn generic_lines() {
        let info = FdInfo::parse(b"pos:\t12\nflags:\t02004002\nmnt_id:\t21\nino:\t9522\nx:\t 7 \n");
        assert_eq!(info.pos, Some(12));
        assert_eq!(info.flags.map(|f| f.0), Some(0o2_004_002));
        assert_eq!(info.mount, Some(21));
        assert_eq!(info.inode, Some(Inode(9522)));
        assert_eq!(info.decimal("x"), Some(7));
        assert_eq!(info.lines().count(), 1);
    }

    #[test]
    fn what_is_usual_is_as_all_else() {
        let usual = "pos:\t0\nflags:\t0100002\nmnt_id:\t21\nino:\t9522\n";
        let same = |text: &str, is_usual| {
            assert_eq!(FdInfo::usual(text.as_bytes()).is_some(), is_usual, "{text:?}");
            let (info, other) = (FdInfo::parse(text.as_bytes()), FdInfo::unusual(text.as_bytes()));
            assert_eq!(format!("{info:?}"), format!("{other:?}"), "{text:?}");
        };
        same(usual, true);
        same(&format!("{usual}eventfd-count: 1\n"), true);
        same(&usual.replace("\t0\n", "\t18446744073709551615\n"), true);
        for (from, to) in [
            ("\t0\n", "\t-1\n"),
            ("\t0\n", "\t\n"),
            ("\t0\n", "\t18446744073709551616\n"),
            ("0100002", "0100008"),
            ("\t21", "\t4294967296"),
            ("ino:\t9522\n", ""),
            ("ino:\t9522\n", "ino:\t9522"),
            ("ino:", "\nino:"),
        ] {
            same(&usual.replacen(from, to, 1), false);
        }
    }

    #[test]
    fn nonsense_is_missing_not_fatal() {
        let info = FdInfo::parse(b"\xff\nflags: 9\npos\n\n:\n");
        assert_eq!(info.flags, None);
        assert_eq!(info.pos, None);
    }
}
