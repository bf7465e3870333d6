//! The arguments of `loops`.

use crate::commands::{complete, values};
use crate::error::Error;
use crate::proc::Target;
use clap_complete::engine::ArgValueCandidates;
use std::time::Duration;

/// Show the event loops of a process, and whether they stall
///
/// For each epoll fd, and each thread that waits in poll or select: what it watches, what is ready now,
/// and who waits in it. With --for or --watch, each loop is judged: idle, busy, or stalled while clients
/// wait, on which fds, and what its thread does meanwhile. Nothing is read, held or stopped: a
/// duplicate of an fd is polled, without waiting, and closed at once.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[command(group(clap::ArgGroup::new("judging").args(["time", "watch"]).multiple(true)))]
pub struct Args {
    /// A pid, PID:FDS such as 4242:6 for the loop of that epoll fd, or a command name
    #[arg(value_name = "TARGET", required = true, add = ArgValueCandidates::new(complete::pids))]
    pub(super) targets: Vec<Target>,

    /// Judge the loops for this long; status 1 if one stalled
    #[arg(long = "for", value_name = "TIME", value_parser = values::period, help_heading = "Judging")]
    pub(super) time: Option<Duration>,
    /// Judge the loops until SIGINT, or until the processes have ended
    #[arg(long, help_heading = "Judging")]
    pub(super) watch: bool,
    /// A loop that serves nothing for this long, though something waits, is stalled
    #[arg(long, value_name = "TIME", value_parser = values::period, default_value = "100ms",
          requires = "judging", help_heading = "Judging")]
    pub(super) stall: Duration,
    /// How often to look. Times are as exact as this. Where looking would take more than a tenth of the time,
    /// it is done less often, which is said
    #[arg(long, value_name = "TIME", value_parser = values::period, default_value = "10ms",
          requires = "judging", help_heading = "Judging")]
    pub(super) interval: Duration,

    /// List all that a loop watches: without, of more than 20 fds, those that are ready or stale and some of
    /// the others. JSON always has all
    #[arg(long, short = 'a', help_heading = "Output", conflicts_with = "judging")]
    pub(super) all: bool,
}

const EXAMPLES: &str = "\
Examples:
  fdscope loops 4242                           what its event loops watch, and what is ready now
  fdscope loops 4242 --for 10s                 do they stall, on what, and what blocks them
  fdscope loops nginx --watch                  the same, of all workers, until Ctrl-C
  fdscope loops 4242 --for 10s --stall 200ms || page-someone";

/// How many looks there must be in the time of a stall, for one to be told from none.
const LOOKS: u32 = 3;

impl Args {
    /// Whether loops are judged, rather than looked at once.
    pub(super) fn judges(&self) -> bool {
        self.watch || self.time.is_some()
    }

    /// Whether the times fit together.
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.stall < self.interval * LOOKS {
            return Err(Error::Usage(format!(
                "--stall {:?} takes an --interval of {:?} or less, not {:?}: a stall is seen in {LOOKS} looks at least",
                self.stall,
                self.stall / LOOKS,
                self.interval
            )));
        }
        if let Some(time) = self.time.filter(|&time| time <= self.stall) {
            return Err(Error::Usage(format!(
                "--for {time:?} is too short to see a stall of {:?} (--stall)",
                self.stall
            )));
        }
        Ok(())
    }
}
