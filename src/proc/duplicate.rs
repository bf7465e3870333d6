//! Duplicates of fds of other processes, by `pidfd_getfd(2)`.
//!
//! A duplicate that is held does harm: the other end does not see a close, a port stays in use. So
//! whoever asks for one closes it at once.

use crate::model::{FdNum, Pid};
use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::process::{PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

/// `PIDFD_THREAD`, since Linux 6.9: `O_EXCL`.
const THREAD: PidfdFlags = PidfdFlags::from_bits_retain(OFlags::EXCL.bits());

/// A process, or a thread with an fd table of its own, whose fds can be duplicated.
#[derive(Debug)]
pub struct Donor {
    pidfd: OwnedFd,
}

impl Donor {
    /// The process `pid`.
    pub fn process(pid: Pid) -> Result<Self, Errno> {
        Self::open(pid, PidfdFlags::empty())
    }

    /// The thread `tid`, which need not be the first of its process. Since Linux 6.9.
    pub fn thread(tid: Pid) -> Result<Self, Errno> {
        Self::open(tid, THREAD)
    }

    fn open(task: Pid, flags: PidfdFlags) -> Result<Self, Errno> {
        let task = rustix::process::Pid::from_raw(task.0).ok_or(Errno::SRCH)?;
        Ok(Self { pidfd: pidfd_open(task, flags)? })
    }

    /// A duplicate of an fd. `EBADF` if it is closed, `ESRCH` if the process has ended, `EPERM`
    /// without the right to trace it.
    pub fn duplicate(&self, fd: FdNum) -> Result<OwnedFd, Errno> {
        pidfd_getfd(&self.pidfd, fd.0, PidfdGetfdFlags::empty())
    }

    /// An fd that is readable once the process has ended.
    pub fn pidfd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}
