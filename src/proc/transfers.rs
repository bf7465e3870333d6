//! How often a thread reads and writes.

use super::io::read_record_at;
use super::process::ProcessDir;
use super::usage::number;
use crate::model::Pid;

impl ProcessDir {
    /// How often a thread has called `read(2)`, `write(2)` and their sisters, those of sockets such as
    /// `recvmsg(2)` not among them: `proc_pid_io(5)`. Nothing where that may not be read or is not
    /// counted.
    pub fn transfers(&self, tid: Pid) -> Option<u64> {
        let mut text = Vec::new();
        read_record_at(self.task(tid).ok()?, c"io", &mut text).ok()?;
        Some(number(&text, b"syscr:")? + number(&text, b"syscw:")?)
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Pid;
    use crate::proc::{ProcRoot, ProcessDir, System};
    use std::io::{Read as _, Write as _};

    #[test]
    fn what_a_thread_reads_and_writes() {
        let system = System::new(ProcRoot::from_env(), false);
        let dir = ProcessDir::open(system.root(), Pid(std::process::id() as i32), &system).unwrap();
        let tid = Pid(rustix::thread::gettid().as_raw_nonzero().get());
        let (mut reader, mut writer) = std::io::pipe().unwrap();
        let Some(before) = dir.transfers(tid) else { return println!("skipped: it is not counted here") };
        writer.write_all(b"x").unwrap();
        reader.read_exact(&mut [0]).unwrap();
        // And that which was read to know it.
        assert!(dir.transfers(tid).unwrap() >= before + 2);
    }
}
