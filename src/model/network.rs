//! A network namespace.

/// A network namespace, as records tell of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Its inode, as in the link `/proc/PID/ns/net`; nothing where none of its links may be read.
    pub id: Option<u64>,
    /// What people call it: the name that `ip-netns(8)` gave it, or the container that it is of.
    pub name: Option<Vec<u8>>,
    /// Whether it is the one that we are in.
    pub own: bool,
}
