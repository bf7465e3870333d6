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
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where `ip-netns(8)` binds namespaces that have a name.
const NAMED: &str = "/run/netns";

/// A network namespace, and the way into it.
#[derive(Debug)]
pub struct Place {
    /// What it is called.
    pub network: Arc<Network>,
    /// Processes in it; none where only its name keeps it.
    pub pids: Vec<Pid>,
    file: Option<PathBuf>,
    tables: PathBuf,
    native: bool,
}

impl Place {
    /// Opens it, without leaving the namespace that we are in for longer than that takes.
    pub fn open(&self) -> Net {
        let entry = match &self.file {
            _ if !self.native => Entry::Tables,
            _ if self.network.own => Entry::Own,
            Some(file) => File::open(file).map_or(Entry::Tables, Entry::File),
            None => Entry::Tables,
        };
        Net::open(&entry, self.tables.clone())
    }
}

/// All network namespaces that have a process or a name, our own first, then by inode.
pub fn networks(system: &System) -> std::io::Result<Vec<Place>> {
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
            let process = if own { "self".to_owned() } else { pids[0].to_string() };
            Place {
                network: Arc::new(Network { id, name: given.or_else(container), own }),
                file: id.map(|_| root.join(format!("{process}/ns/net"))),
                tables: root.join(format!("{process}/net")),
                native,
                pids,
            }
        })
        .collect();
    for (id, name) in names {
        if !places.iter().any(|place| place.network.id == Some(id)) {
            let file = Path::new(NAMED).join(OsStr::from_bytes(&name));
            let network = Arc::new(Network { id: Some(id), name: Some(name), own: false });
            // Without a process there are no tables of it.
            places.push(Place {
                network,
                pids: Vec::new(),
                file: Some(file),
                tables: PathBuf::new(),
                native,
            });
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
        assert!(places[0].network.own && places[0].open().refusal().is_none());
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
        assert!(place.open().refusal().is_none());
        drop(other.stdin.take());
        other.wait().unwrap();
    }
}
