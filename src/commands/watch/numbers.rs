//! The numbers that registrations are made under.
//!
//! A registration is known by file and number, and its file can outlive the fd it was made for, in
//! another process. So that one can be told from all others by its number, no two that live have
//! the same.

use crate::commands::rlimit::raise;
use crate::model::FdNum;
use crate::sys;
use rustix::process::Resource;
use std::collections::VecDeque;

/// Numbers from here on are given out, or the upper half where there are few: below are those that
/// our own fds take.
const FIRST: i32 = 64;

/// Numbers that duplicates of other processes' fds are registered under. They are closed then, and
/// nothing is open at a number that is given out.
pub(super) struct Numbers {
    next: i32,
    /// As many numbers as we may have.
    limit: i32,
    /// Those that are wanted no more. Something may still be registered under them.
    returned: VecDeque<FdNum>,
}

impl Numbers {
    /// As many as we may have, for which the limit is raised.
    pub(super) fn all() -> Self {
        Self::below(raise(Resource::Nofile).unwrap_or(u64::MAX))
    }

    fn below(limit: u64) -> Self {
        let limit = limit.try_into().unwrap_or(i32::MAX);
        Self { next: FIRST.min(limit / 2), limit, returned: VecDeque::new() }
    }

    /// A number that nothing is open or registered at, in none of these epoll fds; `None` if there
    /// is none.
    pub(super) fn take(&mut self, epolls: &[FdNum]) -> Option<FdNum> {
        while self.next < self.limit {
            let number = FdNum(self.next);
            self.next += 1;
            if !sys::is_open(number) {
                return Some(number);
            }
        }
        for _ in 0..self.returned.len() {
            let number = self.returned.pop_front()?;
            // Unknown is not free.
            let free = |&epoll: &FdNum| sys::has_registered(epoll, number).is_ok_and(|has| !has);
            if !sys::is_open(number) && epolls.iter().all(free) {
                return Some(number);
            }
            self.returned.push_back(number);
        }
        None
    }

    /// Gives one back.
    pub(super) fn give_back(&mut self, number: FdNum) {
        self.returned.push_back(number);
    }
}

#[cfg(test)]
mod tests {
    use super::{FdNum, Numbers, Resource};
    use rustix::event::epoll;
    use rustix::fd::AsRawFd as _;
    use rustix::pipe::PipeFlags;
    use rustix::process::getrlimit;
    use std::time::{Duration, Instant};

    /// Two numbers that no other test comes to, which open the lowest that are free.
    fn far() -> Numbers {
        let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX).min(60_000);
        let limit = i32::try_from(limit).unwrap();
        Numbers { next: limit - 2, limit, returned: Default::default() }
    }

    #[test]
    fn one_that_lives_is_given_to_nobody_else() {
        let mut numbers = far();
        let (first, second) = (numbers.take(&[]).unwrap(), numbers.take(&[]).unwrap());
        assert_ne!(first, second);
        assert_eq!(numbers.take(&[]), None);
        numbers.give_back(first);
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).unwrap();
        let (reader, _writer) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC).unwrap();
        let numbered = rustix::io::fcntl_dupfd_cloexec(&reader, first.0).unwrap();
        assert_eq!(numbered.as_raw_fd(), first.0);
        epoll::add(&epoll, &numbered, epoll::EventData::new_u64(0), epoll::EventFlags::IN).unwrap();
        drop(numbered);
        let epolls = [FdNum(epoll.as_raw_fd())];
        if crate::sys::has_registered(epolls[0], first).is_err() {
            return println!("skipped: kcmp may not be used here");
        }
        assert_eq!(numbers.take(&epolls), None);
        drop(reader);
        // A child that another test has just forked may have its file open until it executes.
        let deadline = Instant::now() + Duration::from_secs(60);
        let mut taken = None;
        while taken.is_none() && Instant::now() < deadline {
            std::thread::yield_now();
            taken = numbers.take(&epolls);
        }
        assert_eq!(taken, Some(first));
    }
}
