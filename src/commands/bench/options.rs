//! The arguments of `bench`.

use super::{selectors, servers};
use crate::commands::values;
use clap::ValueHint;
use clap::builder::ArgPredicate;
use std::path::PathBuf;
use std::time::Duration;

/// Measure what select, poll, epoll and mio cost on this machine
///
/// Many fds, of which some become ready at a time, in the manner of libevent's own benchmark: what
/// an event costs with all that there is to do for it, a wait and a registration, how much CPU time
/// an event takes that wakes the thread up, and how often that happens. Takes about 8 s. Every event
/// is counted, and one that does not come is an error.
///
/// With --servers, the same small service in three ways instead: with a thread for each connection,
/// a process for each, or one event loop for all. What they answer in a second, how long clients
/// wait, and what the server takes for it. Takes about 12 s. Every answer is looked at, and one that
/// is wrong or does not come is an error.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    pub(super) selectors: selectors::Options,
    #[command(flatten)]
    pub(super) extent: Extent,
    #[command(flatten)]
    pub(super) servers: servers::Options,

    /// Draw it into this file, as SVG; not with --servers
    #[arg(long, value_name = "FILE.svg", value_hint = ValueHint::FilePath, help_heading = "Output")]
    pub(super) plot: Option<PathBuf>,
}

/// How much is measured.
#[derive(Clone, Copy, Debug, clap::Args)]
#[command(next_help_heading = "What to measure")]
pub(super) struct Extent {
    /// How often everything is measured; the median is shown
    #[arg(long, short = 'r', value_name = "N", default_value_t = 5,
          value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(super) runs: u32,
    /// For how long all in all, about; with --servers 9s unless it is given, and their start
    #[arg(long = "for", value_name = "TIME", value_parser = values::period, default_value = "7s",
          default_value_if("servers", ArgPredicate::IsPresent, "9s"))]
    pub(super) time: Duration,
}

const EXAMPLES: &str = "\
Examples:
  fdscope bench                                 select, poll, epoll and mio, with 10 to 10000 fds
  fdscope bench --fds 1000 --active 1,10,100    the same fds, more and more of them busy
  fdscope bench --selector poll,epoll --json    two of them, for a program
  fdscope bench --servers                       threads, processes or an event loop: when which
  fdscope bench --servers --load compute        what others wait for while a server computes";
