//! What all processes share, read at most once.

use super::devices::Devices;
use super::handles::Handles;
use super::io::readlink_at;
use super::iterator::FdIterator;
use super::mounts::Mounts;
use super::networks::networks;
use super::peers::PeerFinder;
use super::process::{Home, ProcessDir};
use super::remote::Guard;
use super::root::ProcRoot;
use super::sweep::FdTables;
use crate::model::{Device, Family, Inode, Network, Pid, Socket, Tally};
use crate::sock::{Entry, Net, Request, States, Tables};
use nix::unistd::{Uid, User};
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Caches shared by all workers.
#[derive(Debug)]
pub struct System {
    pub(super) root: ProcRoot,
    wants_users: bool,
    users: Mutex<HashMap<u32, Option<String>>>,
    /// Whether sockets are wanted with all that the kernel tells.
    socket_details: bool,
    own_network: OnceLock<Option<Vec<u8>>>,
    networks: OnceLock<Vec<Arc<Network>>>,
    sockets: Mutex<HashMap<Vec<u8>, Tables>>,
    mounts: Mutex<HashMap<Vec<u8>, Arc<Mounts>>>,
    /// Of a few classes.
    nameless: Mutex<Vec<(Vec<u8>, Device)>>,
    filesystems: Mutex<HashMap<Device, Option<&'static str>>>,
    cgroups: Mutex<HashMap<u64, Option<Vec<u8>>>>,
    cgroup_mount: OnceLock<Option<(Arc<OwnedFd>, Vec<u8>)>>,
    devices: OnceLock<Devices>,
    anonymous: OnceLock<Option<Inode>>,
    pipes: OnceLock<Option<Device>>,
    pub(super) iterator: FdIterator,
    pub(super) guard: Guard,
    pub(super) handles: Handles,
    pub(super) peers: Option<PeerFinder>,
}

impl System {
    /// Nothing read yet. User names are looked up only where `users` says so: a directory
    /// service may be slow.
    pub fn new(root: ProcRoot, users: bool) -> Self {
        let iterator = FdIterator::new(root.is_native());
        Self {
            root,
            wants_users: users,
            users: Mutex::default(),
            socket_details: false,
            own_network: OnceLock::new(),
            networks: OnceLock::new(),
            sockets: Mutex::default(),
            mounts: Mutex::default(),
            nameless: Mutex::default(),
            filesystems: Mutex::default(),
            cgroups: Mutex::default(),
            cgroup_mount: OnceLock::new(),
            devices: OnceLock::new(),
            anonymous: OnceLock::new(),
            pipes: OnceLock::new(),
            iterator,
            guard: Guard::default(),
            handles: Handles::default(),
            peers: None,
        }
    }

    /// With all that the kernel tells of sockets, which costs a little more for each.
    pub fn with_socket_details(self, wanted: bool) -> Self {
        Self { socket_details: wanted, ..self }
    }

    /// With who is at the other end of fds, for which the fds of all processes are swept once.
    pub fn with_peers(self, wanted: bool) -> Self {
        self.with_peers_in(wanted, false)
    }

    /// The same, and in the tables that threads have for themselves too, if `threads` says so.
    pub fn with_peers_in(self, wanted: bool, threads: bool) -> Self {
        let tables = if threads { FdTables::Threads } else { FdTables::Processes };
        Self { peers: wanted.then(|| PeerFinder::new(&self.root, tables)), ..self }
    }

    /// The inode that most anonymous ones have in common.
    pub(super) fn anonymous_inode(&self) -> Option<Inode> {
        *self.anonymous.get_or_init(|| {
            let one = rustix::event::eventfd(0, rustix::event::EventfdFlags::CLOEXEC).ok()?;
            Some(Inode(rustix::fs::fstat(one).ok()?.st_ino))
        })
    }

    /// The device that pipes are on.
    pub(super) fn pipe_device(&self) -> Option<Device> {
        *self.pipes.get_or_init(|| {
            let (reader, _) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).ok()?;
            Some(Device::from_stat(rustix::fs::fstat(reader).ok()?.st_dev))
        })
    }

    /// What had to be left out in the search for other ends, if there was one.
    pub fn peers_left_out(&self) -> Option<Tally> {
        self.peers.as_ref().and_then(PeerFinder::tally)
    }

    /// Whether an other end that is there was not found, because not all may be read.
    pub fn has_missed_peers(&self) -> bool {
        self.peers.as_ref().is_some_and(PeerFinder::has_missed)
    }

    /// Why the fds were not had from the iterator of bpf(2), where that was asked for.
    pub fn iterator_refusal(&self) -> Option<&str> {
        self.iterator.refusal()
    }

    /// The proc filesystem that is read.
    pub fn root(&self) -> &ProcRoot {
        &self.root
    }

    /// The name of a user, or its number where it has none; nothing where names are not wanted.
    pub fn user_name(&self, uid: u32) -> Option<String> {
        if !self.wants_users {
            return None;
        }
        cached(&self.users, uid, |&uid| {
            let user = User::from_uid(Uid::from_raw(uid)).ok().flatten();
            Some(user.map_or_else(|| uid.to_string(), |u| u.name))
        })
    }

    /// The sockets of the network namespace of a process.
    pub(super) fn sockets(&self, dir: &ProcessDir) -> Tables {
        let Home { namespace, task, path } = dir.home(c"ns/net");
        let net = self.root.join(path).join("net");
        let entry = || self.entry(task, &namespace);
        cached(&self.sockets, namespace.clone(), |_| Tables::new(entry(), net.clone(), self.socket_details))
            .seen_from(net)
    }

    /// The way into the network namespace of a task, whose link is `namespace`.
    fn entry(&self, task: BorrowedFd<'_>, namespace: &[u8]) -> Entry {
        match self.own_network() {
            Some(own) if own == namespace => Entry::Own,
            Some(_) => {
                let file =
                    rustix::fs::openat(task, c"ns/net", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
                file.map_or(Entry::Tables, |file| Entry::File(file.into()))
            }
            None => Entry::Tables,
        }
    }

    /// The sockets that listen in the network namespace of a process, asked for anew. What cannot be
    /// read is left out.
    pub fn listeners(&self, dir: &ProcessDir) -> Vec<Socket> {
        let Home { namespace, task, path } = dir.home(c"ns/net");
        let net = self.root.join(path).join("net");
        let families =
            [Family::Tcp, Family::Tcp6, Family::Unix, Family::Mptcp, Family::Mptcp6, Family::Vsock];
        let request = Request { states: States::LISTEN, ..Request::all(&families) };
        Net::open(&self.entry(task, &namespace), net).sockets(&request).sockets
    }

    /// Our own network namespace, by its link; nothing where we are not in the tree that is read.
    fn own_network(&self) -> Option<&[u8]> {
        let own = self.own_network.get_or_init(|| {
            let link = self.root.is_native().then(|| std::fs::read_link(self.root.join("self/ns/net")))?;
            link.ok().map(|link| link.into_os_string().into_encoded_bytes())
        });
        own.as_deref()
    }

    /// The path of a cgroup by its id, in the hierarchy of version 2. Nothing where the caller may not
    /// ask, which takes `CAP_DAC_READ_SEARCH`, or the cgroup is gone.
    pub fn cgroup_path(&self, id: u64) -> Option<Vec<u8>> {
        cached(&self.cgroups, id, |id| {
            let (mount, point) = self.cgroup_mount.get_or_init(super::cgroups::mount).as_ref()?;
            let path = self.handles.path(mount, super::cgroups::FILEID_KERNFS, &id.to_ne_bytes(), false)?;
            let below = path.strip_prefix(&point[..])?;
            Some(if below.is_empty() { b"/".to_vec() } else { below.to_vec() })
        })
    }

    /// What a network namespace is called.
    pub(super) fn network(&self, id: u64) -> Option<Arc<Network>> {
        let all = self.networks.get_or_init(|| {
            let places = networks(self).unwrap_or_default();
            places.into_iter().map(|place| place.network).collect()
        });
        all.iter().find(|network| network.id == Some(id)).map(Arc::clone)
    }

    /// The mounts of the mount namespace of a process, as seen from its root directory: what lies
    /// elsewhere, mountinfo leaves out.
    pub(super) fn mounts(&self, dir: &ProcessDir) -> Arc<Mounts> {
        let Home { namespace, task, .. } = dir.home(c"ns/mnt");
        self.mounts_in(namespace, task, dir.pid())
    }

    /// The same for the task whose directory this is.
    pub(super) fn mounts_of(&self, task: BorrowedFd<'_>, pid: Pid) -> Arc<Mounts> {
        let mut namespace = Vec::new();
        if readlink_at(task, c"ns/mnt", &mut namespace).is_err() {
            namespace = pid.to_string().into_bytes();
        }
        self.mounts_in(namespace, task, pid)
    }

    fn mounts_in(&self, mut view: Vec<u8>, task: BorrowedFd<'_>, pid: Pid) -> Arc<Mounts> {
        view.push(0);
        let mut root = Vec::new();
        match readlink_at(task, c"root", &mut root) {
            Ok(()) => view.extend_from_slice(&root),
            Err(_) => view.extend_from_slice(pid.to_string().as_bytes()),
        }
        cached(&self.mounts, view, |_| Arc::new(Mounts::read(task)))
    }

    /// The device of all objects of a class that lives on a nameless filesystem (sockets, pipes,
    /// anonymous inodes), found out by one `stat` of one of them.
    pub(super) fn nameless_device(
        &self,
        class: &[u8],
        stat: impl FnOnce() -> Option<Device>,
    ) -> Option<Device> {
        let mut nameless = self.nameless.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, device)) = nameless.iter().find(|(known, _)| known == class) {
            return Some(*device);
        }
        // Of one that is gone by now nothing is learned.
        let device = stat()?;
        nameless.push((class.to_vec(), device));
        Some(device)
    }

    /// The type of the filesystem on a device without a disk, if it is one that makes a file
    /// something else than it looks like.
    pub(super) fn special_filesystem(
        &self,
        device: Device,
        find: impl FnOnce() -> Option<&'static str>,
    ) -> Option<&'static str> {
        cached(&self.filesystems, device, |_| find())
    }

    /// The driver of a character device, or the disk of a block device.
    pub(super) fn device_name(&self, device: Device, block: bool) -> Option<Vec<u8>> {
        if block {
            return super::devices::disk(device);
        }
        self.devices.get_or_init(|| Devices::read(&self.root)).character(device)
    }
}

fn cached<K: Eq + Hash, V: Clone>(cache: &Mutex<HashMap<K, V>>, key: K, make: impl FnOnce(&K) -> V) -> V {
    let mut cache = cache.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(value) = cache.get(&key) {
        return value.clone();
    }
    let value = make(&key);
    cache.insert(key, value.clone());
    value
}

#[cfg(test)]
mod tests {
    use super::System;
    use crate::model::Pid;
    use crate::proc::root::ProcRoot;
    use rustix::fd::AsFd as _;
    use rustix::fs::{Mode, OFlags};
    use std::os::unix::fs::symlink;

    #[test]
    fn mounts_are_those_that_a_root_directory_sees() {
        let tree = std::env::temp_dir().join(format!("fdscope-mounts-{}", std::process::id()));
        let system = System::new(ProcRoot::from_env(), false);
        let process = |pid: i32, root: &str, mounts: &str| {
            let dir = tree.join(pid.to_string());
            std::fs::create_dir_all(dir.join("ns")).unwrap();
            symlink("mnt:[1]", dir.join("ns/mnt")).unwrap();
            symlink(root, dir.join("root")).unwrap();
            std::fs::write(dir.join("mountinfo"), mounts).unwrap();
            let dir = rustix::fs::open(&dir, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).unwrap();
            system.mounts_of(dir.as_fd(), Pid(pid))
        };
        let jailed = process(1, "/srv/jail", "7 1 0:42 / / rw - tmpfs x rw\n");
        let free = process(2, "/", "8 1 0:43 / /net rw - nfs4 server:/ rw\n");
        let other = process(3, "/", "");
        std::fs::remove_dir_all(&tree).unwrap();
        assert!(!jailed.any_remote() && jailed.by_id(7).is_some());
        assert!(free.any_remote());
        assert!(other.any_remote(), "read once for all that see the same");
    }
}
