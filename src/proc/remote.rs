//! Files whose server may not answer: asked on a thread that can be left behind.

use super::io::{NumberName, stat_at};
use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::Statx;
use rustix::io::Errno;
use std::collections::HashSet;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How long a server gets. `statx` is asked not to talk to it at all, so an answer is a matter
/// of microseconds, and what takes longer hangs.
const PATIENCE: Duration = Duration::from_millis(500);

/// Mounts that did not answer.
#[derive(Debug, Default)]
pub(super) struct Guard {
    dead: Mutex<HashSet<u32>>,
}

impl Guard {
    /// `statx` of fd `number` in the directory `fds`, on a mount that may hang; `TIMEDOUT` where
    /// it does, and at once for other files of the same mount.
    pub(super) fn stat(&self, fds: BorrowedFd<'_>, number: i32, mount: u32) -> Result<Statx, Errno> {
        let is_dead = || self.dead.lock().unwrap_or_else(PoisonError::into_inner);
        if is_dead().contains(&mount) {
            return Err(Errno::TIMEDOUT);
        }
        let fds = rustix::io::fcntl_dupfd_cloexec(fds, 0)?;
        let (sender, receiver) = channel();
        std::thread::spawn(move || {
            let name = NumberName::new(number);
            // Nobody listens any more if it took too long.
            let _ = sender.send(stat_at(fds.as_fd(), name.as_c_str()));
        });
        match receiver.recv_timeout(PATIENCE) {
            Ok(result) => result,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                is_dead().insert(mount);
                Err(Errno::TIMEDOUT)
            }
        }
    }
}
