//! The arguments of `watch`, and what they amount to.

use super::target::Target;
use crate::commands::{complete, values};
use crate::error::Error;
use crate::model::{Interest, Readiness};
use crate::selector::{Backend, Trigger};
use clap::builder::{OsStringValueParser, TypedValueParser as _};
use clap_complete::ArgValueCompleter;
use std::ffi::OsStr;
use std::time::Duration;

/// Watch fds become ready, and see how long they wait for it to be noticed
///
/// Shows the moments when fds become readable, writable or hung up, and for how long: fdscope's own
/// ones, which it inherits or opens, and those of other processes, which it looks at without
/// holding or reading them. What happens faster than it looks is not seen.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// An inherited fd such as 0, PID:FDS, PID:all, NAME:FDS, a PATH to open (r:, w: or rw: before it),
    /// tcp:HOST:PORT, udp:HOST:PORT or unix:PATH to connect to
    #[arg(value_name = "TARGET", required = true, add = ArgValueCompleter::new(complete::watch_targets),
          value_parser = OsStringValueParser::new().try_map(|text| Target::parse(&text)))]
    pub(super) targets: Vec<Target>,

    /// The selector to look with; with several, all look at the same moments
    #[arg(
        long = "with",
        short = 'w',
        value_name = "SELECTOR",
        value_delimiter = ',',
        default_value = "auto",
        help_heading = "Looking",
        add = ArgValueCompleter::new(|current: &OsStr| complete::each_once::<With>(current, "auto"))
    )]
    pub(super) with: Vec<With>,
    /// What is reported: what is in force (level), what comes (edge), or the first that comes (oneshot);
    /// only level tells when it is over [default: level, with mio edge]
    #[arg(long, value_name = "TRIGGER", help_heading = "Looking")]
    trigger: Option<Trigger>,
    /// Which conditions to ask for: in, out, pri, rdhup [default: out for what is open for writing
    /// alone, in,pri,rdhup otherwise, and out too for what is connected to]
    #[arg(long, short = 'e', value_name = "EVENTS", help_heading = "Looking",
          add = ArgValueCompleter::new(complete::conditions))]
    pub(super) events: Option<Interest>,
    /// How often to look at what cannot be waited for: whether what is ready still is, and fds of other
    /// processes by select and poll. Times are as exact as this, and shorter ones cost more
    #[arg(long, value_name = "TIME", help_heading = "Looking", value_parser = values::period,
          default_value = "10ms")]
    pub(super) interval: Duration,
    /// Connect again so long after a connection has failed; without, that is the end of it
    #[arg(long, value_name = "TIME", help_heading = "Looking", value_parser = values::period)]
    pub(super) retry: Option<Duration>,
    /// Show every return of the selector, at most one an interval, instead of what changes
    #[arg(long, help_heading = "Looking")]
    pub(super) repeat: bool,

    /// Read and discard what comes on fdscope's own fds, so that they become clear; never those of other
    /// processes
    #[arg(long, help_heading = "Reading")]
    drain: bool,
    /// Copy what comes on fdscope's own fds to standard output; events go to standard error
    #[arg(long, help_heading = "Reading")]
    pub(super) tee: bool,

    /// End with status 0 when this is seen of any target
    #[arg(long, short = 'u', value_name = "EVENT", help_heading = "Ending")]
    pub(super) until: Option<Until>,
    /// End after this time, with status 124
    #[arg(long, short = 't', value_name = "TIME", help_heading = "Ending", value_parser = values::period)]
    pub(super) timeout: Option<Duration>,
    /// End with status 0 after so many events, not counting armed, timeout and summary
    #[arg(long, short = 'n', value_name = "N", help_heading = "Ending",
          value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) count: Option<u64>,

    /// Draw a row an fd, with time running to the right: when it is readable, writable or hung up. A
    /// column is the interval, but no less than 100ms. On a terminal only; elsewhere see --format jsonl
    /// and --format trace
    #[arg(long, help_heading = "Output", conflicts_with = "tee")]
    pub(super) timeline: bool,
}

const EXAMPLES: &str = "\
Examples:
  fdscope watch 4242:7                                when is this fd readable, and who lets it wait
  fdscope watch nginx:all                             everything that these processes hold
  fdscope watch tcp:localhost:80 --retry 1s -u ready  wait until the port answers
  fdscope watch 0 --with select,poll,epoll            which selector says what of standard input
  fdscope watch nginx:all --timeline                  the same as a picture that moves
  fdscope watch 4242:all --format trace > trace.json  a recording for ui.perfetto.dev";

/// Selectors, as users name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum With {
    /// epoll; what epoll refuses is shown as what it is
    Auto,
    /// select(2)
    Select,
    /// poll(2)
    Poll,
    /// epoll(7)
    Epoll,
    /// mio, which is edge-triggered epoll in Rust's event loops
    Mio,
}

/// Events that can be waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Until {
    /// A condition comes
    Ready,
    /// A condition goes
    Clear,
    /// The other end hangs up
    Hup,
    /// It is closed, or its process ends
    Closed,
    /// An error is pending
    Error,
}

impl Until {
    /// Whether an event of this name is it, seen with this in force.
    pub(super) fn is_met_by(self, event: &str, readiness: Readiness) -> bool {
        match self {
            // Data and the end may come at once, and the event is named for the end then.
            Self::Ready => event == "ready" || event == "hup" && readiness.contains(Readiness::IN),
            Self::Clear => event == "clear",
            Self::Hup => event == "hup",
            Self::Closed => matches!(event, "closed" | "exited"),
            Self::Error => event == "error",
        }
    }
}

impl Args {
    /// The selectors, each with its trigger, and whether what epoll refuses is let pass.
    pub(super) fn lookouts(&self) -> Result<(Vec<(Backend, Trigger)>, bool), Error> {
        let auto = self.with.contains(&With::Auto);
        if auto && self.with.len() > 1 {
            return Err(Error::Usage("--with auto stands alone".to_owned()));
        }
        let mut lookouts: Vec<(Backend, Trigger)> = Vec::new();
        for with in &self.with {
            let backend = match with {
                With::Auto | With::Epoll => Backend::Epoll,
                With::Select => Backend::Select,
                With::Poll => Backend::Poll,
                With::Mio => Backend::Mio,
            };
            if lookouts.iter().any(|(other, _)| *other == backend) {
                return Err(Error::Usage(format!("--with names {} twice", backend.name())));
            }
            let capabilities = backend.capabilities();
            let usual = if capabilities.level { Trigger::Level } else { Trigger::Edge };
            let trigger = self.trigger.unwrap_or(usual);
            let want = self.events.unwrap_or(Interest::IN);
            backend.check(want, trigger).map_err(|e| Error::Usage(e.to_string()))?;
            lookouts.push((backend, trigger));
        }
        Ok((lookouts, auto))
    }

    /// Whether what comes on our own fds is read.
    pub(super) fn drains(&self) -> bool {
        self.drain || self.tee
    }
}
