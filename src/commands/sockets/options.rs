//! The arguments of `sockets`, and which sockets they mean.

use super::families;
use super::pattern::{Pattern, port};
use super::select::Selection;
use crate::commands::{complete, processes};
use crate::context::Context;
use crate::model::{Family, FdNum, FdRanges};
use crate::proc::Target;
use crate::sock::States;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap_complete::engine::{ArgValueCandidates, ArgValueCompleter};
use std::io;
use std::num::NonZero;
use std::path::Path;

/// List sockets, with who holds each and who is at its other end
///
/// All sockets of all network namespaces that may be entered: those that listen, those that are
/// connected, and those that nobody holds any more or yet. The kernel is asked for them by
/// sock_diag(7), and /proc is looked through for whose they are. Nothing is held and nothing is read
/// from a socket.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Only sockets with an end here: ADDRESS, ADDRESS:PORT, :PORT, NETWORK/BITS, /PATH, @NAME or
    /// vsock:CID:PORT; several are alternatives
    #[arg(value_name = "FILTER")]
    pub(super) filters: Vec<Pattern>,

    /// Only listeners, with how many connections wait and how many may
    #[arg(long, short = 'l', help_heading = "Selecting", conflicts_with = "state")]
    pub(super) listening: bool,
    /// Only these states
    #[arg(long, short = 's', value_name = "STATE", value_delimiter = ',', help_heading = "Selecting",
          value_parser = PossibleValuesParser::new(States::words()).map(|word| word))]
    pub(super) state: Vec<String>,
    /// Only these families; tcp, udp and the like take both IPv4 and IPv6
    #[arg(long, short = 'f', value_name = "FAMILY", value_delimiter = ',', help_heading = "Selecting",
          value_parser = PossibleValuesParser::new(families::words()).map(|word| word))]
    pub(super) family: Vec<String>,
    /// Only sockets whose own port is this
    #[arg(long, short = 'p', value_name = "PORT", value_delimiter = ',', help_heading = "Selecting",
          value_parser = port)]
    pub(super) port: Vec<NonZero<u16>>,
    /// Only sockets whose other end is here, written like a FILTER
    #[arg(long, value_name = "FILTER", help_heading = "Selecting")]
    pub(super) remote: Vec<Pattern>,
    /// Only sockets that this process holds: a pid, PID:FDS or a command name
    #[arg(long, value_name = "TARGET", help_heading = "Selecting", add = ArgValueCandidates::new(complete::pids))]
    pub(super) process: Vec<Target>,
    /// Only this network namespace: its name, its inode, a process in it, or 'own'
    #[arg(long, value_name = "NETNS", help_heading = "Selecting")]
    pub(super) netns: Vec<String>,
    /// Only what this is true of: 'tcp.retransmits > 0'; see fdscope-sockets(1)
    #[arg(
        long = "where",
        short = 'w',
        value_name = "EXPR",
        help_heading = "Selecting",
        allow_hyphen_values = true
    )]
    pub(super) where_: Option<String>,

    /// Which fields, in which order; +NAME adds to the usual ones, 'help' lists all
    #[arg(long, short = 'c', value_name = "FIELDS", help_heading = "Output", allow_hyphen_values = true,
          add = ArgValueCompleter::new(complete::socket_columns))]
    pub(super) columns: Option<String>,
    /// More fields: type, user, inode, timers, memory, round-trip times, retransmits and others
    #[arg(long, help_heading = "Output", conflicts_with = "columns")]
    pub(super) wide: bool,
    /// Count by family and state, instead of listing
    #[arg(long, help_heading = "Output", conflicts_with_all = ["columns", "wide", "close"])]
    pub(super) summary: bool,

    /// Close what is selected, as if a reset had come (SOCK_DESTROY): TCP and UDP only
    #[arg(long, help_heading = "Closing", conflicts_with = "columns")]
    pub(super) close: bool,
    /// Do not ask before closing
    #[arg(long, short = 'y', help_heading = "Closing", requires = "close")]
    pub(super) yes: bool,
}

const EXAMPLES: &str = "\
Examples:
  fdscope sockets --listening          who listens where, and how full the queues are
  fdscope sockets :5432                who talks to port 5432, on either end
  fdscope sockets --process nginx      the sockets of one program
  fdscope sockets --state close-wait   who forgets to close
  fdscope sockets --summary            how many of what";

impl Args {
    /// Whether anything is said of which sockets are meant. Where they are does not tell which.
    pub(super) fn selects(&self) -> bool {
        let lists = [&self.state, &self.family];
        self.listening
            || lists.iter().any(|list| !list.is_empty())
            || !self.filters.is_empty()
            || !self.port.is_empty()
            || !self.remote.is_empty()
            || !self.process.is_empty()
            || self.where_.is_some()
    }

    /// What is asked for. Of processes that are not there, or whose fds may not be read, the user is
    /// told.
    pub(super) fn selection(&self, context: &Context) -> Selection {
        let states = if self.listening { vec!["listen".to_owned()] } else { self.state.clone() };
        let (named, mut missing) = processes::named(context, &self.process);
        for (pid, target) in &named {
            let fds = context.root.join(format!("{pid}/fd"));
            if let Err(e) = can_read(&fds, target.fds.as_ref()) {
                context.complain(&format!("the fds of process {pid} cannot be read: {e}"));
                missing += 1;
            }
        }
        let processes = named.into_iter().map(|(pid, target)| (pid, target.fds.clone())).collect();
        let patterns = || self.filters.iter().chain(&self.remote);
        let mut families = families::chosen(&self.family);
        if patterns().next().is_some() {
            families.retain(|family| {
                let takes =
                    |patterns: &[Pattern]| patterns.is_empty() || patterns.iter().any(|p| p.takes(*family));
                takes(&self.filters) && takes(&self.remote)
            });
        }
        Selection {
            kernels: families.len() < Family::ALL.len() && families.contains(&Family::Netlink),
            families,
            states,
            ports: self.port.iter().map(|port| port.get()).collect(),
            filters: self.filters.clone(),
            remotes: self.remote.clone(),
            processes: (!self.process.is_empty()).then_some(processes),
            missing,
        }
    }
}

/// Whether the fds below a directory may be read: it may be listed where its links may not be followed.
fn can_read(fds: &Path, wanted: Option<&FdRanges>) -> io::Result<()> {
    let mut refused = None;
    for entry in std::fs::read_dir(fds)? {
        let Ok(entry) = entry else { continue };
        let number = entry.file_name().to_str().and_then(|name| name.parse().ok()).map(FdNum);
        if !number.is_some_and(|fd| wanted.is_none_or(|wanted| wanted.contains(fd))) {
            continue;
        }
        match entry.path().read_link() {
            Err(e) if e.kind() == io::ErrorKind::PermissionDenied => refused = Some(e),
            // What may be read of one, may be read of all.
            Ok(_) => return Ok(()),
            Err(_) => {}
        }
    }
    refused.map_or(Ok(()), Err)
}
