//! What the threads of a process wait in: `/proc/PID/task/TID/syscall`, and what the arguments of the
//! call there point to.
//!
//! Nothing stops a thread for that, so two files of one thread are of two moments. What is read
//! from memory is kept only if the thread is in the same call afterwards.

mod abi;
mod clocks;
mod decode;
mod memory;
mod ran;
mod restart;
mod stat;
mod syscall;

use super::io::{NumberName, open_dir, read_record_at};
use super::process::{OpenError, ProcessDir};
use super::system::System;
use crate::model::{Abi, Call, CpuTime, Doing, Pid, Thread, ThreadState, Wait, call_name};
use abi::abi_of;
use clocks::Clocks;
use decode::decode;
use memory::TaskMemory;
pub use ran::{Ran, RunClocks};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use stat::Stat;
use std::cell::OnceCell;
use std::ffi::CStr;
use std::io::Write as _;
use std::time::Instant;
use syscall::Line;

/// All threads of a process that are still there, in the order of their ids. Needs no privilege; what
/// takes one, the right to trace the process, is [`Doing::Unknown`] without it.
pub fn threads_of(system: &System, dir: &ProcessDir) -> Result<Vec<Thread>, OpenError> {
    let mut reader = ThreadReader::new(system, dir)?;
    let mut threads = Vec::new();
    for tid in dir.threads() {
        match reader.read(tid) {
            Ok(thread) => threads.push(thread),
            Err(OpenError::Gone) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(threads)
}

/// Reads threads of one process, one by one, with buffers that are used again.
pub struct ThreadReader<'p> {
    dir: &'p ProcessDir,
    tasks: OwnedFd,
    /// Whether its pids mean something to the kernel that we run on.
    native: bool,
    abi: OnceCell<Abi>,
    clocks: Clocks<'p>,
    path: Vec<u8>,
    text: Vec<u8>,
    again: Vec<u8>,
}

impl<'p> ThreadReader<'p> {
    /// A reader for the threads of this process.
    pub fn new(system: &'p System, dir: &'p ProcessDir) -> Result<Self, OpenError> {
        Ok(Self {
            dir,
            tasks: open_dir(dir.dir(), c"task")?,
            native: system.root().is_native(),
            abi: OnceCell::new(),
            clocks: Clocks::new(system, dir),
            path: Vec::with_capacity(32),
            text: Vec::with_capacity(4096),
            again: Vec::with_capacity(4096),
        })
    }

    /// The thread now. [`OpenError::Gone`] if it has ended.
    pub fn read(&mut self, tid: Pid) -> Result<Thread, OpenError> {
        let mut thread = self.glance(tid)?;
        if self.is_frozen(&thread) {
            thread.state = ThreadState::FROZEN;
        }
        self.exact(tid, &mut thread.cpu);
        Ok(thread)
    }

    /// Adds the CPU time to the nanosecond, where the kernel tells. Whether it does.
    pub fn exact(&mut self, tid: Pid, cpu: &mut CpuTime) -> bool {
        let mut text = std::mem::take(&mut self.text);
        let read = self.file(tid, c"schedstat", &mut text).is_ok();
        if read {
            stat::add_exact(cpu, &text);
        }
        self.text = text;
        read
    }

    /// The thread now, its CPU time in ticks alone: for who looks often.
    pub fn glance(&mut self, tid: Pid) -> Result<Thread, OpenError> {
        let mut text = std::mem::take(&mut self.text);
        let stat = self.file(tid, c"stat", &mut text).map(|()| Stat::parse(&text));
        let Some(mut stat) = stat? else { return Err(OpenError::Failed(Errno::INVAL)) };
        if stat.name.contains(&b'\\') && self.file(tid, c"comm", &mut text).is_ok() {
            // Escaped there, here not.
            text.pop_if(|last| *last == b'\n');
            stat.name.clone_from(&text);
        }
        self.text = text;
        let doing = self.doing_of(tid, &stat)?;
        // The state is of a moment before.
        let state = match (&doing, stat.state.0) {
            (Doing::Running, b'S' | b'D') => ThreadState(b'R'),
            (Doing::Call(_), b'R') => ThreadState(b'S'),
            _ => stat.state,
        };
        Ok(Thread { tid, name: stat.name, state, processor: stat.processor, cpu: stat.cpu, doing })
    }

    /// What the thread does now, and no more: for who looks often. Its kind of thread is that of
    /// `thread`, an earlier look.
    pub fn doing(&mut self, thread: &Thread) -> Result<Doing, OpenError> {
        match thread.doing {
            Doing::Worker(_) => Ok(Doing::Worker(self.wchan(thread.tid))),
            _ => self.call(thread.tid),
        }
    }

    /// The function of the kernel in which the thread waits; nothing where that may not be read, or it
    /// does not wait.
    pub fn wchan(&mut self, tid: Pid) -> Option<Vec<u8>> {
        let mut text = std::mem::take(&mut self.again);
        let read = self.file(tid, c"wchan", &mut text);
        let function = read.is_ok().then(|| text.trim_ascii().to_vec());
        self.again = text;
        // What may not be known reads as 0.
        function.filter(|f| !f.is_empty() && f != b"0")
    }

    /// Whether the thread is in a cgroup that is frozen, `cgroups(7)`, as far as that may be known: by the
    /// function of the kernel that is for that in version 2, which may be a part of the one that sees to
    /// signals, where nothing else sleeps; or in version 1.
    fn is_frozen(&mut self, thread: &Thread) -> bool {
        let functions: &[&[u8]] = match thread.state.0 {
            b'S' => &[b"do_freezer_trap", b"get_signal"],
            b'D' => &[b"__refrigerator"],
            _ => return false,
        };
        self.wchan(thread.tid).is_some_and(|function| functions.contains(&&function[..]))
    }

    /// When the thread last ran, on the clock of the CPU that it ran on; nothing where the kernel does
    /// not tell. Needs no privilege.
    pub fn ran(&mut self, thread: &Thread) -> Option<Ran> {
        let mut text = std::mem::take(&mut self.text);
        let read = self.file(thread.tid, c"sched", &mut text);
        let seen = Instant::now();
        let ran = read.ok().and_then(|()| ran::parse(&text));
        self.text = text;
        Some(Ran { processor: thread.processor?, at: ran?, seen })
    }

    fn doing_of(&mut self, tid: Pid, stat: &Stat) -> Result<Doing, OpenError> {
        match stat {
            _ if stat.state.is_dead() => Ok(Doing::Ended),
            // It has no registers of a program: they would read as a call of number 0.
            _ if stat.is_worker => Ok(Doing::Worker(self.wchan(tid))),
            _ => self.call(tid),
        }
    }

    /// What the `syscall` file says.
    fn call(&mut self, tid: Pid) -> Result<Doing, OpenError> {
        if self.native && tid.0 == std::process::id() as i32 {
            // We, reading just that.
            return Ok(Doing::Running);
        }
        const TRIES: usize = 4;
        let mut text = std::mem::take(&mut self.text);
        let mut read = self.file(tid, c"syscall", &mut text);
        let mut doing = Doing::Running;
        for attempt in 1..=TRIES {
            match read {
                Ok(()) => {}
                Err(Errno::NOENT) if self.has(tid) => {
                    doing = Doing::Unknown(libc::ENOENT);
                    read = Ok(());
                    break;
                }
                Err(Errno::ACCESS | Errno::PERM) => {
                    doing = Doing::Unknown(read.err().map_or(0, Errno::raw_os_error));
                    read = Ok(());
                    break;
                }
                Err(_) => break,
            }
            let memory = TaskMemory::new(self.native.then_some(tid));
            doing = match Line::parse(&text) {
                Some(Line::Running) => Doing::Running,
                Some(Line::None) => Doing::Kernel(self.wchan(tid)),
                Some(Line::Call { number, args }) => Doing::Call(self.decoded(tid, number, args, &memory)),
                None => Doing::Unknown(libc::ENODATA),
            };
            if !memory.was_read() {
                break;
            }
            let mut again = std::mem::take(&mut self.again);
            read = self.file(tid, c"syscall", &mut again);
            let same = read.is_ok() && again == text;
            if !same && attempt < TRIES {
                std::mem::swap(&mut text, &mut again);
            }
            self.again = again;
            if same {
                break;
            }
            if attempt == TRIES {
                // It is too quick: what memory says is of no one moment.
                if let Some(Line::Call { number, args }) = Line::parse(&text) {
                    let none = TaskMemory::refused(libc::EAGAIN);
                    doing = Doing::Call(self.decoded(tid, number, args, &none));
                }
            }
        }
        self.text = text;
        read?;
        Ok(doing)
    }

    fn decoded(&mut self, tid: Pid, number: i64, args: [u64; 6], memory: &TaskMemory) -> Call {
        const X32: i64 = 0x4000_0000;
        let abi = match number & X32 != 0 {
            true => Abi::X32,
            false => *self.abi.get_or_init(|| abi_of(self.dir)),
        };
        let mut call = Call { abi, number, name: None, args, restarted: false, wait: Wait::Other };
        if abi != Abi::Native {
            return call;
        }
        call.name = call_name(number);
        if call.name == Some("restart_syscall") {
            call.restarted = true;
            call.name = self.wchan(tid).and_then(|f| restart::original(&f, &args)).or(call.name);
        }
        if let Some(name) = call.name {
            call.wait = decode(name, &args, memory, &self.clocks);
        }
        call
    }

    /// Whether the thread is still there.
    fn has(&self, tid: Pid) -> bool {
        rustix::fs::statat(&self.tasks, NumberName::new(tid.0).as_c_str(), rustix::fs::AtFlags::empty())
            .is_ok()
    }

    /// One of the thread's files.
    fn file(&mut self, tid: Pid, name: &CStr, text: &mut Vec<u8>) -> Result<(), Errno> {
        self.path.clear();
        drop(write!(self.path, "{tid}/"));
        self.path.extend_from_slice(name.to_bytes_with_nul());
        let path = CStr::from_bytes_with_nul(&self.path).map_err(|_| Errno::INVAL)?;
        read_record_at(&self.tasks, path, text)
    }
}

#[cfg(test)]
mod tests {
    use super::{ThreadReader, threads_of};
    use crate::model::{Doing, FdNum, Pid, Polled, Readiness, Timeout, Wait};
    use crate::proc::{ProcRoot, ProcessDir, System};
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::fd::AsRawFd as _;
    use std::sync::mpsc::channel;
    use std::time::Duration;

    #[test]
    fn a_thread_that_polls() {
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        let fd = FdNum(reader.as_raw_fd());
        let (sender, receiver) = channel();
        let thread = std::thread::Builder::new().name("polls".into()).spawn(move || {
            sender.send(rustix::thread::gettid().as_raw_nonzero().get()).unwrap();
            let time = Timespec { tv_sec: 3600, tv_nsec: 5 };
            poll(&mut [PollFd::new(&reader, PollFlags::IN | PollFlags::PRI)], Some(&time)).unwrap();
        });
        let tid = Pid(receiver.recv().unwrap());
        let system = System::new(ProcRoot::from_env(), false);
        let dir = ProcessDir::open(system.root(), Pid(std::process::id() as i32), &system).unwrap();
        let mut look = ThreadReader::new(&system, &dir).unwrap();
        // It gets there in its own time.
        let found = loop {
            let thread = look.read(tid).unwrap();
            match thread.doing {
                Doing::Call(ref call) if matches!(call.wait, Wait::Poll { .. }) => break thread,
                _ => std::thread::yield_now(),
            }
        };
        assert_eq!(found.name, b"polls");
        assert_eq!(found.state.word(), "sleeping");
        let call = found.doing.call().unwrap();
        assert_eq!(call.name, Some("ppoll"));
        let timeout = Timeout::After(Duration::new(3600, 5));
        let polled = Polled { fd, events: Readiness::IN | Readiness::PRI };
        assert_eq!(call.wait, Wait::Poll { fds: Ok(vec![polled]), count: 1, timeout });
        assert!(threads_of(&system, &dir).unwrap().iter().any(|t| t.tid == tid));
        drop(writer);
        thread.unwrap().join().unwrap();
    }
}
