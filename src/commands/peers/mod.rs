//! `fdscope peers`: who is connected with whom.
//!
//! `gather` reads the fds that are ends of something, process by process, and follows their peers;
//! `graph` shows each edge once and finds out where it hangs; `looks` looks again, for what is
//! not read. `tree`, `dot` and `record` write it, and `hub` is what many share in a picture.

mod bundle;
mod connection;
mod dot;
mod gather;
mod graph;
mod hub;
mod looks;
mod record;
mod tree;

use super::{complete, kinds, values};
use crate::context::Context;
use crate::error::{Error, Outcome};
use crate::model::Field;
use crate::proc::{System, Target};
use crate::render::{Format, Renderer};
use clap_complete::engine::{ArgValueCandidates, ArgValueCompleter};
use gather::Gatherer;
use graph::Graph;
use std::num::NonZero;
use std::time::Duration;

/// Show who is connected with whom, through what, and what nobody reads
///
/// A line for each fd that is an end of something: a pipe, a socket, a terminal, a shared eventfd or
/// message queue; who has the other end, and how many bytes wait to be read here and there. Without a
/// TARGET, all processes that have a peer.
///
/// To tell what waits in pipes and FIFOs, a duplicate of the fd is held for a call or two, and closed
/// before the next fd is looked at.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A pid, 'self', PID:FDS such as 4242:0,3-7, or a command name
    #[arg(value_name = "TARGET", add = ArgValueCandidates::new(complete::pids))]
    targets: Vec<Target>,

    /// Only these kinds, or groups of kinds, such as pipe,unix or socket
    #[arg(long, short = 'k', value_name = "KIND", value_delimiter = ',', value_parser = kinds::parse,
          help_heading = "Selecting", add = ArgValueCompleter::new(complete::kinds))]
    kind: Vec<String>,
    /// Follow from the TARGET to its peers, to their peers, and so on, so many steps
    #[arg(
        long,
        short = 'd',
        value_name = "N",
        default_value = "1",
        value_parser = parse_depth,
        requires = "targets",
        help_heading = "Selecting"
    )]
    depth: NonZero<u32>,
    /// Look again and again for so long, such as 2s, and say who has read nothing of what lay there
    #[arg(long = "for", value_name = "DURATION", value_parser = values::period, help_heading = "Looking")]
    for_: Option<Duration>,
    /// Only connections of which somebody has read nothing meanwhile
    #[arg(long, requires = "for_", help_heading = "Looking")]
    stuck: bool,
}

/// `--depth`.
fn parse_depth(text: &str) -> Result<NonZero<u32>, String> {
    text.parse().map_err(|_| "a number of steps is a whole number from 1 on".to_owned())
}

const EXAMPLES: &str = "\
Examples:
  fdscope peers 4242                  who is at the other end of its pipes and sockets
  fdscope peers 4242 --depth 3        and at the other ends of those
  fdscope peers 4242 --for 2s         who lets bytes lie there
  fdscope peers --format dot          for dot -Tsvg, a picture";

/// The fields, for the manual.
pub(super) fn fields() -> impl Iterator<Item = &'static Field> {
    record::COLUMNS.iter().map(|column| column.field)
}

/// Runs `fdscope peers`.
pub fn run(args: Args, context: &mut Context) -> Result<Outcome, Error> {
    let system = System::new(context.root.clone(), false).with_peers(true);
    let mut gatherer = Gatherer::new(context, &system, &args.kind, !args.targets.is_empty());
    let gathered = gatherer.gather(&args.targets, args.depth)?;
    let (failed, tally) = (gatherer.failed, gatherer.tally());
    let mut graph = Graph::new(gathered);
    looks::look(&system, &mut graph, args.for_);
    if args.stuck {
        graph.retain(|connection| connection.stuck.is_some());
    }
    let found = !graph.nodes.is_empty();
    if context.dot {
        dot::write(&graph, &mut context.out)
    } else if context.style.format == Format::Table {
        tree::write(&graph, context.style.color, args.for_, &mut context.out)
    } else {
        let renderer = Renderer::new(context.style, "peers", record::COLUMNS.to_vec(), false);
        let connections = graph.nodes.into_iter().flat_map(|node| node.connections);
        renderer.write_all(&mut context.out, connections, tally)
    }
    .map_err(Error::Output)?;
    context.tell_iterator(&system);
    if !found && !failed {
        context.note(match args.stuck {
            true => "as far as can be told, of all that lay there something was read",
            false => "no fd here has another end",
        });
    }
    match (failed, found) {
        (true, _) => Err(Error::Target),
        (false, true) => Ok(Outcome::Met),
        (false, false) => Ok(Outcome::NotMet),
    }
}
