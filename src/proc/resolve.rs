//! Where a path leads, found out without asking anybody who may not answer.
//!
//! Links are resolved component by component, and each is looked up among the mounts before it is touched.
//! On a mount whose server may not answer, only what the kernel knows already is used: links there are not
//! followed, and what lies behind is a name and no more.

use super::io::{lstat_at, readlink_at};
use super::mounts::{Mount, Mounts};
use super::remote::Guard;
use super::scan::file_stat;
use crate::kind::FileStat;
use rustix::fs::{CWD, Mode, OFlags};
use std::collections::VecDeque;
use std::ffi::CString;
use std::sync::Arc;

/// The kernel follows as many links.
const MOST_LINKS: u32 = 40;

/// Where a path leads.
#[derive(Debug)]
pub(super) struct Resolved {
    /// Its name without links, as far as these could be read.
    pub(super) name: Vec<u8>,
    /// The mounts among which it has that name.
    pub(super) mounts: Arc<Mounts>,
    /// Whether those are of another mount namespace than ours.
    pub(super) foreign: bool,
    /// The mount that it is on.
    pub(super) mount: Option<u32>,
    /// What `statx` says of it, if it is there and that can be told.
    pub(super) stat: Option<FileStat>,
    /// The file is all that is meant: it has no name any more.
    pub(super) nameless: bool,
}

impl Resolved {
    /// The mount that it is on.
    pub(super) fn mount(&self) -> Option<&Mount> {
        self.mounts.by_id(self.mount?)
    }
}

/// A directory on the way, or the last component.
#[derive(Clone, Copy, Debug)]
struct Level {
    /// How long the name is up to here.
    length: usize,
    mount: Option<u32>,
    stat: Option<FileStat>,
    /// Whether what is below has to be taken by its name.
    opaque: bool,
}

/// A walk along a path.
struct Walk<'w> {
    own: &'w Arc<Mounts>,
    guard: Guard,
    mounts: Arc<Mounts>,
    /// What leads to the root directory of another mount namespace.
    base: Vec<u8>,
    name: Vec<u8>,
    levels: Vec<Level>,
    nameless: bool,
}

/// Resolves an absolute path.
pub(super) fn resolve(path: &[u8], own: &Arc<Mounts>) -> Resolved {
    let mut walk = Walk {
        own,
        guard: Guard::default(),
        mounts: Arc::clone(own),
        base: Vec::new(),
        name: Vec::new(),
        levels: Vec::new(),
        nameless: false,
    };
    walk.restart();
    let mut rest = components(path);
    let mut links = 0;
    while let Some(component) = rest.pop_front() {
        match &component[..] {
            b".." => walk.up(),
            _ => {
                let before = walk.levels.len();
                if let Some(text) = walk.down(&component) {
                    links += 1;
                    if links > MOST_LINKS {
                        walk.levels[before].opaque = true;
                        continue;
                    }
                    match text.starts_with(b"/") {
                        true => walk.restart(),
                        false => walk.up(),
                    }
                    for component in components(&text).into_iter().rev() {
                        rest.push_front(component);
                    }
                }
            }
        }
    }
    let Level { mount, stat, .. } = walk.last();
    let name = if walk.name.is_empty() { b"/".to_vec() } else { walk.name };
    let foreign = !walk.base.is_empty();
    Resolved { name, mounts: walk.mounts, foreign, mount, stat, nameless: walk.nameless }
}

impl Walk<'_> {
    fn last(&self) -> Level {
        *self.levels.last().expect("the root directory stays")
    }

    /// Goes to the root directory.
    fn restart(&mut self) {
        self.name.clear();
        self.levels.clear();
        self.nameless = false;
        let mount = self.mounts.enter(None, b"/");
        let stat = match mount {
            Some(mount) if is_remote(mount) => None,
            _ => lstat_at(CWD, &self.path(b"/")).ok().map(|s| file_stat(&s)),
        };
        self.levels.push(Level { length: 0, mount: mount.map(|m| m.id), stat, opaque: false });
    }

    fn up(&mut self) {
        if self.levels.len() > 1 {
            self.levels.pop();
            self.name.truncate(self.last().length);
            self.nameless = false;
        }
    }

    /// What to call a path of these mounts.
    fn path(&self, name: &[u8]) -> CString {
        // Arguments and links have no NUL in them.
        CString::new([&self.base[..], name].concat()).unwrap_or_default()
    }

    /// Goes to what is called so here; gives the text of a link that is to be followed.
    fn down(&mut self, component: &[u8]) -> Option<Vec<u8>> {
        let Level { mount: on, opaque, .. } = self.last();
        self.name.push(b'/');
        self.name.extend_from_slice(component);
        let entered = self.mounts.enter(on, &self.name);
        let mount = entered.or_else(|| self.mounts.by_id(on?));
        let id = mount.map(|m| m.id).or(on);
        let remote = mount.filter(|m| is_remote(m));
        let in_proc = mount.is_some_and(|m| m.filesystem == "proc");
        let path = self.path(&self.name);
        let stat = match remote {
            // A name that is not there hides none that is mounted.
            _ if opaque && entered.is_none() => None,
            // The kernel might ask for the root directory itself whether it is still the same.
            Some(_) if entered.is_some() => None,
            Some(mount) => self.guard.stat_cached(path.clone(), mount.id).ok(),
            None => lstat_at(CWD, &path).ok(),
        };
        let stat = stat.map(|s| file_stat(&s));
        let is_link = stat.is_some_and(|s| s.file_type() == libc::S_IFLNK);
        // Below the root of a remote mount more may be known than of the root.
        let opaque = is_link || (stat.is_none() && remote.is_none());
        let stat = stat.filter(|_| !is_link);
        self.levels.push(Level { length: self.name.len(), mount: id, stat, opaque });
        if !is_link || remote.is_some() {
            return None;
        }
        let mut text = Vec::new();
        readlink_at(CWD, &path, &mut text).ok()?;
        if in_proc && text.starts_with(b"/") {
            let point = mount.map_or(0, |m| m.point.len());
            self.jump(path, &text, point);
            return None;
        }
        Some(text)
    }

    /// Goes where a link of /proc leads, which is wherever its process is, whatever the text says. `point` is
    /// the length of where /proc is mounted.
    fn jump(&mut self, link: CString, text: &[u8], point: usize) {
        let Ok(stat) = self.guard.stat_link(link.clone()) else {
            // Its name is all there is.
            return self.stand_at(text, None);
        };
        let stat = file_stat(&stat);
        let gone = stat.links == Some(0);
        let name = text.strip_suffix(b" (deleted)").filter(|_| gone).unwrap_or(text);
        let is_own = stat.mount.is_none_or(|id| self.own.by_id(id).is_some());
        if is_own {
            self.base.clear();
            self.mounts = Arc::clone(self.own);
        } else if let Some((process, mounts)) = self.process(link.as_bytes(), point) {
            self.base = [&process[..], b"/root"].concat();
            self.mounts = mounts;
        }
        self.stand_at(name, Some(stat));
        self.nameless = gone;
    }

    /// The directory in /proc of the process that a link there is of, and its mounts.
    fn process(&self, link: &[u8], point: usize) -> Option<(Vec<u8>, Arc<Mounts>)> {
        let point = self.base.len() + point;
        let pid = link.get(point + 1..)?.split(|&b| b == b'/').next()?;
        let process = link[..point + 1 + pid.len()].to_vec();
        let path = CString::new(&process[..]).ok()?;
        let dir = rustix::fs::open(&path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).ok()?;
        let mounts = Mounts::read(rustix::fd::AsFd::as_fd(&dir));
        (!mounts.is_empty()).then(|| (process, Arc::new(mounts)))
    }

    /// Is at a name that has no links in it.
    fn stand_at(&mut self, name: &[u8], stat: Option<FileStat>) {
        self.name.clear();
        self.levels.truncate(1);
        self.levels[0].mount = self.mounts.enter(None, b"/").map(|m| m.id);
        self.levels[0].stat = None;
        for component in components(name) {
            let on = self.last().mount;
            self.name.push(b'/');
            self.name.extend_from_slice(&component);
            let mount = self.mounts.enter(on, &self.name).map(|m| m.id).or(on);
            self.levels.push(Level { length: self.name.len(), mount, stat: None, opaque: stat.is_none() });
        }
        if let Some(last) = self.levels.last_mut() {
            last.stat = stat;
            let listed = stat.and_then(|s| s.mount).filter(|&id| self.mounts.by_id(id).is_some());
            last.mount = listed.or(last.mount);
        }
    }
}

/// Whether a name on it must not be looked up: a server might have to answer, or what is mounted there
/// on demand be mounted.
fn is_remote(mount: &Mount) -> bool {
    mount.is_remote() || mount.filesystem == "autofs"
}

fn components(path: &[u8]) -> VecDeque<Vec<u8>> {
    let is_name = |part: &&[u8]| !part.is_empty() && *part != b".";
    path.split(|&b| b == b'/').filter(is_name).map(<[u8]>::to_vec).collect()
}
