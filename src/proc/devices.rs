//! Names of devices: /proc/devices, /proc/misc, /sys/dev/block.

use super::root::ProcRoot;
use crate::model::{Device, decimal};
use std::collections::HashMap;

/// The major of devices that share one, named in /proc/misc.
const MISC_MAJOR: u32 = 10;

/// The names of character devices' drivers.
#[derive(Debug)]
pub(super) struct Devices {
    by_major: HashMap<u32, Vec<u8>>,
    misc: HashMap<u32, Vec<u8>>,
}

impl Devices {
    pub(super) fn read(root: &ProcRoot) -> Self {
        let read = |file| std::fs::read(root.join(file)).unwrap_or_default();
        let devices = read("devices");
        let characters = devices
            .split(|&b| b == b'\n')
            .skip(1)
            .take_while(|line| !line.is_empty() && !line.starts_with(b"Block"));
        let misc = read("misc");
        Self {
            by_major: characters.filter_map(numbered).collect(),
            misc: misc.split(|&b| b == b'\n').filter_map(numbered).collect(),
        }
    }

    /// The driver of a character device.
    pub(super) fn character(&self, device: Device) -> Option<Vec<u8>> {
        if device.major == MISC_MAJOR
            && let Some(name) = self.misc.get(&device.minor)
        {
            return Some(name.clone());
        }
        self.by_major.get(&device.major).cloned()
    }
}

/// The kernel's name of a disk or partition.
pub(super) fn disk(device: Device) -> Option<Vec<u8>> {
    let event = std::fs::read(format!("/sys/dev/block/{device}/uevent")).ok()?;
    event.split(|&b| b == b'\n').find_map(|line| line.strip_prefix(b"DEVNAME=")).map(<[u8]>::to_vec)
}

/// `136 pts`
fn numbered(line: &[u8]) -> Option<(u32, Vec<u8>)> {
    let line = line.trim_ascii();
    let blank = line.iter().position(|&b| b == b' ')?;
    let number = u32::try_from(decimal(&line[..blank])?).ok()?;
    Some((number, line[blank + 1..].to_vec()))
}
