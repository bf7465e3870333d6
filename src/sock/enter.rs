//! Doing something inside another network namespace.

use nix::sched::{CloneFlags, setns};
use std::io;
use std::os::fd::BorrowedFd;
use std::thread;

/// Does something in a network namespace: `netns` is an fd of `/proc/PID/ns/net`, or a pidfd. Only a
/// thread that is made for it enters there (`setns(2)`), and ends.
///
/// `EPERM` without `CAP_SYS_ADMIN` here and there, even if it is the namespace of the caller.
pub(super) fn within<T: Send>(
    netns: BorrowedFd<'_>,
    act: impl FnOnce() -> io::Result<T> + Send,
) -> io::Result<T> {
    thread::scope(|scope| {
        let enter = move || {
            setns(netns, CloneFlags::CLONE_NEWNET)?;
            act()
        };
        let thread = thread::Builder::new().name("netns".to_owned()).spawn_scoped(scope, enter)?;
        thread.join().unwrap_or_else(|_| Err(io::Error::other("no thread to enter a network namespace")))
    })
}
