//! Children that do not outlive us: `PR_SET_PDEATHSIG`.

use rustix::process::{Pid, Signal, getpid, getppid, set_parent_process_death_signal};
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// Has `command` be killed when the thread that starts it ends, however that comes.
pub fn end_with_us(command: &mut Command) {
    let parent = getpid();
    // SAFETY: after fork the closure makes two system calls and nothing else.
    unsafe {
        command.pre_exec(move || prepare(parent));
    }
}

fn prepare(parent: Pid) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // We may have ended before that.
    if getppid() == Some(parent) { Ok(()) } else { Err(io::Error::from_raw_os_error(libc::ESRCH)) }
}
