//! One look at a process: all its threads, and the fds that they wait for.

use super::held::{self, Held};
use super::row::Row;
use super::text::{Surroundings, waits_for};
use super::track::{Running, Seen};
use crate::model::{Call, Doing, Pid, Process, Thread, Timeout, Value, Wait, errno_name};
use crate::proc::{OpenError, ProcessDir, Ran, RunClocks, Scanner, System, ThreadReader, command_of};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// How closely to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// What threads wait for.
    Calls,
    /// And since when they have not run.
    Asleep,
}

/// What was seen of one process.
pub(super) struct Look {
    pub(super) process: Arc<Process>,
    pub(super) threads: Vec<Thread>,
    /// Functions of the kernel, of threads of which they say more than the call.
    pub(super) wchans: HashMap<Pid, Vec<u8>>,
    pub(super) held: Held,
    /// When threads that wait last ran.
    ran: HashMap<Pid, Ran>,
    /// How many threads went away while they were read.
    pub(super) vanished: u64,
}

impl Look {
    /// Looks once.
    pub(super) fn at(
        system: &System,
        scanner: &mut Scanner<'_>,
        dir: &ProcessDir,
        depth: Depth,
    ) -> Result<Self, OpenError> {
        let mut reader = ThreadReader::new(system, dir)?;
        let mut threads = Vec::new();
        let mut wchans = HashMap::new();
        let mut ran = HashMap::new();
        let mut vanished = 0;
        for tid in dir.threads() {
            match reader.read(tid) {
                Ok(thread) => {
                    if tells_more(&thread)
                        && let Some(function) = reader.wchan(tid)
                    {
                        wchans.insert(tid, function);
                    }
                    if depth == Depth::Asleep
                        && !thread.state.is_running()
                        && let Some(when) = reader.ran(&thread)
                    {
                        ran.insert(tid, when);
                    }
                    threads.push(thread);
                }
                Err(OpenError::Gone) => vanished += 1,
                Err(error) => return Err(error),
            }
        }
        if threads.is_empty() {
            return Err(OpenError::Gone);
        }
        threads.sort_by_key(|thread: &Thread| order(dir.pid(), thread.tid));
        let doings = threads.iter().map(|thread| (thread.tid, &thread.doing));
        let held = Held::read(system, scanner, dir, doings);
        Ok(Self { process: Arc::clone(&dir.process), threads, wchans, held, ran, vanished })
    }
}

impl Look {
    /// How long each thread that waits has not run, at least.
    pub(super) fn asleep(&self) -> HashMap<Pid, Duration> {
        let clocks = RunClocks::of(self.ran.values().copied());
        self.ran.iter().filter_map(|(tid, ran)| Some((*tid, clocks.since(*ran)?))).collect()
    }
}

/// A thread as it was seen, and what is known beside.
pub(super) struct Sight<'s> {
    pub(super) process: &'s Arc<Process>,
    pub(super) thread: &'s Thread,
    pub(super) held: &'s Held,
    /// How many other threads wait on the same word.
    pub(super) others: Option<usize>,
    /// The function of the kernel, where it says more than the call.
    pub(super) wchan: Option<&'s [u8]>,
    /// For how long it waits.
    pub(super) timeout: Option<Timeout>,
    /// How long it has not run, at least.
    pub(super) asleep: Option<Duration>,
    /// What it likely waits for.
    pub(super) likely: Option<&'static str>,
    /// What its running was made of.
    pub(super) running: Option<Running>,
    pub(super) seen: Option<Seen>,
}

impl Sight<'_> {
    /// The row of it.
    pub(super) fn row(&self, system: &System) -> Row {
        let thread = self.thread;
        let around = Surroundings {
            held: self.held,
            others: self.others,
            wchan: self.wchan,
            timeout: self.timeout,
            asleep: self.asleep,
            likely: self.likely,
            running: self.running,
            command: &|pid| command_of(system.root(), pid),
        };
        let call = thread.doing.call();
        Row {
            process: Arc::clone(self.process),
            waits_for: waits_for(thread, &around),
            call: call.map(|call| call.word().into_owned()),
            args: call.map(|call| call.args.iter().map(|arg| hex(*arg)).collect()),
            fds: held::records(thread, self.held),
            words: call.and_then(|call| match &call.wait {
                Wait::Futex { words, .. } => Some(words.iter().map(|word| hex(*word)).collect()),
                _ => None,
            }),
            others: self.others,
            wchan: match &thread.doing {
                Doing::Kernel(function) | Doing::Worker(function) => function.clone(),
                _ => self.wchan.map(<[u8]>::to_vec),
            },
            error: match thread.doing {
                Doing::Unknown(errno) => Some(errno_name(errno)),
                _ => None,
            },
            timeout: self.timeout,
            asleep: self.asleep,
            likely: self.likely,
            serving: None,
            leads: false,
            seen: self.seen,
            thread: thread.clone(),
        }
    }
}

/// The first thread is first, though its id need not be the lowest.
pub(super) fn order(pid: Pid, tid: Pid) -> (bool, Pid) {
    (tid != pid, tid)
}

/// Whether the function of the kernel says more than the call: it waits for something that no signal
/// ends, or in a call that is not known for waiting.
pub(super) fn tells_more(thread: &Thread) -> bool {
    let other = |call: &Call| call.wait == Wait::Other;
    thread.state.0 == b'D' && !matches!(thread.doing, Doing::Kernel(_) | Doing::Worker(_))
        || thread.doing.call().is_some_and(other) && !thread.state.is_stopped()
}

fn hex(word: u64) -> Value {
    Value::from(format!("{word:#x}"))
}

/// How many threads of a process wait on each word.
#[derive(Debug, Default)]
pub(super) struct Futexes(HashMap<u64, usize>);

impl Futexes {
    /// Those of some threads.
    pub(super) fn of<'t>(doings: impl Iterator<Item = &'t Doing>) -> Self {
        let mut waiters = HashMap::new();
        for doing in doings {
            if let Doing::Call(Call { wait: Wait::Futex { words, .. }, .. }) = doing {
                words.iter().for_each(|word| *waiters.entry(*word).or_default() += 1);
            }
        }
        Self(waiters)
    }

    /// How many others wait on the same word as a thread; on that of which the most do, of several.
    pub(super) fn others_of(&self, doing: &Doing) -> Option<usize> {
        let Wait::Futex { words, .. } = &doing.call()?.wait else { return None };
        let most = words.iter().filter_map(|word| self.0.get(word)).max();
        Some(most.map_or(0, |n| n.saturating_sub(1)))
    }
}
