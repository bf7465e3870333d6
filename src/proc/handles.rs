//! Paths of files that are known by handle, as inotify and fanotify know them.

use crate::sys;
use nix::sched::{CloneFlags, unshare};
use rustix::fd::{AsRawFd, OwnedFd};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// A thread with a working directory of its own, from which handles are opened.
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
    /// may not ask, which takes `CAP_DAC_READ_SEARCH`, or the file is gone.
    pub(super) fn path(&self, mount: &Arc<OwnedFd>, handle_type: i32, handle: &[u8]) -> Option<Vec<u8>> {
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

fn serve(requests: &Receiver<Request>) {
    // From here on a change of directory is this thread's alone.
    if unshare(CloneFlags::CLONE_FS).is_err() {
        return;
    }
    for request in requests {
        let _ = request.answer.send(look_up(&request));
    }
}

fn look_up(request: &Request) -> Option<Vec<u8>> {
    rustix::process::fchdir(&*request.mount).ok()?;
    let file = sys::open_by_handle(request.handle_type, &request.handle).ok()?;
    let link = format!("/proc/self/fd/{}", file.as_raw_fd());
    let path = rustix::fs::readlink(link, Vec::new()).ok()?.into_bytes();
    // A file that has no name below this mount shows another text.
    path.starts_with(b"/").then_some(path)
}
