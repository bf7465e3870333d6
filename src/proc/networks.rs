//! The network namespaces of this machine, found through the processes in them and the names that
//! `ip-netns(8)` gives.

use super::container;
use super::root::ProcRoot;
use super::system::System;
use super::target::all_pids;
pub use crate::model::Network;
use crate::model::Pid;
use crate::sock::{Entry, Net};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where `ip-netns(8)` binds namespaces that have a name.
const NAMED: &str = "/run/netns";

/// A network namespace, and the ways into it.
#[derive(Debug)]
pub struct Place {
    /// What it is called.
    pub network: Arc<Network>,
    /// Processes in it; none where only its name keeps it.
    pub pids: Vec<Pid>,
    /// Its name in the filesystem, if it has one.
    bound: Option<PathBuf>,
    root: ProcRoot,
}

impl Place {
    /// Opens it, without leaving the namespace that we are in for longer than that takes. Nothing
    /// if it is gone: the last process in it has ended.
    pub fn open(&self) -> Option<Net> {
        if self.network.own && self.root.is_native() {
            return Some(Net::open(&Entry::Own, self.root.join("self/net")));
        }
        for pid in &self.pids {
            let process = self.root.join(pid.to_string());
            let tables = process.join("net");
            if !self.root.is_native() {
                return Some(Net::open(&Entry::Tables, tables));
            }
            match File::open(process.join("ns/net")) {
                // The pid may be another process's by now.
                Ok(file) if self.is(&file) => return Some(Net::open(&Entry::File(file), tables)),
                Err(e) if e.kind() == io::ErrorKind::PermissionDenied && tables.is_dir() => {
                    return Some(Net::open(&Entry::Tables, tables));
                }
                _ => {}
            }
        }
        let file = File::open(self.bound.as_ref()?).ok().filter(|file| self.is(file))?;
        // Without a process there is no directory with its tables.
        Some(Net::open(&Entry::File(file), PathBuf::new()))
    }

    fn is(&self, file: &File) -> bool {
        file.metadata().is_ok_and(|stat| Some(stat.ino()) == self.network.id)
    }
}

/// All network namespaces that have a process or a name, our own first, then by inode.
pub fn networks(system: &System) -> io::Result<Vec<Place>> {
    let root = system.root();
    let native = root.is_native();
    let groups = Groups::of(root, &all_pids(root)?);
    let own = native.then(|| Groups::of(root, &[Pid(std::process::id() as i32)]));
    let names = if native { named() } else { Vec::new() };
    let mut places: Vec<Place> = groups
        .0
        .into_iter()
        .map(|Group { id, tables, pids }| {
            let is = |group: &Group| if id.is_some() { group.id == id } else { group.tables == tables };
            let own = own.as_ref().is_some_and(|own| own.0.iter().any(is));
            let given = names.iter().find(|(of, _)| Some(*of) == id).map(|(_, name)| name.clone());
            let container = || {
                let text = std::fs::read(root.join(format!("{}/cgroup", pids[0]))).ok()?;
                container::name(&text)
            };
            let bound = given.as_ref().map(|name| Path::new(NAMED).join(OsStr::from_bytes(name)));
            let network = Arc::new(Network { id, name: given.or_else(container), own });
            Place { network, pids, bound, root: root.clone() }
        })
        .collect();
    for (id, name) in names {
        if !places.iter().any(|place| place.network.id == Some(id)) {
            let bound = Some(Path::new(NAMED).join(OsStr::from_bytes(&name)));
            let network = Arc::new(Network { id: Some(id), name: Some(name), own: false });
            places.push(Place { network, pids: Vec::new(), bound, root: root.clone() });
        }
    }
    places.sort_by_key(|place| (!place.network.own, place.network.id));
    Ok(places)
}

/// The processes of one namespace.
#[derive(Debug)]
struct Group {
    id: Option<u64>,
    tables: Option<u64>,
    pids: Vec<Pid>,
}

/// Processes by namespace.
#[derive(Debug)]
struct Groups(Vec<Group>);

impl Groups {
    /// A process that has ended is in no namespace.
    fn of(root: &ProcRoot, pids: &[Pid]) -> Self {
        let mut groups: BTreeMap<u64, Group> = BTreeMap::new();
        let mut unknown = Vec::new();
        for &pid in pids {
            match id(&root.join(pid.to_string())) {
                Some(id) => {
                    let new = || Group { id: Some(id), tables: None, pids: Vec::new() };
                    groups.entry(id).or_insert_with(new).pids.push(pid);
                }
                None => unknown.push(pid),
            }
        }
        let mut groups: Vec<Group> = groups.into_values().collect();
        // Whose link may not be read, everybody may still tell apart.
        if !unknown.is_empty() {
            for group in &mut groups {
                group.tables = tables(&root.join(group.pids[0].to_string()));
            }
        }
        for pid in unknown {
            let Some(tables) = tables(&root.join(pid.to_string())) else { continue };
            match groups.iter_mut().find(|group| group.tables == Some(tables)) {
                Some(group) => group.pids.push(pid),
                None => groups.push(Group { id: None, tables: Some(tables), pids: vec![pid] }),
            }
        }
        Self(groups)
    }
}

/// The inode of the namespace that a process is in, which takes the right to trace it.
fn id(process: &Path) -> Option<u64> {
    let link = std::fs::read_link(process.join("ns/net")).ok()?;
    link.to_str()?.strip_prefix("net:[")?.strip_suffix(']')?.parse().ok()
}

/// The inode of a file of `/proc/PID/net`. The kernel makes those files anew for each namespace,
/// and everybody may look at them.
fn tables(process: &Path) -> Option<u64> {
    std::fs::metadata(process.join("net/dev")).ok().map(|stat| stat.ino())
}

/// The namespaces that have a name: inode and name.
fn named() -> Vec<(u64, Vec<u8>)> {
    let own = std::fs::metadata(NAMED).map(|stat| stat.dev());
    let entries = std::fs::read_dir(NAMED).into_iter().flatten().flatten();
    let mut names: Vec<(u64, Vec<u8>)> = entries
        .filter_map(|entry| {
            let stat = std::fs::metadata(entry.path()).ok()?;
            // A file on which nothing is mounted is a name that is left over.
            let is_bound = own.as_ref().is_ok_and(|own| *own != stat.dev());
            is_bound.then(|| (stat.ino(), entry.file_name().into_encoded_bytes()))
        })
        .collect();
    names.sort();
    names.dedup_by_key(|(id, _)| *id);
    names
}

#[cfg(test)]
mod tests {
    use super::networks;
    use crate::proc::{ProcRoot, System};
    use std::process::{Command, Stdio};

    #[test]
    fn our_own_is_first_and_others_are_found_by_their_processes() {
        let system = System::new(ProcRoot::from_env(), false);
        let places = networks(&system).unwrap();
        assert!(places[0].network.own && places[0].open().unwrap().refusal().is_none());
        assert_eq!(places.iter().filter(|place| place.network.own).count(), 1);
        let mut other = Command::new("unshare")
            .args(["--net", "sh", "-c", "echo; exec cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = [0];
        if std::io::Read::read(other.stdout.as_mut().unwrap(), &mut line).unwrap() == 0 {
            eprintln!("skipped: another network namespace, because none can be made");
            other.wait().unwrap();
            return;
        }
        let places = networks(&system).unwrap();
        let place = places.iter().find(|place| place.pids.iter().any(|pid| pid.0 == other.id() as i32));
        let place = place.unwrap();
        assert!(!place.network.own && place.network.id.is_some());
        assert!(place.open().unwrap().refusal().is_none());
        drop(other.stdin.take());
        other.wait().unwrap();
        assert!(place.open().is_none(), "it went with its last process");
    }
}
