//! Files whose server may not answer: asked on a thread that can be left behind.

use super::io::{NumberName, stat_at, stat_open};
use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, Statx, openat2};
use rustix::io::Errno;
use std::collections::HashSet;
use std::ffi::CString;
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
        let fds = rustix::io::fcntl_dupfd_cloexec(fds, 0)?;
        self.ask(mount, move || stat_at(fds.as_fd(), NumberName::new(number).as_c_str()))
    }

    /// Asks what a server may never answer, on a thread of its own.
    fn ask(
        &self,
        mount: u32,
        question: impl FnOnce() -> Result<Statx, Errno> + Send + 'static,
    ) -> Result<Statx, Errno> {
        let is_dead = || self.dead.lock().unwrap_or_else(PoisonError::into_inner);
        if is_dead().contains(&mount) {
            return Err(Errno::TIMEDOUT);
        }
        let (sender, receiver) = channel();
        std::thread::spawn(move || {
            // Nobody listens any more if it took too long.
            let _ = sender.send(question());
        });
        match receiver.recv_timeout(PATIENCE) {
            Ok(result) => result,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                is_dead().insert(mount);
                Err(Errno::TIMEDOUT)
            }
        }
    }

    /// `statx` of what a link in /proc leads to, wherever that is.
    pub(super) fn stat_link(&self, link: CString) -> Result<Statx, Errno> {
        /// No mount has this number, for it is not known which one it is.
        const ANY: u32 = 0;
        self.ask(ANY, move || stat_at(CWD, &link))
    }

    /// `statx` of a path on a mount that may hang, as far as the kernel knows the names on the way without
    /// asking for them: `AGAIN` where it does not, and an error too where it is too old to say.
    pub(super) fn stat_cached(&self, path: CString, mount: u32) -> Result<Statx, Errno> {
        self.ask(mount, move || {
            let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let resolve = ResolveFlags::CACHED | ResolveFlags::NO_MAGICLINKS;
            let file = openat2(CWD, &path, flags, Mode::empty(), resolve)?;
            stat_open(file.as_fd())
        })
    }
}
