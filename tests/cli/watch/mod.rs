//! `fdscope watch`, live: what it sees on fds of its own and of other processes, that these come to
//! no harm, and how it ends.
//!
//! Where the other process need do no more than hold, write, read and close fds, it is the process
//! of the tests itself.

mod addresses;
mod bad_input;
mod connecting;
mod ending;
mod files;
mod foreign;
mod harmless;
pub(crate) mod many;
mod output;
mod own;
mod processes;
mod puppet;
mod reading;
mod several;
mod triggers;
mod wakeups;

use crate::support::{Background, Fdscope, call, call_fd, pass};
use serde_json::Value;
use std::os::fd::{AsFd, AsRawFd as _};
use std::sync::Once;

/// The selectors that can show what goes, too.
const LEVEL: [&str; 3] = ["epoll", "poll", "select"];

/// All ways to look.
const ALL: [&str; 4] = ["epoll", "poll", "select", "mio"];

/// What is said where a selector can only look at other processes' fds now and then.
const SAMPLES: &str =
    "select and poll can watch only what is held: fds of other processes are looked at every";

/// The run to be, with events as JSON lines.
fn fdscope(arguments: impl AsRef<str>) -> Fdscope {
    Fdscope::new(format!("watch --jsonl {}", arguments.as_ref()))
}

/// Starts `fdscope watch` with events as JSON lines, and waits until it watches.
fn watch(arguments: impl AsRef<str>) -> Background {
    armed(fdscope(arguments))
}

/// The same, with this as its fd 3.
fn watch_fd(fd: impl AsFd, arguments: impl AsRef<str>) -> Background {
    armed(with_fd(fd, fdscope(arguments)))
}

/// Gives it this as its fd 3.
fn with_fd(fd: impl AsFd, fdscope: Fdscope) -> Fdscope {
    fdscope.with(|command| pass(command, fd, 3))
}

/// Starts a run, and waits until it watches.
fn armed(fdscope: Fdscope) -> Background {
    let mut run = fdscope.start();
    let first = run.record("the first", |_| true);
    assert_eq!(first["event"], "armed", "{first}");
    run
}

/// The target that is an fd of this process.
fn here(fd: &impl AsFd) -> String {
    here_all(&[fd.as_fd().as_raw_fd()])
}

/// The target that is fds of this process.
fn here_all(fds: &[i32]) -> String {
    // Where Yama restricts tracing to parents, fdscope is none.
    static TRACEABLE: Once = Once::new();
    TRACEABLE.call_once(|| {
        let any = [libc::PR_SET_PTRACER as usize, libc::PR_SET_PTRACER_ANY as usize, 0, 0, 0, 0];
        let _ = call(libc::SYS_prctl, any);
    });
    let fds: Vec<_> = fds.iter().map(i32::to_string).collect();
    format!("{}:{}", std::process::id(), fds.join(","))
}

/// Whether other processes' fds cannot be watched here, which is then said.
pub(crate) fn cannot_watch_others() -> bool {
    const KCMP_FILE: usize = 0;
    let own = std::process::id() as usize;
    let tried = call_fd(libc::SYS_pidfd_open, [own, 0, 0, 0, 0, 0])
        .and_then(|pidfd| call_fd(libc::SYS_pidfd_getfd, [pidfd.as_raw_fd() as usize, 0, 0, 0, 0, 0]))
        .and_then(|_| call(libc::SYS_kcmp, [own, own, KCMP_FILE, 0, 0, 0]));
    if let Err(e) = &tried {
        eprintln!("skipped: fds of other processes, because pidfd_getfd or kcmp is not to be had: {e}");
    }
    tried.is_err()
}

/// What is said on stderr with these selectors of other processes' fds.
fn note(selector: &str) -> &'static str {
    if matches!(selector, "poll" | "select") { SAMPLES } else { "" }
}

/// The names of events, in order.
fn names(events: &[Value]) -> Vec<&str> {
    events.iter().map(|e| e["event"].as_str().unwrap_or_else(|| panic!("no event: {e}"))).collect()
}
