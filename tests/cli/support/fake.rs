//! A made-up /proc: for kinds that this kernel can't make, and for states that pass too quickly.

use super::Fdscope;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The tree, in a temporary directory.
pub(crate) struct FakeProc {
    dir: TempDir,
}

/// A process in it.
pub(crate) struct FakeProcess {
    path: PathBuf,
}

impl FakeProc {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("a temporary directory") }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A process that sleeps and has no fds.
    pub(crate) fn process(&self, pid: u32, command: &[u8]) -> FakeProcess {
        let path = self.dir.path().join(pid.to_string());
        for name in ["fd", "fdinfo", "net", "ns", "task"] {
            fs::create_dir_all(path.join(name)).unwrap();
        }
        let process = FakeProcess { path };
        let pid = pid.to_string();
        process.write("comm", [command, b"\n"].concat());
        process.write("stat", [pid.as_bytes(), b" (", command, b") S 1 1 1 0 -1 0"].concat());
        process.write("status", "Uid:\t1000\t1000\t1000\t1000\nThreads:\t3\nVmSize:\t  1024 kB\n");
        process
    }

    /// fdscope, reading this tree.
    pub(crate) fn fdscope(&self, arguments: &str) -> Fdscope {
        Fdscope::new(arguments).env("FDSCOPE_PROC", self.path())
    }
}

impl FakeProcess {
    /// A thread: its stat, and its syscall.
    pub(crate) fn thread(&self, tid: u32, stat: &[u8], syscall: &[u8]) -> &Self {
        fs::create_dir_all(self.path.join(format!("task/{tid}"))).unwrap();
        self.write(&format!("task/{tid}/stat"), stat).write(&format!("task/{tid}/syscall"), syscall)
    }

    /// One of its files.
    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> &Self {
        fs::write(self.path.join(name), text).unwrap();
        self
    }

    /// An fd: its link's text and its fdinfo.
    pub(crate) fn fd(&self, number: u32, link: impl AsRef<[u8]>, info: &str) -> &Self {
        let number = number.to_string();
        symlink(OsStr::from_bytes(link.as_ref()), self.path.join("fd").join(&number)).unwrap();
        self.write(&format!("fdinfo/{number}"), info)
    }
}
