//! The fds that threads wait for, decoded as `list` does it.

use crate::model::{Assoc, Doing, Fd, FdNum, Member, Pid, Thread, Type, Value, Wait};
use crate::proc::{Plan, ProcessDir, Scanner, System};
use crate::sys;
use std::collections::BTreeMap;

/// What is read of each fd, with the other ends in NAME if they are wanted.
pub(super) fn plan(peers: bool) -> Plan {
    Plan { name: true, values: true, access: true, peers_in_name: peers, ..Plan::default() }
}

/// What an fd is.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Use {
    /// Its kind.
    pub(super) kind: String,
    /// NAME.
    pub(super) name: Vec<u8>,
    /// What a socket is for, as far as it can be told.
    pub(super) role: Role,
    /// The inode of a socket.
    pub(super) socket: Option<u64>,
    /// The own port of a socket that has ports, or the path that it is bound to.
    pub(super) own: Option<Value>,
}

/// What a socket is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Connections come to it.
    Listener,
    /// It is one end of a connection.
    Connection,
    /// It is something else.
    Other,
}

impl Use {
    /// Of a row that was read by [`plan`].
    pub(super) fn of(row: &Fd) -> Self {
        let value = |key: &str| row.values.iter().find(|(k, _)| *k == key).map(|(_, value)| value);
        let is = |key: &str, word: &'static str| value(key) == Some(&Value::Word(word));
        let role = match row.object {
            "tcp" | "unix" | "mptcp" | "vsock" if is("state", "listen") => Role::Listener,
            "tcp" | "mptcp" if value("state").is_some() => Role::Connection,
            "unix" if is("state", "connected") && !is("type", "dgram") => Role::Connection,
            _ => Role::Other,
        };
        let is_socket = row.link.starts_with(b"socket:");
        Self {
            kind: row.kind.clone().into_owned(),
            name: row.name.clone(),
            role,
            socket: row.inode.filter(|_| is_socket).map(|inode| inode.0),
            own: value("local_port").or(value("path")).filter(|_| is_socket).cloned(),
        }
    }
}

/// The fds of some threads, by the task whose table they are in.
#[derive(Debug, Default)]
pub(super) struct Held {
    fds: BTreeMap<(Pid, FdNum), Use>,
    tables: BTreeMap<Pid, Pid>,
    /// Tables that could not be read: of threads that have ended meanwhile.
    unread: Vec<Pid>,
}

impl Held {
    /// Reads the fds that these threads wait for. What was closed meanwhile is not there.
    pub(super) fn read<'t>(
        system: &System,
        scanner: &mut Scanner<'_>,
        dir: &ProcessDir,
        threads: impl Iterator<Item = (Pid, &'t Doing)>,
    ) -> Self {
        let mut held = Self::default();
        let mut wanted: BTreeMap<Pid, Vec<FdNum>> = BTreeMap::new();
        let mut common = None;
        for (tid, doing) in threads {
            if *doing == Doing::Ended {
                // It has no fds any more to share.
                continue;
            }
            let common = *common.get_or_insert(tid);
            let Some(call) = doing.call() else { continue };
            let mut fds = call.wait.fds().peekable();
            if fds.peek().is_none() {
                continue;
            }
            let table = held.tables.entry(tid).or_insert_with(|| table(system, common, tid));
            wanted.entry(*table).or_default().extend(fds);
        }
        for (table, mut fds) in wanted {
            fds.sort_unstable();
            fds.dedup();
            let read = scanner.some(dir, table, &fds, &mut |row: &Fd| {
                if let Assoc::Fd(fd) = row.assoc {
                    held.fds.insert((table, fd), Use::of(row));
                }
            });
            if read.is_err() {
                held.unread.push(table);
            }
        }
        held
    }

    /// Whether it is known that a thread has no such fd.
    pub(super) fn lacks(&self, tid: Pid, fd: FdNum) -> bool {
        self.get(tid, fd).is_none() && !self.unread.contains(&self.table(tid))
    }

    /// The task in whose table a thread's fds are.
    pub(super) fn table(&self, tid: Pid) -> Pid {
        self.tables.get(&tid).copied().unwrap_or(tid)
    }

    /// What an fd of a thread is.
    pub(super) fn get(&self, tid: Pid, fd: FdNum) -> Option<&Use> {
        self.fds.get(&(*self.tables.get(&tid)?, fd))
    }
}

/// The task in whose table a thread's fds are looked up: `common`, where it shares that one's, as
/// nearly all do.
fn table(system: &System, common: Pid, tid: Pid) -> Pid {
    let shares =
        tid == common || !system.root().is_native() || sys::same_fd_table(common, tid).unwrap_or(false);
    if shares { common } else { tid }
}

/// What each of the records has.
pub(super) const MEMBERS: &[Member] =
    &[("fd", Type::Integer), ("events", Type::List), ("kind", Type::String), ("name", Type::String)];

/// The fds that a thread waits for, as records.
pub(super) fn records(thread: &Thread, held: &Held) -> Option<Vec<Value>> {
    let call = thread.doing.call()?;
    let mut events = BTreeMap::new();
    if let Wait::Poll { fds: Ok(fds), .. } = &call.wait {
        events.extend(fds.iter().map(|polled| (polled.fd, polled.events)));
    }
    let record = |fd: FdNum| {
        let mut record = vec![("fd", Value::from(fd.0))];
        if let Some(events) = events.get(&fd) {
            record.push(("events", Value::Set(events.set())));
        }
        match held.get(thread.tid, fd) {
            Some(known) => {
                record.push(("kind", known.kind.clone().into()));
                record.push(("name", known.name.clone().into()));
            }
            None => record.push(("kind", Value::Null)),
        }
        Value::Map(record)
    };
    let records: Vec<Value> = call.wait.fds().map(record).collect();
    (!records.is_empty()).then_some(records)
}
