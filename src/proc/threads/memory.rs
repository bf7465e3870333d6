//! Memory that arguments of a call point to.

use crate::model::Pid;
use crate::sys;
use std::cell::Cell;

/// Something to read arguments from; the error is an errno, or 0 where the kernel cannot be asked.
pub(super) trait Memory {
    /// Fills `buffer` from `address`.
    fn read(&self, address: u64, buffer: &mut [u8]) -> Result<(), i32>;

    /// A struct of two words: a `timespec`, a `timeval`.
    fn pair(&self, address: u64) -> Result<[i64; 2], i32> {
        let mut bytes = [0; 16];
        self.read(address, &mut bytes)?;
        let [first, second] = [0, 8].map(|at| {
            let mut word = [0; 8];
            word.copy_from_slice(&bytes[at..at + 8]);
            i64::from_ne_bytes(word)
        });
        Ok([first, second])
    }

    /// A word.
    fn word(&self, address: u64) -> Result<u64, i32> {
        let mut bytes = [0; 8];
        self.read(address, &mut bytes)?;
        Ok(u64::from_ne_bytes(bytes))
    }
}

/// The memory of a task.
#[derive(Debug)]
pub(super) struct TaskMemory {
    task: Result<Pid, i32>,
    read: Cell<bool>,
}

impl TaskMemory {
    /// That of `task`, if its pid means something to the kernel that we run on; else it is not asked.
    pub(super) fn new(task: Option<Pid>) -> Self {
        Self { task: task.ok_or(0), read: Cell::new(false) }
    }

    /// Memory that is not read, with the reason.
    pub(super) fn refused(errno: i32) -> Self {
        Self { task: Err(errno), read: Cell::new(false) }
    }

    /// Whether anything was asked of it and read.
    pub(super) fn was_read(&self) -> bool {
        self.read.get()
    }
}

impl Memory for TaskMemory {
    fn read(&self, address: u64, buffer: &mut [u8]) -> Result<(), i32> {
        let task = self.task?;
        self.read.set(true);
        match sys::read_memory(task, address, buffer) {
            Ok(read) if read == buffer.len() => Ok(()),
            Ok(_) => Err(libc::EFAULT),
            Err(e) => Err(e.raw_os_error().unwrap_or(libc::EIO)),
        }
    }
}
