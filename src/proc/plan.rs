//! What a listing asks for, so that nothing else is read.

use super::filter::PathFilter;
use crate::kind::{Kind, ShapeKind};
use crate::model::FdRanges;

/// Which facts are wanted of each fd.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// No more than what tells which description an fd may be, of every fd: its link, and device
    /// and inode of a path. Nothing else is read then, and nothing is filtered.
    pub identity: bool,
    /// Status flags, position or mount: fdinfo of every fd.
    pub info: bool,
    /// Access, or whether it blocks.
    pub access: bool,
    /// Device or inode of what has no path.
    pub device: bool,
    /// The kinds' own fields.
    pub values: bool,
    /// NAME.
    pub name: bool,
    /// Who is at the other end, in NAME: whether it is found at all, [`super::System::with_peers`]
    /// says.
    pub peers_in_name: bool,
    /// The network namespaces of sockets.
    pub networks: Option<Networks>,
    /// Also `cwd`, `root` and `exe`.
    pub assoc: bool,
    /// Also mapped files.
    pub mappings: bool,
    /// Also threads with an fd table of their own.
    pub threads: bool,
    /// Which rows.
    pub filter: Filter,
}

/// What is wanted of network namespaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Networks {
    /// Their inodes.
    Ids,
    /// What they are called, too.
    Names,
}

/// Which rows are wanted, decided as early as each test can be.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// By fd number.
    pub fds: Option<FdRanges>,
    /// By kind; a word may be a kind, a group of kinds, or another protocol's name.
    pub kinds: Vec<String>,
    /// By file.
    pub path: Option<PathFilter>,
    /// By own port.
    pub ports: Vec<u16>,
    /// Only what is deleted.
    pub deleted: bool,
}

impl Plan {
    /// Whether no row can come of anything but sockets.
    pub(super) fn wants_sockets_alone(&self) -> bool {
        use ShapeKind::{Anon, Any, Numbered, Path};
        !self.identity && ![Path, Anon, Numbered, Any].into_iter().any(|shape| self.filter.takes_shape(shape))
    }
}

impl Filter {
    /// Whether a kind can pass; the fallback for sockets may under the name of its protocol.
    pub(super) fn takes_kind(&self, kind: &Kind) -> bool {
        self.kinds.is_empty()
            || self.kinds.iter().any(|w| kind.answers_to(w))
            || (kind.name == "socket" && self.kinds.iter().any(|w| is_protocol(w)))
    }

    /// Whether a row's kind, now known to the letter, passes.
    pub(super) fn takes_exact(&self, kind: &Kind, name: &str) -> bool {
        self.kinds.is_empty() || self.kinds.iter().any(|w| w == name || kind.answers_to(w))
    }

    /// Whether links of a sort can lead to a row at all.
    pub(super) fn takes_shape(&self, shape: ShapeKind) -> bool {
        // What can't be read is shown whatever is looked for only in a plain listing.
        if !self.ports.is_empty() && shape != ShapeKind::Socket {
            return false;
        }
        // A socket may be bound to a path.
        if self.path.is_some() && !matches!(shape, ShapeKind::Path | ShapeKind::Socket) {
            return false;
        }
        if self.deleted && shape != ShapeKind::Path {
            return false;
        }
        self.kinds.is_empty()
            || crate::kind::ALL
                .iter()
                .any(|k| (k.shape == shape || k.shape == ShapeKind::Any) && self.takes_kind(k))
    }

    /// Whether rows that could not be read are wanted: not where something special is looked for.
    pub(super) fn takes_errors(&self) -> bool {
        self.path.is_none()
            && self.ports.is_empty()
            && !self.deleted
            && (self.kinds.is_empty() || self.kinds.iter().any(|k| k == "error"))
    }
}

/// Whether a word of `--kind` is no kind of ours, and so a protocol's name.
fn is_protocol(word: &str) -> bool {
    !crate::kind::ALL.iter().any(|k| k.answers_to(word))
}
