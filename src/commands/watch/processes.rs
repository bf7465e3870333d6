//! Processes whose fds are watched, and what is known of the fds.

use super::event::Who;
use crate::commands::pace::Pace;
use crate::model::{Access, Assoc, Fd, FdNum, FdRanges, Interest, Pid};
use crate::proc::{FdTable, OpenError, Plan, ProcRoot, ProcessDir, Scanner, System, count_fds};
use rustix::io::Errno;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// A process with fds that are watched.
pub(super) struct Process {
    pub(super) pid: Pid,
    pub(super) table: FdTable,
    /// The target that it came from, as it was typed.
    pub(super) target: Vec<u8>,
    /// Whether fds that it opens later are watched too.
    pub(super) follow: bool,
    /// Numbers that are watched.
    known: BTreeSet<FdNum>,
    pub(super) ended: bool,
    /// How many fds it had when they were counted last.
    count: Option<u64>,
    /// How often its fds are listed.
    listing: Pace,
}

/// An fd of a process, and what is asked of it unless the user says otherwise.
pub(super) struct Found {
    pub(super) who: Who,
    pub(super) want: Interest,
}

impl Process {
    /// A process of which nothing is known yet.
    pub(super) fn open(root: &ProcRoot, pid: Pid, target: &[u8], follow: bool) -> Result<Self, Errno> {
        let table = FdTable::open(root, pid)?;
        let target = target.to_vec();
        let (known, listing) = (BTreeSet::new(), Pace::default());
        Ok(Self { pid, table, target, follow, known, ended: false, count: None, listing })
    }

    /// Fds that are not known yet, of those that are meant. They are known then.
    pub(super) fn list(&mut self, fds: Option<&FdRanges>, root: &ProcRoot) -> Result<Vec<Found>, OpenError> {
        // A new one each time: what it knows of sockets is from when it first was asked.
        let system = &System::new(root.clone(), false);
        let plan = &plan();
        let dir = ProcessDir::open(root, self.pid, system)?;
        let meant = |fd: &FdNum| fds.is_none_or(|fds| fds.contains(*fd));
        let begin = Instant::now();
        let mut present = self.table.numbers(&self.known)?;
        present.retain(meant);
        self.listing.done(begin);
        let fresh: Vec<FdNum> = present.difference(&self.known).copied().collect();
        self.known = present;
        let mut found = Vec::with_capacity(fresh.len());
        if fresh.is_empty() {
            return Ok(found);
        }
        let target = &self.target;
        let mut missed: BTreeSet<FdNum> = fresh.iter().copied().collect();
        let scanned = Scanner::new(system, plan).some(&dir, self.table.task(), &fresh, &mut |row: &Fd| {
            if let Assoc::Fd(fd) = row.assoc {
                missed.remove(&fd);
                found.push(Found { who: who(row, fd, target), want: usual_interest(row) });
            }
        });
        // Another time, if it is not closed.
        self.known.retain(|fd| !missed.contains(fd));
        scanned.map(|_| found)
    }

    /// Forgets a number, which is not watched any more, or cannot be: it may be another fd's by now.
    pub(super) fn forget(&mut self, fd: FdNum) {
        self.known.remove(&fd);
    }

    /// Whether the number of its fds, which costs next to nothing to ask for, is another.
    pub(super) fn has_changed(&mut self, system: &System) -> bool {
        let count = ProcessDir::open(system.root(), self.pid, system).and_then(|dir| count_fds(&dir));
        let count = count.ok().flatten();
        std::mem::replace(&mut self.count, count) != count
    }

    /// Whether it is time to list its fds again, although there are as many as before: others may
    /// have taken their places, and a thread that waits in `accept4(2)` has taken the number of its
    /// next fd already.
    pub(super) fn is_due(&self) -> bool {
        self.listing.is_due(Instant::now(), Duration::ZERO)
    }
}

fn who(row: &Fd, fd: FdNum, target: &[u8]) -> Who {
    Who {
        target: target.to_vec(),
        pid: Some(row.process.pid),
        command: Some(row.process.command.clone()),
        fd: Some(fd),
        kind: row.kind.to_string(),
        name: lasting(&row.name),
    }
}

/// What of a name stays true: not how much lay in it when it was looked at.
pub(in crate::commands) fn lasting(name: &[u8]) -> Vec<u8> {
    let passing = |part: &&[u8]| {
        *part == b"empty"
            || *part == b"full"
            || part.ends_with(b" queued")
            || part.starts_with(b"queue ")
            || part.starts_with(b"count ")
            || part.starts_with(b"watching ")
    };
    // Behind a connection's other end stands its state.
    let arrow = " → ".as_bytes();
    let other = name.windows(arrow.len()).position(|w| w == arrow).map(|at| at + arrow.len());
    let end = other.and_then(|at| name[at..].iter().position(|&b| b == b' ').map(|n| at + n));
    let name = &name[..end.unwrap_or(name.len())];
    let name = if end.is_some() { name.strip_suffix(b",").unwrap_or(name) } else { name };
    let mut rest = name;
    let mut parts: Vec<&[u8]> = Vec::new();
    while let Some(at) = rest.windows(2).position(|w| w == b", ") {
        parts.push(&rest[..at]);
        rest = &rest[at + 2..];
    }
    parts.push(rest);
    parts.retain(|part| !passing(part));
    parts.join(&b", "[..])
}

/// What is worth asking: whether something can be read, or of what is for writing alone, written.
fn usual_interest(row: &Fd) -> Interest {
    if row.access == Some(Access::Write) { Interest::OUT } else { reading() }
}

/// What is asked of what can be read.
pub(super) fn reading() -> Interest {
    Interest::IN | Interest::PRI | Interest::RDHUP
}

/// What has to be read of fds to say what they are.
pub(super) fn plan() -> Plan {
    Plan { access: true, name: true, ..Plan::default() }
}

#[cfg(test)]
mod tests {
    use super::lasting;

    #[test]
    fn what_passes_is_left_out() {
        let name = |text: &str| String::from_utf8(lasting(text.as_bytes())).unwrap();
        assert_eq!(name("read end of 12, 6 of 64K queued"), "read end of 12");
        assert_eq!(name("read end of 12, empty"), "read end of 12");
        assert_eq!(name("*:80 listen, queue 0"), "*:80 listen");
        assert_eq!(name("a:1 → b:2 close-wait"), "a:1 → b:2");
        assert_eq!(name("a:1 → b:2, 1 unread"), "a:1 → b:2");
        assert_eq!(name("count 3, id 1"), "id 1");
        assert_eq!(name("watching 2 fds: 4 6"), "");
        assert_eq!(name("/tmp/a, b"), "/tmp/a, b");
    }
}
