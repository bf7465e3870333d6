//! What is measured, as the user says it.

use super::load::Load;
use crate::commands::listen::Model;
use crate::commands::values;
use std::time::Duration;

/// Which servers are measured, and with which load.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Servers")]
#[group(skip)]
pub(in super::super) struct Options {
    /// Measure servers instead: threads, processes and an event loop, with the same small service
    #[arg(long, conflicts_with_all = ["selector", "fds", "active", "kind", "plot"])]
    pub(in super::super) servers: bool,
    /// Which models of fdscope listen [default: all]
    #[arg(long, short = 'm', value_name = "MODEL", value_delimiter = ',', requires = "servers")]
    pub(super) model: Vec<Model>,
    /// What the clients do [default: all]
    #[arg(long, short = 'l', value_name = "LOAD", value_delimiter = ',', requires = "servers")]
    pub(super) load: Vec<Load>,
    /// How many connections are open [default: 10,100,1000]
    #[arg(long, short = 'c', value_name = "N", value_delimiter = ',',
          requires = "servers", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    connections: Vec<u32>,
    /// How many of them ask, each again as soon as it has its answer; all, if there are fewer
    #[arg(long, short = 'b', value_name = "N", default_value_t = 10, requires = "servers",
          value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) busy: u32,
    /// How many threads the clients have [default: half as many as there are processors]
    #[arg(long, value_name = "N", requires = "servers", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(super) clients: Option<u32>,
    /// How long the server computes, in compute: time of a processor, for each request of --computing
    #[arg(long, value_name = "TIME", default_value = "10ms", requires = "servers", value_parser = compute)]
    pub(super) compute: Duration,
    /// How many of the busy connections have every request computed, in compute
    #[arg(long, value_name = "N", default_value_t = 1, requires = "servers",
          value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) computing: u32,
}

/// How many connections are open, unless somebody says how many.
const USUAL: [u32; 3] = [10, 100, 1000];

impl Options {
    /// How many connections are open.
    pub(super) fn connections(&self) -> &[u32] {
        if self.connections.is_empty() { &USUAL } else { &self.connections }
    }

    /// Whether somebody has said how many.
    pub(super) fn names_connections(&self) -> bool {
        !self.connections.is_empty()
    }
}

/// The longest time that is computed: answers are waited for.
const LONGEST: Duration = Duration::from_secs(1);

fn compute(text: &str) -> Result<Duration, String> {
    let time = values::period(text)?;
    if time > LONGEST { Err(format!("'{text}' is more than {LONGEST:?}")) } else { Ok(time) }
}
