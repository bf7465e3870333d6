//! `fdscope sockets`: every socket, who holds it, and who is at its other end.

mod close;
mod families;
mod fields;
mod gather;
mod namespaces;
mod options;
mod owners;
mod pattern;
mod row;
mod select;
mod summary;
mod unread;
mod work;

pub use options::Args;

use super::columns::{self, Choice};
use crate::context::Context;
use crate::error::{Error, Outcome};
use crate::kind::TcpFields;
use crate::model::{Column, Family, Field};
use crate::proc::{System, run_ordered};
use crate::query::Where;
use crate::render::{Format, Renderer, Writer};
use crate::sock::{Pairs, Request, States};
use gather::{Wanted, gather};
use pattern::Pattern;
use row::Row;
use select::{Filler, Selection, order};
use std::sync::Arc;
use work::{PART, Work};

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

/// Whether `--where` takes an expression.
pub(super) fn check_where(expression: &str) -> Result<(), String> {
    Where::compile(expression, &fields::columns()).map(drop)
}

/// The fields of `sockets`, for completion and the manual.
pub(super) fn all_fields() -> impl Iterator<Item = &'static Field> {
    fields::columns().into_iter().map(|column| column.field)
}

/// The fields of `--summary`, and of `--close`.
pub(super) fn other_fields() -> (Vec<&'static Field>, Vec<&'static Field>) {
    (summary::fields().collect(), close::fields().collect())
}

/// Runs `fdscope sockets`.
pub fn run(args: Args, context: &mut Context) -> Result<Outcome, Error> {
    let all = fields::columns();
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

    let mut places = namespaces::places(&args.netns, context, &system)?;
    let selection = args.selection(context);
    // Who is at the other end is seen among all sockets, not only among those that are asked for.
    let names_other_ends = args.filters.iter().chain(&args.remote).any(|p| matches!(p, Pattern::Unix { .. }));
    let pairs = names_other_ends || (is_wanted(&["peers", "pending", "remote"]) && !args.listening);
    if !pairs {
        places.retain(|(_, meant)| *meant);
    }
    let owners = args.close || is_wanted(&["owners", "unowned", "peers"]) || !args.process.is_empty();
    let request = request(&args, &selection, pairs, wanted.iter().any(|name| fields::is_detail(name)));
    let named = !args.netns.is_empty();
    let named_families = !args.family.is_empty();
    let wants = Wanted { request, named, named_families, owners, owners_of_these: args.listening };
    let (data, mut nets) = gather(&places, &wants, &system, context)?;
    context.tell_iterator(&system);
    let data = Arc::new(data);
    // It is kept until the end, at which the kernel takes it back at once, and not each socket's.
    std::mem::forget(Arc::clone(&data));

    let are_shown = |(sockets, meant): &(&Vec<_>, &bool)| **meant && !sockets.is_empty();
    let several = data.sockets.iter().zip(&data.meant).filter(are_shown).count() > 1;
    if several && context.style.format == Format::Table && args.columns.is_none() && !args.summary {
        columns.splice(..0, all.iter().copied().filter(|c| c.field.name == "netns"));
    }
    if context.style.format == Format::Table {
        columns::for_people(&mut columns, fields::SHOWN);
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
            wants_words: context.style.format == Format::Table || args.close,
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
        _ if selection.missing > 0 || (data.unread > 0 && named) => Err(Error::Target),
        0 => Ok(Outcome::NotMet),
        _ => Ok(Outcome::Met),
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
