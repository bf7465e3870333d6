//! `/proc/PID/mountinfo`: `proc_pid_mountinfo(5)`.

use super::io::read_at;
use crate::model::{Device, decimal};
use rustix::fd::BorrowedFd;

/// One mount.
#[derive(Debug)]
pub(super) struct Mount {
    pub(super) id: u32,
    /// The mount that it is mounted on.
    parent: u32,
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

    /// What a path on this mount is called in the filesystem itself, whose root may lie above what is
    /// mounted. Nothing where the path does not lead through the mount point.
    pub(super) fn inside(&self, path: &[u8]) -> Option<Vec<u8>> {
        let below = |part: &[u8]| part.is_empty() || part.starts_with(b"/");
        let rest = match &self.point[..] {
            b"/" => path.strip_prefix(b"/").map(|_| path)?,
            point => path.strip_prefix(point).filter(|rest| below(rest))?,
        };
        let root = self.root.strip_suffix(b"/").unwrap_or(&self.root);
        let mut inside = [root, rest].concat();
        while inside.len() > 1 && inside.ends_with(b"/") {
            inside.pop();
        }
        Some(if inside.is_empty() { b"/".to_vec() } else { inside })
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

    /// Whether none are known.
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Whether some mount point lies below a directory.
    pub(super) fn has_below(&self, directory: &[u8], device: Device) -> bool {
        let directory = directory.strip_suffix(b"/").unwrap_or(directory);
        let is_below = |m: &&Mount| m.point.strip_prefix(directory).is_some_and(|r| r.starts_with(b"/"));
        self.all.iter().filter(is_below).any(|m| m.device == device)
    }

    /// The mount that is entered where a path that lies on the mount `on` is a mount point: the topmost,
    /// where several are stacked. Nothing is `on` where what has the root directory is not listed, as in a
    /// chroot.
    pub(super) fn enter(&self, on: Option<u32>, point: &[u8]) -> Option<&Mount> {
        let is_on = |m: &&Mount, on: Option<u32>| match on {
            Some(on) => m.parent == on && m.id != on,
            None => m.parent == m.id || self.by_id(m.parent).is_none(),
        };
        let mut entered: Option<&Mount> = None;
        for _ in 0..self.all.len() {
            let on = entered.map_or(on, |m| Some(m.id));
            match self.all.iter().rev().find(|m| m.point == point && is_on(m, on)) {
                Some(mount) => entered = Some(mount),
                None => break,
            }
        }
        entered
    }

    /// The mount whose mount point this path is: the topmost, where several are stacked.
    pub(super) fn at(&self, point: &[u8]) -> Option<&Mount> {
        self.all.iter().rev().find(|m| m.point == point)
    }

    /// The mount that a path without links leads to.
    pub(super) fn of_path(&self, path: &[u8]) -> Option<&Mount> {
        let mut mount = self.enter(None, b"/");
        let ends = path.iter().enumerate().skip(1).filter(|(_, b)| **b == b'/').map(|(at, _)| at);
        for end in ends.chain([path.len()]) {
            mount = self.enter(mount.map(|m| m.id), &path[..end]).or(mount);
        }
        mount
    }
}

/// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`
fn parse(line: &[u8]) -> Option<Mount> {
    let mut words = line.split(|&b| b == b' ');
    let number = |w: &[u8]| u32::try_from(decimal(w)?).ok();
    let id = number(words.next()?)?;
    let parent = number(words.next()?)?;
    let device = words.next()?;
    let colon = device.iter().position(|&b| b == b':')?;
    let device = Device { major: number(&device[..colon])?, minor: number(&device[colon + 1..])? };
    let root = unescape(words.next()?);
    let point = unescape(words.next()?);
    let filesystem = words.skip_while(|w| *w != b"-").nth(1)?;
    Some(Mount {
        id,
        parent,
        device,
        root,
        point,
        filesystem: String::from_utf8_lossy(filesystem).into_owned(),
    })
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
    fn the_mount_of_a_path_is_the_topmost() {
        let text = b"20 1 8:1 / / rw - ext4 a rw\n\
            21 20 0:40 / /far/x rw - tmpfs hidden rw\n\
            22 20 0:41 /sub /far rw - nfs4 x:/ rw\n\
            23 22 0:42 / /far rw - tmpfs upon rw\n\
            24 23 0:43 /y /far/z rw - ext4 c rw\n";
        let mounts = Mounts::parse(text);
        let of = |path: &[u8]| mounts.of_path(path).map(|m| m.id);
        assert_eq!(of(b"/"), Some(20));
        assert_eq!(of(b"/farther"), Some(20));
        assert_eq!(of(b"/far"), Some(23));
        assert_eq!(of(b"/far/x/f"), Some(23), "what was mounted there before is covered");
        assert_eq!(of(b"/far/z/f"), Some(24));
        let inside = |id, path: &[u8]| mounts.by_id(id).unwrap().inside(path);
        assert_eq!(inside(24, b"/far/z/f"), Some(b"/y/f".to_vec()));
        assert_eq!(inside(24, b"/far/z"), Some(b"/y".to_vec()));
        assert_eq!(inside(20, b"/"), Some(b"/".to_vec()));
        assert_eq!(inside(20, b"/a"), Some(b"/a".to_vec()));
        assert_eq!(inside(24, b"/far/zz"), None);
        // In a chroot what has the root directory may not be listed.
        let mounts = Mounts::parse(b"22 20 0:41 / /far rw - nfs4 x:/ rw\n");
        assert!(mounts.of_path(b"/x").is_none() && mounts.of_path(b"/far/x").is_some());
    }

    #[test]
    fn escapes() {
        assert_eq!(unescape(b"a\\134b\\012\\"), b"a\\b\n\\");
    }
}
