//! Waiting until a thread waits: what is told to begin has not begun yet on a machine that has much to do.

use super::eventually;

/// Waits until a thread sleeps in one of these calls.
pub(crate) fn eventually_in(pid: u32, tid: u64, calls: &[libc::c_long]) {
    let path = format!("/proc/{pid}/task/{tid}/syscall");
    eventually(&format!("thread {tid} in one of the calls {calls:?}"), || {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let number = text.split(' ').next().and_then(|number| number.parse().ok());
        number.is_some_and(|number| calls.contains(&number))
    });
}

/// Waits until a thread is in this state, by its letter: of one whose calls may not be known.
pub(crate) fn eventually_state(pid: u32, tid: u64, state: char) {
    let path = format!("/proc/{pid}/task/{tid}/stat");
    eventually(&format!("thread {tid} in state {state}"), || {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        text.rsplit(") ").next().is_some_and(|rest| rest.starts_with(state))
    });
}
