//! What the program writes of an fd, and what that means.

use crate::kind::{Borrowed, FdInfo, FileStat, Shape};
use crate::model::{Access, Device, FdNum, Inode, OpenFlags};

/// Bytes before the link.
pub(super) const HEADER: usize = 72;
/// The longest link that is told, with the 0 behind it: a program has 512 bytes in all.
pub(super) const LINK: usize = 400;

/// Where each value is.
pub(super) mod at {
    pub(in super::super) const INODE: usize = 0;
    pub(in super::super) const POS: usize = 8;
    pub(in super::super) const SIZE: usize = 16;
    pub(in super::super) const FD: usize = 24;
    pub(in super::super) const FLAGS: usize = 28;
    pub(in super::super) const FILE_MODE: usize = 32;
    pub(in super::super) const MOUNT: usize = 36;
    pub(in super::super) const MODE: usize = 40;
    pub(in super::super) const LINKS: usize = 44;
    pub(in super::super) const RDEV: usize = 48;
    pub(in super::super) const DEVICE: usize = 52;
    pub(in super::super) const MAGIC: usize = 56;
    pub(in super::super) const BITS: usize = 60;
    pub(in super::super) const PIPE_PAGES: usize = 64;
    pub(in super::super) const LINK_LENGTH: usize = 68;
}

/// What is told by single bits.
pub(super) mod bits {
    /// fdinfo may have more than the lines that all fds have.
    pub(in super::super) const MORE: i32 = 1;
    /// `O_CLOEXEC`, which is the fd's and not the description's.
    pub(in super::super) const CLOSE_ON_EXEC: i32 = 2;
}

/// `SOCKFS_MAGIC`, `PIPEFS_MAGIC` and `ANON_INODE_FS_MAGIC` of `linux/magic.h`.
pub(super) const SOCKFS: i32 = 0x534f_434b;
const PIPEFS: u32 = 0x5049_5045;
const ANON_INODE_FS: u32 = 0x0904_1934;

/// Filesystems of which `stat` says what the inode says, of all files: ext4, and tmpfs. Others may
/// give another device (btrfs, overlayfs), or ask a server.
const EXT4: u32 = 0xef53;
const TMPFS: u32 = 0x0102_1994;
/// The same of regular files: XFS.
const XFS: u32 = 0x5846_5342;

/// `FMODE_READ` and `FMODE_WRITE` of `linux/fs.h`.
const FMODE_READ: u32 = 1;
const FMODE_WRITE: u32 = 2;

/// An fd as the iterator saw it.
#[derive(Clone, Copy)]
pub(in crate::proc) struct Known<'t> {
    header: &'t [u8; HEADER],
    /// The text of its link.
    pub(in crate::proc) link: &'t [u8],
}

impl<'t> Known<'t> {
    /// Takes the first record off `bytes`: the fd's number, and what is known of it, unless its link
    /// is too long.
    pub(super) fn take(bytes: &mut &'t [u8]) -> Option<(FdNum, Option<Self>)> {
        let (header, rest) = bytes.split_first_chunk::<HEADER>()?;
        let length = word(header, at::LINK_LENGTH) as i32;
        let (link, rest) = rest.split_at_checked(usize::try_from(length).unwrap_or(0))?;
        *bytes = rest;
        let fd = FdNum(word(header, at::FD) as i32);
        // The 0 at the end is counted.
        let known = link.strip_suffix(b"\0").filter(|link| !link.is_empty());
        Some((fd, known.map(|link| Self { header, link })))
    }

    /// What `statx` would say, where that is known.
    pub(in crate::proc) fn stat(&self) -> Option<FileStat> {
        let mode = self.word(at::MODE);
        let is_told = match self.word(at::MAGIC) {
            EXT4 | TMPFS => true,
            XFS => mode & libc::S_IFMT == libc::S_IFREG,
            _ => false,
        };
        is_told.then(|| FileStat {
            mode,
            inode: Inode(self.double(at::INODE)),
            device: Device::from_kernel(self.word(at::DEVICE).into()),
            rdev: Device::from_kernel(self.word(at::RDEV).into()),
            size: Some(self.double(at::SIZE)),
            links: Some(self.word(at::LINKS)),
            mount: None,
        })
    }

    /// Whether that is what `statx` says now: the same file, if not the same fd.
    pub(in crate::proc) fn is(&self, stat: &FileStat) -> bool {
        stat.inode.0 == self.double(at::INODE)
            && stat.device == Device::from_kernel(self.word(at::DEVICE).into())
            && stat.file_type() == self.word(at::MODE) & libc::S_IFMT
    }

    /// Device and inode of what has no path, where they are known.
    pub(in crate::proc) fn nameless(&self) -> Option<(Device, Inode)> {
        let is_told =
            matches!(self.word(at::MAGIC), PIPEFS | ANON_INODE_FS) || self.word(at::MAGIC) == SOCKFS as u32;
        is_told.then(|| (Device::from_kernel(self.word(at::DEVICE).into()), Inode(self.double(at::INODE))))
    }

    /// What fdinfo would say, unless the kind of fd has lines of its own there. What sockets have in
    /// theirs nobody reads.
    pub(in crate::proc) fn info(&self) -> Option<FdInfo<'static>> {
        let bits = self.word(at::BITS) as i32;
        if bits & bits::MORE != 0 && Shape::of(self.link).socket().is_none() {
            return None;
        }
        let mut flags = self.flags() & !(libc::O_CLOEXEC as u32);
        if bits & bits::CLOSE_ON_EXEC != 0 {
            flags |= libc::O_CLOEXEC as u32;
        }
        let mount = self.word(at::MOUNT);
        let inode = Inode(self.double(at::INODE));
        Some(FdInfo::plain(self.double(at::POS), OpenFlags(flags.into()), mount, inode))
    }

    /// How it was opened, as the permissions of the link say it.
    pub(in crate::proc) fn access(&self) -> Access {
        let mode = self.word(at::FILE_MODE);
        let bit = |mask, bit| if mode & mask != 0 { bit } else { 0 };
        Access::from_link_mode(bit(FMODE_READ, 0o400) | bit(FMODE_WRITE, 0o200))
    }

    /// What a duplicate of a pipe would tell, if nothing is in the pipe.
    pub(in crate::proc) fn pipe(&self) -> Option<Borrowed> {
        let pages = u64::from(self.word(at::PIPE_PAGES));
        if pages == 0 || self.flags() & libc::O_PATH as u32 != 0 {
            return None;
        }
        let capacity = Some(pages * rustix::param::page_size() as u64);
        let which = Some((Inode(self.double(at::INODE)), OpenFlags(self.flags().into())));
        Some(Borrowed { pipe: which, queued: Some(0), capacity, ..Borrowed::default() })
    }

    fn flags(&self) -> u32 {
        self.word(at::FLAGS)
    }

    fn word(&self, at: usize) -> u32 {
        word(self.header, at)
    }

    fn double(&self, at: usize) -> u64 {
        u64::from_le_bytes(std::array::from_fn(|n| self.header[at + n]))
    }
}

fn word(header: &[u8; HEADER], at: usize) -> u32 {
    u32::from_le_bytes(std::array::from_fn(|n| header[at + n]))
}
