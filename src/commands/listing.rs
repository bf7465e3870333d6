//! The work of `list` on one process, and the sum of it.

use crate::context::Context;
use crate::model::{Fd, Pid, Process, Tally, errno_words, quantity};
use crate::proc::{OpenError, Plan, ProcessDir, Scanner, Slice, Swept, System};
use crate::query::{Evaluator, Where};
use crate::render::{Batch, Renderer};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What a run of `list` is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Rows.
    Rows,
    /// Pids.
    Pids,
    /// Counts.
    Count,
}

/// What all workers share.
pub(super) struct Job<'j> {
    pub(super) system: &'j System,
    pub(super) plan: &'j Plan,
    pub(super) query: Option<&'j Where<Fd>>,
    pub(super) renderer: &'j Renderer<Fd>,
    pub(super) mode: Mode,
    pub(super) user: Option<u32>,
    /// Batches that were written, to be used again.
    pub(super) written: &'j Mutex<Vec<Batch>>,
}

impl<'j> Job<'j> {
    /// A batch, which has its memory already where there is one to be used again.
    fn batch(&self) -> Batch {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    /// Takes back a batch that was written.
    pub(super) fn reuse(&self, mut batch: Batch) {
        batch.clear();
        self.written.lock().unwrap_or_else(PoisonError::into_inner).push(batch);
    }

    /// A worker for one thread.
    pub(super) fn worker(&'j self) -> Worker<'j> {
        Worker {
            job: self,
            scanner: Scanner::new(self.system, self.plan),
            evaluator: self.query.map(Where::evaluator),
        }
    }
}

/// One thread's tools.
pub(super) struct Worker<'j> {
    job: &'j Job<'j>,
    scanner: Scanner<'j>,
    evaluator: Option<Evaluator<'j, Fd>>,
}

/// What came of one slice.
pub(super) struct Part {
    pid: Pid,
    process: Option<Arc<Process>>,
    /// The rows, encoded.
    pub(super) batch: Batch,
    kinds: BTreeMap<String, u64>,
    rows: u64,
    errors: u64,
    tally: Tally,
    failure: Option<OpenError>,
}

impl Part {
    fn count(&mut self, row: &Fd) {
        match self.kinds.get_mut(&*row.kind) {
            Some(n) => *n += 1,
            None => drop(self.kinds.insert(row.kind.to_string(), 1)),
        }
    }
}

impl Worker<'_> {
    /// Scans one slice.
    pub(super) fn run(&mut self, slice: &Slice) -> Part {
        let job = self.job;
        self.scan(slice, |part, row| match job.mode {
            Mode::Rows => job.renderer.push(&mut part.batch, row),
            Mode::Pids => {}
            Mode::Count => part.count(row),
        })
    }

    /// Scans one slice for somebody who knows what to do with its rows.
    pub(super) fn scan(&mut self, slice: &Slice, mut each: impl FnMut(&mut Part, &Fd)) -> Part {
        let job = self.job;
        let mut part = Part {
            pid: slice.pid,
            process: None,
            batch: job.batch(),
            kinds: BTreeMap::new(),
            rows: 0,
            errors: 0,
            tally: Tally::default(),
            failure: None,
        };
        let dir = match ProcessDir::open(job.system.root(), slice.pid, job.system) {
            Ok(dir) => dir,
            Err(e) => {
                part.failure = Some(e);
                return part;
            }
        };
        if job.user.is_some_and(|uid| uid != dir.process.uid) {
            return part;
        }
        part.process = Some(Arc::clone(&dir.process));
        let evaluator = self.evaluator.as_ref();
        let scanned = self.scanner.scan(&dir, slice, &mut |row: &Fd| {
            if evaluator.is_some_and(|e| !e.matches(row)) {
                return;
            }
            part.rows += 1;
            // What a search has found without its name is found.
            part.errors += u64::from(row.kind == "error" && row.inode.is_none());
            each(&mut part, row);
        });
        match scanned {
            Ok(tally) => part.tally = tally,
            // What belonged to a zombie's user belongs to root now; there is nothing in it.
            Err(OpenError::Denied) if dir.has_ended() => {}
            Err(e) => part.failure = Some(e),
        }
        part
    }
}

/// One process, all its slices together.
#[derive(Default)]
pub(super) struct Found {
    pub(super) process: Option<Arc<Process>>,
    pub(super) kinds: BTreeMap<String, u64>,
    pub(super) rows: u64,
    errors: u64,
    /// Fds that may not be read, whether they are among the rows or a filter has left them out.
    denied: u64,
    failure: Option<OpenError>,
}

impl Found {
    /// Fds that may not be read and that no row tells of.
    fn unshown(&self) -> u64 {
        self.denied.saturating_sub(self.errors)
    }
}

/// The sum of all parts.
#[derive(Default)]
pub(super) struct Report {
    pub(super) found: BTreeMap<Pid, Found>,
    pub(super) rows: u64,
    pub(super) tally: Tally,
    /// How many processes could not be read at all, by errno.
    unread: BTreeMap<i32, usize>,
}

impl Report {
    /// Adds a part, whose rows are written already.
    pub(super) fn add(&mut self, part: Part) {
        self.rows += part.rows;
        self.tally.add(part.tally);
        let found = self.found.entry(part.pid).or_default();
        if let Some(failure) = part.failure
            && found.failure.is_none()
        {
            found.failure = Some(failure);
            match failure {
                OpenError::Gone => self.tally.vanished += 1,
                OpenError::Denied | OpenError::Failed(_) => {
                    self.tally.denied += 1;
                    *self.unread.entry(failure.errno()).or_default() += 1;
                }
            }
        }
        found.process = part.process.or(found.process.take());
        found.rows += part.rows;
        found.errors += part.errors;
        found.denied += part.tally.denied;
        for (kind, n) in part.kinds {
            *found.kinds.entry(kind).or_default() += n;
        }
    }

    /// Adds what another look could not read.
    pub(super) fn add_unread<K>(&mut self, swept: &Swept<K>) {
        self.tally.add(swept.tally);
        for (errno, failures) in swept.failures.iter().filter(|(_, failures)| failures.processes > 0) {
            *self.unread.entry(*errno).or_default() += failures.processes as usize;
        }
    }

    /// Adds a process that is known to have such fds, one at least.
    pub(super) fn add_process(&mut self, process: &Arc<Process>) -> &mut Found {
        self.rows += 1;
        let found = self.found.entry(process.pid).or_default();
        found.process.get_or_insert_with(|| Arc::clone(process));
        found.rows += 1;
        found
    }

    /// Adds a row that was found otherwise.
    pub(super) fn add_row(&mut self, row: &Fd) {
        let found = self.add_process(&row.process);
        *found.kinds.entry(row.kind.to_string()).or_default() += 1;
    }

    /// Tells what could not be read; whether a process that the user named was among it.
    pub(super) fn tell(&self, context: &Context, system: &System, named: bool) -> bool {
        if named {
            self.tell_timeouts(context);
            if system.has_missed_peers() {
                context.note("not all processes may be read, so that not every other end is known");
            }
            // Of every one, not only of the first.
            let tell =
                |failed, (pid, found): (&Pid, &Found)| tell_one(context, system, *pid, found) || failed;
            return self.found.iter().fold(false, tell);
        }
        let mut failed = false;
        for (&errno, &count) in &self.unread {
            let processes = quantity(count, "process", "processes");
            if matches!(errno, libc::EACCES | libc::EPERM) {
                context.note(&format!("{processes} could not be read: permission denied"));
            } else {
                // It is not that others are none of our business: something is wrong here.
                context.complain(&format!("{processes} could not be read: {}", errno_words(errno)));
                failed = true;
            }
        }
        self.tell_denied_fds(context);
        self.tell_timeouts(context);
        failed
    }

    /// Tells of single fds that could not be read, where they are not rows.
    pub(super) fn tell_denied_fds(&self, context: &Context) {
        let denied = self.tally.denied as usize - self.unread.values().sum::<usize>();
        if denied > 0 {
            let fds = quantity(denied, "fd", "fds");
            context.note(&format!("{fds} could not be read: permission denied"));
        }
    }

    /// Tells of single fds of processes that the user named, where other rows are there and a filter has
    /// left these out.
    pub(super) fn tell_unshown(&self, context: &Context) {
        let partly = self.found.values().filter(|found| found.rows > found.errors);
        let denied: u64 = partly.map(Found::unshown).sum();
        if denied > 0 {
            let fds = quantity(denied as usize, "fd", "fds");
            context.note(&format!("{fds} could not be read: permission denied"));
        }
    }

    fn tell_timeouts(&self, context: &Context) {
        if self.tally.timed_out > 0 {
            let files = quantity(self.tally.timed_out as usize, "file", "files");
            context.note(&format!("{files} could not be looked at: the filesystem does not answer"));
        }
        if self.tally.too_long > 0 {
            let files = quantity(self.tally.too_long as usize, "file", "files");
            context.note(&format!("{files} could not be compared: the path is longer than the kernel tells"));
        }
    }
}

/// Tells what went wrong with a process that the user named.
fn tell_one(context: &Context, system: &System, pid: Pid, found: &Found) -> bool {
    let who = match &found.process {
        Some(process) => format!("{pid} ({})", String::from_utf8_lossy(&process.command).escape_debug()),
        None => pid.to_string(),
    };
    let complaint = match found.failure {
        Some(OpenError::Denied) => format!("the fds of process {who} may not be read: permission denied"),
        Some(OpenError::Failed(e)) => format!("the fds of process {who} cannot be read: {e}"),
        Some(OpenError::Gone) if nothing_to_hold(system, pid).is_none() => {
            format!("process {who} ended while it was read")
        }
        None if found.errors > 0 && found.errors == found.rows && found.unshown() == 0 => {
            format!("no fd of process {who} can be read")
        }
        // What was asked for may be among them.
        None if found.denied > 0 && found.errors == found.rows => {
            // Its working directory, say, is no fd.
            let count = found.denied;
            format!("{count} of the things that process {who} holds could not be read: permission denied")
        }
        None if found.rows == 0 && ProcessDir::open(system.root(), pid, system).is_err() => {
            format!("process {who} ended while it was read")
        }
        _ => {
            if found.rows == 0
                && let Some(reason) = nothing_to_hold(system, pid)
            {
                context.note(&format!("process {who} {reason}"));
            }
            return false;
        }
    };
    context.complain(&complaint);
    true
}

/// Why a process that is there has no fds.
pub(super) fn nothing_to_hold(system: &System, pid: Pid) -> Option<&'static str> {
    let dir = ProcessDir::open(system.root(), pid, system).ok()?;
    if dir.has_ended() {
        Some("is a zombie: it holds nothing open any more")
    } else if dir.is_kernel_thread() {
        Some("is a kernel thread: it has no fds")
    } else {
        None
    }
}
