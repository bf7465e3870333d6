//! The types of the running kernel, `Documentation/bpf/btf.rst`, by `mmap(2)` where it can be mapped.

use std::fs::File;
use std::io;
use std::ops::Deref;
use std::os::fd::AsRawFd as _;
use std::ptr::NonNull;

/// Where the kernel shows them to whoever asks. They never change.
const TYPES: &str = "/sys/kernel/btf/vmlinux";

/// They, mapped or read.
#[derive(Debug)]
pub enum KernelTypes {
    /// Mapped: since Linux 6.16.
    Mapped(Mapping),
    /// Read.
    Read(Vec<u8>),
}

/// Memory that is the kernel's.
#[derive(Debug)]
pub struct Mapping {
    start: NonNull<u8>,
    length: usize,
}

impl KernelTypes {
    /// Makes them readable.
    pub fn open() -> io::Result<Self> {
        let file = File::open(TYPES)?;
        let length = usize::try_from(file.metadata()?.len()).unwrap_or(0);
        // SAFETY: a new mapping, at an address that the kernel chooses.
        let start = unsafe {
            libc::mmap(std::ptr::null_mut(), length, libc::PROT_READ, libc::MAP_PRIVATE, file.as_raw_fd(), 0)
        };
        match NonNull::new(start.cast()).filter(|_| start != libc::MAP_FAILED) {
            Some(start) => Ok(Self::Mapped(Mapping { start, length })),
            None => std::fs::read(TYPES).map(Self::Read),
        }
    }
}

impl Deref for KernelTypes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            // SAFETY: mapped for as long as `self` lives, `length` bytes of the kernel's own memory that
            // is never written to.
            Self::Mapped(mapping) => unsafe {
                std::slice::from_raw_parts(mapping.start.as_ptr(), mapping.length)
            },
            Self::Read(bytes) => bytes,
        }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: what `open` has mapped, and nobody refers to any more.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.length) };
    }
}
