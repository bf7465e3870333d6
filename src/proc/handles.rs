//! Paths of files that are known by handle, as inotify and fanotify know them.

use crate::sys;
use nix::sched::{CloneFlags, unshare};
use rustix::fd::{AsRawFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Where handles are opened: from a working directory on their filesystem, of this thread, or else of
/// another one that has no use for its own.
#[derive(Debug, Default)]
pub(super) struct Handles {
    thread: OnceLock<Mutex<Sender<Request>>>,
}

struct Request {
    mount: Arc<OwnedFd>,
    handle_type: i32,
    handle: Vec<u8>,
    answer: Sender<Option<Vec<u8>>>,
}

impl Handles {
    /// The path of a file by its handle on the filesystem of `mount`. Nothing where the caller
    /// may not ask, which takes `CAP_DAC_READ_SEARCH`, or the file is gone. `may_return` says that going
    /// back to the working directory asks no server that may not answer.
    pub(super) fn path(
        &self,
        mount: &Arc<OwnedFd>,
        handle_type: i32,
        handle: &[u8],
        may_return: bool,
    ) -> Option<Vec<u8>> {
        // A thread costs more than all the rest.
        if may_return && let Some(home) = home() {
            let path = look_up(mount, handle_type, handle);
            let _ = rustix::process::fchdir(&home);
            return path;
        }
        let thread = self.thread.get_or_init(|| {
            let (sender, receiver) = channel();
            std::thread::spawn(move || serve(&receiver));
            Mutex::new(sender)
        });
        let (answer, answers) = channel();
        let request = Request { mount: Arc::clone(mount), handle_type, handle: handle.to_vec(), answer };
        thread.lock().unwrap_or_else(PoisonError::into_inner).send(request).ok()?;
        answers.recv().ok()?
    }
}

/// The working directory, to which this thread can go back, and which from here on is its own. Nothing
/// where that does not work.
fn home() -> Option<OwnedFd> {
    unshare(CloneFlags::CLONE_FS).ok()?;
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let home = rustix::fs::open(c".", flags, Mode::empty()).ok()?;
    rustix::process::fchdir(&home).ok()?;
    Some(home)
}

fn serve(requests: &Receiver<Request>) {
    // From here on a change of directory is this thread's alone.
    if unshare(CloneFlags::CLONE_FS).is_err() {
        return;
    }
    for request in requests {
        let _ = request.answer.send(look_up(&request.mount, request.handle_type, &request.handle));
    }
}

/// Goes to the mount, and does not come back.
fn look_up(mount: &OwnedFd, handle_type: i32, handle: &[u8]) -> Option<Vec<u8>> {
    rustix::process::fchdir(mount).ok()?;
    let file = sys::open_by_handle(handle_type, handle).ok()?;
    let link = format!("/proc/self/fd/{}", file.as_raw_fd());
    let path = rustix::fs::readlink(link, Vec::new()).ok()?.into_bytes();
    // A file that has no name below this mount shows another text.
    path.starts_with(b"/").then_some(path)
}
