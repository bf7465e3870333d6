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
    text: &'a [u8],
}

impl<'a> FdInfo<'a> {
    /// Parses the file's text. Lines that make no sense are passed over: a decoder finds them
    /// missing.
    pub fn parse(text: &'a [u8]) -> Self {
        let mut info = Self { text, ..Self::default() };
        // The generic lines come first, in this order; the kind's own lines follow.
        for (key, value) in info.lines().take(4) {
            match key {
                b"pos" => info.pos = decimal(value).or_else(|| signed(value).map(|n| n as u64)),
                b"flags" => info.flags = octal(value).map(OpenFlags),
                b"mnt_id" => info.mount = decimal(value).and_then(|n| n.try_into().ok()),
                b"ino" => info.inode = decimal(value).map(Inode),
                _ => {}
            }
        }
        info
    }

    /// With nothing but what every fd has.
    pub fn plain(pos: u64, flags: OpenFlags, mount: u32, inode: Inode) -> Self {
        Self { pos: Some(pos), flags: Some(flags), mount: Some(mount), inode: Some(inode), text: b"" }
    }

    /// All lines as key and value, blanks around the value removed.
    pub fn lines(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        self.text.split(|&b| b == b'\n').filter(|line| !line.is_empty()).map(|line| {
            match line.iter().position(|&b| b == b':') {
                Some(colon) => (&line[..colon], line[colon + 1..].trim_ascii()),
                None => (line, &b""[..]),
            }
        })
    }

    /// The raw lines that start with `word` and a blank, as inotify and fanotify write them.
    pub fn records(&self, word: &'static [u8]) -> impl Iterator<Item = Words<'a>> + use<'a> {
        self.text
            .split(|&b| b == b'\n')
            .filter_map(move |line| line.strip_prefix(word)?.strip_prefix(b" "))
            .map(Words)
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&'a [u8]> {
        self.lines().find(|(k, _)| *k == key.as_bytes()).map(|(_, value)| value)
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

    /// The lines after the generic ones.
    pub fn own_lines(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        self.lines().filter(|(key, _)| !matches!(*key, b"pos" | b"flags" | b"mnt_id" | b"ino"))
    }
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
        assert_eq!(info.own_lines().count(), 1);
    }

    #[test]
    fn nonsense_is_missing_not_fatal() {
        let info = FdInfo::parse(b"\xff\nflags: 9\npos\n\n:\n");
        assert_eq!(info.flags, None);
        assert_eq!(info.pos, None);
    }
}
