//! `fdscope loops`: the event loops of a process, and whether they stall.
//!
//! A `Process` has its `EventLoop`s, each with the `Set` that it
//! watches and the judge of `watch/turning`, which is fed with what looks at them show.

mod event;
mod event_loop;
mod lines;
mod options;
mod process;
mod report;
mod session;
mod set;
mod stage;

pub(super) use event::fields;
pub use options::Args;

use super::signals::{self, Signals};
use super::sink::Sink;
use crate::context::Context;
use crate::error::{Error, Outcome};
use crate::proc::System;
use crate::render::Renderer;
use crate::watch::turning::Limits;
use event::{Event, Shown};
use process::Process;
use report::Moment;
use session::{End, Session};
use stage::Stage;
use std::io::{self, Write};
use std::time::Instant;

/// Runs `fdscope loops`.
pub fn run(args: Args, context: &mut Context) -> Result<Outcome, Error> {
    if args.judges() {
        args.check()?;
    }
    let caught = if args.judges() { signals::catch(&signals::ENDING) } else { Ok(Vec::new()) };
    let caught = caught.map_err(|e| Error::Io("signals".to_owned(), e))?;
    let system = System::new(context.root.clone(), false);
    let limits = Limits { stall: args.stall, interval: args.interval };
    let stage = Stage::set(&args.targets, limits, context, &system);
    if stage.processes.is_empty() {
        return Err(Error::Target);
    }
    // Of a name, some may have none: the master of a server, say.
    let none = stage.processes.iter().all(|process| process.loops.is_empty());
    let has_none = |p: &&Process| p.loops.is_empty() && p.takes_all() && (none || stage.is_named(p.pid()));
    for process in stage.processes.iter().filter(has_none) {
        context.note(&format!(
            "process {} has no event loop that can be seen: no epoll fd, and no thread that waits in poll or \
             select for several fds or for a listener",
            process.pid()
        ));
    }
    for process in stage.processes.iter().filter(|process| process.threads.1 < process.threads.0) {
        let (all, looked_at) = process.threads;
        context
            .note(&format!("of the {all} threads of process {}, {looked_at} were looked at", process.pid()));
    }
    let renderer = Renderer::new(context.style, "loops", event::COLUMNS.to_vec(), false);
    if !args.judges() {
        return once(&args, context, &system, stage, &renderer);
    }
    let quiet = context.quiet;
    let mut nowhere = io::sink();
    let out: &mut dyn Write = if quiet { &mut nowhere } else { &mut context.out };
    let sink = Sink::new(&renderer, out, lines::line, true, false, false);
    let signals = Signals::open(caught).map_err(|e| Error::Io("signals".to_owned(), e))?;
    let mut session = Session::start(sink, signals, stage, &system, &args, quiet)?;
    let end = session.run()?;
    let (stalled, judged) = (session.stalled, session.judged);
    let failed = session.stage.failed || session.stage.has_lost_a_target();
    session.finish()?;
    match end {
        End::Signal(signal) => Ok(Outcome::Signalled(signal as i32)),
        _ if failed => Err(Error::Target),
        _ if stalled => Ok(Outcome::NotMet),
        End::Gone => Err(Error::Target),
        End::Over if !judged => {
            context.complain("there was no event loop that can be judged");
            Err(Error::Target)
        }
        End::Over => Ok(Outcome::Met),
    }
}

/// One look.
fn once(
    args: &Args,
    context: &mut Context,
    system: &System,
    mut stage: Stage,
    renderer: &Renderer<Event>,
) -> Result<Outcome, Error> {
    let started = Instant::now();
    let mut events = Vec::new();
    for process in &mut stage.processes {
        let threads = process.read_threads(system);
        for index in 0..process.loops.len() {
            process.look_once(system, index);
            let all: Vec<usize> = process.loops[index].set.iter().map(|(token, _)| token).collect();
            process.name(system, index, &all);
            let shown = if args.all { Shown::All } else { Shown::Some };
            let now = Moment::since(started);
            events.push(report::describe(system, process, index, &threads, shown, now));
        }
    }
    let failed = stage.failed;
    let found = !events.is_empty();
    let mut sink = Sink::new(renderer, &mut context.out, lines::line, true, false, false);
    for event in &events {
        sink.write(event)?;
    }
    sink.finish()?;
    match found {
        _ if failed => Err(Error::Target),
        true => Ok(Outcome::Met),
        false => Ok(Outcome::NotMet),
    }
}
