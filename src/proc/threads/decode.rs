//! From the name of a call and its arguments to what it waits for.

use super::clocks::Clocks;
use super::memory::Memory;
use crate::model::{Children, FdNum, Pid, Polled, Readiness, Timeout, Wait};
use std::time::Duration;

/// What a call waits for.
pub(super) fn decode(name: &str, args: &[u64; 6], memory: &dyn Memory, clocks: &Clocks<'_>) -> Wait {
    let d = Decoder { args, memory, clocks };
    match name {
        "epoll_wait" | "epoll_pwait" => d.epoll(d.milliseconds(3)),
        "epoll_pwait2" => d.epoll(d.timespec(3)),
        "poll" => d.poll(d.milliseconds(2)),
        "ppoll" => d.poll(d.timespec(2)),
        "select" => d.select(d.timeval(4)),
        "pselect6" => d.select(d.timespec(4)),
        "read" | "readv" | "pread64" | "preadv" | "preadv2" | "recvfrom" | "recvmsg" | "recvmmsg"
        | "accept" | "accept4" | "connect" | "write" | "writev" | "pwrite64" | "pwritev" | "pwritev2"
        | "sendto" | "sendmsg" | "sendmmsg" | "vmsplice" | "flock" | "fcntl" | "ioctl" | "fsync"
        | "fdatasync" | "sync_file_range" | "syncfs" | "fallocate" | "ftruncate" | "getdents64"
        | "getdents" | "close" | "fstat" | "lseek" | "mq_timedreceive" | "mq_timedsend"
        | "io_uring_register" | "shutdown" => Wait::Fd { fd: d.fd(0), to: None },
        "splice" | "copy_file_range" => Wait::Fd { fd: d.fd(0), to: Some(d.fd(2)) },
        "tee" => Wait::Fd { fd: d.fd(0), to: Some(d.fd(1)) },
        "sendfile" => Wait::Fd { fd: d.fd(1), to: Some(d.fd(0)) },
        "futex" => d.futex(),
        "futex_wait" => d.futex_wait(),
        "futex_waitv" => d.futex_waitv(),
        "nanosleep" => Wait::Sleep { timeout: d.timespec(0) },
        "clock_nanosleep" => d.clock_nanosleep(),
        "wait4" => Wait::Child(d.children()),
        "waitid" => Wait::Child(d.children_by_type()),
        "io_uring_enter" => d.io_uring_enter(),
        "io_getevents" | "io_pgetevents" => Wait::Aio { min_complete: args[1], timeout: d.timespec(4) },
        "rt_sigtimedwait" => Wait::Signal { set: memory.word(args[0]).ok(), timeout: d.timespec(2) },
        "rt_sigsuspend" | "pause" => Wait::Signal { set: None, timeout: Timeout::Never },
        _ => Wait::Other,
    }
}

struct Decoder<'d, 'p> {
    args: &'d [u64; 6],
    memory: &'d dyn Memory,
    clocks: &'d Clocks<'p>,
}

impl Decoder<'_, '_> {
    fn fd(&self, nth: usize) -> FdNum {
        // An int: the upper half of the register is nobody's.
        FdNum(self.args[nth] as i32)
    }

    /// A relative timeout in milliseconds, where what is negative has no end.
    fn milliseconds(&self, nth: usize) -> Timeout {
        match u64::try_from(self.args[nth] as i32) {
            Ok(milliseconds) => Timeout::After(Duration::from_millis(milliseconds)),
            Err(_) => Timeout::Never,
        }
    }

    /// A relative `struct timespec`.
    fn timespec(&self, nth: usize) -> Timeout {
        self.pair(self.args[nth], 1, Timeout::After)
    }

    /// A relative `struct timeval`.
    fn timeval(&self, nth: usize) -> Timeout {
        self.pair(self.args[nth], 1000, Timeout::After)
    }

    /// A `struct timespec` with a point in time.
    fn until(&self, nth: usize, clock: i32) -> Timeout {
        self.pair(self.args[nth], 1, |at| Timeout::Until { clock, at, left: self.clocks.left(clock, at) })
    }

    /// Seconds and a fraction, whose unit is so many nanoseconds.
    fn pair(&self, address: u64, unit: i64, make: impl Fn(Duration) -> Timeout) -> Timeout {
        if address == 0 {
            return Timeout::Never;
        }
        match self.memory.pair(address) {
            Ok([seconds, fraction]) => {
                let duration = || {
                    let nanoseconds = u32::try_from(fraction.checked_mul(unit)?).ok()?;
                    Some(Duration::new(seconds.try_into().ok()?, nanoseconds.min(999_999_999)))
                };
                duration().map_or(Timeout::Unread(libc::EINVAL), make)
            }
            Err(errno) => Timeout::Unread(errno),
        }
    }

    fn epoll(&self, timeout: Timeout) -> Wait {
        Wait::Epoll { epoll: self.fd(0), max_events: (self.args[2] as i32).into(), timeout }
    }

    fn poll(&self, timeout: Timeout) -> Wait {
        let count = u64::from(self.args[1] as u32);
        Wait::Poll { fds: self.pollfds(self.args[0], count), count, timeout }
    }

    /// An array of `struct pollfd`.
    fn pollfds(&self, address: u64, count: u64) -> Result<Vec<Polled>, i32> {
        let mut bytes = vec![0; count.min(MOST) as usize * 8];
        if !bytes.is_empty() {
            self.memory.read(address, &mut bytes)?;
        }
        let mut polled = Vec::with_capacity(bytes.len() / 8);
        for entry in bytes.chunks_exact(8) {
            let fd = i32::from_ne_bytes([entry[0], entry[1], entry[2], entry[3]]);
            let events = u16::from_ne_bytes([entry[4], entry[5]]);
            if fd >= 0 {
                polled.push(Polled { fd: FdNum(fd), events: Readiness::from_bits(events.into()) });
            }
        }
        Ok(polled)
    }

    fn select(&self, timeout: Timeout) -> Wait {
        let bound = (self.args[0] as i32).max(0) as u64;
        Wait::Poll { fds: self.sets(bound), count: bound, timeout }
    }

    /// The three sets, in words, as the kernel reads them.
    fn sets(&self, bound: u64) -> Result<Vec<Polled>, i32> {
        let words = bound.min(MOST).div_ceil(64) as usize;
        let mut sets = [vec![0; words * 8], vec![0; words * 8], vec![0; words * 8]];
        for (set, &address) in sets.iter_mut().zip(&self.args[1..4]) {
            if address != 0 && words > 0 {
                self.memory.read(address, set)?;
            }
        }
        let word = |set: &[u8], nth: usize| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&set[nth * 8..nth * 8 + 8]);
            u64::from_ne_bytes(bytes)
        };
        let mut polled = Vec::new();
        for nth in 0..words {
            let [r, w, x] = [0, 1, 2].map(|set: usize| word(&sets[set], nth));
            let mut rest = r | w | x;
            while rest != 0 {
                let bit = rest.trailing_zeros();
                rest &= rest - 1;
                let fd = nth as u64 * 64 + u64::from(bit);
                if fd >= bound {
                    break;
                }
                let asked = [(r, Readiness::IN), (w, Readiness::OUT), (x, Readiness::PRI)];
                let is_set = |(word, _): &(u64, Readiness)| word >> bit & 1 != 0;
                let events = asked.into_iter().filter(is_set).fold(Readiness::EMPTY, |all, (_, e)| all | e);
                polled.push(Polled { fd: FdNum(fd as i32), events });
            }
        }
        Ok(polled)
    }

    /// `futex(uaddr, op, val, timeout, ...)`.
    fn futex(&self) -> Wait {
        const REALTIME: u64 = libc::FUTEX_CLOCK_REALTIME as u64;
        const PRIVATE: u64 = libc::FUTEX_PRIVATE_FLAG as u64;
        let op = self.args[1];
        let clock = if op & REALTIME != 0 { libc::CLOCK_REALTIME } else { libc::CLOCK_MONOTONIC };
        let (op, timeout) = match (op & !(REALTIME | PRIVATE)) as i32 {
            libc::FUTEX_WAIT => ("wait", self.timespec(3)),
            libc::FUTEX_WAIT_BITSET => ("wait_bitset", self.until(3, clock)),
            libc::FUTEX_LOCK_PI => ("lock_pi", self.until(3, libc::CLOCK_REALTIME)),
            libc::FUTEX_LOCK_PI2 => ("lock_pi2", self.until(3, clock)),
            libc::FUTEX_WAIT_REQUEUE_PI => ("wait_requeue_pi", self.until(3, clock)),
            // It waits for a lock of the kernel at most.
            _ => return Wait::Other,
        };
        Wait::Futex { op, words: vec![self.args[0]], private: self.args[1] & PRIVATE != 0, timeout }
    }

    /// `futex_wait(uaddr, val, mask, flags, timeout, clockid)`.
    fn futex_wait(&self) -> Wait {
        Wait::Futex {
            op: "wait",
            words: vec![self.args[0]],
            private: self.args[3] & FUTEX2_PRIVATE != 0,
            timeout: self.until(4, self.args[5] as i32),
        }
    }

    /// `futex_waitv(waiters, nr_futexes, flags, timeout, clockid)`.
    fn futex_waitv(&self) -> Wait {
        /// `FUTEX_WAITV_MAX`.
        const MAX: u64 = 128;
        /// `struct futex_waitv`: value, address, flags.
        const SIZE: usize = 24;
        let mut bytes = vec![0; self.args[1].min(MAX) as usize * SIZE];
        let read = self.memory.read(self.args[0], &mut bytes).is_ok();
        let mut words = Vec::new();
        let mut private = read;
        for entry in bytes.chunks_exact(SIZE).filter(|_| read) {
            let mut address = [0; 8];
            address.copy_from_slice(&entry[8..16]);
            words.push(u64::from_ne_bytes(address));
            let flags = u32::from_ne_bytes([entry[16], entry[17], entry[18], entry[19]]);
            private &= u64::from(flags) & FUTEX2_PRIVATE != 0;
        }
        Wait::Futex { op: "waitv", words, private, timeout: self.until(3, self.args[4] as i32) }
    }

    /// `clock_nanosleep(clockid, flags, t, remain)`.
    fn clock_nanosleep(&self) -> Wait {
        let absolute = self.args[1] as i32 & libc::TIMER_ABSTIME != 0;
        Wait::Sleep { timeout: if absolute { self.until(2, self.args[0] as i32) } else { self.timespec(2) } }
    }

    /// `wait4(pid, ...)`.
    fn children(&self) -> Children {
        match self.args[0] as i32 {
            -1 => Children::Any,
            pid @ 1.. => Children::Pid(Pid(pid)),
            group => Children::Group(Pid(group.saturating_neg())),
        }
    }

    /// `waitid(idtype, id, ...)`.
    fn children_by_type(&self) -> Children {
        let id = self.args[1] as i32;
        match self.args[0] as libc::idtype_t {
            libc::P_PID => Children::Pid(Pid(id)),
            libc::P_PGID => Children::Group(Pid(id)),
            libc::P_PIDFD => Children::Pidfd(FdNum(id)),
            _ => Children::Any,
        }
    }

    /// `io_uring_enter(fd, to_submit, min_complete, flags, argp, argsz)`.
    fn io_uring_enter(&self) -> Wait {
        const EXT_ARG: u64 = 1 << 3;
        const REGISTERED_RING: u64 = 1 << 4;
        /// Where `struct io_uring_getevents_arg` has the address of its timeout.
        const TIMEOUT_AT: u64 = 16;
        let flags = self.args[3];
        let timeout = match flags & EXT_ARG != 0 {
            false => Timeout::Never,
            true => match self.memory.word(self.args[4].wrapping_add(TIMEOUT_AT)) {
                Ok(address) => self.pair(address, 1, Timeout::After),
                Err(errno) => Timeout::Unread(errno),
            },
        };
        let ring = (flags & REGISTERED_RING == 0).then(|| self.fd(0));
        Wait::Uring { ring, min_complete: self.args[2], timeout }
    }
}

/// `FUTEX2_PRIVATE` of `linux/futex.h`.
const FUTEX2_PRIVATE: u64 = 128;

/// How many fds of one call are read at most; the limit on open files is rarely above.
const MOST: u64 = 1 << 20;

#[cfg(test)]
mod tests {
    use super::super::clocks::Clocks;
    use super::super::memory::Memory;
    use super::decode;
    use crate::model::{Children, FdNum, Pid, Polled, Readiness, Timeout, Wait};
    use std::collections::BTreeMap;
    use std::time::Duration;

    /// Pieces of memory by their addresses.
    struct Pieces(BTreeMap<u64, Vec<u8>>);

    impl Memory for Pieces {
        fn read(&self, address: u64, buffer: &mut [u8]) -> Result<(), i32> {
            let (start, piece) = self.0.range(..=address).next_back().ok_or(libc::EFAULT)?;
            let from = (address - start) as usize;
            let found = piece.get(from..from + buffer.len()).ok_or(libc::EFAULT)?;
            buffer.copy_from_slice(found);
            Ok(())
        }
    }

    fn bytes(words: &[u64]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_ne_bytes()).collect()
    }

    fn wait(name: &str, args: [u64; 6], memory: &[(u64, Vec<u8>)]) -> Wait {
        decode(name, &args, &Pieces(memory.iter().cloned().collect()), &Clocks::unknown())
    }

    #[test]
    fn upper_halves_of_ints_are_nobodys() {
        let dirty = |n: i32| 0xdead_beef_0000_0000 | u64::from(n as u32);
        let polled = wait("poll", [0, 0, dirty(-1), 0, 0, 0], &[]);
        assert_eq!(polled, Wait::Poll { fds: Ok(vec![]), count: 0, timeout: Timeout::Never });
        assert_eq!(wait("read", [dirty(7), 0, 0, 0, 0, 0], &[]), Wait::Fd { fd: FdNum(7), to: None });
        assert_eq!(wait("wait4", [dirty(-1), 0, 0, 0, 0, 0], &[]), Wait::Child(Children::Any));
        assert_eq!(wait("wait4", [dirty(-7), 0, 0, 0, 0, 0], &[]), Wait::Child(Children::Group(Pid(7))));
        let pidfd = [u64::from(libc::P_PIDFD), 5, 0, 0, 0, 0];
        assert_eq!(wait("waitid", pidfd, &[]), Wait::Child(Children::Pidfd(FdNum(5))));
    }

    #[test]
    fn what_is_not_there_is_told() {
        let fault = Timeout::Unread(libc::EFAULT);
        let polled = wait("ppoll", [0x1000, 3, 0x2000, 0, 0, 0], &[]);
        assert_eq!(polled, Wait::Poll { fds: Err(libc::EFAULT), count: 3, timeout: fault });
        let odd = [(0x2000, bytes(&[u64::MAX, 5]))];
        let Wait::Sleep { timeout } = wait("nanosleep", [0x2000, 0, 0, 0, 0, 0], &odd) else { panic!() };
        assert_eq!(timeout, Timeout::Unread(libc::EINVAL));
    }

    #[test]
    fn sets_of_select() {
        let set = |fds: &[u64]| {
            let mut words = [0_u64; 3];
            fds.iter().for_each(|fd| words[(fd / 64) as usize] |= 1 << (fd % 64));
            bytes(&words)
        };
        // The bound is 130: 131 is in the last word, and not asked about.
        let memory = [
            (0x1000, set(&[0, 65, 131])),
            (0x2000, set(&[65])),
            (0x3000, set(&[129])),
            (0x4000, bytes(&[2, 5])),
        ];
        let polled = |fd, events| Polled { fd: FdNum(fd), events };
        let expected = vec![
            polled(0, Readiness::IN),
            polled(65, Readiness::IN | Readiness::OUT),
            polled(129, Readiness::PRI),
        ];
        let timeout = Timeout::After(Duration::new(2, 5000));
        let selected = wait("select", [130, 0x1000, 0x2000, 0x3000, 0x4000, 0], &memory);
        assert_eq!(selected, Wait::Poll { fds: Ok(expected), count: 130, timeout });
        let none = wait("pselect6", [64, 0, 0, 0, 0, 0], &[]);
        assert_eq!(none, Wait::Poll { fds: Ok(vec![]), count: 64, timeout: Timeout::Never });
    }

    #[test]
    fn entries_that_the_kernel_skips() {
        let entry =
            |fd: i32, events: u16| [fd.to_ne_bytes().as_slice(), &events.to_ne_bytes(), &[0; 2]].concat();
        let memory = [(0x1000, [entry(5, 0x2005), entry(-1, 1), entry(6, 0)].concat())];
        let Wait::Poll { fds: Ok(fds), count: 3, .. } = wait("poll", [0x1000, 3, 0, 0, 0, 0], &memory) else {
            panic!()
        };
        assert_eq!(fds.len(), 2);
        assert_eq!(
            (fds[0].events.to_string(), fds[1].events.to_string()),
            ("in,out,rdhup".into(), String::new())
        );
    }

    #[test]
    fn calls_that_do_not_wait_on_a_word() {
        let wake = [0x1000, libc::FUTEX_WAKE as u64, 1, 0, 0, 0];
        assert_eq!(wait("futex", wake, &[]), Wait::Other);
        assert_eq!(wait("getpid", [0; 6], &[]), Wait::Other);
    }

    #[test]
    fn points_in_time_on_a_clock_that_is_not_known() {
        let memory = [(0x2000, bytes(&[100, 7]))];
        let op = (libc::FUTEX_WAIT_BITSET | libc::FUTEX_PRIVATE_FLAG) as u64;
        let timeout = Timeout::Until { clock: libc::CLOCK_MONOTONIC, at: Duration::new(100, 7), left: None };
        let expected = Wait::Futex { op: "wait_bitset", words: vec![0x1000], private: true, timeout };
        assert_eq!(wait("futex", [0x1000, op, 0, 0x2000, 0, 0], &memory), expected);
        let new = [0x1000, 0, 0, 128 | 2, 0x2000, libc::CLOCK_MONOTONIC as u64];
        assert_eq!(
            wait("futex_wait", new, &memory),
            Wait::Futex { op: "wait", words: vec![0x1000], private: true, timeout }
        );
    }

    #[test]
    fn a_ring_of_the_thread_has_no_fd() {
        let memory = [(0x2000, bytes(&[0, 0, 0x3000])), (0x3000, bytes(&[1, 0]))];
        let uring = wait("io_uring_enter", [0, 0, 2, 1 | 8 | 16, 0x2000, 24], &memory);
        let timeout = Timeout::After(Duration::from_secs(1));
        assert_eq!(uring, Wait::Uring { ring: None, min_complete: 2, timeout });
    }
}
