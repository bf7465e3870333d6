//! Questions that only the description itself can answer, asked of a duplicate of the fd.
//!
//! `pidfd_getfd(2)` makes the duplicate, and it is closed before the next fd is looked at: held
//! longer it would do harm (a peer would not see the end of a file). Nothing is read from it and
//! no flag of it is changed.

use super::system::System;
use crate::kind::{Borrow, Borrowed, MqueueState};
use crate::model::{FdNum, Pid};
use crate::sys;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::OFlags;
use rustix::process::{PidfdFlags, PidfdGetfdFlags};
use std::cell::OnceCell;

/// `PIDFD_THREAD`, since Linux 6.9: `O_EXCL`.
const THREAD: PidfdFlags = PidfdFlags::from_bits_retain(OFlags::EXCL.bits());

/// A way to borrow fds of one fd table.
#[derive(Debug)]
pub(super) struct Lender {
    task: Option<Pid>,
    flags: PidfdFlags,
    pidfd: OnceCell<Option<OwnedFd>>,
}

impl Lender {
    /// For the table of `task`, the process `pid` itself or a thread of it. Pids of another /proc
    /// than our own mean nothing to the kernel: nothing is borrowed there.
    pub(super) fn new(system: &System, pid: Pid, task: Pid) -> Self {
        Self {
            task: system.root().is_native().then_some(task),
            flags: if pid == task { PidfdFlags::empty() } else { THREAD },
            pidfd: OnceCell::new(),
        }
    }

    /// What `what` asks of an fd; nothing where the caller may not, which needs the right to
    /// trace the process.
    pub(super) fn ask(&self, fd: FdNum, what: Borrow) -> Borrowed {
        let mut answer = Borrowed::default();
        if what == Borrow::Nothing {
            return answer;
        }
        let pidfd = self.pidfd.get_or_init(|| {
            let task = rustix::process::Pid::from_raw(self.task?.0)?;
            rustix::process::pidfd_open(task, self.flags).ok()
        });
        let Some(pidfd) = pidfd else { return answer };
        let Ok(duplicate) = rustix::process::pidfd_getfd(pidfd, fd.0, PidfdGetfdFlags::empty()) else {
            return answer;
        };
        match what {
            Borrow::Nothing => {}
            Borrow::Pipe => {
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
}
