//! Where the cgroups of version 2 are mounted: `cgroups(7)`.

use super::mounts::Mounts;
use rustix::fd::{AsFd as _, OwnedFd};
use rustix::fs::{Mode, OFlags};
use std::sync::Arc;

/// The type of file handles in kernfs, which are ids: `include/linux/exportfs.h`.
pub(super) const FILEID_KERNFS: i32 = 0xfe;

/// The mount, opened as `O_PATH`, and its path.
pub(super) fn mount() -> Option<(Arc<OwnedFd>, Vec<u8>)> {
    let own = rustix::fs::open("/proc/self", OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).ok()?;
    let mounts = Mounts::read(own.as_fd());
    let mount = mounts.of_type("cgroup2")?;
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let point = mount.point.clone();
    rustix::fs::open(&point[..], flags, Mode::empty()).ok().map(|fd| (Arc::new(fd), point))
}
