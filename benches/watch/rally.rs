//! A byte that goes to and fro over two pipes, between two threads of a process of its own.

use crate::Result;
use rustix::fd::{AsRawFd as _, OwnedFd};
use rustix::process::{PTracer, set_ptracer};
use rustix::thread::{
    ClockId, CpuSet, clock_nanosleep_absolute, sched_getaffinity, sched_setaffinity, set_current_timer_slack,
};
use rustix::time::Timespec;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::num::NonZero;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// A rally that runs. It ends when it is dropped, and should this program die, for then its stdin
/// ends.
pub(crate) struct Rally {
    child: Child,
    asks: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    /// The reading end of the pipe that is to be watched.
    fd: u32,
}

/// How far it has come.
#[derive(Clone, Copy)]
pub(crate) struct Score {
    at: Instant,
    /// How often the byte was there and back, and how long that took in all, in ns.
    rounds: u64,
    nanos: u64,
}

/// What happened between two scores.
#[derive(Clone, Copy)]
pub(crate) struct Spell {
    pub(crate) seconds: f64,
    pub(crate) rounds: f64,
    /// How long the byte took there and back, in µs.
    pub(crate) round: f64,
}

impl Score {
    pub(crate) fn since(self, before: Self) -> Spell {
        let rounds = (self.rounds - before.rounds) as f64;
        Spell {
            seconds: (self.at - before.at).as_secs_f64(),
            rounds,
            round: (self.nanos - before.nanos) as f64 / rounds / 1e3,
        }
    }
}

impl Rally {
    /// Starts one with so many rounds a second, or with 0 as many as can be, on one processor or on
    /// two.
    pub(crate) fn start(rate: u32, processors: usize) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--rally", &rate.to_string(), &processors.to_string()]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let asks = child.stdin.take();
        let mut answers = BufReader::new(child.stdout.take().ok_or("no stdout")?);
        let mut line = String::new();
        answers.read_line(&mut line)?;
        let fd = line.trim_end().parse().map_err(|_| "the rally did not start")?;
        Ok(Self { child, asks, answers, fd })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The fd to watch, as a target.
    pub(crate) fn target(&self) -> String {
        format!("{}:{}", self.pid(), self.fd)
    }

    pub(crate) fn score(&mut self) -> Result<Score> {
        self.asks.as_mut().ok_or("no stdin")?.write_all(b"\n")?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        let (rounds, nanos) = line.trim_end().split_once(' ').ok_or("the rally has ended")?;
        Ok(Score { at: Instant::now(), rounds: rounds.parse()?, nanos: nanos.parse()? })
    }
}

impl Drop for Rally {
    fn drop(&mut self) {
        drop(self.asks.take());
        let _ = self.child.wait();
    }
}

static ROUNDS: AtomicU64 = AtomicU64::new(0);
static NANOS: AtomicU64 = AtomicU64::new(0);

/// What that process does, until its stdin ends.
pub(crate) fn play(rate: &str, processors: &str) -> Result<()> {
    let (rate, processors): (u32, usize) = (rate.parse()?, processors.parse()?);
    // Where Yama forbids others to look, it asks for leave. It is not always there.
    let _ = set_ptracer(PTracer::Any);
    let (there_out, there_in) = rustix::pipe::pipe()?;
    let (back_out, back_in) = rustix::pipe::pipe()?;
    println!("{}", there_out.as_raw_fd());
    thread::spawn(move || -> rustix::io::Result<()> {
        stay(processors - 1)?;
        loop {
            pass(&there_out, &back_in)?;
        }
    });
    thread::spawn(move || {
        stay(0)?;
        serve(rate, &there_in, &back_out)
    });
    for line in io::stdin().lines() {
        line?;
        println!("{} {}", ROUNDS.load(Ordering::Relaxed), NANOS.load(Ordering::Relaxed));
    }
    // With both threads in the middle of it.
    std::process::exit(0);
}

/// How many processors there are to play on.
pub(crate) fn processors() -> Result<usize> {
    Ok(sched_getaffinity(None)?.count() as usize)
}

/// Stays on one of the processors that there are. Left to itself, the scheduler would have the
/// threads now on the same one and now on two, which makes rounds up to ten times as long.
fn stay(number: usize) -> rustix::io::Result<()> {
    let may = sched_getaffinity(None)?;
    if let Some(cpu) = (0..CpuSet::MAX_CPU).filter(|&cpu| may.is_set(cpu)).nth(number) {
        let mut one = CpuSet::new();
        one.set(cpu);
        sched_setaffinity(None, &one)?;
    }
    Ok(())
}

fn pass(from: &OwnedFd, to: &OwnedFd) -> rustix::io::Result<()> {
    let mut byte = [0];
    rustix::io::read(from, &mut byte)?;
    rustix::io::write(to, &byte)?;
    Ok(())
}

/// Begins each round, and counts it.
fn serve(rate: u32, to: &OwnedFd, from: &OwnedFd) -> rustix::io::Result<()> {
    set_current_timer_slack(NonZero::new(1))?;
    let period = if rate == 0 { Duration::ZERO } else { Duration::from_secs(1) / rate };
    let now = rustix::time::clock_gettime(ClockId::Monotonic);
    let mut next = Duration::new(now.tv_sec as u64, now.tv_nsec as u32);
    loop {
        let start = Instant::now();
        rustix::io::write(to, &[0])?;
        rustix::io::read(from, &mut [0])?;
        NANOS.fetch_add(start.elapsed().as_nanos() as u64, Ordering::Relaxed);
        ROUNDS.fetch_add(1, Ordering::Relaxed);
        if rate > 0 {
            next += period;
            let at = Timespec { tv_sec: next.as_secs() as i64, tv_nsec: next.subsec_nanos().into() };
            while clock_nanosleep_absolute(ClockId::Monotonic, &at).is_err() {}
        }
    }
}
