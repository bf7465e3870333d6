//! `--path`: who has this file, or anything below this directory.

use super::mounts::{Mount, Mounts};
use super::resolve::resolve;
use super::root::ProcRoot;
use crate::kind::FileStat;
use crate::model::{Device, Inode};
use rustix::fs::{Mode, OFlags};
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file, a directory with all below it, or a name that only deleted files still have.
#[derive(Clone, Debug)]
pub struct PathFilter {
    /// The name as files below it show it: absolute, links resolved where it exists. Nothing where it
    /// would be the name of something else here.
    name: Option<Vec<u8>>,
    file: Option<(Device, Inode)>,
    /// The whole filesystem, where the path is the mount point of one.
    filesystem: Option<Device>,
    /// Where it stands: the filesystem as it is mounted, and the path in it. A name means the same in
    /// another mount namespace only if this does.
    place: Option<(Device, Vec<u8>)>,
    /// The device of the path, or of what is nearest above it.
    device: Option<Device>,
    /// Whether anything can be below it: it is a directory, or not there any more.
    has_below: bool,
    /// What we have mounted.
    own: Arc<Mounts>,
    /// Whether it is a directory, and names of what is below it can be resolved: no server that may not
    /// answer can be met on the way.
    resolves: bool,
}

impl PathFilter {
    /// Looks the path up, without asking a server that may not answer. One that does not exist can still be
    /// the name of deleted files.
    pub fn new(path: &Path, root: &ProcRoot) -> io::Result<Self> {
        let absolute = std::path::absolute(path)?;
        let own = Arc::new(own_mounts(root));
        let found = resolve(absolute.as_os_str().as_bytes(), &own);
        let is_directory = found.stat.is_some_and(|s| s.file_type() == libc::S_IFDIR);
        let resolves = is_directory && !found.foreign && !own.any_remote();
        let mount = found.mount();
        let device = found.stat.map(|s| s.device).or_else(|| mount.map(|m| m.device));
        let filesystem = mount.filter(|m| m.point == found.name && m.root == b"/" && !found.nameless);
        let filesystem = filesystem.and(device);
        let place = mount.and_then(|m| Some((m.device, m.inside(&found.name)?)));
        let place = place.filter(|_| !found.nameless);
        let has_below = found.stat.is_none_or(|_| is_directory) && !found.nameless;
        let file = found.stat.map(|s| (s.device, s.inode));
        let name = Some(found.name).filter(|_| !(found.nameless || found.foreign && place.is_some()));
        Ok(Self { name, file, filesystem, place, device, has_below, own, resolves })
    }

    /// Whether a path, with what `stat` says of it, is the file or below the directory. The mounts are those
    /// of its process.
    ///
    /// Another file may have the very same name in another mount namespace; one that is deleted
    /// has nothing but its name.
    pub(super) fn matches<'m>(
        &self,
        path: &[u8],
        deleted: bool,
        stat: Option<&FileStat>,
        mounts: impl FnOnce() -> &'m Mounts,
    ) -> bool {
        if stat.is_some_and(|stat| self.is_same(stat)) {
            return true;
        }
        let is_known = self.file.is_some() && stat.is_some_and(|s| s.inode != Inode(0));
        let is_itself = self.name.as_deref() == Some(path);
        if is_itself && !deleted && is_known {
            return false;
        }
        // Most have another name and are ours, which is seen without a look at the mounts of others.
        let id = stat.and_then(|stat| stat.mount);
        if let Some(mount) = id.and_then(|id| self.own.by_id(id)) {
            return self.is_below(path) || self.stands_below(mount, path);
        }
        let theirs = mounts();
        let mount = match id {
            Some(id) => theirs.by_id(id),
            None => theirs.of_path(path),
        };
        match (mount, &self.place) {
            (Some(mount), _) if self.own.by_id(mount.id).is_some() => {
                self.is_below(path) || self.stands_below(mount, path)
            }
            (Some(mount), Some(_)) => self.stands_below(mount, path),
            _ if theirs.is_empty() => self.is_below(path),
            // Which mount it is on is not to be known: what has the name has to be on the same device, too.
            _ => self.is_below(path) && stat.is_none_or(|s| self.device == Some(s.device)),
        }
    }

    /// Whether it is the file by device and inode, or on the filesystem that is meant.
    pub(super) fn is_same(&self, stat: &FileStat) -> bool {
        self.file == Some((stat.device, stat.inode)) || self.filesystem.is_some_and(|d| d == stat.device)
    }

    /// Whether a file whose name is not known can be below the directory. The mounts are those of its
    /// process.
    pub(super) fn may_have(&self, stat: Option<&FileStat>, mounts: &Mounts) -> bool {
        // Of a file all is known.
        if !self.has_below {
            return false;
        }
        let mount = stat.and_then(|s| s.mount);
        // What a mount calls its device is not always what its files do: btrfs, overlay.
        let ours = mount.and_then(|id| self.own.by_id(id));
        let Some(mount) = ours.or_else(|| mounts.by_id(mount?)) else { return true };
        let is_mounted_below = || {
            let name = self.name.as_deref();
            ours.is_some() && name.is_some_and(|name| self.own.has_below(name, mount.device))
        };
        self.place.as_ref().is_none_or(|(device, _)| *device == mount.device) || is_mounted_below()
    }

    /// Whether a path on a mount is below the directory in the filesystem itself, whatever it is called.
    fn stands_below(&self, mount: &Mount, path: &[u8]) -> bool {
        let Some((device, place)) = &self.place else { return false };
        *device == mount.device && mount.inside(path).is_some_and(|inside| is_below(&inside, place))
    }

    /// Whether a unix socket is bound to the file, or below the directory: by the name that it was bound
    /// by, or by `bound`, the device and 32 bits of the inode of the file itself. The name may lead there
    /// through links, or from the working directory of the process.
    pub(super) fn matches_socket(
        &self,
        name: &[u8],
        bound: Option<(Device, u32)>,
        is_foreign: impl FnOnce() -> bool,
        working_directory: impl FnOnce() -> Option<Vec<u8>>,
    ) -> bool {
        // In another mount namespace the name means the same only on the same filesystem.
        let is_here = |(device, _)| self.place.as_ref().is_some_and(|(place, _)| *place == device);
        if self.is_below(name) && (bound.is_some_and(is_here) || !is_foreign()) {
            return true;
        }
        let Some(bound) = bound else { return false };
        let is = |device, inode| (device, inode as u32) == bound;
        if self.file.is_some_and(|(device, inode)| is(device, inode.0)) || self.filesystem == Some(bound.0) {
            return true;
        }
        if !self.resolves {
            return false;
        }
        let path = match name.starts_with(b"/") {
            true => name.to_vec(),
            false => match working_directory() {
                Some(directory) => [&directory[..], b"/", name].concat(),
                None => return false,
            },
        };
        // What is there now may be another.
        let path = canonical_parent(Path::new(OsStr::from_bytes(&path)));
        self.is_below(path.as_os_str().as_bytes())
            && rustix::fs::lstat(&path).is_ok_and(|s| is(Device::from_stat(s.st_dev), s.st_ino))
    }

    /// Whether a name is this one or below it.
    fn is_below(&self, path: &[u8]) -> bool {
        self.name.as_deref().is_some_and(|name| is_below(path, name))
    }

    /// Whether a mount is one of ours.
    pub(super) fn is_ours(&self, mounts: &Mounts) -> bool {
        mounts.is_empty() || mounts.of_path(b"/").is_none_or(|m| self.own.by_id(m.id).is_some())
    }
}

/// Whether a path is this directory or below it.
fn is_below(path: &[u8], directory: &[u8]) -> bool {
    if directory == b"/" {
        return path.starts_with(b"/");
    }
    match path.strip_prefix(directory) {
        Some(rest) => rest.is_empty() || rest.starts_with(b"/"),
        None => false,
    }
}

/// What we have mounted. The tree that is read may be another than /proc, and be a made-up one.
fn own_mounts(root: &ProcRoot) -> Mounts {
    let read = |path: PathBuf| {
        let own = rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).ok()?;
        Some(Mounts::read(rustix::fd::AsFd::as_fd(&own))).filter(|mounts| !mounts.is_empty())
    };
    read(root.join("self")).or_else(|| read("/proc/self".into())).unwrap_or_default()
}

/// The path with the links of its directory resolved, as far as that exists.
fn canonical_parent(path: &Path) -> PathBuf {
    let resolved = || Some(std::fs::canonicalize(path.parent()?).ok()?.join(path.file_name()?));
    resolved().unwrap_or_else(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Arc, Device, FileStat, Inode, Mounts, PathFilter};

    const DEVICE: Device = Device { major: 8, minor: 1 };

    fn filter(name: &[u8], file: Option<(Device, Inode)>) -> PathFilter {
        let own = Arc::new(Mounts::parse(b"20 1 8:1 / / rw - ext4 a rw\n21 20 8:1 /etc /e rw - ext4 a rw\n"));
        PathFilter {
            name: Some(name.to_vec()),
            file,
            filesystem: None,
            place: Some((DEVICE, name.to_vec())),
            device: Some(DEVICE),
            has_below: true,
            own,
            resolves: false,
        }
    }

    fn stat(inode: u64, mount: u32) -> FileStat {
        FileStat {
            mode: libc::S_IFREG,
            inode: Inode(inode),
            device: DEVICE,
            rdev: DEVICE,
            size: None,
            links: None,
            mount: Some(mount),
        }
    }

    #[test]
    fn a_name_does_not_make_it_the_same_file() {
        let none = Mounts::default();
        let file = filter(b"/etc/x", Some((DEVICE, Inode(7))));
        let is = |path: &[u8], deleted, inode| file.matches(path, deleted, Some(&stat(inode, 20)), || &none);
        assert!(is(b"/other/name", false, 7));
        assert!(!is(b"/etc/x", false, 8));
        assert!(is(b"/etc/x", true, 8));
        assert!(is(b"/etc/x", false, 0), "not known");
        assert!(is(b"/etc/x/y", false, 8));
        let gone = filter(b"/etc/x", None);
        assert!(gone.matches(b"/etc/x", false, Some(&stat(8, 20)), || &none));
    }

    #[test]
    fn a_name_counts_where_the_mounts_agree() {
        let directory = filter(b"/etc/d", Some((DEVICE, Inode(7))));
        let theirs = Mounts::parse(
            b"30 1 8:1 /etc / rw - ext4 a rw\n31 30 0:9 / /etc rw - tmpfs a rw\n32 30 8:1 / /v rw - ext4 a rw\n",
        );
        let is = |path: &[u8], mount| directory.matches(path, false, Some(&stat(8, mount)), || &theirs);
        assert!(is(b"/etc/d/f", 20) && is(b"/e/d/f", 21), "ours, by either name");
        assert!(!is(b"/etc/d/f", 31), "a filesystem of theirs");
        assert!(is(b"/v/etc/d/f", 32) && is(b"/d/f", 30), "the same directory");
        assert!(!is(b"/etc/d/f", 32), "another");
        assert!(is(b"/etc/d/f", 99), "not known but on the same device");
        let elsewhere = FileStat { device: Device { major: 0, minor: 9 }, ..stat(8, 99) };
        assert!(!directory.matches(b"/etc/d/f", false, Some(&elsewhere), || &theirs));
    }

    #[test]
    fn below_means_whole_components() {
        let filter = filter(b"/var/log", None);
        assert!(filter.is_below(b"/var/log"));
        assert!(filter.is_below(b"/var/log/x"));
        assert!(!filter.is_below(b"/var/logs"));
        assert!(!filter.is_below(b"/var"));
    }
}
