//! Questions that only the description itself can answer, asked of a duplicate of the fd.
//!
//! It is closed before the next fd is looked at. Nothing is read from it and no flag of it is
//! changed.

use super::duplicate::Donor;
use super::system::System;
use crate::kind::{Borrow, Borrowed, MqueueState};
use crate::model::{FdNum, Inode, OpenFlags, Pid};
use crate::sys;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd as _, OwnedFd};
use std::cell::OnceCell;

/// A way to borrow fds of one fd table.
#[derive(Debug)]
pub(super) struct Lender {
    task: Option<Pid>,
    is_process: bool,
    donor: OnceCell<Option<Donor>>,
}

impl Lender {
    /// For the table of `task`, the process `pid` itself or a thread of it. Pids of another /proc
    /// than our own mean nothing to the kernel: nothing is borrowed there.
    pub(super) fn new(system: &System, pid: Pid, task: Pid) -> Self {
        Self {
            task: system.root().is_native().then_some(task),
            is_process: pid == task,
            donor: OnceCell::new(),
        }
    }

    /// What `what` asks of an fd; nothing where the caller may not, which needs the right to
    /// trace the process.
    pub(super) fn ask(&self, fd: FdNum, what: Borrow) -> Borrowed {
        let mut answer = Borrowed::default();
        if what == Borrow::Nothing {
            return answer;
        }
        let Some(duplicate) = self.duplicate(fd) else { return answer };
        match what {
            Borrow::Nothing => {}
            Borrow::Pipe => {
                let inode = rustix::fs::fstat(&duplicate).ok().map(|s| Inode(s.st_ino));
                let flags = rustix::fs::fcntl_getfl(&duplicate).ok().map(|f| OpenFlags(f.bits().into()));
                answer.pipe = inode.zip(flags);
                answer.queued = rustix::io::ioctl_fionread(&duplicate).ok();
                answer.capacity = rustix::pipe::fcntl_getpipe_size(&duplicate).ok().map(|n| n as u64);
            }
            Borrow::Seals => {
                answer.seals = rustix::fs::fcntl_get_seals(&duplicate).ok().map(|s| s.bits());
            }
            Borrow::Mqueue => {
                let state = sys::mqueue_state(duplicate.as_fd()).ok();
                answer.mqueue = state.map(|(max_messages, message_size, messages)| MqueueState {
                    max_messages,
                    message_size,
                    messages,
                });
            }
        }
        answer
    }

    /// What is ready of an fd, without waiting, if it is still of this inode; errors and hang-ups are
    /// always told.
    pub(super) fn poll(&self, fd: FdNum, inode: Option<Inode>) -> Option<PollFlags> {
        let duplicate = self.duplicate(fd)?;
        if inode.is_some_and(|inode| rustix::fs::fstat(&duplicate).is_ok_and(|s| Inode(s.st_ino) != inode)) {
            return None;
        }
        let mut fds = [PollFd::new(&duplicate, PollFlags::empty())];
        poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).ok()?;
        Some(fds[0].revents())
    }

    /// What lies in a pipe, if the fd is still of this inode, and how much fits in.
    pub(super) fn pipe(&self, fd: FdNum, inode: Inode) -> Option<(u64, Option<u64>)> {
        let duplicate = self.duplicate(fd)?;
        if rustix::fs::fstat(&duplicate).ok()?.st_ino != inode.0 {
            return None;
        }
        let room = rustix::pipe::fcntl_getpipe_size(&duplicate).ok().map(|n| n as u64);
        Some((rustix::io::ioctl_fionread(&duplicate).ok()?, room))
    }

    /// The inode of the network namespace of a socket.
    pub(super) fn network(&self, fd: FdNum, socket: Inode) -> Option<u64> {
        let duplicate = self.duplicate(fd)?;
        if rustix::fs::fstat(&duplicate).ok()?.st_ino != socket.0 {
            return None;
        }
        let network = sys::socket_netns(duplicate.as_fd()).ok()?;
        Some(rustix::fs::fstat(network).ok()?.st_ino)
    }

    fn duplicate(&self, fd: FdNum) -> Option<OwnedFd> {
        let donor = self.donor.get_or_init(|| {
            let open = if self.is_process { Donor::process } else { Donor::thread };
            open(self.task?).ok()
        });
        donor.as_ref()?.duplicate(fd).ok()
    }
}
