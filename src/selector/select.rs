//! `pselect6(2)`: three bitmaps, for reading, writing and exceptions.

use super::backend::Backend;
use super::error::RegisterError;
use super::event::{Event, Token, Trigger, Wake};
use super::{Selector, number};
use crate::model::{FdNum, Interest, Readiness};
use crate::sys::{self, FdSetWord};
use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

const BITS: usize = FdSetWord::BITS as usize;

/// What each set stands for.
const CONDITIONS: [Readiness; 3] = [Readiness::IN, Readiness::OUT, Readiness::PRI];

/// A selector on select.
#[derive(Debug, Default)]
pub(super) struct Select {
    /// What is watched: bits by fd number, in as many words as the highest needs.
    want: [Vec<FdSetWord>; 3],
    /// What a wait hands to the kernel, and gets back.
    ready: [Vec<FdSetWord>; 3],
    /// By fd number, as the kernel's own table of fds is. Says nothing of those not watched.
    tokens: Vec<Token>,
    /// Those watched that were closed when last seen.
    closed: Vec<FdNum>,
}

impl Selector for Select {
    fn backend(&self) -> Backend {
        Backend::Select
    }

    fn register(
        &mut self,
        fd: BorrowedFd<'_>,
        token: Token,
        want: Interest,
        trigger: Trigger,
    ) -> Result<(), RegisterError> {
        Backend::Select.check(want, trigger)?;
        let fd = number(fd);
        if self.is_watched(fd) {
            return Err(RegisterError::AlreadyRegistered);
        }
        let (word, place) = (fd.0 as usize / BITS, fd.0 as usize);
        if self.want[0].len() <= word {
            self.want.iter_mut().for_each(|set| set.resize(word + 1, 0));
        }
        if self.tokens.len() <= place {
            self.tokens.resize(place + 1, Token(0));
        }
        self.tokens[place] = token;
        self.set(fd, want);
        // The kernel looks at no number beyond the end of its table, so it would not tell.
        if !sys::is_open(fd) {
            self.closed.push(fd);
        }
        Ok(())
    }

    fn modify(
        &mut self,
        fd: BorrowedFd<'_>,
        token: Token,
        want: Interest,
        trigger: Trigger,
    ) -> Result<(), RegisterError> {
        Backend::Select.check(want, trigger)?;
        let fd = number(fd);
        self.find(fd, token)?;
        self.set(fd, want);
        Ok(())
    }

    fn deregister(&mut self, fd: BorrowedFd<'_>, token: Token) -> Result<(), RegisterError> {
        let fd = number(fd);
        self.find(fd, token)?;
        self.set(fd, Interest::EMPTY);
        self.closed.retain(|&closed| closed != fd);
        Ok(())
    }

    fn wait(&mut self, timeout: Option<Duration>, events: &mut Vec<Event>) -> io::Result<Wake> {
        loop {
            events.clear();
            self.closed.retain(|&fd| !sys::is_open(fd));
            let bound = self.prepare();
            // A closed fd is something to report, so there is nothing to wait for.
            let timeout = if self.closed.is_empty() { timeout } else { Some(Duration::ZERO) };
            let [r, w, x] = &mut self.ready;
            match sys::select(bound, [r, w, x], timeout) {
                // More bits than the kernel has left: it has not looked at all of them.
                Ok(ready) if self.collect(events) != ready => self.find_closed(),
                Ok(_) => {
                    let nval = |&FdNum(fd): &FdNum| Event {
                        token: self.tokens[fd as usize],
                        readiness: Readiness::NVAL,
                        raw: None,
                    };
                    events.extend(self.closed.iter().map(nval));
                    return Ok(Wake::with(events));
                }
                Err(e) if e.raw_os_error() == Some(libc::EBADF) => self.find_closed(),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => return Ok(Wake::Interrupted),
                Err(e) => return Err(e),
            }
        }
    }
}

impl Select {
    fn is_watched(&self, FdNum(fd): FdNum) -> bool {
        let (word, bit) = (fd as usize / BITS, 1 << (fd as usize % BITS));
        self.want.iter().any(|set| set.get(word).is_some_and(|word| word & bit != 0))
    }

    fn find(&self, fd: FdNum, token: Token) -> Result<(), RegisterError> {
        if self.is_watched(fd) && self.tokens[fd.0 as usize] == token {
            Ok(())
        } else {
            Err(RegisterError::NotRegistered)
        }
    }

    fn set(&mut self, FdNum(fd): FdNum, want: Interest) {
        let (word, bit) = (fd as usize / BITS, 1 << (fd as usize % BITS));
        for (set, condition) in self.want.iter_mut().zip(CONDITIONS) {
            if want.readiness().contains(condition) {
                set[word] |= bit;
            } else {
                set[word] &= !bit;
            }
        }
    }

    /// Fills the sets to hand over, without those that are closed, and gives the fd number after
    /// the highest in them.
    fn prepare(&mut self) -> usize {
        let [r, w, x] = &self.want;
        let used = (0..r.len()).rev().find(|&i| r[i] | w[i] | x[i] != 0).map_or(0, |last| last + 1);
        for (ready, want) in self.ready.iter_mut().zip(&mut self.want) {
            want.truncate(used);
            ready.clear();
            ready.extend_from_slice(want);
            for &FdNum(fd) in &self.closed {
                ready[fd as usize / BITS] &= !(1 << (fd as usize % BITS));
            }
        }
        used * BITS
    }

    /// Makes events of the sets that were handed back, and counts their bits.
    fn collect(&self, events: &mut Vec<Event>) -> usize {
        let [r, w, x] = &self.ready;
        let mut bits = 0;
        for (i, ((&r, &w), &x)) in r.iter().zip(w).zip(x).enumerate() {
            let mut rest = r | w | x;
            while rest != 0 {
                let shift = rest.trailing_zeros();
                rest &= rest - 1;
                let sets = [r, w, x].map(|word| (word >> shift) as u32 & 1);
                bits += sets.iter().sum::<u32>() as usize;
                let mut readiness = Readiness::EMPTY;
                for (set, condition) in sets.into_iter().zip(CONDITIONS) {
                    if set != 0 {
                        readiness |= condition;
                    }
                }
                let raw = sets[0] | sets[1] << 1 | sets[2] << 2;
                events.push(Event {
                    token: self.tokens[i * BITS + shift as usize],
                    readiness,
                    raw: Some(raw),
                });
            }
        }
        bits
    }

    /// Finds which of those watched are closed: EBADF does not say.
    fn find_closed(&mut self) {
        self.closed.clear();
        for i in 0..self.want[0].len() {
            let mut rest = self.want.iter().fold(0, |all, set| all | set[i]);
            while rest != 0 {
                let fd = FdNum((i * BITS) as i32 + rest.trailing_zeros() as i32);
                rest &= rest - 1;
                if !sys::is_open(fd) {
                    self.closed.push(fd);
                }
            }
        }
    }
}
