//! `fdscope sockets`: every socket, who holds it, and who is at its other end.

mod close;
mod families;
mod gather;
mod pattern;
mod row;
mod select;
mod summary;

use super::columns::{self, Choice};
use super::{complete, processes};
use crate::context::Context;
use crate::error::{Error, Outcome};
use crate::kind::TcpFields;
use crate::model::{Column, Family, Field};
use crate::proc::{Place, System, Target, networks, run_ordered};
use crate::query::{Evaluator, Where};
use crate::render::{Batch, Format, Renderer, Writer};
use crate::sock::{Pairs, Request, States};
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap_complete::engine::{ArgValueCandidates, ArgValueCompleter};
use gather::{Data, Wanted, gather};
use pattern::Pattern;
use row::Row;
use select::{Filler, Selection, order};
use std::num::NonZero;
use std::sync::Arc;

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
    filters: Vec<Pattern>,

    /// Only listeners, with how many connections wait and how many may
    #[arg(long, short = 'l', help_heading = "Selecting", conflicts_with = "state")]
    listening: bool,
    /// Only these states
    #[arg(long, short = 's', value_name = "STATE", value_delimiter = ',', help_heading = "Selecting",
          value_parser = PossibleValuesParser::new(States::words()).map(|word| word))]
    state: Vec<String>,
    /// Only these families; tcp, udp and the like take both IPv4 and IPv6
    #[arg(long, short = 'f', value_name = "FAMILY", value_delimiter = ',', help_heading = "Selecting",
          value_parser = PossibleValuesParser::new(families::words()).map(|word| word))]
    family: Vec<String>,
    /// Only sockets whose own port is this
    #[arg(long, short = 'p', value_name = "PORT", value_delimiter = ',', help_heading = "Selecting")]
    port: Vec<NonZero<u16>>,
    /// Only sockets whose other end is here, written like a FILTER
    #[arg(long, value_name = "FILTER", help_heading = "Selecting")]
    remote: Vec<Pattern>,
    /// Only sockets that this process holds: a pid, PID:FDS or a command name
    #[arg(long, value_name = "TARGET", help_heading = "Selecting", add = ArgValueCandidates::new(complete::pids))]
    process: Vec<Target>,
    /// Only this network namespace: its name, its inode, a process in it, or 'own'
    #[arg(long, value_name = "NETNS", help_heading = "Selecting")]
    netns: Vec<String>,
    /// Only what this is true of: 'tcp.retransmits > 0'; see fdscope-sockets(1)
    #[arg(
        long = "where",
        short = 'w',
        value_name = "EXPR",
        help_heading = "Selecting",
        allow_hyphen_values = true
    )]
    where_: Option<String>,

    /// Which fields, in which order; +NAME adds to the usual ones, 'help' lists all
    #[arg(long, short = 'c', value_name = "FIELDS", help_heading = "Output", allow_hyphen_values = true,
          add = ArgValueCompleter::new(complete::socket_columns))]
    columns: Option<String>,
    /// More fields: type, user, inode, timers, memory, round-trip times, retransmits and others
    #[arg(long, help_heading = "Output", conflicts_with = "columns")]
    wide: bool,
    /// Count by family and state, instead of listing
    #[arg(long, help_heading = "Output", conflicts_with_all = ["columns", "wide", "close"])]
    summary: bool,

    /// Close what is selected, as if a reset had come (SOCK_DESTROY): TCP and UDP only
    #[arg(long, help_heading = "Closing", conflicts_with = "columns")]
    close: bool,
    /// Do not ask before closing
    #[arg(long, short = 'y', help_heading = "Closing", requires = "close")]
    yes: bool,
}

const EXAMPLES: &str = "\
Examples:
  fdscope sockets --listening          who listens where, and how full the queues are
  fdscope sockets :5432                who talks to port 5432, on either end
  fdscope sockets --process nginx      the sockets of one program
  fdscope sockets --state close-wait   who forgets to close
  fdscope sockets --summary            how many of what";

const TABLE: &[&str] = &["family", "state", "recv_queue", "send_queue", "local", "remote", "owners", "peers"];
const LISTENERS: &[&str] = &["family", "recv_queue", "local", "owners"];
const WIDE: &[&str] = &[
    "family",
    "type",
    "state",
    "recv_queue",
    "send_queue",
    "local",
    "remote",
    "owners",
    "peers",
    "user",
    "inode",
    "timer.kind",
    "timer.expires",
    "tcp.rtt",
    "tcp.cwnd",
    "tcp.retransmits",
    "tcp.last_data_sent",
    "tcp.last_data_received",
    "memory.received",
    "memory.queued",
];
const RECORD: &[&str] = &[
    "family",
    "type",
    "state",
    "recv_queue",
    "send_queue",
    "listener.waiting",
    "listener.max",
    "listener.drops",
    "local",
    "local_port",
    "remote",
    "remote_port",
    "owners",
    "unowned",
    "peers",
    "pending",
    "netns",
    "netns_name",
    "inode",
    "uid",
];
/// What JSON has of `tcp` and of others; the rest comes with `--wide`.
const JSON: &[&str] = &[
    "tcp.rtt",
    "tcp.cwnd",
    "tcp.retransmits",
    "tcp.timeouts",
    "tcp.unacked",
    "tcp.bytes_sent",
    "tcp.bytes_acked",
    "tcp.bytes_received",
    "tcp.last_data_sent",
    "tcp.last_data_received",
    "tcp.rwnd_limited",
    "tcp.congestion_control",
];

/// The fields of `sockets`, for completion and the manual.
pub(super) fn fields() -> impl Iterator<Item = &'static Field> {
    row::columns().into_iter().map(|column| column.field)
}

/// Runs `fdscope sockets`.
pub fn run(args: Args, context: &mut Context) -> Result<Outcome, Error> {
    let all = row::columns();
    let query = args.where_.as_deref().map(|text| Where::compile(text, &all)).transpose();
    let query = query.map_err(Error::Usage)?;
    let default = default_columns(&args, context.style.format, &all);
    let mut columns = match &args.columns {
        Some(spec) => match columns::choose(spec, &default, &all)? {
            Choice::Help => return columns::help(context, "sockets", &all),
            Choice::Columns(columns) => columns,
        },
        None => default,
    };
    if args.close {
        close::check(&args)?;
    }
    let mut wanted: Vec<&str> = Vec::new();
    if !args.summary {
        wanted.extend(columns.iter().map(|c| c.field.name));
    }
    wanted.extend(query.iter().flat_map(Where::fields).map(|f| f.name));
    let is_wanted = |names: &[&str]| wanted.iter().any(|name| names.contains(name));
    let system = System::new(context.root.clone(), is_wanted(&["user"]));

    let places = places(&args, context, &system)?;
    let selection = selection(&args, context)?;
    // Who is at the other end is seen among all sockets, not only among those that are asked for.
    let names_other_ends = args.filters.iter().chain(&args.remote).any(|p| matches!(p, Pattern::Unix { .. }));
    let pairs = names_other_ends || (is_wanted(&["peers", "pending", "remote"]) && !args.listening);
    let owners = is_wanted(&["owners", "unowned", "peers"]) || !args.process.is_empty();
    let request = request(&args, &selection, pairs, wanted.iter().any(|name| row::is_detail(name)));
    let wants = Wanted { request, owners, owners_of_these: args.listening };
    let (data, mut nets) = gather(&places, &wants, &system, context)?;
    let data = Arc::new(data);

    let several = data.sockets.iter().filter(|sockets| !sockets.is_empty()).count() > 1;
    if several && context.style.format == Format::Table && args.columns.is_none() && !args.summary {
        columns.splice(..0, all.iter().copied().filter(|c| c.field.name == "netns"));
    }
    if context.style.format == Format::Table {
        columns::for_people(&mut columns, row::SHOWN_COLUMNS);
    }
    let tcp = TcpFields::new(|name| wanted.contains(&name));
    let index = pairs.then(|| Pairs::new(&data.sockets));
    let renderer = Renderer::new(context.style, "sockets", columns, false);
    let work = Work {
        data: &data,
        selection: &selection,
        query: query.as_ref(),
        renderer: (!args.close && !args.summary).then_some(&renderer),
        filler: Filler {
            data: &data,
            pairs: index.as_ref(),
            tcp: &tcp,
            system: &system,
            wants_user: is_wanted(&["user"]),
            wants_cgroup: is_wanted(&["cgroup"]),
            wants_words: context.style.format == Format::Table,
        },
    };
    let order = order(&data);
    let parts: Vec<&[(usize, usize)]> = order.chunks(PART).collect();
    let mut chosen = Vec::new();
    let mut writer = Writer::new(&renderer, &mut context.out);
    run_ordered(
        &parts,
        || work.worker(),
        |worker, part| worker.run(part),
        |(part, batch)| {
            chosen.extend(part);
            if work.renderer.is_some() { writer.write(&batch) } else { Ok(()) }
        },
    )
    .map_err(Error::Output)?;
    if work.renderer.is_some() {
        writer.finish(data.tally).map_err(Error::Output)?;
    }
    if let Some(fault) = query.as_ref().and_then(Where::fault) {
        return Err(Error::Usage(format!("--where: no record can be asked this: {fault}")));
    }
    if args.close {
        return close::run(&chosen, &work.filler, &mut nets, args.yes, context);
    }
    if args.summary {
        summary::write(&chosen, &data, context).map_err(Error::Output)?;
    }
    match chosen.len() {
        _ if selection.missing > 0 || (data.unread > 0 && !args.netns.is_empty()) => Err(Error::Target),
        0 => Ok(Outcome::NotMet),
        _ => Ok(Outcome::Met),
    }
}

/// How many sockets a thread takes at a time.
const PART: usize = 512;

/// Choosing sockets, and making records of them.
struct Work<'w> {
    data: &'w Arc<Data>,
    selection: &'w Selection,
    query: Option<&'w Where<Row>>,
    /// Nothing where no records are wanted.
    renderer: Option<&'w Renderer<Row>>,
    filler: Filler<'w>,
}

/// One thread's tools.
struct Worker<'w> {
    work: &'w Work<'w>,
    row: Row,
    evaluator: Option<Evaluator<'w, Row>>,
}

impl<'w> Work<'w> {
    fn worker(&'w self) -> Worker<'w> {
        Worker { work: self, row: Row::new(self.data), evaluator: self.query.map(Where::evaluator) }
    }
}

impl Worker<'_> {
    /// Those of some sockets that are chosen, and their records.
    fn run(&mut self, part: &[(usize, usize)]) -> (Vec<(usize, usize)>, Batch) {
        let work = self.work;
        let mut batch = Batch::default();
        let mut chosen = Vec::with_capacity(part.len());
        for &(place, nth) in part {
            if !work.selection.may_take(&work.data.sockets[place][nth]) {
                continue;
            }
            work.filler.fill(&mut self.row, place, nth);
            if work.selection.takes(&self.row) && self.evaluator.as_ref().is_none_or(|e| e.matches(&self.row))
            {
                chosen.push((place, nth));
                if let Some(renderer) = work.renderer {
                    renderer.push(&mut batch, &self.row);
                }
            }
        }
        (chosen, batch)
    }
}

fn default_columns(args: &Args, format: Format, all: &[Column<Row>]) -> Vec<Column<Row>> {
    let names: Vec<&str> = match format {
        Format::Table if args.wide => WIDE.to_vec(),
        Format::Table if args.listening => LISTENERS.to_vec(),
        Format::Table => TABLE.to_vec(),
        Format::Tsv if args.wide => all.iter().map(|c| c.field.name).collect(),
        Format::Tsv => RECORD.to_vec(),
        Format::Json | Format::Jsonl if args.wide => all.iter().map(|c| c.field.name).collect(),
        Format::Json | Format::Jsonl => [RECORD, JSON].concat(),
    };
    names.into_iter().filter_map(|name| all.iter().copied().find(|c| c.field.name == name)).collect()
}

/// What the kernel is asked for.
fn request(args: &Args, selection: &Selection, pairs: bool, detail: bool) -> Request {
    let mut families: Vec<Family> =
        Family::ALL.iter().copied().filter(|f| selection.families.contains(f)).collect();
    let mut request = Request { families: Vec::new(), states: States::ALL, port: None, detail };
    if pairs {
        // The other end of a socket of IPv6 may be one of IPv4.
        for family in [Family::Tcp, Family::Udp, Family::Udplite, Family::Mptcp] {
            let other = Family::six(family);
            if let (true, Some(other)) = (families.contains(&family), other)
                && !families.contains(&other)
            {
                families.push(other);
            } else if let Some(other) = other
                && families.contains(&other)
                && !families.contains(&family)
            {
                families.push(family);
            }
        }
    } else {
        if let Some(states) =
            selection.states.iter().filter_map(|word| States::of(word)).reduce(States::union)
        {
            request.states = states;
        }
        if let [port] = args.port[..] {
            request.port = Some(port);
        }
    }
    request.families = families;
    request
}

/// The namespaces that are meant.
fn places(args: &Args, context: &Context, system: &System) -> Result<Vec<Place>, Error> {
    let all = networks(system).map_err(|e| Error::Io(context.root.path().display().to_string(), e))?;
    if args.netns.is_empty() {
        return Ok(all);
    }
    let mut missing = false;
    let mut wanted = vec![false; all.len()];
    for word in &args.netns {
        let mut found = false;
        for (place, wanted) in all.iter().zip(&mut wanted) {
            if select::is_called(place, word) {
                (*wanted, found) = (true, true);
            }
        }
        if !found {
            let names = all.iter().filter_map(|place| place.network.name.as_ref());
            let names: Vec<String> = names.map(|name| String::from_utf8_lossy(name).into_owned()).collect();
            let hint = match names.len() {
                0 => "none has a name".to_owned(),
                _ => format!("those with a name are {}", pattern::listed(&names)),
            };
            context.complain(&format!(
                "{word}: there is no such network namespace; it takes a name, an inode, a pid or 'own', and {hint}"
            ));
            missing = true;
        }
    }
    if missing {
        return Err(Error::Target);
    }
    Ok(all.into_iter().zip(wanted).filter_map(|(place, wanted)| wanted.then_some(place)).collect())
}

fn selection(args: &Args, context: &Context) -> Result<Selection, Error> {
    let states = if args.listening { vec!["listen".to_owned()] } else { args.state.clone() };
    let (named, missing) = processes::named(context, &args.process);
    let processes = named.into_iter().map(|(pid, target)| (pid, target.fds.clone())).collect();
    let patterns = || args.filters.iter().chain(&args.remote);
    let mut families = families::chosen(&args.family);
    if patterns().next().is_some() {
        families.retain(|family| {
            let takes =
                |patterns: &[Pattern]| patterns.is_empty() || patterns.iter().any(|p| p.takes(*family));
            takes(&args.filters) && takes(&args.remote)
        });
    }
    Ok(Selection {
        kernels: families.len() < Family::ALL.len() && families.contains(&Family::Netlink),
        families,
        states,
        ports: args.port.iter().map(|port| port.get()).collect(),
        filters: args.filters.clone(),
        remotes: args.remote.clone(),
        processes: (!args.process.is_empty()).then_some(processes),
        missing,
    })
}

impl Args {
    /// Whether anything is said of which sockets are meant.
    fn selects(&self) -> bool {
        let lists = [&self.state, &self.family, &self.netns];
        self.listening
            || lists.iter().any(|list| !list.is_empty())
            || !self.filters.is_empty()
            || !self.port.is_empty()
            || !self.remote.is_empty()
            || !self.process.is_empty()
            || self.where_.is_some()
    }
}
