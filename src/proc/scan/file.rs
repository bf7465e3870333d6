//! Files that a process holds without an fd: working directory, root, program, mapped files.

use super::fd::{fill, takes};
use super::stat::{is_deleted, unknown_stat};
use super::{Output, Scanner, file_stat};
use crate::kind::{self, FileStat, Probe};
use crate::model::{Access, Assoc};
use crate::proc::io::{open_dir, read_at, readlink_at, stat_at};
use crate::proc::lookup::ProcLookup;
use crate::proc::maps::{self, Mapping};
use crate::proc::process::ProcessDir;
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use std::ffi::CString;

impl Scanner<'_> {
    /// `cwd`, `root` and `exe`.
    pub(super) fn unnumbered(&mut self, dir: &ProcessDir, out: &mut Output<'_>) {
        for (assoc, name) in [(Assoc::Cwd, c"cwd"), (Assoc::Root, c"root"), (Assoc::Exe, c"exe")] {
            out.row.reset(assoc);
            // Without fdinfo nothing tells the mount: with a remote one about, be content with
            // the name.
            let stat = || {
                let any_remote = dir.mounts(self.system).any_remote();
                if any_remote { None } else { stat_at(dir.dir(), name).ok().map(|s| file_stat(&s)) }
            };
            match readlink_at(dir.dir(), name, &mut self.link) {
                Ok(()) => {}
                // A kernel thread has none.
                Err(Errno::NOENT | Errno::SRCH) => continue,
                Err(errno) => {
                    self.failed("readlink", errno, dir, stat, out);
                    continue;
                }
            }
            let stat = stat();
            let guess = if assoc == Assoc::Exe { libc::S_IFREG } else { libc::S_IFDIR };
            self.file(dir, stat.unwrap_or_else(|| unknown_stat(guess)), stat.is_some(), out);
        }
    }

    /// The row of a file held without an fd, whose link text is in `self.link`.
    fn file(&self, dir: &ProcessDir, stat: FileStat, known: bool, out: &mut Output<'_>) {
        let lookup = ProcLookup::new(self.system, dir, dir.pid(), dir.dir(), dir.dir());
        let probe = Probe {
            stat: Some(stat),
            deleted: is_deleted(&self.link, known.then_some(&stat), dir, self.system),
            values: self.plan.values,
            ..Probe::new(None, &self.link, &lookup)
        };
        let kind = kind::claim(&probe);
        if !self.plan.filter.takes_shape(probe.shape.sort())
            || !takes(self.plan, kind, &probe, dir, self.system)
        {
            return;
        }
        let row = &mut out.row;
        fill(row, kind, &probe);
        if !known {
            row.inode = None;
            row.device = None;
        }
        if self.plan.name || self.plan.values {
            (kind.decode)(&probe, row);
        }
        out.emit();
    }

    /// Mapped files, each once.
    pub(super) fn mappings(&mut self, dir: &ProcessDir, out: &mut Output<'_>) {
        let mut text = Vec::new();
        if let Err(errno) = read_at(dir.dir(), c"maps", &mut text) {
            out.row.reset(Assoc::Mem);
            self.failed("open", errno, dir, || None, out);
            return;
        }
        let exact = open_dir(dir.dir(), c"map_files").ok();
        for mapping in maps::parse(&text) {
            out.row.reset(Assoc::Mem);
            out.row.access = Some(if mapping.writes { Access::ReadWrite } else { Access::Read });
            self.link.clear();
            self.link.extend_from_slice(&mapping.path);
            // Newlines are escaped there, and nothing else: a name that looks like it is told by its link.
            if maps::is_escaped(&self.link)
                && !exact.as_ref().is_some_and(|files| {
                    let name = CString::new(&mapping.range[..]).unwrap_or_default();
                    readlink_at(files, &name, &mut self.link).is_ok()
                })
            {
                self.link = maps::newlines(&mapping.path);
            }
            let stat = self.mapped_stat(dir, exact.as_ref(), &mapping);
            self.file(dir, stat, true, out);
        }
    }

    /// What `statx` says of a mapped file, which takes a privilege, or what maps itself says.
    fn mapped_stat(&self, dir: &ProcessDir, exact: Option<&OwnedFd>, mapping: &Mapping) -> FileStat {
        let mounts = dir.mounts(self.system);
        let safe = !mounts.any_remote() || mounts.of_device(mapping.device).any(|m| !m.is_remote());
        let stat = exact.filter(|_| safe).and_then(|files| {
            let name = CString::new(&mapping.range[..]).ok()?;
            stat_at(files, &name).ok()
        });
        match stat {
            Some(stat) => file_stat(&stat),
            None => FileStat { inode: mapping.inode, device: mapping.device, ..unknown_stat(libc::S_IFREG) },
        }
    }
}
