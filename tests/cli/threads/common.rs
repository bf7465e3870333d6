//! What tests of single calls share.

use super::{of, settle, thread};
use crate::support::{Helper, Keeper, call};
use rustix::fd::{AsRawFd as _, OwnedFd};
use rustix::fs::OFlags;
use rustix::pipe::pipe;
use serde_json::{Value, json};
use std::os::fd::AsFd;

/// An hour and a half a second.
pub(super) const LONG: [i64; 2] = [3600, 500_000_000];
pub(super) const LONG_MS: usize = 3_600_500;

pub(super) fn raw(fd: impl AsFd) -> usize {
    fd.as_fd().as_raw_fd() as usize
}

/// A pipe into which nothing more fits.
pub(super) fn full() -> (OwnedFd, OwnedFd) {
    let (reader, writer) = pipe().unwrap();
    rustix::fs::fcntl_setfl(&writer, OFlags::NONBLOCK).unwrap();
    while rustix::io::write(&writer, &[0; 4096]).is_ok() {}
    rustix::fs::fcntl_setfl(&writer, OFlags::empty()).unwrap();
    (reader, writer)
}

/// Starts a thread that makes a call, whose arguments may point to what `arguments` makes.
pub(super) fn caller<T: Send + 'static>(
    keeper: &mut Keeper,
    name: &str,
    number: libc::c_long,
    mut data: T,
    arguments: impl FnOnce(&mut T) -> [usize; 6] + Send + 'static,
) {
    thread(keeper, name, move || {
        let arguments = arguments(&mut data);
        let _ = call(number, arguments);
        drop(data);
    });
}

/// The records of a helper once the threads are as expected.
#[track_caller]
pub(super) fn check(helper: &Helper, expected: &[(&str, Value)]) -> Vec<Value> {
    settle(|| of(helper, "").records(), expected)
}

pub(super) fn is(call: &str, more: Value) -> Value {
    let mut expected =
        json!({"call": call, "state": "sleeping", "abi": "native", "error": {"$absent": true}});
    for (key, value) in more.as_object().expect("an object") {
        expected[key] = value.clone();
    }
    expected
}
