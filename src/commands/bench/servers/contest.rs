//! One server under its load, and what came of that.

use super::load::Load;
use super::scene::Scene;
use super::server::Server;
use crate::commands::bench::options::Extent;
use crate::commands::listen::Model;
use crate::load::{Answers, Bounds, Clients, Crowd, Failure, Latencies, Lines, Mode};
use crate::model::Pid;
use crate::proc::{Expense, Footprint, ProcRoot, System};
use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::BorrowedFd;
use std::thread;
use std::time::Duration;

/// A warm-up takes this part of a run.
const WARM_UP: u32 = 6;
/// How many connections are made to one server at most, where they are not kept: a closed one
/// occupies its port for a minute, and there are 28,000 of them.
const PORTS: u64 = 20_000;

/// A server, its clients, and what came of them so far.
pub(super) struct Contest {
    pub(super) model: Model,
    // Before the server, which ends when they are gone.
    clients: Clients<Lines>,
    server: Server,
    family: Vec<Pid>,
    mode: Mode,
    /// How many connections may be made in a run, or its warm-up, where they are not kept.
    ports: u64,
    /// The requests of all runs, and those of warm-ups.
    answered: u64,
    warmed: u64,
    runs: Vec<Run>,
    latencies: Latencies,
    /// Of the runs, where connections are kept.
    expense: Expense,
    footprint: Footprint,
}

/// What one run gave.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    /// Requests a second, but for those that are computed.
    pub(super) rate: f64,
    /// Requests a second that are computed.
    pub(super) computed: f64,
    /// How much of the time the client ran.
    pub(super) client: f64,
}

/// What all runs gave.
pub(super) struct Outcome {
    pub(super) runs: Vec<Run>,
    pub(super) latencies: Latencies,
    /// How many requests were answered in the runs.
    pub(super) requests: u64,
    /// For each of them.
    pub(super) cpu: Duration,
    pub(super) switches: f64,
    pub(super) footprint: Footprint,
}

/// What looks at processes.
pub(super) struct Look<'s> {
    pub(super) root: &'s ProcRoot,
    pub(super) system: &'s System,
    /// Readable once all is to end.
    pub(super) stop: BorrowedFd<'s>,
}

impl Look<'_> {
    /// Waits for so long, or for the end.
    fn wait(&self, time: Duration) {
        let fd = PollFd::from_borrowed_fd(self.stop, PollFlags::IN);
        let time = Timespec::try_from(time).ok();
        let _ = poll(&mut [fd], time.as_ref());
    }
}

impl Contest {
    /// Starts a server, and makes all connections. `told` hears how many there are.
    pub(super) fn open(
        model: Model,
        (scene, extent): (&Scene, Extent),
        look: &Look<'_>,
        told: &mut dyn FnMut(usize),
    ) -> Result<Self, Failure> {
        let mut server = Server::start(model, scene.load, look.root)?;
        let mode = if scene.load == Load::Connect { Mode::Renewed } else { Mode::Kept };
        let lines = Lines { time: format!("{}us", scene.compute.as_micros().max(1)), heavy: scene.computing };
        let crowd = Crowd { connections: scene.connections, busy: scene.busy, mode, threads: scene.clients };
        let mut clients = Clients::new(server.address(), lines, crowd, Some(look.stop))?;
        clients.open(told).map_err(|failure| blame(failure, &mut server))?;
        let family = server.family();
        Ok(Self {
            model,
            clients,
            server,
            family,
            mode,
            ports: (PORTS / 2 / u64::from(extent.runs)).max(1),
            answered: 0,
            warmed: 0,
            runs: Vec::new(),
            latencies: Latencies::default(),
            expense: Expense::default(),
            footprint: Footprint::default(),
        })
    }

    /// One run of about so long.
    pub(super) fn run(&mut self, time: Duration, look: &Look<'_>) -> Result<(), Failure> {
        let warm = time / WARM_UP;
        self.warmed += self.ask(warm, Some(look))?.count();
        let before = self.spent(look);
        let answers = self.ask(time - warm, None)?;
        if let Some((before, after)) = before.zip(self.spent(look)) {
            let expense = after.since(before);
            self.expense.cpu += expense.cpu;
            self.expense.switches += expense.switches;
        }
        self.answered += answers.count();
        self.latencies.add(&answers.usual);
        self.runs.push(Run { rate: answers.rate(), computed: answers.heavy_rate(), client: answers.busy });
        Ok(())
    }

    /// What the server has used so far. Of one whose connections come and go that is told at its end.
    fn spent(&self, look: &Look<'_>) -> Option<Expense> {
        (self.mode == Mode::Kept).then(|| Expense::read(look.root, &self.family, look.system))
    }

    /// Has the clients ask. If connections come and go, the server is looked at meanwhile: afterwards
    /// there would be nothing to see.
    fn ask(&mut self, time: Duration, look: Option<&Look<'_>>) -> Result<Answers, Failure> {
        let questions = if self.mode == Mode::Renewed { self.ports } else { u64::MAX };
        let bounds = Bounds { time, questions };
        let (clients, server) = (&mut self.clients, &self.server);
        let answers = match look.filter(|_| self.mode == Mode::Renewed) {
            None => clients.run(bounds),
            Some(look) => thread::scope(|scope| {
                let asking = scope.spawn(|| clients.run(bounds));
                look.wait(time / 2);
                let footprint = Footprint::read(look.root, &server.family(), look.system);
                self.footprint = most(self.footprint, footprint);
                asking.join().unwrap_or_else(|_| Err(Failure::Wrong("a client panicked".to_owned())))
            }),
        };
        answers.map_err(|failure| blame(failure, &mut self.server))
    }

    /// What all runs gave, and the end of the server.
    pub(super) fn finish(mut self, look: &Look<'_>) -> Outcome {
        if self.mode == Mode::Kept {
            self.footprint = Footprint::read(look.root, &self.family, look.system);
        }
        let before = of_children();
        // In this order: see there.
        drop(self.clients);
        drop(self.server);
        let (mut expense, mut requests) = (self.expense, self.answered);
        if self.mode == Mode::Renewed {
            // What threads and processes that have ended leave behind is told when the server does.
            expense = of_children().since(before);
            requests += self.warmed;
        }
        let each = requests.max(1) as f64;
        Outcome {
            runs: self.runs,
            latencies: self.latencies,
            requests: self.answered,
            cpu: Duration::from_secs_f64(expense.cpu.as_secs_f64() / each),
            switches: expense.switches as f64 / each,
            footprint: self.footprint,
        }
    }

    /// Whether it has been measured at all.
    pub(super) fn has_run(&self) -> bool {
        !self.runs.is_empty()
    }
}

/// The larger one of each.
fn most(a: Footprint, b: Footprint) -> Footprint {
    Footprint {
        memory: a.memory.max(b.memory),
        rss: a.rss.max(b.rss),
        threads: a.threads.max(b.threads),
        processes: a.processes.max(b.processes),
    }
}

/// What children have used that have ended, with all that they have waited for.
fn of_children() -> Expense {
    let Ok(usage) = getrusage(UsageWho::RUSAGE_CHILDREN) else { return Expense::default() };
    let micros =
        |usage: &Usage| usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    let switches = usage.voluntary_context_switches() + usage.involuntary_context_switches();
    Expense { cpu: Duration::from_micros(micros(&usage).unsigned_abs()), switches: switches.unsigned_abs() }
}

/// A failure of the clients, with its reason, if that is the end of the server.
fn blame(failure: Failure, server: &mut Server) -> Failure {
    match failure {
        Failure::Interrupted => failure,
        failure => match server.ended() {
            Some(status) => Failure::Wrong(format!("the server has ended: {status}")),
            None => failure,
        },
    }
}
