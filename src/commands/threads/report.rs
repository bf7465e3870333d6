//! What was found, process by process, and what went wrong.

use super::gil::{self, Interpreter};
use super::held::Held;
use super::look::{Depth, Futexes, Look, Sight, order};
use super::row::Row;
use super::sample::Ended;
use super::serving::{Facts, Model, Seat, Serving, judge, with_family};
use super::subject::Subject;
use super::targets::Wanted;
use crate::context::Context;
use crate::model::{Abi, Call, Doing, Pid, Process, Tally, Thread, quantity};
use crate::proc::{OpenError, Parents, ProcessDir, Scanner, System};
use crate::render::Format;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// The sum of all processes.
pub(super) struct Report<'s> {
    system: &'s System,
    /// Whether it is asked how processes serve.
    serving: bool,
    /// How closely to look.
    depth: Depth,
    /// Targets that name threads, and whether a process has one of them.
    threads: BTreeMap<String, bool>,
    parents: OnceCell<Parents>,
    pub(super) rows: Vec<Row>,
    pub(super) tally: Tally,
    /// Whether a target that the user named could not be read.
    pub(super) failed: bool,
}

impl<'s> Report<'s> {
    pub(super) fn new(system: &'s System, serving: bool, depth: Depth) -> Self {
        let parents = OnceCell::new();
        let (rows, tally, threads) = (Vec::new(), Tally::default(), BTreeMap::new());
        Self { system, serving, depth, threads, parents, rows, tally, failed: false }
    }

    /// One look at a process.
    pub(super) fn once(&mut self, context: &Context, scanner: &mut Scanner<'_>, wanted: &Wanted) {
        let system = self.system;
        let looked = ProcessDir::open(system.root(), wanted.pid, system)
            .and_then(|dir| Ok((Look::at(system, scanner, &dir, self.depth)?, dir)));
        let (look, dir) = match looked {
            Ok(looked) => looked,
            Err(error) => return self.failed(context, wanted.pid, error),
        };
        self.tally.vanished += look.vanished;
        let asleep = look.asleep();
        let futexes = Futexes::of(look.threads.iter().map(|thread| &thread.doing));
        let mut interpreter = Interpreter::default();
        let first = self.rows.len();
        for thread in look.threads.iter().filter(|thread| wanted.takes(thread.tid)) {
            let likely = gil::variable(&thread.doing).is_some_and(|it| interpreter.has(&dir, it));
            let sight = Sight {
                process: &look.process,
                thread,
                held: &look.held,
                others: futexes.others_of(&thread.doing),
                wchan: look.wchans.get(&thread.tid).map(Vec::as_slice),
                timeout: thread.doing.call().and_then(|call| call.wait.timeout()),
                asleep: asleep.get(&thread.tid).copied(),
                likely: likely.then_some(gil::WORD),
                running: None,
                seen: None,
            };
            self.rows.push(sight.row(system));
        }
        let seats = look.threads.iter().filter_map(|thread| Some((thread.tid, thread.doing.call()?)));
        let seats: Vec<_> = seats.map(|(tid, call)| Seat { tid, call, mostly: true }).collect();
        let scene = Scene { dir: &dir, threads: &look.threads, seats: &seats, held: &look.held };
        self.serve(context, scanner, scene, first);
        self.tell(context, &look.process, wanted, look.threads.iter(), first);
    }

    /// What many looks at a process showed.
    pub(super) fn sampled(&mut self, context: &Context, scanner: &mut Scanner<'_>, subject: &Subject) {
        let system = self.system;
        // Another program has another name.
        let anew = subject.replaced.then(|| ProcessDir::open(system.root(), subject.dir.pid(), system));
        let anew = anew.and_then(Result::ok);
        let dir = anew.as_ref().unwrap_or(&subject.dir);
        if subject.tracks.is_empty() {
            return self.failed(context, dir.pid(), subject.failure.unwrap_or(OpenError::Gone));
        }
        let ways =
            || subject.tracks.values().flat_map(|track| track.ways.iter().map(move |way| (track, way)));
        let doings = ways().map(|(track, way)| (track.thread.tid, &way.doing));
        let held = Held::read(system, scanner, dir, doings);
        let mut interpreter = Interpreter::default();
        // Those who wait on each variable, and whether one was seen to do so again and again.
        let mut variables: HashMap<u64, (BTreeSet<Pid>, bool)> = HashMap::new();
        for (track, way) in ways() {
            if let Some(variable) = way.is_like_gil() {
                let (tids, renewed) = variables.entry(variable).or_default();
                tids.insert(track.thread.tid);
                *renewed |= way.was_renewed();
            }
        }
        let first = self.rows.len();
        let mut tracks: Vec<_> = subject.tracks.values().collect();
        tracks.sort_by_key(|track| order(dir.pid(), track.thread.tid));
        for track in tracks.into_iter().filter(|track| subject.wanted.takes(track.thread.tid)) {
            let mut ways: Vec<_> = track.ways.iter().collect();
            ways.sort_by_key(|way| std::cmp::Reverse(way.looks()));
            for way in ways {
                let gil = way.is_like_gil().is_some_and(|it| {
                    let known = variables.get(&it).is_some_and(|(tids, renewed)| tids.len() > 1 || *renewed);
                    known && interpreter.has(dir, it)
                });
                let thread = Thread { state: way.state, doing: way.doing.clone(), ..track.thread.clone() };
                let sight = Sight {
                    process: &dir.process,
                    thread: &thread,
                    held: &held,
                    others: None,
                    wchan: way.wchan.as_deref(),
                    timeout: way.timeout,
                    asleep: None,
                    likely: gil.then_some(gil::WORD),
                    running: Some(track.running()),
                    seen: Some(track.seen(way.looks())),
                };
                self.rows.push(sight.row(system));
            }
            if track.others > 0 {
                self.rows.push(Row::of_others(&dir.process, &track.thread, track.seen(track.others)));
            }
        }
        let threads: Vec<Thread> = subject.tracks.values().map(|track| track.thread.clone()).collect();
        let seats: Vec<Seat<'_>> = ways()
            .filter_map(|(track, way)| {
                let mostly = track.seen(way.looks()).share() >= 50.0;
                Some(Seat { tid: track.thread.tid, call: way.doing.call()?, mostly })
            })
            .collect();
        let scene = Scene { dir, threads: &threads, seats: &seats, held: &held };
        self.serve(context, scanner, scene, first);
        self.tell(context, &dir.process, &subject.wanted, threads.iter(), first);
        let who = named(&dir.process);
        if subject.replaced {
            context.note(&format!(
                "process {who} began to run another program meanwhile: what is shown is of both"
            ));
        }
        if subject.left_out > 0 {
            let looks = quantity(subject.left_out as usize, "look", "looks");
            context.note(&format!(
                "process {who} had too many threads to tell them all apart: {looks} at others are left out"
            ));
        }
        if let Some(failure) = subject.failure {
            self.failed(context, dir.pid(), failure);
        }
    }

    /// Tells how it went, where that was not as asked.
    pub(super) fn told_looks(&self, context: &Context, ended: &Ended) {
        if ended.signal.is_none() && !ended.early && ended.looks * 2 < ended.asked {
            context.note(&format!(
                "there were {} looks instead of {}: each took longer than the interval allows",
                ended.looks, ended.asked
            ));
        }
    }

    /// A process that could not be looked at.
    pub(super) fn failed(&mut self, context: &Context, pid: Pid, error: OpenError) {
        let reason = match error {
            OpenError::Gone => {
                self.tally.vanished += 1;
                format!("process {pid} ended while it was looked at")
            }
            OpenError::Denied => {
                self.tally.denied += 1;
                format!("the threads of process {pid} may not be read: permission denied")
            }
            OpenError::Failed(errno) => {
                self.tally.denied += 1;
                format!("the threads of process {pid} cannot be read: {errno}")
            }
        };
        context.complain(&reason);
        self.failed = true;
    }

    /// Tells of threads that no process has.
    pub(super) fn told_absent(&mut self, context: &Context) {
        for (target, _) in self.threads.iter().filter(|(_, found)| !**found) {
            context.complain(&format!("{target}: there is no such thread"));
            self.failed = true;
        }
    }

    /// Says how the process serves, in its rows from `first` on, and to people.
    fn serve(
        &mut self,
        context: &Context,
        scanner: &mut Scanner<'_>,
        Scene { dir, threads, seats, held }: Scene<'_>,
        first: usize,
    ) {
        let is_unknown = |thread: &&Thread| {
            let other_abi = |call: &Call| call.abi != Abi::Native;
            matches!(thread.doing, Doing::Unknown(_)) || thread.doing.call().is_some_and(other_abi)
        };
        let unknown = threads.iter().filter(is_unknown).count();
        if !self.serving || unknown == threads.len() {
            return;
        }
        let mut facts = Facts::of(self.system, scanner, dir, seats, held);
        facts.unknown = unknown;
        facts.compare_names(threads);
        facts.running = threads.iter().filter(|thread| thread.doing == Doing::Running).count();
        let parents = self.parents.get_or_init(|| Parents::read(self.system.root()));
        let serving = with_family(self.system, parents, dir, &facts, judge(&facts));
        let who = named(&dir.process);
        match serving.model {
            // Records say it themselves.
            _ if context.style.format != Format::Table => {}
            Model::Unknown if !facts.is_server() => {}
            Model::Unknown => {
                context.note(&format!("it can't be told how {who} serves: {}", serving.because()))
            }
            _ => context.note(&format!("{who} {}: {}", serving.phrase(), serving.because())),
        }
        let serving: Arc<Serving> = Arc::new(serving);
        for (nth, row) in self.rows[first..].iter_mut().enumerate() {
            row.serving = Some(Arc::clone(&serving));
            row.leads = nth == 0;
        }
    }

    /// Tells what may not be known, and which threads are not there.
    fn tell<'t>(
        &mut self,
        context: &Context,
        process: &Process,
        wanted: &Wanted,
        threads: impl Iterator<Item = &'t Thread>,
        first: usize,
    ) {
        let who = named(process);
        let mut first_error = None;
        let mut denied = 0;
        let mut all = 0;
        for thread in threads.filter(|thread| wanted.takes(thread.tid)) {
            all += 1;
            if let Doing::Unknown(errno) = thread.doing {
                first_error.get_or_insert(errno);
                denied += 1;
            }
        }
        self.tally.denied += denied as u64;
        *self.threads.entry(wanted.text.clone()).or_default() |= self.rows.len() > first;
        if denied > 0 && denied == all {
            let why = match first_error {
                Some(libc::ENOENT | libc::ENODATA) => "is not told by this kernel",
                _ => "may not be read: permission denied",
            };
            context.complain(&format!("what the threads of process {who} wait for {why}"));
            self.failed = true;
        } else if denied > 0 {
            let threads = quantity(denied, "thread", "threads");
            context.note(&format!("of {threads} of process {who} it may not be read what they wait for"));
        }
    }
}

/// What a process was seen to do.
struct Scene<'s> {
    dir: &'s ProcessDir,
    threads: &'s [Thread],
    seats: &'s [Seat<'s>],
    held: &'s Held,
}

/// `4242 (nginx)`.
fn named(process: &Process) -> String {
    format!("{} ({})", process.pid, String::from_utf8_lossy(&process.command).escape_debug())
}
