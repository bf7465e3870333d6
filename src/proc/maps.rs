//! Mapped files: `proc_pid_maps(5)`.

use crate::model::{Device, Inode, decimal, hex};

/// A file that is mapped, however many times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mapping {
    pub(super) device: Device,
    pub(super) inode: Inode,
    /// As the kernel writes it there: with ` (deleted)` where that is so, and newlines escaped.
    pub(super) path: Vec<u8>,
    /// Whether writes reach the file: mapped shared and writable.
    pub(super) writes: bool,
    /// Name of the first mapping in /proc/PID/map_files.
    pub(super) range: Vec<u8>,
}

/// The distinct files of a maps file.
pub(super) fn parse(text: &[u8]) -> Vec<Mapping> {
    let mut files: Vec<Mapping> = Vec::new();
    for mapping in text.split(|&b| b == b'\n').filter_map(line) {
        let same = |f: &&mut Mapping| {
            f.inode == mapping.inode && f.device == mapping.device && f.path == mapping.path
        };
        match files.iter_mut().rev().find(same) {
            Some(file) => file.writes |= mapping.writes,
            None => files.push(mapping),
        }
    }
    files
}

/// The path of the file whose memory an address is in: of a program or library, also what it has
/// beyond its file, zero at first, which the kernel maps right behind it.
pub(super) fn image(text: &[u8], address: u64) -> Option<&[u8]> {
    let mut last: Option<(u64, &[u8])> = None;
    for line in text.split(|&b| b == b'\n') {
        let mut words = line.split(|&b| b == b' ').filter(|w| !w.is_empty());
        let range = words.next()?;
        let dash = range.iter().position(|&b| b == b'-')?;
        let (start, end) = (hex(&range[..dash])?, hex(&range[dash + 1..])?);
        let path =
            words.nth(4).map_or(&b""[..], |word| &line[word.as_ptr() as usize - line.as_ptr() as usize..]);
        let image = match (path.is_empty(), last) {
            (true, Some((until, image))) if until == start => image,
            _ => path,
        };
        if (start..end).contains(&address) {
            return Some(image).filter(|image| image.starts_with(b"/"));
        }
        last = Some((end, image));
    }
    None
}

/// `7f..-7f.. r-xp 00001000 fe:00 1234    /usr/lib/libc.so.6`; what has no inode is no file.
fn line(text: &[u8]) -> Option<Mapping> {
    let mut words = text.split(|&b| b == b' ').filter(|w| !w.is_empty());
    let range = words.next()?;
    let permissions = words.next()?;
    let device = words.nth(1)?;
    let inode_word = words.next()?;
    let part = |w: &[u8]| u32::try_from(hex(w)?).ok();
    let colon = device.iter().position(|&b| b == b':')?;
    let device = Device { major: part(&device[..colon])?, minor: part(&device[colon + 1..])? };
    let inode = decimal(inode_word)?;
    if inode == 0 {
        return None;
    }
    let end = inode_word.as_ptr() as usize - text.as_ptr() as usize + inode_word.len();
    let path = text[end..].trim_ascii_start();
    Some(Mapping {
        device,
        inode: Inode(inode),
        path: path.to_vec(),
        writes: permissions.get(1) == Some(&b'w') && permissions.get(3) == Some(&b's'),
        range: range.to_vec(),
    })
}

/// Whether a name may have had newlines.
pub(super) fn is_escaped(path: &[u8]) -> bool {
    path.windows(4).any(|part| part == b"\\012")
}

/// The kernel escapes newlines alone here, as `\012`.
pub(super) fn newlines(path: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((&byte, tail)) = rest.split_first() {
        if let Some(tail) = rest.strip_prefix(b"\\012") {
            out.push(b'\n');
            rest = tail;
        } else {
            out.push(byte);
            rest = tail;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{image, is_escaped, newlines, parse};

    #[test]
    fn each_file_once() {
        let maps = b"7f00-7f01 r--p 00000000 fe:00 12 /lib/a b.so\n\
            7f01-7f02 r-xp 00001000 fe:00 12 /lib/a b.so\n\
            7f02-7f03 rw-s 00000000 00:01 7                          /x\\012y (deleted)\n\
            7f03-7f04 rw-p 00000000 00:00 0                          [heap]\n\
            7f05-7f06 rw-p 00000000 00:00 0 \n";
        let files = parse(maps);
        assert_eq!(files.len(), 2);
        assert_eq!(files[0].path, b"/lib/a b.so");
        assert!(!files[0].writes);
        assert!(is_escaped(&files[1].path) && !is_escaped(&files[0].path));
        assert_eq!(newlines(&files[1].path), b"/x\ny (deleted)");
        assert!(files[1].writes);
    }

    #[test]
    fn memory_of_a_library_goes_on_behind_its_file() {
        let maps = b"7f00-7f01 r-xp 00000000 fe:00 12 /lib/libpython3.12.so.1.0\n\
            7f01-7f02 rw-p 00001000 fe:00 12 /lib/libpython3.12.so.1.0\n\
            7f02-7f03 rw-p 00000000 00:00 0 \n\
            7f04-7f05 rw-p 00000000 00:00 0 \n\
            7f05-7f06 rw-p 00000000 00:00 0                          [heap]\n";
        let library = Some(&b"/lib/libpython3.12.so.1.0"[..]);
        assert_eq!([0x7f00, 0x7f01, 0x7f02].map(|at| image(maps, at)), [library; 3]);
        assert_eq!([0x7f03, 0x7f04, 0x7f05, 0x7f06].map(|at| image(maps, at)), [None; 4]);
    }
}
