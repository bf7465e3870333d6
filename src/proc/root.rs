//! Where /proc is.

use crate::model::Pid;
use rustix::fs::PROC_SUPER_MAGIC;
use std::path::{Path, PathBuf};

/// The proc filesystem that is read: /proc, or another one (a container that sees its host's
/// /proc elsewhere, a tree that a test made).
#[derive(Clone, Debug)]
pub struct ProcRoot {
    path: PathBuf,
    own: Option<Pid>,
    native: bool,
}

impl ProcRoot {
    /// The environment variable that names another tree.
    pub const ENV: &'static str = "FDSCOPE_PROC";

    /// Where /proc is, whatever the environment says.
    const USUAL: &'static str = "/proc";

    /// The tree that the environment names, or /proc.
    ///
    /// /proc shows the pids of the namespace that it was mounted for, which need not be ours
    /// (`unshare --pid` without `--mount-proc`). Its link `self` tells: it is our pid there.
    pub fn from_env() -> Self {
        let other = std::env::var_os(Self::ENV).filter(|path| !path.is_empty() && path != Self::USUAL);
        let is_other = other.is_some();
        let path = PathBuf::from(other.unwrap_or_else(|| Self::USUAL.into()));
        let own = std::fs::read_link(path.join("self"));
        let own = own.ok().and_then(|pid| pid.to_str()?.parse().ok()).map(Pid);
        let ours = Pid(std::process::id() as i32);
        match own {
            _ if is_other => Self { path, own, native: false },
            // Where nothing is mounted, there is nothing to mix up.
            None if !is_proc(&path) => Self { path, own: Some(ours), native: true },
            _ => Self { path, own, native: own == Some(ours) },
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

    /// Why its pids cannot be given to system calls, where they cannot.
    pub fn strangeness(&self) -> Option<String> {
        if self.native {
            return None;
        }
        Some(match self.path.to_str() {
            Some(Self::USUAL) => "/proc is of another pid namespace: mount one of your own \
                                  ('mount -t proc proc /proc', or unshare --mount-proc)"
                .to_owned(),
            _ => format!("{}={} is another /proc than that of our own pids", Self::ENV, self.path.display()),
        })
    }

    /// Whether it is /proc, and shows another pid namespace than ours.
    pub fn is_misplaced(&self) -> bool {
        !self.native && self.path == Path::new(Self::USUAL)
    }

    /// Our own pid there, where we are to be seen.
    pub fn own(&self) -> Option<Pid> {
        self.own
    }

    /// Whether processes of others are hidden behind the option `hidepid` of /proc: each pid namespace
    /// has a process 1, and it is not to be seen, though we are.
    pub fn hides_processes(&self) -> bool {
        self.native && is_missing(&self.join("1")) && !is_missing(&self.join("self"))
    }

    /// A path below it.
    pub fn join(&self, rest: impl AsRef<Path>) -> PathBuf {
        self.path.join(rest)
    }
}

fn is_missing(path: &Path) -> bool {
    matches!(path.symlink_metadata(), Err(e) if e.kind() == std::io::ErrorKind::NotFound)
}

fn is_proc(path: &Path) -> bool {
    rustix::fs::statfs(path).is_ok_and(|fs| fs.f_type == PROC_SUPER_MAGIC)
}
