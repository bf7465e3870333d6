//! Events made of what was seen.

use super::event::{Description, Event, Fd, Hand, Shown, Summary, Watched as WatchedRow, What as Told, Who};
use super::event_loop::{EventLoop, Late};
use super::process::Process;
use super::set::Watched;
use crate::commands::watch::lasting;
use crate::model::{Doing, Marks, Pid, Readiness, Thread, Waiting, percent};
use crate::proc::System;
use crate::watch::turning::{Change, Crew, Member, Stall, Totals, Usage};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// How many fds an event names.
const NAMED: usize = 16;

/// When something was seen.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    pub(super) time: Timestamp,
    pub(super) at: Instant,
    pub(super) elapsed: Duration,
}

impl Moment {
    pub(super) fn since(started: Instant) -> Self {
        let at = Instant::now();
        Self { time: Timestamp::now(), at, elapsed: at.saturating_duration_since(started) }
    }

    fn event(&self, who: &Rc<Who>, what: Told) -> Event {
        Event::new(self.time, self.elapsed, who, what)
    }
}

/// A loop as it is now. `threads` are those of its process.
pub(super) fn describe(
    system: &System,
    process: &Process,
    index: usize,
    threads: &[Thread],
    shown: Shown,
    now: Moment,
) -> Event {
    let event_loop = &process.loops[index];
    let waits = threads.iter().filter(|thread| event_loop.is_waited_in_by(thread));
    let here: Vec<(Pid, Vec<u8>)> = waits.map(|thread| (thread.tid, thread.name.clone())).collect();
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    let mut registrations = Vec::with_capacity(event_loop.set.len());
    for (_, watched) in event_loop.set.iter() {
        let row = row(watched);
        *kinds.entry(row.kind.clone()).or_default() += 1;
        registrations.push(row);
    }
    registrations.sort_by_key(|row| row.fd);
    let mut kinds: Vec<(String, usize)> = kinds.into_iter().collect();
    kinds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let description = Description {
        also: event_loop.also.clone(),
        ready: event_loop.is_ready(),
        note: event_loop.note(),
        threads: here,
        kinds,
        stale: event_loop.set.iter().filter(|(_, watched)| watched.is_stale()).count(),
        registrations,
        shown,
        ..Description::default()
    };
    let hand = match &event_loop.hands[..] {
        [.., last] => threads.iter().find(|thread| thread.tid == *last).map(|thread| {
            let doing = process.in_words(system, thread, true);
            Hand {
                tid: thread.tid,
                name: thread.name.clone(),
                doing,
                call: word(&thread.doing),
                cpu: None,
                queued: None,
                certain: event_loop.certain,
            }
        }),
        [] => None,
    };
    now.event(&event_loop.who, Told::Loop(Box::new(description.finish()))).hand(hand)
}

fn row(watched: &Watched) -> WatchedRow {
    let what = watched.what.as_deref();
    let registration = &watched.registration;
    let now = watched.readiness.filter(|_| !watched.is_stale());
    let is_ended = now.is_some_and(|readiness| is_at_its_end(readiness, &watched.marks));
    WatchedRow {
        fd: registration.fd,
        kind: watched.kind().to_owned(),
        name: what.map(|what| what.name.clone()).unwrap_or_default(),
        events: registration.event_names().join(","),
        data: registration.data,
        now: now.map(|readiness| readiness.to_string()),
        stale: registration.stale,
        suspect: watched.wakes_for_nothing() || is_ended && !registration.is_edge(),
    }
}

/// Whether something is ready with nothing to be read from it.
fn is_at_its_end(readiness: Readiness, marks: &Marks) -> bool {
    let readable = readiness.contains(Readiness::IN) && !marks.is_empty();
    !readiness.is_empty() && !readable && !readiness.intersects(Readiness::OUT | Readiness::PRI)
}

/// What has changed with a loop.
pub(super) fn changed(
    system: &System,
    process: &Process,
    index: usize,
    change: &Change,
    now: Moment,
) -> Event {
    let event_loop = &process.loops[index];
    let who = &event_loop.who;
    let (crew, is_now) = match change {
        Change::Recovered { .. } => (event_loop.judge.stalled_threads(), false),
        _ => (event_loop.judge.threads(), true),
    };
    match change {
        Change::Stalled(Stall { since, still }) => {
            let lasted = now.at.saturating_duration_since(*since);
            let (fds, total) = waiting(event_loop, now.at);
            let progress = match (still, fds.is_empty()) {
                (true, _) => "none: its thread stands still",
                (false, true) => "none was seen",
                (false, false) => "none: nothing that waits was taken from, given to, accepted or closed",
            };
            now.event(who, Told::Stalled { lasted })
                .began(lasted)
                .fds(fds, total)
                .hand(hand(system, process, event_loop, crew, is_now))
                .progress(progress)
        }
        Change::Recovered { lasted } => {
            let progress = match event_loop.judge.ready_since() {
                None => "all that waited was served",
                Some(_) => "some of what waited was served",
            };
            now.event(who, Told::Recovered { lasted: *lasted })
                .began(*lasted)
                .hand(hand(system, process, event_loop, crew, is_now))
                .progress(progress)
        }
        Change::Spinning { token, since, turns } => {
            let lasted = now.at.saturating_duration_since(*since);
            let fd = event_loop.set.get(*token).zip(event_loop.judge.member(*token));
            let fd = fd.map(|(watched, member)| fd_of(event_loop, watched, member, now.at));
            let progress = match turns {
                true => "others were served meanwhile",
                false => "not seen: nothing else waits",
            };
            now.event(who, Told::Spinning { lasted, turns: *turns })
                .began(lasted)
                .fds(fd.into_iter().collect(), 1)
                .hand(hand(system, process, event_loop, crew, is_now))
                .progress(progress)
        }
    }
}

/// A loop that is ready all the time for what its process has closed.
pub(super) fn stale(
    system: &System,
    process: &Process,
    index: usize,
    lasted: Duration,
    now: Moment,
) -> Event {
    let event_loop = &process.loops[index];
    let of_stale = event_loop.set.iter().filter(|(_, watched)| watched.wakes_for_nothing());
    let fds: Vec<Fd> = of_stale
        .map(|(_, watched)| Fd {
            fd: watched.registration.fd,
            kind: watched.kind().to_owned(),
            name: match watched.reused {
                true => b"another's number now, and registered still, as somebody has it open".to_vec(),
                false => b"closed, and registered still, as somebody else has it open".to_vec(),
            },
            readiness: String::new(),
            waiting: None,
            waited: None,
            waits: None,
        })
        .collect();
    let total = fds.len();
    let fds = fds.into_iter().take(NAMED).collect();
    now.event(&event_loop.who, Told::Spinning { lasted, turns: false })
        .began(lasted)
        .fds(fds, total)
        .hand(hand(system, process, event_loop, event_loop.judge.threads(), true))
        .progress("not seen: nothing that it has open waits")
}

/// What waits for a loop, that which waits longest first, and how many that are.
fn waiting(event_loop: &EventLoop, at: Instant) -> (Vec<Fd>, usize) {
    let waiting = longest_waiting(event_loop);
    let fd = |token: &usize| {
        let (watched, member) = event_loop.set.get(*token).zip(event_loop.judge.member(*token))?;
        Some(fd_of(event_loop, watched, member, at))
    };
    (waiting.iter().take(NAMED).filter_map(fd).collect(), waiting.len())
}

fn longest_waiting(event_loop: &EventLoop) -> Vec<usize> {
    let mut waiting: Vec<(usize, &Member)> = event_loop.judge.waiting().collect();
    // What is at its end keeps nobody waiting.
    waiting.sort_by_key(|(token, member)| (member.is_at_its_end(), member.since(), *token));
    waiting.into_iter().map(|(token, _)| token).collect()
}

/// What an event about this change will name.
pub(super) fn named(event_loop: &EventLoop, change: &Change) -> Vec<usize> {
    match change {
        Change::Stalled(_) => longest_waiting(event_loop).into_iter().take(NAMED).collect(),
        Change::Recovered { .. } => Vec::new(),
        Change::Spinning { token, .. } => vec![*token],
    }
}

fn fd_of(event_loop: &EventLoop, watched: &Watched, member: &Member, at: Instant) -> Fd {
    let since = member.since_for_sure(event_loop.judge.served_at());
    Fd {
        fd: watched.registration.fd,
        kind: watched.kind().to_owned(),
        name: watched.what.as_ref().map(|what| lasting(&what.name)).unwrap_or_default(),
        readiness: member.readiness().to_string(),
        waiting: member.marks().waiting.map(|waiting| match waiting {
            Waiting::Bytes(n) => ("bytes", n),
            Waiting::Connections(n) => ("connections", n),
        }),
        waited: since.map(|since| at.saturating_duration_since(since)),
        waits: None,
    }
}

/// The thread that serves a loop, and what it was seen to do.
fn hand(
    system: &System,
    process: &Process,
    event_loop: &EventLoop,
    crew: &Crew,
    is_now: bool,
) -> Option<Hand> {
    let thread = crew.busiest()?;
    let usage = crew.usage(thread.tid);
    let doings = crew.doings(thread.tid);
    let (doing, _) = doings.first()?;
    let as_seen = Thread { doing: (*doing).clone(), ..thread.clone() };
    let mut words = process.in_words(system, &as_seen, is_now);
    if **doing == Doing::Running && !thread.state.is_stopped() {
        words = running(usage).into_bytes();
    }
    let others: Vec<String> = doings[1..]
        .iter()
        .take(2)
        .filter(|(_, share)| *share >= 0.1)
        .map(|(doing, share)| {
            let what = word(doing).unwrap_or_else(|| "running".into());
            format!("{what} in {:.0}% of the looks", share * 100.0)
        })
        .collect();
    if !others.is_empty() {
        words.extend_from_slice(format!(" ({})", others.join(", ")).as_bytes());
    }
    let share = |time: fn(Usage) -> Duration| {
        let usage = usage.filter(|usage| !usage.span.is_zero())?;
        Some(percent(time(usage).as_secs_f64(), usage.span.as_secs_f64()))
    };
    Some(Hand {
        tid: thread.tid,
        name: thread.name.clone(),
        doing: words,
        call: word(doing),
        cpu: share(|usage| usage.cpu),
        queued: share(|usage| usage.queued),
        certain: event_loop.certain,
    })
}

/// The call that a thread is in, in a word.
fn word(doing: &Doing) -> Option<String> {
    Some(doing.call()?.word().into_owned())
}

/// A thread that was seen to run.
fn running(usage: Option<Usage>) -> String {
    let Some(usage) = usage.filter(|usage| !usage.span.is_zero()) else { return "running".to_owned() };
    let share = |time: Duration| time.as_secs_f64() / usage.span.as_secs_f64();
    let (cpu, queued) = (share(usage.cpu), share(usage.queued));
    match (cpu, queued) {
        (cpu, queued) if queued > cpu => {
            format!("waiting for a CPU: {:.0}% of the time", queued.min(1.0) * 100.0)
        }
        (cpu, _) if cpu >= 0.5 => format!("computing: {:.0}% of a CPU", cpu.min(1.0) * 100.0),
        (cpu, _) => format!("running: {:.0}% of a CPU", cpu * 100.0),
    }
}

/// How it went with a loop.
pub(super) fn summary(system: &System, process: &mut Process, index: usize, now: Moment) -> Event {
    let event_loop = &mut process.loops[index];
    let mut totals = event_loop.judge.totals(now.at).clone();
    // It was neither busy nor stalled.
    let nobodys = event_loop.unproven.then(|| {
        totals = Totals::default();
        "something waits for it, and no thread was seen that may serve it: it was not judged".to_owned()
    });
    // Nor was that idle, as far as one knows.
    let not_seen = event_loop.was_not_seen_to_turn().then(|| {
        totals = Totals::default();
        "its thread was not seen to come back to these fds: it was not judged".to_owned()
    });
    let judged = nobodys.is_none() && not_seen.is_none();
    let note = event_loop.note().or(nobodys).or(not_seen);
    let partly = note.is_none() && event_loop.was_judged_late();
    let late = "before its thread was seen to come back to these fds, it was judged only while it waited";
    let note = note.or_else(|| partly.then(|| late.to_owned()));
    let mut worst: Vec<Late> = event_loop.late.clone();
    let members = event_loop.judge.members().filter(|(_, member)| member.waits() > 0);
    let mut tokens: Vec<(usize, Duration)> =
        members.map(|(token, member)| (token, member.longest())).collect();
    tokens.sort_by_key(|(token, longest)| (std::cmp::Reverse(*longest), *token));
    let tokens: Vec<usize> = tokens.into_iter().take(NAMED / 2).map(|(token, _)| token).collect();
    process.name(system, index, &tokens);
    let event_loop = &process.loops[index];
    for token in tokens {
        let member = event_loop.judge.member(token);
        let Some((watched, member)) = event_loop.set.get(token).zip(member) else { continue };
        let late = Late::of(watched, member);
        match worst.iter_mut().find(|known| known.is(&late)) {
            Some(known) => known.add(&late),
            None => worst.push(late),
        }
    }
    worst.sort_by_key(|late| std::cmp::Reverse(late.longest));
    let fd = |late: &Late| Fd {
        fd: late.registration.fd,
        kind: late.kind.clone(),
        name: late.what.as_ref().map(|what| lasting(&what.name)).unwrap_or_default(),
        readiness: String::new(),
        waiting: None,
        waited: Some(late.longest),
        waits: Some(late.waits),
    };
    // Nor is it said what it let wait.
    let most = if judged { NAMED / 2 } else { 0 };
    let fds = worst.iter().take(most).map(fd).collect();
    let interval = event_loop.judge.limits().interval;
    now.event(&event_loop.who, Told::Summary(Box::new(Summary { interval, totals, note, partly })))
        .fds(fds, 0)
}

/// A loop that is not there any more.
pub(super) fn closed(event_loop: &EventLoop, now: Moment) -> Event {
    now.event(&event_loop.who, Told::Closed)
}

/// A process that has ended.
pub(super) fn exited(process: &Process, now: Moment) -> Event {
    let who = Who {
        pid: process.pid(),
        command: process.dir.process.command.clone(),
        selector: None,
        epoll: None,
        tid: None,
    };
    now.event(&Rc::new(who), Told::Exited)
}
