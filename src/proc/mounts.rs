//! `/proc/PID/mountinfo`: `proc_pid_mountinfo(5)`.

use super::io::read_at;
use crate::model::{Device, decimal};
use rustix::fd::BorrowedFd;

/// One mount.
#[derive(Debug)]
pub(super) struct Mount {
    pub(super) id: u32,
    pub(super) device: Device,
    /// The part of the filesystem that is mounted: `/` for all of it.
    pub(super) root: Vec<u8>,
    pub(super) point: Vec<u8>,
    pub(super) filesystem: String,
}

impl Mount {
    /// Whether a file on it is served by somebody who may not answer: a network server or a
    /// FUSE daemon.
    pub(super) fn is_remote(&self) -> bool {
        const REMOTE: &[&str] = &[
            "9p", "afs", "beegfs", "ceph", "cifs", "coda", "fuse", "fuseblk", "gfs2", "gpfs", "lustre",
            "ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "pvfs2", "smb3", "smbfs", "virtiofs",
        ];
        REMOTE.contains(&self.filesystem.as_str()) || self.filesystem.starts_with("fuse.")
    }
}

/// The mounts of one mount namespace.
#[derive(Debug, Default)]
pub(super) struct Mounts {
    all: Vec<Mount>,
    any_remote: bool,
}

impl Mounts {
    /// Reads those of the process whose directory this is. Where they cannot be read there are
    /// none.
    pub(super) fn read(process: BorrowedFd<'_>) -> Self {
        let mut text = Vec::new();
        if read_at(process, c"mountinfo", &mut text).is_err() {
            return Self::default();
        }
        Self::parse(&text)
    }

    /// The mounts that a text of that form lists.
    pub(super) fn parse(text: &[u8]) -> Self {
        let all: Vec<Mount> = text.split(|&b| b == b'\n').filter_map(parse).collect();
        let any_remote = all.iter().any(Mount::is_remote);
        Self { all, any_remote }
    }

    pub(super) fn any_remote(&self) -> bool {
        self.any_remote
    }

    pub(super) fn by_id(&self, id: u32) -> Option<&Mount> {
        self.all.iter().find(|m| m.id == id)
    }

    /// The mounts of a filesystem, those of all of it first.
    pub(super) fn of_device(&self, device: Device) -> impl Iterator<Item = &Mount> {
        let of = move |whole: bool| {
            self.all.iter().filter(move |m| m.device == device && (m.root == b"/") == whole)
        };
        of(true).chain(of(false))
    }

    /// The first mount of all of a filesystem of this type.
    pub(super) fn of_type(&self, filesystem: &str) -> Option<&Mount> {
        self.all.iter().find(|m| m.filesystem == filesystem && m.root == b"/")
    }

    /// Whether a path leads to or through a mount whose server may not answer.
    pub(super) fn leads_to_remote(&self, path: &[u8]) -> bool {
        let is_below = |point: &[u8]| {
            point == b"/" || path.strip_prefix(point).is_some_and(|r| r.is_empty() || r.starts_with(b"/"))
        };
        self.any_remote && self.all.iter().any(|m| m.is_remote() && is_below(&m.point))
    }

    /// The mount whose mount point this path is: the topmost, where several are stacked.
    pub(super) fn at(&self, point: &[u8]) -> Option<&Mount> {
        self.all.iter().rev().find(|m| m.point == point)
    }
}

/// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`
fn parse(line: &[u8]) -> Option<Mount> {
    let mut words = line.split(|&b| b == b' ');
    let number = |w: &[u8]| u32::try_from(decimal(w)?).ok();
    let id = number(words.next()?)?;
    let device = words.nth(1)?;
    let colon = device.iter().position(|&b| b == b':')?;
    let device = Device { major: number(&device[..colon])?, minor: number(&device[colon + 1..])? };
    let root = unescape(words.next()?);
    let point = unescape(words.next()?);
    let filesystem = words.skip_while(|w| *w != b"-").nth(1)?;
    Some(Mount { id, device, root, point, filesystem: String::from_utf8_lossy(filesystem).into_owned() })
}

/// Undoes the kernel's `\040` for blanks, tabs, newlines and backslashes.
pub(super) fn unescape(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        let octal = (byte == b'\\')
            .then(|| tail.get(..3))
            .flatten()
            .and_then(|d| u8::from_str_radix(std::str::from_utf8(d).ok()?, 8).ok());
        match octal {
            Some(decoded) => {
                out.push(decoded);
                rest = &tail[3..];
            }
            None => {
                out.push(byte);
                rest = tail;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Mounts, parse, unescape};

    #[test]
    fn a_line_with_optional_fields() {
        let mount = parse(b"36 35 98:0 / /mnt\\0402 rw,noatime master:1 shared:2 - fuse.sshfs x rw").unwrap();
        assert_eq!((mount.id, mount.device.major), (36, 98));
        assert_eq!(mount.point, b"/mnt 2");
        assert!(mount.is_remote());
        assert!(parse(b"36 35 98:0 / /mnt rw - ext4 /dev/x rw").is_some_and(|m| !m.is_remote()));
        assert!(parse(b"").is_none());
    }

    #[test]
    fn paths_on_a_remote_mount() {
        let mount = parse(b"36 35 0:40 / /srv/far rw - nfs4 x:/ rw").unwrap();
        let mounts = Mounts { all: vec![mount], any_remote: true };
        assert!(mounts.leads_to_remote(b"/srv/far"));
        assert!(mounts.leads_to_remote(b"/srv/far/below"));
        assert!(!mounts.leads_to_remote(b"/srv/farther"));
        assert!(!mounts.leads_to_remote(b"/srv"));
    }

    #[test]
    fn escapes() {
        assert_eq!(unescape(b"a\\134b\\012\\"), b"a\\b\n\\");
    }
}
