//! What is measured, as the user says it.

use super::kind::Kind;
use super::way::Choice;

/// Which selectors are measured, with which fds.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What to measure")]
pub(in super::super) struct Options {
    /// Which selectors; epoll means level, edge and oneshot [default: all]
    #[arg(long, short = 's', value_name = "SELECTOR", value_delimiter = ',')]
    pub(super) selector: Vec<Choice>,
    /// How many fds are watched [default: 10,100,1000,10000]
    #[arg(long, short = 'f', value_name = "N", value_delimiter = ',',
          value_parser = clap::value_parser!(u32).range(1..))]
    fds: Vec<u32>,
    /// How many of them become ready at a time [default: 1,100]
    #[arg(long, short = 'a', value_name = "N", value_delimiter = ',',
          value_parser = clap::value_parser!(u32).range(1..))]
    active: Vec<u32>,
    /// What the fds are
    #[arg(long, short = 'k', value_name = "KIND", default_value = "eventfd")]
    pub(super) kind: Kind,
}

/// How many fds are watched, and how many are active, unless somebody says how many.
const FDS: [u32; 4] = [10, 100, 1000, 10_000];
const ACTIVE: [u32; 2] = [1, 100];

impl Options {
    /// How many fds are watched.
    pub(super) fn fds(&self) -> &[u32] {
        if self.names_fds() { &self.fds } else { &FDS }
    }

    /// Whether somebody has said how many.
    pub(super) fn names_fds(&self) -> bool {
        !self.fds.is_empty()
    }

    /// How many of them become ready at a time.
    pub(super) fn active(&self) -> &[u32] {
        if self.names_active() { &self.active } else { &ACTIVE }
    }

    /// Whether somebody has said how many.
    pub(super) fn names_active(&self) -> bool {
        !self.active.is_empty()
    }
}
