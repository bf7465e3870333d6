//! Threads with an fd table of their own.

use super::listed;
use crate::support::{Keeper, Skip, needs};
use nix::sched::{CloneFlags, unshare};
use rustix::event::{EventfdFlags, eventfd};
use serde_json::json;
use std::os::fd::AsRawFd as _;
use std::sync::mpsc::channel;

listed! { "threads": own_table }

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
