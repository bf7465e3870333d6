//! A child of ours, and its end.

use rustix::process::{Pid, Signal, kill_process};
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

/// Ends a child: asks it to, and kills it if it has not ended after so long.
pub(crate) fn end(child: &mut Child, patience: Duration) {
    if let (Ok(None), Some(pid)) = (child.try_wait(), Pid::from_raw(child.id() as i32)) {
        let _ = kill_process(pid, Signal::TERM);
    }
    let until = Instant::now() + patience;
    while let Ok(None) = child.try_wait() {
        if Instant::now() > until {
            let _ = child.kill();
            let _ = child.wait();
            break;
        }
        thread::sleep(Duration::from_millis(1));
    }
}
