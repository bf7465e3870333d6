//! How a description was opened: `open(2)`.

use super::bitset::BitSet;

/// The access mode of a description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// `O_RDONLY`.
    Read,
    /// `O_WRONLY`.
    Write,
    /// `O_RDWR`.
    ReadWrite,
    /// `O_PATH`: a reference to a place in the tree, neither readable nor writable.
    Path,
    /// Access mode 3: for `ioctl(2)` only.
    None,
}

impl Access {
    /// The word used in every output.
    pub fn word(self) -> &'static str {
        match self {
            Self::Read => "r",
            Self::Write => "w",
            Self::ReadWrite => "rw",
            Self::Path => "path",
            Self::None => "none",
        }
    }

    /// From the permission bits of the link `/proc/PID/fd/N`, which tell the access mode without
    /// reading fdinfo: `proc_pid_fd(5)`.
    pub fn from_link_mode(mode: u32) -> Self {
        match mode & 0o600 {
            0o400 => Self::Read,
            0o200 => Self::Write,
            0o600 => Self::ReadWrite,
            _ => Self::Path,
        }
    }
}

/// The `flags:` of fdinfo: access mode, status flags and close-on-exec, with the bits of this
/// architecture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenFlags(pub u64);

/// glibc defines `O_LARGEFILE` as 0 on 64-bit architectures; the kernel reports its own bit.
const LARGEFILE: u64 = if cfg!(any(target_arch = "aarch64", target_arch = "arm", target_arch = "m68k")) {
    0o400_000
} else if cfg!(any(target_arch = "powerpc", target_arch = "powerpc64")) {
    0o200_000
} else if cfg!(any(target_arch = "mips", target_arch = "mips64")) {
    0x2000
} else if cfg!(any(target_arch = "sparc", target_arch = "sparc64")) {
    0x4_0000
} else {
    0o100_000
};

const NAMES: &[(u64, &str)] = &[
    (libc::O_TMPFILE as u64, "tmpfile"),
    (libc::O_SYNC as u64, "sync"),
    (libc::O_NONBLOCK as u64, "nonblock"),
    (libc::O_CLOEXEC as u64, "cloexec"),
    (libc::O_APPEND as u64, "append"),
    (libc::O_DSYNC as u64, "dsync"),
    (libc::O_DIRECT as u64, "direct"),
    (libc::O_ASYNC as u64, "async"),
    (libc::O_NOATIME as u64, "noatime"),
    (libc::O_PATH as u64, "path"),
    (libc::O_DIRECTORY as u64, "directory"),
    (libc::O_NOFOLLOW as u64, "nofollow"),
    (libc::O_CREAT as u64, "creat"),
    (libc::O_EXCL as u64, "excl"),
    (libc::O_NOCTTY as u64, "noctty"),
    (libc::O_TRUNC as u64, "trunc"),
    (LARGEFILE, "largefile"),
];

impl OpenFlags {
    /// The access mode.
    pub fn access(self) -> Access {
        if self.has(libc::O_PATH) {
            return Access::Path;
        }
        match (self.0 as i32) & libc::O_ACCMODE {
            libc::O_RDONLY => Access::Read,
            libc::O_WRONLY => Access::Write,
            libc::O_RDWR => Access::ReadWrite,
            _ => Access::None,
        }
    }

    /// Whether all bits of `flag` are set.
    pub fn has(self, flag: i32) -> bool {
        self.0 & flag as u64 == flag as u64
    }

    /// Whether `execve(2)` closes the fd. It is a flag of the fd, not of its description.
    pub fn closes_on_exec(self) -> bool {
        self.has(libc::O_CLOEXEC)
    }

    /// The flags by name, without the access mode.
    pub fn set(self) -> BitSet {
        BitSet { bits: self.0 & !(libc::O_ACCMODE as u64), names: NAMES }
    }
}

#[cfg(test)]
mod tests {
    use super::{Access, OpenFlags};

    #[test]
    fn names_of_common_flags() {
        let flags = OpenFlags(libc::O_RDWR as u64 | libc::O_NONBLOCK as u64 | libc::O_CLOEXEC as u64);
        assert_eq!(flags.access(), Access::ReadWrite);
        assert_eq!(flags.set().join(","), "nonblock,cloexec");
    }

    #[test]
    fn sync_is_not_also_dsync() {
        assert_eq!(OpenFlags(libc::O_SYNC as u64).set().join(","), "sync");
        assert_eq!(OpenFlags(libc::O_DSYNC as u64).set().join(","), "dsync");
    }

    #[test]
    fn unknown_bits_are_hex() {
        assert_eq!(OpenFlags(1 << 40).set().join(","), "0x10000000000");
    }

    #[test]
    fn path_wins_over_access_mode() {
        assert_eq!(OpenFlags(libc::O_PATH as u64).access(), Access::Path);
    }
}
