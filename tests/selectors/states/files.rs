//! Files, and what is none any more.

use super::{Made, State};
use crate::support::{duplicate, own_numbers, pipe};
use rustix::fs::{MemfdFlags, Mode, OFlags};
use std::fs::File;
use std::os::fd::AsRawFd as _;

pub(crate) fn regular() -> Made {
    Ok(State::new(tempfile::tempfile().expect("a file")))
}

pub(crate) fn directory() -> Made {
    Ok(State::new(File::open("/").expect("the root")))
}

pub(crate) fn memfd() -> Made {
    Ok(State::new(rustix::fs::memfd_create("state", MemfdFlags::CLOEXEC).expect("a memfd")))
}

pub(crate) fn dev_null() -> Made {
    Ok(State::new(File::open("/dev/null").expect("a device")))
}

pub(crate) fn sysfs_attribute() -> Made {
    let some = ["/sys/kernel/uevent_seqnum", "/sys/kernel/fscaps", "/sys/kernel/profiling"];
    let file = some.iter().find_map(|path| File::open(path).ok());
    file.map(State::new).ok_or_else(|| format!("none of {} can be read", some.join(", ")))
}

pub(crate) fn o_path() -> Made {
    let fd = rustix::fs::open("/", OFlags::PATH | OFlags::CLOEXEC, Mode::empty());
    Ok(State::new(fd.expect("the root")))
}

/// Nobody takes the number meanwhile.
pub(crate) fn closed() -> Made {
    let fd = duplicate(pipe().0, own_numbers()).expect("a number within the limit").as_raw_fd();
    Ok(State { fd, _kept: Vec::new() })
}
