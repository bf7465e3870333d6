//! Timeouts that are too long for an int of milliseconds.

use std::io;
use std::time::Duration;

/// What `epoll_wait(2)` takes at most: 24 days.
const LONGEST: Duration = Duration::from_millis(i32::MAX as u64);

/// Waits by `wait`, for no longer than it can at a time, until it says that something is ready or
/// all the time has passed.
pub(super) fn in_slices(
    timeout: Option<Duration>,
    mut wait: impl FnMut(Option<Duration>) -> io::Result<bool>,
) -> io::Result<()> {
    let mut left = timeout;
    loop {
        let slice = left.map(|left| left.min(LONGEST));
        if wait(slice)? || left == slice {
            return Ok(());
        }
        left = left.zip(slice).map(|(left, slice)| left - slice);
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, in_slices};
    use std::time::Duration;

    #[test]
    fn all_the_time_is_waited() {
        let mut slices = Vec::new();
        let long = LONGEST * 2 + Duration::from_nanos(1);
        let mut run = |timeout, ready_at| {
            slices.clear();
            in_slices(timeout, |slice| {
                slices.push(slice);
                Ok(slices.len() == ready_at)
            })
            .expect("nothing fails here");
            slices.clone()
        };
        let whole = Some(LONGEST);
        assert_eq!(run(Some(long), 9), [whole, whole, Some(Duration::from_nanos(1))]);
        assert_eq!(run(Some(long), 2), [whole, whole]);
        assert_eq!(run(Some(LONGEST), 9), [whole]);
        assert_eq!(run(Some(Duration::ZERO), 9), [Some(Duration::ZERO)]);
        assert_eq!(run(None, 9), [None]);
    }
}
