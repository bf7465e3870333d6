//! Questions that only the description itself can answer, asked of a duplicate of the fd.
//!
//! `pidfd_getfd(2)` makes the duplicate, and it is closed before the next fd is looked at: held
//! longer it would do harm (a peer would not see the end of a file). Nothing is read from it and
//! no flag of it is changed.

use crate::kind::{Borrow, Borrowed, MqueueState};
use crate::model::{FdNum, Pid};
use crate::sys;
use rustix::fd::{AsFd, OwnedFd};
use rustix::process::{PidfdFlags, PidfdGetfdFlags};

/// A way to borrow fds of one process.
#[derive(Debug)]
pub(super) struct Lender {
    pid: Pid,
    pidfd: Option<Option<OwnedFd>>,
}

impl Lender {
    pub(super) fn new(pid: Pid) -> Self {
        Self { pid, pidfd: None }
    }

    /// What `what` asks of an fd; nothing where the caller may not, which needs the right to
    /// trace the process.
    pub(super) fn ask(&mut self, fd: FdNum, what: Borrow) -> Borrowed {
        let mut answer = Borrowed::default();
        if what == Borrow::Nothing {
            return answer;
        }
        let pid = self.pid;
        let pidfd = self.pidfd.get_or_insert_with(|| {
            let pid = rustix::process::Pid::from_raw(pid.0)?;
            rustix::process::pidfd_open(pid, PidfdFlags::empty()).ok()
        });
        let Some(pidfd) = pidfd else { return answer };
        let Ok(duplicate) = rustix::process::pidfd_getfd(&*pidfd, fd.0, PidfdGetfdFlags::empty()) else {
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
