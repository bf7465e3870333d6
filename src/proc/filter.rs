//! `--path`: who has this file, or anything below this directory.

use super::mounts::Mounts;
use crate::kind::FileStat;
use crate::model::{Device, Inode};
use rustix::fs::{Mode, OFlags};
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// A file, a directory with all below it, or a name that only deleted files still have.
#[derive(Clone, Debug)]
pub struct PathFilter {
    /// The name as files below it show it: absolute, links resolved where it exists.
    name: Vec<u8>,
    file: Option<(Device, Inode)>,
    /// The whole filesystem, where the path is the mount point of one.
    filesystem: Option<Device>,
    /// Whether it is a directory, and names of what is below it can be resolved: no server that may not
    /// answer can be met on the way.
    resolves: bool,
}

impl PathFilter {
    /// Looks the path up. One that does not exist can still be the name of deleted files.
    pub fn new(path: &Path) -> io::Result<Self> {
        let absolute = std::path::absolute(path)?;
        let own = rustix::fs::open("/proc/self", OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
        let mounts = Mounts::read(rustix::fd::AsFd::as_fd(&own));
        // Looking at the mount point itself would ask a server that may not answer, and what keeps
        // that mount busy is then all the more the question.
        let bare: PathBuf = absolute.components().collect();
        let bare = bare.into_os_string().into_encoded_bytes();
        if let Some(mount) = mounts.at(&bare).filter(|m| m.is_remote()) {
            let filesystem = Some(mount.device).filter(|_| mount.root == b"/");
            return Ok(Self { name: bare, file: None, filesystem, resolves: false });
        }
        let resolved = std::fs::canonicalize(&absolute);
        let stat = rustix::fs::stat(&absolute);
        let (Ok(resolved), Ok(stat)) = (resolved, stat) else {
            return Ok(Self {
                name: canonical_parent(&absolute).into_os_string().into_encoded_bytes(),
                file: None,
                filesystem: None,
                resolves: false,
            });
        };
        let device = Device::from_stat(stat.st_dev);
        let name = resolved.as_os_str().as_bytes().to_vec();
        let filesystem = mounts.at(&name).filter(|m| m.root == b"/").map(|_| device);
        let is_directory = stat.st_mode & libc::S_IFMT == libc::S_IFDIR;
        let resolves = is_directory && !mounts.any_remote();
        Ok(Self { name, file: Some((device, Inode(stat.st_ino))), filesystem, resolves })
    }

    /// Whether a path, with what `stat` says of it, is the file or below the directory.
    ///
    /// Another file may have the very same name in another mount namespace; one that is deleted
    /// has nothing but its name.
    pub(super) fn matches(&self, path: &[u8], deleted: bool, stat: Option<&FileStat>) -> bool {
        let same_file = stat.is_some_and(|s| {
            self.file == Some((s.device, s.inode)) || self.filesystem.is_some_and(|d| d == s.device)
        });
        let is_known = self.file.is_some() && stat.is_some_and(|s| s.inode != Inode(0));
        let is_another = path == self.name && !deleted && is_known;
        same_file || (!is_another && self.is_below(path))
    }

    /// Whether a unix socket is bound to the file, or below the directory: by the name that it was bound
    /// by, or by `bound`, the device and 32 bits of the inode of the file itself. The name may lead there
    /// through links, or from the working directory of the process.
    pub(super) fn matches_socket(
        &self,
        name: &[u8],
        bound: Option<(Device, u32)>,
        working_directory: impl FnOnce() -> Option<Vec<u8>>,
    ) -> bool {
        if self.is_below(name) {
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
    pub(super) fn is_below(&self, path: &[u8]) -> bool {
        if self.name == b"/" {
            return path.starts_with(b"/");
        }
        match path.strip_prefix(&self.name[..]) {
            Some(rest) => rest.is_empty() || rest.starts_with(b"/"),
            None => false,
        }
    }
}

/// The path with the links of its directory resolved, as far as that exists.
fn canonical_parent(path: &Path) -> PathBuf {
    let resolved = || Some(std::fs::canonicalize(path.parent()?).ok()?.join(path.file_name()?));
    resolved().unwrap_or_else(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Device, FileStat, Inode, PathFilter};

    #[test]
    fn a_name_does_not_make_it_the_same_file() {
        let device = Device { major: 8, minor: 1 };
        let stat = |inode| FileStat {
            mode: libc::S_IFREG,
            inode: Inode(inode),
            device,
            rdev: device,
            size: None,
            links: None,
        };
        let file = Some((device, Inode(7)));
        let filter = PathFilter { name: b"/etc/x".to_vec(), file, filesystem: None, resolves: false };
        assert!(filter.matches(b"/other/name", false, Some(&stat(7))));
        assert!(!filter.matches(b"/etc/x", false, Some(&stat(8))));
        assert!(filter.matches(b"/etc/x", true, Some(&stat(8))));
        assert!(filter.matches(b"/etc/x", false, Some(&stat(0))), "not known");
        assert!(filter.matches(b"/etc/x/y", false, Some(&stat(8))));
        let gone = PathFilter { file: None, ..filter };
        assert!(gone.matches(b"/etc/x", false, Some(&stat(8))));
    }

    #[test]
    fn below_means_whole_components() {
        let name = b"/var/log".to_vec();
        let filter = PathFilter { name, file: None, filesystem: None, resolves: false };
        assert!(filter.is_below(b"/var/log"));
        assert!(filter.is_below(b"/var/log/x"));
        assert!(!filter.is_below(b"/var/logs"));
        assert!(!filter.is_below(b"/var"));
    }
}
