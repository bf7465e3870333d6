//! What a set of records left out.

/// Counts of what could not be shown. Completeness is part of every answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Processes, or fds of a process that can be listed, that the caller may not read.
    pub denied: u64,
    /// Processes and fds that went away while they were read.
    pub vanished: u64,
    /// Files on a filesystem that did not answer in time.
    pub timed_out: u64,
    /// Files that a search could not tell, because their paths are longer than the kernel gives.
    pub too_long: u64,
    /// Whether there are processes that are not even listed, so that nobody can count them.
    pub hidden: bool,
}

impl Tally {
    /// Whether all that is still there was read. What vanished is no longer there.
    pub fn complete(self) -> bool {
        self.denied == 0 && self.timed_out == 0 && self.too_long == 0 && !self.hidden
    }

    /// Adds another part's counts.
    pub fn add(&mut self, other: Self) {
        self.denied += other.denied;
        self.vanished += other.vanished;
        self.timed_out += other.timed_out;
        self.too_long += other.too_long;
        self.hidden |= other.hidden;
    }
}
