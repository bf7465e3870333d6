//! What the waits of a process's threads show.

use crate::commands::threads::held::{Held, Role, Use};
use crate::model::{Call, Device, Doing, Fd, FdNum, Inode, Pid, Thread, Timeout, Value, Wait, decimal};
use crate::proc::{Plan, ProcessDir, Scanner, Slice, System};
use rustix::net::{AddressFamily, SocketType, socket};
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// A thread, and a call that it was seen in.
pub(in crate::commands::threads) struct Seat<'s> {
    pub(in crate::commands::threads) tid: Pid,
    pub(in crate::commands::threads) call: &'s Call,
    /// Whether it is in it most of the time, as far as was seen.
    pub(in crate::commands::threads) mostly: bool,
}

/// A thread that waits for several fds at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Loop {
    pub(super) tid: Pid,
    /// `epoll_wait on 6`.
    pub(super) call: String,
    /// The epoll fd and the table that it is in, which several may share.
    pub(super) epoll: Option<(Pid, FdNum)>,
    /// How many listeners are among the fds.
    pub(super) listeners: usize,
    /// How many other sockets.
    pub(super) sockets: usize,
    /// Whether a listener is among the fds, or a connection that came by one.
    pub(super) serves: bool,
}

/// A thread that waits for one socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Blocked {
    pub(super) tid: Pid,
    /// `accept4 on 3`.
    pub(super) call: String,
    pub(super) socket: u64,
}

/// What is seen.
#[derive(Clone, Debug, Default)]
pub(in crate::commands::threads) struct Facts {
    /// Threads that wait for a listener alone.
    pub(super) accepting: Vec<Blocked>,
    /// Threads that wait for a connection alone, which came by a listener.
    pub(super) connections: Vec<Blocked>,
    pub(super) loops: Vec<Loop>,
    /// Threads that wait for completions, and in what.
    pub(super) completions: Vec<(Pid, String)>,
    /// Of a process that waits for completions, a listener that it holds: which fds they are of, the
    /// kernel does not tell.
    pub(super) listener: Option<String>,
    /// Where one thread loops, others of its name that wait for something of memory, or run: those of
    /// Go and tokio take turns.
    pub(super) alike: usize,
    /// The most threads that wait on one word at the same time.
    pub(super) idle: usize,
    /// Listeners that are waited for, by inode, with their names.
    pub(super) listeners: BTreeMap<u64, String>,
    /// Own ports and paths of those connections.
    pub(super) ports: Vec<Value>,
    /// Those of the listeners.
    pub(super) listening: Vec<Value>,
    /// Threads that were seen running, and those of which it may not be known.
    pub(in crate::commands::threads) running: usize,
    pub(in crate::commands::threads) unknown: usize,
}

impl Facts {
    /// Sorts the waits of threads.
    pub(in crate::commands::threads) fn of(
        system: &System,
        scanner: &mut Scanner<'_>,
        dir: &ProcessDir,
        seats: &[Seat<'_>],
        held: &Held,
    ) -> Self {
        let mut facts = Self::default();
        let all = Listening::new(system, dir);
        let mut words: BTreeMap<u64, BTreeSet<Pid>> = BTreeMap::new();
        for Seat { tid, call, mostly } in seats {
            let word = || call.name.unwrap_or_default();
            match &call.wait {
                Wait::Fd { fd, .. } => facts.one(*tid, word(), *fd, held, &all),
                Wait::Poll { fds: Ok(fds), .. } => match &fds[..] {
                    [polled] => facts.one(*tid, word(), polled.fd, held, &all),
                    fds => {
                        let uses = fds.iter().filter_map(|polled| held.get(*tid, polled.fd));
                        facts.several(*tid, word(), uses, &all);
                    }
                },
                Wait::Epoll { epoll, .. } => {
                    facts.epoll((dir, scanner), *tid, word(), *epoll, held, &all);
                }
                Wait::Uring { min_complete, .. } | Wait::Aio { min_complete, .. } if *min_complete > 0 => {
                    facts.completions.push((*tid, word().to_owned()));
                }
                // Who waits for a short time waits for something else than work.
                Wait::Futex { words: on, timeout: Timeout::Never, .. } if *mostly => {
                    for word in on {
                        words.entry(*word).or_default().insert(*tid);
                    }
                }
                _ => {}
            }
        }
        if !facts.completions.is_empty() {
            let held = sockets(system, dir);
            let listener = |inode: u64| all.get().sockets.get(&Inode(inode)).map(|(name, _)| name.clone());
            facts.listener = held.into_iter().find_map(listener);
        }
        facts.idle = words.values().map(BTreeSet::len).max().unwrap_or(0);
        facts
    }

    /// Takes in which threads may take turns with the one that loops.
    pub(in crate::commands::threads) fn compare_names(&mut self, threads: &[Thread]) {
        let looping: BTreeSet<Pid> = self.loops.iter().filter(|one| one.serves).map(|one| one.tid).collect();
        let name = |tid: Pid| Some(&threads.iter().find(|thread| thread.tid == tid)?.name);
        let Some(name) = looping.first().filter(|_| looping.len() == 1).and_then(|&tid| name(tid)) else {
            return;
        };
        let may = |thread: &&Thread| match &thread.doing {
            Doing::Running => true,
            Doing::Call(call) => matches!(call.wait, Wait::Futex { timeout: Timeout::Never, .. }),
            _ => false,
        };
        let others = threads.iter().filter(|thread| thread.name == *name && !looping.contains(&thread.tid));
        self.alike = others.filter(may).count();
    }

    /// Whether there is anything of a server in it.
    pub(in crate::commands::threads) fn is_server(&self) -> bool {
        !self.listeners.is_empty() || !self.connections.is_empty() || self.listener.is_some()
    }

    /// A thread that waits for one fd.
    fn one(&mut self, tid: Pid, call: &str, fd: FdNum, held: &Held, all: &Listening<'_>) {
        let Some(known) = held.get(tid, fd) else { return };
        let Some(socket) = known.socket else { return };
        let blocked = Blocked { tid, call: format!("{call} on {fd}"), socket };
        match known.role {
            Role::Listener => {
                self.note_listener(known);
                self.accepting.push(blocked);
            }
            Role::Connection if all.gave(known) => {
                self.ports.extend(known.own.clone());
                self.connections.push(blocked);
            }
            // What it opened itself serves it.
            Role::Connection | Role::Other => {}
        }
    }

    /// A thread that waits for several.
    fn several<'u>(
        &mut self,
        tid: Pid,
        call: &str,
        uses: impl Iterator<Item = &'u Use>,
        all: &Listening<'_>,
    ) {
        let (mut listeners, mut sockets, mut given) = (0, 0, false);
        for known in uses {
            listeners += usize::from(self.note_listener(known));
            sockets += usize::from(known.role == Role::Connection);
            given |= known.role == Role::Connection && all.gave(known);
        }
        if listeners + sockets > 0 {
            let (call, serves) = (call.to_owned(), listeners > 0 || given);
            self.loops.push(Loop { tid, call, epoll: None, listeners, sockets, serves });
        }
    }

    fn note_listener(&mut self, known: &Use) -> bool {
        let Some(socket) = known.socket.filter(|_| known.role == Role::Listener) else { return false };
        let name = String::from_utf8_lossy(&known.name);
        let address = name.split(" listen").next().unwrap_or_default();
        self.listeners.insert(socket, address.to_owned());
        self.listening.extend(known.own.clone());
        true
    }

    /// A thread that waits for an epoll set.
    fn epoll(
        &mut self,
        (dir, scanner): (&ProcessDir, &mut Scanner<'_>),
        tid: Pid,
        call: &str,
        epoll: FdNum,
        held: &Held,
        all: &Listening<'_>,
    ) {
        /// How many of its sockets are asked whether they came by a listener.
        const ASKED: usize = 16;
        let table = held.table(tid);
        let Ok(registrations) = dir.registrations(table, epoll) else { return };
        let listening = all.get();
        let mut listeners = 0;
        let mut others = Vec::new();
        let mut met = HashSet::new();
        for registration in registrations {
            let Some(inode) = registration.inode else { continue };
            if registration.device != listening.device || !met.insert(inode) {
                continue;
            }
            match listening.sockets.get(&inode) {
                Some((name, own)) => {
                    listeners += 1;
                    self.listeners.insert(inode.0, name.clone());
                    self.listening.extend(own.clone());
                }
                None => others.push(registration.fd),
            }
        }
        let sockets = others.len();
        let mut serves = listeners > 0;
        if !serves {
            others.truncate(ASKED);
            let mut each = |row: &Fd| {
                let known = Use::of(row);
                serves |= known.role == Role::Connection && all.gave(&known);
            };
            let _ = scanner.some(dir, table, &others, &mut each);
        }
        if listeners + sockets > 0 {
            let call = format!("{call} on {epoll}");
            self.loops.push(Loop { tid, call, epoll: Some((table, epoll)), listeners, sockets, serves });
        }
    }
}

/// The listeners of a process's network namespace, read when they are first asked for.
pub(super) struct Listening<'p> {
    system: &'p System,
    dir: &'p ProcessDir,
    read: OnceCell<Read>,
}

/// Listeners by inode, each with its name and its port or path; and the device that all sockets are
/// on.
pub(super) struct Read {
    pub(super) sockets: BTreeMap<Inode, (String, Option<Value>)>,
    device: Option<Device>,
}

impl<'p> Listening<'p> {
    pub(super) fn new(system: &'p System, dir: &'p ProcessDir) -> Self {
        Self { system, dir, read: OnceCell::new() }
    }

    pub(super) fn get(&self) -> &Read {
        self.read.get_or_init(|| {
            let sockets = self.system.listeners(self.dir).into_iter().map(|socket| {
                let path = socket.path.clone().map(Value::from);
                let own = socket.port().map(|port| Value::from(u32::from(port))).or(path);
                let path = socket.path.as_deref().map(|path| String::from_utf8_lossy(path).into_owned());
                let name = socket.local.map(|local| local.to_string()).or(path);
                (socket.inode, (name.unwrap_or_else(|| socket.family.word().to_owned()), own))
            });
            let own = socket(AddressFamily::UNIX, SocketType::DGRAM, None);
            let device = own.and_then(rustix::fs::fstat).ok().map(|stat| Device::from_stat(stat.st_dev));
            Read { sockets: sockets.collect(), device }
        })
    }

    /// Whether a connection came by a listener that is still there: it has its port, or its path.
    fn gave(&self, known: &Use) -> bool {
        let Some(own) = &known.own else { return false };
        self.get().sockets.values().any(|(_, listening)| listening.as_ref() == Some(own))
    }
}

/// The inodes of the sockets that a process holds.
pub(super) fn sockets(system: &System, dir: &ProcessDir) -> BTreeSet<u64> {
    let plan = Plan { identity: true, ..Plan::default() };
    let mut found = BTreeSet::new();
    let mut each = |row: &Fd| {
        let inode = row.link.strip_prefix(b"socket:[").and_then(|rest| rest.strip_suffix(b"]"));
        found.extend(inode.and_then(decimal));
    };
    // Of those that may not be read it is not known.
    let _ = Scanner::new(system, &plan).scan(dir, &Slice::whole(dir.pid(), None), &mut each);
    found
}
