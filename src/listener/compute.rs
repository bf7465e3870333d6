//! The server's side of a connection whose requests have to be computed, without its socket.

use crate::model::duration;
use rustix::time::{ClockId, clock_gettime};
use std::hint::black_box;
use std::time::Duration;

/// The longest line, in bytes, without its end.
const LINE: usize = 255;
/// The longest time that a line may ask for.
const LONGEST: Duration = Duration::from_secs(60);

/// Takes lines that begin with a time, and keeps the processor busy for so long before each is
/// sent back.
#[derive(Debug, Default)]
pub(super) struct Compute {
    /// What the client sent.
    lines: Vec<u8>,
    /// How much of that is done.
    done: usize,
}

impl Compute {
    /// Takes what the client sent. `false` if no end of a line comes, so that the connection is to
    /// be closed.
    pub(super) fn take(&mut self, input: &[u8]) -> bool {
        self.lines.drain(..self.done);
        self.done = 0;
        self.lines.extend_from_slice(input);
        self.lines.contains(&b'\n') || self.lines.len() <= LINE
    }

    /// Does the work of the next line, and gives the answer to it; nothing if none is complete.
    pub(super) fn next(&mut self) -> Option<Vec<u8>> {
        let rest = &self.lines[self.done..];
        let length = 1 + rest.iter().position(|&b| b == b'\n')?;
        let line = &rest[..length];
        self.done += length;
        let answer = match time(line) {
            Ok(time) => {
                work(time);
                line.to_vec()
            }
            Err(text) => format!("{text}\n").into_bytes(),
        };
        Some(answer)
    }
}

/// The time that a line begins with.
fn time(line: &[u8]) -> Result<Duration, String> {
    if line.len() > LINE + 1 {
        return Err(format!("a line has {LINE} bytes at most"));
    }
    let line = String::from_utf8_lossy(line);
    let time = duration(line.split_ascii_whitespace().next().unwrap_or_default())?;
    if time > LONGEST { Err(format!("that is more than {LONGEST:?}")) } else { Ok(time) }
}

/// Works until this thread has run for so long.
fn work(time: Duration) {
    if time.is_zero() {
        return;
    }
    let end = ran() + time;
    while ran() < end {
        // Some microseconds, between which looking at the clock hardly counts.
        black_box((0..4096_u64).fold(0, |sum, n| black_box(sum ^ n.wrapping_mul(n))));
    }
}

/// For how long this thread has run.
fn ran() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

#[cfg(test)]
mod tests {
    use super::{Compute, LINE, ran};
    use std::time::Duration;

    #[test]
    fn lines_come_back_whole() {
        let mut compute = Compute::default();
        assert!(compute.take(b"0s a\n0 b\n1m"));
        assert_eq!(compute.next().unwrap(), b"0s a\n");
        assert_eq!(compute.next().unwrap(), b"0 b\n");
        assert_eq!(compute.next(), None);
        assert!(compute.take(b"s \xff\n"));
        let before = ran();
        assert_eq!(compute.next().unwrap(), b"1ms \xff\n");
        assert!(ran() - before >= Duration::from_millis(1));
        assert_eq!(compute.next(), None);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let mut compute = Compute::default();
        assert!(compute.take(b"soon\n\n61s\n"));
        let mut said = || String::from_utf8(compute.next().unwrap()).unwrap();
        assert_eq!(said(), "'soon' is not a duration, such as 200ms, 1.5s, 2min or (in seconds) 10\n");
        assert!(said().starts_with("'' is not a duration"));
        assert_eq!(said(), "that is more than 60s\n");
    }

    #[test]
    fn a_line_has_an_end() {
        let mut compute = Compute::default();
        assert!(compute.take(&[&[b'0'; LINE][..], b"\n"].concat()));
        assert_eq!(compute.next().unwrap().len(), LINE + 1);
        assert!(compute.take(&[&[b'0'; LINE + 1][..], b"\n"].concat()));
        assert_eq!(compute.next().unwrap(), b"a line has 255 bytes at most\n");
        assert!(compute.take(&[b'x'; LINE]));
        assert!(!compute.take(b"x"));
    }
}
