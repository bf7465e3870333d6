//! Which master belongs to which slave: `pty(7)`.
//!
//! Numbers are given anew in every filesystem of pseudoterminals, of which each container has one.
//! A slave's file is in its filesystem. A master's is if it was opened as `/dev/pts/ptmx`; one that
//! was opened as `/dev/ptmx`, a file of another filesystem, belongs to what is mounted beside that
//! as `pts`: `devpts_acquire()` in `fs/devpts/inode.c`.

use super::links::Key;
use crate::kind::FdInfo;
use crate::model::{Device, FdNum, Holder, Pid};
use crate::proc::mounts::Mounts;
use crate::proc::sweep::{Met, Swept};
use std::collections::HashMap;

/// The type of the filesystem.
const DEVPTS: &str = "devpts";

/// The masters, by the filesystem of their slaves and the number.
#[derive(Debug, Default)]
pub(super) struct Ptys {
    masters: HashMap<(Device, u32), Vec<Holder>>,
    instances: HashMap<(Pid, FdNum), (Device, u32)>,
}

impl Ptys {
    pub(super) fn of(swept: &Swept<Key>) -> Self {
        let is_slaves = |device: Device| {
            swept.iter().any(|(key, _)| matches!(key, Key::Slave(slave, _) if *slave == device))
        };
        let mut ptys = Self::default();
        for (key, holders) in swept.iter() {
            let &Key::Master(index, device, sure) = key else { continue };
            // From elsewhere: slaves in the same filesystem say what that is.
            if !sure && !is_slaves(device) {
                continue;
            }
            ptys.masters.entry((device, index)).or_default().extend_from_slice(holders);
            let fds = holders.iter().map(|holder| (holder.process.pid, holder.fd));
            ptys.instances.extend(fds.map(|fd| (fd, (device, index))));
        }
        ptys.masters.values_mut().for_each(super::sort);
        ptys
    }

    /// The masters of a slave.
    pub(super) fn masters(&self, device: Device, index: u32) -> &[Holder] {
        self.masters.get(&(device, index)).map_or(&[], Vec::as_slice)
    }

    /// The filesystem that the slave of a master is in.
    pub(super) fn instance(&self, pid: Pid, fd: FdNum, index: u32) -> Option<Device> {
        self.instances.get(&(pid, fd)).filter(|(_, of)| *of == index).map(|(device, _)| *device)
    }
}

/// What tells a master apart.
pub(super) fn master(met: &Met<'_>) -> Option<Key> {
    let read = |info: &FdInfo<'_>| Some((info.decimal("tty-index")?.try_into().ok()?, info.mount?));
    let (index, mount): (u32, u32) = met.info(read)?;
    let device = met.stat()?.device;
    let (device, sure) = match instance(met.mounts(), met.link, device, mount) {
        Some(instance) => (instance, true),
        None => (device, false),
    };
    Some(Key::Master(index, device, sure))
}

/// The filesystem of the slave, as the mounts of the process tell it.
fn instance(mounts: &Mounts, path: &[u8], device: Device, mount: u32) -> Option<Device> {
    if mounts.of_device(device).any(|mount| mount.filesystem == DEVPTS) {
        return Some(device);
    }
    // It was opened here, and not passed from where other filesystems are mounted.
    let own = mounts.by_id(mount)?;
    let directory = path.strip_suffix(b"/ptmx")?;
    let beside = |directory: &[u8]| mounts.at(&[directory, b"/pts"].concat());
    // From another root directory than ours the path has more in front.
    let found =
        beside(directory).or_else(|| beside(&own.point).filter(|_| directory.ends_with(&own.point)))?;
    (found.filesystem == DEVPTS).then_some(found.device)
}

#[cfg(test)]
mod tests {
    use super::{Device, instance};
    use crate::proc::mounts::Mounts;

    fn at(minor: u32) -> Device {
        Device { major: 0, minor }
    }

    #[test]
    fn the_filesystem_beside_the_file() {
        let mounts = Mounts::parse(
            b"21 1 0:5 / /dev rw - devtmpfs x rw\n\
              22 21 0:20 / /dev/pts rw - devpts x rw\n\
              23 1 0:21 / /jail/dev/pts rw - devpts x rw\n\
              24 1 8:1 / / rw - ext4 x rw\n",
        );
        let of = |path: &[u8], device, mount| instance(&mounts, path, device, mount);
        assert_eq!(of(b"/dev/ptmx", at(5), 21), Some(at(20)));
        assert_eq!(of(b"/dev/pts/ptmx", at(20), 22), Some(at(20)));
        assert_eq!(of(b"/jail/dev/ptmx", Device { major: 8, minor: 1 }, 24), Some(at(21)));
        assert_eq!(of(b"/root/dev/ptmx", at(5), 21), Some(at(20)), "seen from another root directory");
        assert_eq!(of(b"/dev/ptmx", at(6), 99), None, "opened elsewhere");
        assert_eq!(of(b"/tmp/ptmx", Device { major: 8, minor: 1 }, 24), None);
    }
}
