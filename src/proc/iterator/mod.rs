//! The fds of a task all at once, from an iterator of `bpf(2)` over its table.
//!
//! A few hundred nanoseconds an fd instead of a few thousand. It says what the link says, and what
//! `statx` and fdinfo say where that is the same for all kinds of fds; a scan reads the rest as ever.
//! It is used where it pays and is allowed, and where anything is against it the ordinary way is
//! gone: [`FdIterator::table`] gives nothing then.
//!
//! Compiled in whole, but used only with the feature `bpf`.

mod btf;
mod program;
mod record;

use super::io::readlink_at;
use crate::model::{FdNum, Pid};
use crate::sys;
pub(super) use program::Wanted;
use program::assemble;
pub(super) use record::Known;
use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::thread::CapabilitySet;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

/// The environment variable that says whether it is used: `always`, `never`, or where it pays.
const ENV: &str = "FDSCOPE_BPF";

/// Whether it is there at all. Records are read as little-endian, and of 64 bits.
const BUILT: bool = cfg!(all(feature = "bpf", target_pointer_width = "64", target_endian = "little"));

/// From how many fds on it pays to load a program: what that takes, so many fds take otherwise.
const PAYS: u64 = 1000;
/// And from how many on to run it on a table.
const PAYS_IN_TABLE: u64 = 12;

/// As much as one read gives: `bpf_seq_read()` in `kernel/bpf/bpf_iter.c`.
const READ: usize = 32 << 10;

/// When it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    Always,
    Never,
    WherePays,
}

/// The programs, loaded when the first is of use.
#[derive(Debug)]
pub(super) struct FdIterator {
    use_: Use,
    /// Fds that were read, or are about to be.
    seen: AtomicU64,
    /// By what is wanted; why there is none.
    programs: [Claimed<Result<OwnedFd, String>>; 2],
}

/// The fds of a task.
#[derive(Debug)]
pub(super) struct Table {
    bytes: Vec<u8>,
    /// Where some of the records begin, by fd, for those who do not want them from the first on.
    marks: Vec<(FdNum, usize)>,
}

/// How many records lie between two marks.
const MARKED: usize = 256;

impl Table {
    /// Each fd between two numbers, and what is known of it.
    pub(super) fn between(&self, first: i32, last: i32) -> impl Iterator<Item = (FdNum, Option<Known<'_>>)> {
        let behind = self.marks.partition_point(|(fd, _)| fd.0 <= first);
        let begin = behind.checked_sub(1).map_or(0, |last| self.marks[last].1);
        let mut rest = &self.bytes[begin..];
        let all = std::iter::from_fn(move || Known::take(&mut rest));
        all.skip_while(move |(fd, _)| fd.0 < first).take_while(move |(fd, _)| fd.0 <= last)
    }

    /// Sets the marks. The fds are in order.
    fn mark(&mut self) {
        let mut rest = &self.bytes[..];
        let mut begin = 0;
        for nth in 0.. {
            let Some((fd, _)) = Known::take(&mut rest) else { break };
            if nth % MARKED == 0 {
                self.marks.push((fd, begin));
            }
            begin = self.bytes.len() - rest.len();
        }
    }
}

/// The fds of a process that is read in parts.
#[derive(Clone, Debug, Default)]
pub struct SharedTable(Arc<Claimed<Option<Table>>>);

/// A table of its own, or one that is shared.
pub(super) enum Held<'h> {
    Own(Table),
    Shared(&'h Table),
}

impl Deref for Held<'_> {
    type Target = Table;

    fn deref(&self) -> &Table {
        match self {
            Self::Own(table) => table,
            Self::Shared(table) => table,
        }
    }
}

/// Something that the first makes who needs it.
#[derive(Debug)]
struct Claimed<T> {
    claimed: AtomicBool,
    made: OnceLock<T>,
}

impl<T> Default for Claimed<T> {
    fn default() -> Self {
        Self { claimed: AtomicBool::new(false), made: OnceLock::new() }
    }
}

impl<T> Claimed<T> {
    /// It, if it is there already, is made now, or is waited for.
    fn get(&self, waits: bool, make: impl FnOnce() -> T) -> Option<&T> {
        if waits || !self.claimed.swap(true, Relaxed) {
            return Some(self.made.get_or_init(make));
        }
        self.made.get()
    }
}

/// What the environment says, or what is wrong with it.
fn chosen() -> Result<Use, String> {
    let word = std::env::var_os(ENV).unwrap_or_default();
    match word.as_encoded_bytes() {
        b"always" => Ok(Use::Always),
        b"never" => Ok(Use::Never),
        b"" if BUILT => Ok(Use::WherePays),
        b"" => Ok(Use::Never),
        word => Err(format!("{ENV} is '{}', and can be 'always', 'never' or empty", word.escape_ascii())),
    }
}

/// What is wrong with what the environment says of the iterator, if anything is.
pub fn check_environment() -> Result<(), String> {
    chosen().map(|_| ())
}

impl FdIterator {
    /// As the environment says; never where pids are not those of system calls.
    pub(super) fn new(native: bool) -> Self {
        let use_ = if native { chosen().unwrap_or(Use::Never) } else { Use::Never };
        Self { use_, seen: AtomicU64::new(0), programs: Default::default() }
    }

    /// The fds of a task, if it pays and may be. `parent` is its directory, which has been opened
    /// already, and `fds` the directory `fd` in it.
    pub(super) fn table<'h>(
        &self,
        task: Pid,
        parent: BorrowedFd<'_>,
        fds: BorrowedFd<'_>,
        wanted: Wanted,
        shared: Option<&'h SharedTable>,
    ) -> Option<Held<'h>> {
        if self.use_ == Use::Never {
            return None;
        }
        let waits = self.use_ == Use::Always;
        if let Some(made) = shared.and_then(|shared| shared.0.made.get()) {
            return made.as_ref().map(Held::Shared);
        }
        // Since Linux 6.2 the size of the directory is the number of fds.
        let count = rustix::fs::fstat(fds).ok()?.st_size as u64;
        let seen = self.seen.fetch_add(count, Relaxed) + count;
        if count == 0 || !waits && (seen < PAYS || count < PAYS_IN_TABLE) {
            return None;
        }
        let program = self.programs[wanted as usize].get(waits, || load(wanted))?.as_ref().ok()?;
        let make = || {
            let mut table = read(program, task)?;
            if shared.is_some() {
                table.mark();
            }
            // The directory is that of the task with this number only if that is still there. And who
            // may not read its links is not to know of them in this way.
            let mut link = Vec::new();
            readlink_at(parent, c"cwd", &mut link).ok()?;
            Some(table)
        };
        match shared {
            Some(shared) => shared.0.get(waits, make)?.as_ref().map(Held::Shared),
            None => make().map(Held::Own),
        }
    }

    /// Why it is not used though it is to be always.
    pub(super) fn refusal(&self) -> Option<&str> {
        let refused = self.programs.iter().find_map(|program| program.made.get()?.as_ref().err());
        refused.filter(|_| self.use_ == Use::Always).map(String::as_str)
    }
}

/// Loads a program.
fn load(wanted: Wanted) -> Result<OwnedFd, String> {
    if !BUILT {
        return Err("this fdscope was built without it".to_owned());
    }
    may_load()?;
    let types = sys::KernelTypes::open().map_err(|e| format!("the types of the kernel: {e}"))?;
    let (code, target) = assemble(&types, wanted)?;
    sys::load_iterator(&code, target).map_err(|e| format!("bpf: {e}"))
}

/// Whether loading can succeed, before what it takes is read.
fn may_load() -> Result<(), String> {
    /// `PROC_USER_INIT_INO`, the inode of the first user namespace.
    const FIRST: u64 = 0xefff_fffd;
    let own = rustix::thread::capabilities(None).map_err(|e| format!("capget: {e}"))?.effective;
    let bpf = CapabilitySet::BPF | CapabilitySet::PERFMON;
    let may = own.contains(bpf) || own.contains(CapabilitySet::SYS_ADMIN);
    if !may || !own.contains(CapabilitySet::SYS_PTRACE) {
        return Err("it takes CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE".to_owned());
    }
    match rustix::fs::stat("/proc/self/ns/user") {
        Ok(stat) if stat.st_ino == FIRST => Ok(()),
        _ => Err("these capabilities are those of a user namespace".to_owned()),
    }
}

/// All that a program has to say of a task.
fn read(program: &OwnedFd, task: Pid) -> Option<Table> {
    let file = sys::iterate(program.as_fd(), task).ok()?;
    let mut bytes = Vec::new();
    loop {
        bytes.reserve(READ);
        match rustix::io::read(&file, rustix::buffer::spare_capacity(&mut bytes)) {
            Ok(0) => return Some(Table { bytes, marks: Vec::new() }),
            // The latter after a million of those that the program passes over.
            Ok(_) | Err(Errno::INTR | Errno::AGAIN) => {}
            Err(_) => return None,
        }
    }
}
