//! Where /proc is.

use std::path::{Path, PathBuf};

/// The proc filesystem that is read: /proc, or another one (a container that sees its host's
/// /proc elsewhere, a tree that a test made).
#[derive(Clone, Debug)]
pub struct ProcRoot {
    path: PathBuf,
    native: bool,
}

impl ProcRoot {
    /// The environment variable that names another tree.
    pub const ENV: &'static str = "FDSCOPE_PROC";

    /// The tree that the environment names, or /proc.
    pub fn from_env() -> Self {
        match std::env::var_os(Self::ENV).filter(|p| !p.is_empty()) {
            Some(path) => Self { path: path.into(), native: false },
            None => Self { path: "/proc".into(), native: true },
        }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether its pids are those of our own pid namespace, so that they can be given to system
    /// calls.
    pub fn is_native(&self) -> bool {
        self.native
    }

    /// A path below it.
    pub fn join(&self, rest: impl AsRef<Path>) -> PathBuf {
        self.path.join(rest)
    }
}
