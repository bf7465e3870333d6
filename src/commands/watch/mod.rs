//! `fdscope watch`: readiness as it happens.

mod connect;
mod drain;
mod event;
mod lines;
mod lookout;
mod numbers;
mod options;
mod processes;
mod screen;
mod session;
mod stage;
mod subject;
mod target;
mod timeline;
mod trace;
mod tracks;

pub(super) use event::fields;
pub use options::Args;
pub(super) use processes::lasting;

use super::signals::{self, Signals};
use super::sink::{Looks, Sink};
use crate::context::Context;
use crate::error::{Error, Outcome};
use crate::proc::System;
use crate::render::{Format, Renderer};
use lookout::Lookout;
use nix::sys::signal::Signal;
use screen::Screen;
use session::{Bounds, End, Session};
use stage::{Stage, Wishes};
use std::io::{self, ErrorKind, Write};
use std::time::Duration;
use timeline::Timeline;
use trace::Trace;

/// The least that a column of the timeline stands for.
const COLUMN: Duration = Duration::from_millis(100);

/// Runs `fdscope watch`.
pub fn run(args: Args, context: &mut Context) -> Result<Outcome, Error> {
    let (lookouts, auto) = args.lookouts()?;
    if args.timeline {
        check_timeline(context)?;
    }
    let mut wanted = signals::ENDING.to_vec();
    // Before these have their way, the terminal is put back as it was.
    wanted.extend(if args.timeline { &[Signal::SIGQUIT, Signal::SIGTSTP][..] } else { &[] });
    let caught = signals::catch(&wanted).map_err(|e| Error::Io("signals".to_owned(), e))?;
    let system = System::new(context.root.clone(), false);
    let wishes = Wishes { events: args.events, lookouts: lookouts.len(), retries: args.retry.is_some() };
    // What was inherited is taken over before anything of ours is opened.
    let stage = Stage::set(&args.targets, wishes, context, &system)?;
    if stage.subjects.is_empty() && !stage.processes.iter().any(|p| p.follow) {
        return Err(Error::Target);
    }
    let table = context.style.format == Format::Table;
    let bounds = Bounds {
        interval: args.interval,
        timeout: args.timeout,
        count: args.count,
        until: args.until,
        repeat: args.repeat,
        retry: args.retry,
        drains: args.drains(),
        auto,
        together: table && !args.timeline && lookouts.len() > 1,
        events: args.events,
        quiet: context.quiet,
    };
    let failed = |e: io::Error| Error::Refused(format!("cannot make a selector: {e}"));
    let open = |(backend, trigger)| Lookout::new(backend, trigger).map_err(failed);
    let lookouts = lookouts.into_iter().map(open).collect::<Result<Vec<_>, _>>()?;
    if lookouts.iter().any(Lookout::samples) && !stage.processes.is_empty() {
        context.note(&format!(
            "select and poll can watch only what is held: fds of other processes are looked at every {:?}, and \
             what happens in between is not seen",
            args.interval
        ));
    }
    let mut errors = io::stderr();
    let mut nowhere = io::sink();
    // Lines are for people, who want none then; records are what was asked for.
    let silent = table && context.quiet;
    let (out, tee): (&mut dyn Write, Option<&mut dyn Write>) = match (args.tee, silent) {
        (true, true) => (&mut nowhere, Some(&mut context.out)),
        (true, false) => (&mut errors, Some(&mut context.out)),
        (false, true) => (&mut nowhere, None),
        (false, false) => (&mut context.out, None),
    };
    let renderer = Renderer::new(context.style, "watch", event::COLUMNS.to_vec(), false);
    let selectors: Vec<&str> = lookouts.iter().map(|l| l.backend.name()).collect();
    let sink = if args.timeline {
        let timeline = Timeline::new(selectors, args.interval.max(COLUMN), args.repeat);
        Sink::own(Box::new(Screen::new(out, timeline, Looks::new(context.style.color, true))))
    } else if context.trace {
        Sink::own(Box::new(Trace::new(out, selectors, args.repeat)))
    } else {
        Sink::new(&renderer, out, lines::line, true, false, false)
    };
    let signals = Signals::open(caught).map_err(|e| Error::Io("signals".to_owned(), e))?;
    let mut session = Session::start(sink, tee, signals, lookouts, stage, &system, bounds)?;
    let ran = session.run();
    let failed = session.failed();
    // A reader that stands still holds it up beyond its time.
    let late = if let Ok(end) = &ran { *end == End::Timeout } else { session.is_late() };
    let end = match ran.and_then(|end| session.finish().map(|()| end)) {
        Err(Error::Output(e)) if late && e.kind() == ErrorKind::BrokenPipe => End::Timeout,
        other => other?,
    };
    match end {
        End::Met => Ok(Outcome::Met),
        End::Timeout => Ok(Outcome::TimedOut),
        End::Signal(signal) => Ok(Outcome::Signalled(signal as i32)),
        End::Gone { ended } if ended || failed => Err(Error::Target),
        // What is left of our own can never become what was waited for.
        End::Gone { .. } if args.until.is_some() => Ok(Outcome::NotMet),
        End::Gone { .. } => Ok(Outcome::Met),
    }
}

/// Whether a timeline can be drawn.
fn check_timeline(context: &Context) -> Result<(), Error> {
    let reason = if context.trace || context.style.format != Format::Table {
        "--timeline is a picture, and has no other format"
    } else if context.quiet {
        "--timeline and --quiet exclude each other"
    } else if !context.style.terminal {
        "--timeline draws on a terminal, and standard output is none: --format jsonl records what happens, \
         and --format trace does for a trace viewer"
    } else if std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb") {
        "--timeline cannot draw on this terminal, as TERM has it: --format jsonl and --format trace record \
         what happens"
    } else {
        return Ok(());
    };
    Err(Error::Usage(reason.to_owned()))
}
