//! Threads with an fd table of their own.

use super::listed;
use crate::support::{Keeper, Skip, call, needs};
use nix::sched::{CloneFlags, unshare};
use rustix::event::{EventfdFlags, eventfd};
use rustix::pipe::{PipeFlags, pipe_with};
use serde_json::json;
use std::os::fd::AsRawFd as _;
use std::sync::mpsc::channel;

listed! { "threads": own_table pipe_to_own_table }

/// A thread that left the common table and opened something; another that did not.
fn own_table(keeper: &mut Keeper) -> Result<(), Skip> {
    let (sender, receiver) = channel();
    for leaves in [true, false] {
        let sender = sender.clone();
        std::thread::spawn(move || {
            let unshared = if leaves { unshare(CloneFlags::CLONE_FILES) } else { Ok(()) };
            let counter = leaves.then(|| eventfd(1234, EventfdFlags::empty()).unwrap());
            let tid = rustix::thread::gettid().as_raw_nonzero().get();
            sender.send((leaves, unshared, tid, counter.as_ref().map(|c| c.as_raw_fd()))).unwrap();
            loop {
                std::thread::park();
            }
        });
    }
    for _ in 0..2 {
        let (leaves, unshared, tid, fd) = receiver.recv().unwrap();
        needs(unshared, "unshare(CLONE_FILES)")?;
        keeper.told[if leaves { "apart" } else { "together" }] = json!({"tid": tid, "fd": fd});
    }
    Ok(())
}

/// A pipe of which a thread has the writer in a table of its own, and the process the reader.
fn pipe_to_own_table(keeper: &mut Keeper) -> Result<(), Skip> {
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).unwrap();
    let (fd, unwanted) = (writer.as_raw_fd(), reader.as_raw_fd() as usize);
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let unshared = unshare(CloneFlags::CLONE_FILES);
        if unshared.is_ok() {
            call(libc::SYS_close, [unwanted, 0, 0, 0, 0, 0]).unwrap();
        }
        sender.send(unshared).unwrap();
        loop {
            std::thread::park();
        }
    });
    needs(receiver.recv().unwrap(), "unshare(CLONE_FILES)")?;
    drop(writer);
    keeper.told["writer"] = fd.into();
    keeper.show("reader", reader, json!({}));
    Ok(())
}
