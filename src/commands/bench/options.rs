//! The arguments of `bench`.

use super::{selectors, servers};

/// Measure what select, poll, epoll and mio cost on this machine
///
/// Many fds, of which some become ready at a time, in the manner of libevent's own benchmark: what
/// an event costs, a wait and a registration, with all that there is to do for it, how much CPU
/// time that takes and how often the thread is woken up for it. Takes about 8 s. Every event is
/// counted, and one that does not come is an error.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    pub(super) selectors: selectors::Options,
    #[command(flatten)]
    pub(super) servers: servers::Options,
}

const EXAMPLES: &str = "\
Examples:
  fdscope bench                                 select, poll, epoll and mio, with 10 to 10000 fds
  fdscope bench --fds 1000 --active 1,10,100    the same fds, more and more of them busy
  fdscope bench --selector poll,epoll --json    two of them, for a program";
