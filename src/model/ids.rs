//! Numbers that must not be mixed up.

use std::fmt;

/// A process id, or a thread id where a single thread is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pid(pub i32);

/// The number of a file descriptor in one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FdNum(pub i32);

/// An inode number, unique only together with its [`Device`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Inode(pub u64);

/// A device number, `makedev(3)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Device {
    /// The driver.
    pub major: u32,
    /// The instance.
    pub minor: u32,
}

impl Device {
    /// From the kernel's own encoding (`dev_t` with 20 bits of minor), which fdinfo prints as
    /// `sdev`.
    pub fn from_kernel(dev: u64) -> Self {
        Self { major: (dev >> 20) as u32, minor: (dev & 0xf_ffff) as u32 }
    }

    /// From `st_dev` of `stat(2)`, as the C library encodes it.
    pub fn from_stat(dev: u64) -> Self {
        Self { major: libc::major(dev), minor: libc::minor(dev) }
    }
}

impl fmt::Display for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for FdNum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.major, self.minor)
    }
}
