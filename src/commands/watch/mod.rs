//! `fdscope watch`: readiness as it happens.

mod connect;
mod drain;
mod event;
mod lines;
mod lookout;
mod options;
mod processes;
mod session;
mod stage;
mod subject;
mod target;
mod trace;
mod tracks;

pub(super) use event::fields;
pub use options::Args;

use super::signals::{self, Signals};
use super::sink::Sink;
use crate::context::Context;
use crate::error::{Error, Outcome};
use crate::proc::System;
use crate::render::{Format, Renderer};
use lookout::Lookout;
use nix::sys::signal::Signal;
use session::{Bounds, End, Session};
use stage::{Stage, Wishes};
use std::io::{self, Write};
use trace::Trace;

/// Runs `fdscope watch`.
pub fn run(args: Args, context: &mut Context) -> Result<Outcome, Error> {
    let (lookouts, auto) = args.lookouts()?;
    let caught = signals::catch(&[Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP]);
    let caught = caught.map_err(|e| Error::Io("signals".to_owned(), e))?;
    let system = System::new(context.root.clone(), false);
    let wishes = Wishes { events: args.events, lookouts: lookouts.len() };
    // What was inherited is taken over before anything of ours is opened.
    let stage = Stage::set(&args.targets, wishes, context, &system)?;
    if stage.subjects.is_empty() && !stage.processes.iter().any(|p| p.follow) {
        return Err(Error::Target);
    }
    let _ = raise_limit();
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
        together: table && lookouts.len() > 1,
        events: args.events,
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
    let (out, tee): (&mut dyn Write, Option<&mut dyn Write>) = match (args.tee, context.quiet) {
        (true, true) => (&mut nowhere, Some(&mut context.out)),
        (true, false) => (&mut errors, Some(&mut context.out)),
        (false, true) => (&mut nowhere, None),
        (false, false) => (&mut context.out, None),
    };
    let renderer = Renderer::new(context.style, "watch", event::COLUMNS.to_vec(), false);
    let selectors: Vec<&str> = lookouts.iter().map(|l| l.backend.name()).collect();
    let sink = if context.trace {
        Sink::own(Box::new(Trace::new(out, selectors, args.repeat)))
    } else {
        Sink::new(&renderer, out, lines::line, true, false, false)
    };
    let signals = Signals::open(caught).map_err(|e| Error::Io("signals".to_owned(), e))?;
    let mut session = Session::start(sink, tee, signals, lookouts, stage, &system, bounds)?;
    let end = session.run()?;
    let failed = session.failed();
    session.finish()?;
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

/// As many fd numbers as we may have: each registration is made under its own.
fn raise_limit() -> nix::Result<()> {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard)
}
