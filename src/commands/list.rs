//! `fdscope list`: what processes hold open.

use super::columns::{self, Choice};
use super::listing::{Job, Mode, Part, Report};
use super::{complete, counting, fields, kinds, ports, processes, rlimit, sharing};
use crate::context::Context;
use crate::error::{Error, Outcome};
use crate::kind;
use crate::model::{Column, Fd, FdNum, FdRanges, Getter, SOCKET_FIELDS};
use crate::proc::{Filter, Networks, PathFilter, Plan, Slice, System, Target, run_ordered};
use crate::query::Where;
use crate::render::{Format, Renderer, Writer};
use crate::sys;
use clap_complete::engine::{ArgValueCandidates, ArgValueCompleter};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// List what processes hold open
///
/// One line an fd: its number, how it was opened, what it is, and the most useful thing about it.
/// Without a TARGET, every process that you may read.
///
/// To tell what waits in pipes, FIFOs and message queues, and the seals of memfds, a duplicate of
/// the fd is held for a call or two, and closed before the next fd is looked at.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A pid, 'self', PID:FDS such as 4242:0,3-7, or a command name
    #[arg(value_name = "TARGET", add = ArgValueCandidates::new(complete::pids))]
    targets: Vec<Target>,

    /// Only processes of this user, by name or number
    #[arg(long, short = 'u', value_name = "USER", help_heading = "Selecting")]
    user: Option<String>,
    /// Only these kinds, or groups of kinds, such as tcp,pipe or socket
    #[arg(long, short = 'k', value_name = "KIND", value_delimiter = ',', value_parser = kinds::parse,
          help_heading = "Selecting", add = ArgValueCompleter::new(complete::kinds))]
    kind: Vec<String>,
    /// Only these fd numbers, such as 0,3-7
    #[arg(long, value_name = "FDS", help_heading = "Selecting")]
    fd: Option<FdRanges>,
    /// Only this file, or this directory and all below it, however it is held
    #[arg(long, value_name = "PATH", help_heading = "Selecting", value_hint = clap::ValueHint::AnyPath)]
    path: Option<PathBuf>,
    /// Only sockets whose own port is this: the serving end, not clients
    #[arg(long, short = 'p', value_name = "PORT", value_delimiter = ',', help_heading = "Selecting",
          value_parser = parse_port)]
    port: Vec<u16>,
    /// Only deleted files that are still held, and so still take space
    #[arg(long, help_heading = "Selecting")]
    deleted: bool,
    /// Only what this is true of: 'regular.size > 10M'; see fdscope-list(1)
    #[arg(
        long = "where",
        short = 'w',
        value_name = "EXPR",
        help_heading = "Selecting",
        allow_hyphen_values = true
    )]
    where_: Option<String>,

    /// Only fds that share an open file description, and with whom: one listener, offset, O_NONBLOCK
    #[arg(long, help_heading = "Looking further", conflicts_with_all = ["assoc", "mappings"])]
    shared: bool,
    /// Also working directory, root directory and program (cwd, root, exe)
    #[arg(long, short = 'a', help_heading = "Looking further")]
    assoc: bool,
    /// Also mapped files
    #[arg(long, short = 'm', help_heading = "Looking further")]
    mappings: bool,
    /// Also threads that have an fd table of their own
    #[arg(long, help_heading = "Looking further")]
    threads: bool,
    /// Also who is at the other end of pipes, sockets, terminals and the like; for that, the fds of all
    /// processes are looked at once
    #[arg(long, help_heading = "Looking further", conflicts_with_all = ["count", "pids"])]
    peers: bool,

    /// Which fields, in which order; +NAME adds to the usual ones, 'help' lists all
    #[arg(long, short = 'c', value_name = "FIELDS", help_heading = "Output", allow_hyphen_values = true,
          add = ArgValueCompleter::new(complete::columns))]
    columns: Option<String>,
    /// More fields: user, uid, assoc, flags, pos, inode, device, mount
    #[arg(long, help_heading = "Output", conflicts_with = "columns")]
    wide: bool,
    /// Count by process and kind, instead of listing
    #[arg(long, help_heading = "Output", conflicts_with_all = ["columns", "wide", "pids"])]
    count: bool,
    /// Print only pids, one a line, for kill(1) and the like
    #[arg(long, help_heading = "Output", conflicts_with_all = ["columns", "wide"])]
    pids: bool,
}

/// `--port`.
fn parse_port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| "a port is a number from 0 to 65535".to_owned())
}

const EXAMPLES: &str = "\
Examples:
  fdscope list $$               what this shell holds open
  fdscope list --port 8080      which process serves this port
  fdscope list --path /mnt/usb  what keeps this filesystem busy
  fdscope list --deleted        which deleted files still take space
  fdscope list 4242 --peers     who is at the other end of its pipes and sockets";

const TABLE: &[&str] = &["pid", "command", "fd", "mode", "kind", "name"];
const WIDE: &[&str] = &[
    "pid", "command", "user", "uid", "fd", "assoc", "access", "kind", "flags", "pos", "inode", "device",
    "mount", "name",
];
/// JSON adds each kind's own object.
const JSON: &[&str] = &[
    "pid", "tid", "command", "user", "uid", "fd", "assoc", "access", "kind", "flags", "pos", "inode",
    "device", "name", "path", "deleted",
];
const TSV: &[&str] = &[
    "pid", "command", "user", "uid", "fd", "assoc", "access", "kind", "flags", "pos", "inode", "device",
    "name",
];

/// What is known of the other end only where it was looked for.
const PEERS: &[&str] = &["peers", "pending"];

/// Runs `fdscope list`.
pub fn run(args: Args, context: &mut Context) -> Result<Outcome, Error> {
    let all = fields::all();
    let query = args.where_.as_deref().map(|text| Where::compile(text, &all)).transpose();
    let query = query.map_err(Error::Usage)?;
    let default = default_columns(&args, context.style.format, &all);
    let (mut columns, chosen) = match &args.columns {
        Some(spec) => match columns::choose(spec, &default, &all)? {
            Choice::Help => return columns::help(context, "list", &all),
            Choice::Columns(columns) => (columns, !spec.starts_with('+')),
        },
        None => (default, false),
    };
    let user = args.user.as_deref().map(user_id).transpose()?;
    let mode = match (args.pids, args.count) {
        (true, _) => Mode::Pids,
        (_, true) => Mode::Count,
        _ => Mode::Rows,
    };
    let json = matches!(context.style.format, Format::Json | Format::Jsonl);
    let objects = json && !chosen;
    if objects {
        // They come with the object that they are in.
        columns.retain(|c| !c.field.name.contains('.') || matches!(c.get, Getter::Own(_)));
    }
    if context.style.format == Format::Table {
        columns::for_people(&mut columns, fields::SHOWN);
    }
    let renderer = Renderer::new(context.style, "list", columns, objects);
    let wanted = wanted(&renderer, query.as_ref(), mode);
    if !args.shared && wanted.contains(&"shared") {
        let reason = "'shared' is known only with --shared, which lists what is shared";
        // What is asked of it would be answered wrongly, and a column is merely empty.
        if query.iter().flat_map(Where::fields).any(|field| field.name == "shared") {
            return Err(Error::Usage(reason.to_owned()));
        }
        context.note(reason);
    }
    let plan = plan(&args, context, &renderer, query.as_ref(), mode)?;
    let system = System::new(context.root.clone(), wanted.contains(&"user"))
        // The files that unix sockets are bound to are among them.
        .with_socket_details(args.path.is_some() || wanted.iter().any(|name| kind::is_detail(name)))
        .with_peers_in(args.peers || PEERS.iter().any(|name| wanted.contains(name)), args.threads);
    rlimit::allow_for_workers(context);
    let written = Mutex::default();
    let job = Job {
        system: &system,
        plan: &plan,
        query: query.as_ref(),
        renderer: &renderer,
        mode,
        user,
        written: &written,
    };
    let mut report = Report::default();
    let narrowed = match args.targets.is_empty() && !args.shared {
        true => ports::slices(&job, &mut report),
        false => None,
    };
    let (slices, missing) = match narrowed {
        Some(slices) => (slices, 0),
        None => slices(&args.targets, &plan, context)?,
    };
    if args.shared {
        let (rows, failed) = sharing::run(context, &job, &slices, !args.targets.is_empty(), missing)?;
        return outcome(rows, failed || missing > 0, query.as_ref());
    }
    report.tally.vanished += missing;
    report.tally.hidden = args.targets.is_empty() && context.root.hides_processes();
    let mut writer = Writer::new(&renderer, &mut context.out);
    run_ordered(
        &slices,
        || job.worker(),
        |worker, slice| worker.run(slice),
        |mut part: Part| {
            let batch = std::mem::take(&mut part.batch);
            let written = if mode == Mode::Rows { writer.write(&batch) } else { Ok(()) };
            job.reuse(batch);
            report.add(part);
            written
        },
    )
    .map_err(Error::Output)?;
    if !args.targets.is_empty() {
        // In a listing of all processes it was counted already.
        report.tally.add(system.peers_left_out().unwrap_or_default());
    }
    match mode {
        Mode::Rows => writer.finish(report.tally),
        Mode::Pids => counting::pids(context, &report),
        Mode::Count => counting::kinds(context, &report),
    }
    .map_err(Error::Output)?;

    context.tell_iterator(&system);
    let named = !args.targets.is_empty();
    let failed = report.tell(context, &system, named) || missing > 0;
    if named {
        report.tell_unshown(context);
    }
    context.tell_hidden(report.tally);
    outcome(report.rows, failed, query.as_ref())
}

/// How it ended, by what was found.
fn outcome(rows: u64, failed: bool, query: Option<&Where<Fd>>) -> Result<Outcome, Error> {
    if let Some(fault) = query.and_then(Where::fault) {
        return Err(Error::Usage(format!("--where: no record can be asked this: {fault}")));
    }
    match rows {
        _ if failed => Err(Error::Target),
        0 => Ok(Outcome::NotMet),
        _ => Ok(Outcome::Met),
    }
}

/// The columns of a format, and of what is looked at beyond fds.
fn default_columns(args: &Args, format: Format, all: &[Column<Fd>]) -> Vec<Column<Fd>> {
    let mut names = match format {
        Format::Json | Format::Jsonl if args.wide => [JSON, &["mount"]].concat(),
        Format::Json | Format::Jsonl => JSON.to_vec(),
        _ if args.wide => WIDE.to_vec(),
        Format::Table => TABLE.to_vec(),
        Format::Tsv => TSV.to_vec(),
    };
    if args.shared {
        sharing::add_columns(&mut names, format);
    }
    let at = names.iter().position(|n| *n == "fd").unwrap_or(0);
    if looks_beyond_fds(args) && !names.contains(&"assoc") {
        names.insert(at, "assoc");
    }
    if args.threads && !names.contains(&"tid") {
        let after = names.iter().position(|n| *n == "pid").map_or(0, |at| at + 1);
        names.insert(after, "tid");
    }
    if args.peers && format != Format::Table {
        names.extend(PEERS);
    }
    names.into_iter().filter_map(|name| all.iter().copied().find(|c| c.field.name == name)).collect()
}

/// What keeps a file alive or a mount busy need not be an fd.
fn looks_beyond_fds(args: &Args) -> bool {
    !args.shared && (args.assoc || args.mappings || args.path.is_some() || args.deleted)
}

/// The names of all fields that are shown or asked about.
fn wanted(renderer: &Renderer<Fd>, query: Option<&Where<Fd>>, mode: Mode) -> Vec<&'static str> {
    let shown = renderer.columns.iter().map(|c| c.field.name).filter(|_| mode == Mode::Rows);
    let asked = query.into_iter().flat_map(Where::fields).map(|f| f.name);
    shown.chain(asked).collect()
}

/// What has to be read for all that.
fn plan(
    args: &Args,
    context: &Context,
    renderer: &Renderer<Fd>,
    query: Option<&Where<Fd>>,
    mode: Mode,
) -> Result<Plan, Error> {
    let wanted = wanted(renderer, query, mode);
    let any = |names: &[&str]| wanted.iter().any(|w| names.contains(w));
    let path = match &args.path {
        Some(path) => {
            let filter = PathFilter::new(path, &context.root);
            Some(filter.map_err(|e| Error::Io(path.display().to_string(), e))?)
        }
        None => None,
    };
    let peers = args.peers || any(PEERS);
    let networks = match SOCKET_FIELDS {
        [_, name] if any(&[name.field.name]) => Some(Networks::Names),
        fields if fields.iter().any(|column| any(&[column.field.name])) => Some(Networks::Ids),
        _ => None,
    };
    Ok(Plan {
        identity: false,
        info: any(&["flags", "cloexec", "pos", "mount"]),
        // At which end of a pipe an fd is, its access tells.
        access: any(&["access", "mode"]) || peers,
        device: any(&["device", "inode"]),
        values: wanted.iter().any(|w| w.contains('.')) || (renderer.objects && mode == Mode::Rows),
        name: any(&["name"]),
        peers_in_name: args.peers,
        networks,
        assoc: looks_beyond_fds(args),
        mappings: looks_beyond_fds(args) && (args.mappings || args.path.is_some() || args.deleted),
        threads: args.threads,
        filter: Filter {
            fds: args.fd.clone(),
            kinds: args.kind.clone(),
            path,
            ports: args.port.clone(),
            deleted: args.deleted,
        },
    })
}

fn user_id(user: &str) -> Result<u32, Error> {
    if let Ok(Some(known)) = nix::unistd::User::from_name(user) {
        return Ok(known.uid.as_raw());
    }
    user.parse().map_err(|_| Error::Usage(format!("--user: there is no user '{user}'")))
}

/// The work, in order, and how many targets are not there.
pub(super) fn slices(targets: &[Target], plan: &Plan, context: &Context) -> Result<(Vec<Slice>, u64), Error> {
    let split = |slice: Slice| slice.split(plan, &context.root);
    let own = context.root.own();
    if targets.is_empty() {
        // We are here only because we are looking.
        let others = processes::all(context)?.into_iter().filter(|&p| Some(p) != own);
        return Ok((others.flat_map(|pid| split(Slice::whole(pid, None))).collect(), 0));
    }
    let (named, missing) = processes::named(context, targets);
    let mut slices = Vec::new();
    for (pid, target) in named {
        // Named twice, by number and by name perhaps, is listed once.
        match slices.iter_mut().find(|s: &&mut Slice| s.pid == pid) {
            Some(slice) => slice.add(target.fds.as_ref()),
            None => slices.push(Slice::whole(pid, target.fds.clone())),
        }
    }
    for slice in &mut slices {
        if Some(slice.pid) == own {
            slice.only = Some(Arc::new(own_fds(context)));
        }
    }
    Ok((slices.into_iter().flat_map(split).collect(), missing))
}

/// What fdscope itself was given: its fds before it opens any, be it in place of a closed one.
fn own_fds(context: &Context) -> Vec<i32> {
    let Ok(entries) = std::fs::read_dir(context.root.join("self/fd")) else { return Vec::new() };
    let numbers: Vec<i32> = entries.filter_map(|e| e.ok()?.file_name().to_str()?.parse().ok()).collect();
    // The directory itself was among them, and is closed now.
    let open = |fd: &i32| context.root.join(format!("self/fd/{fd}")).symlink_metadata().is_ok();
    numbers.into_iter().filter(open).filter(|&fd| !sys::was_closed(FdNum(fd))).collect()
}

#[cfg(test)]
mod tests {
    use super::{Args, default_columns, fields};
    use crate::render::Format;
    use clap::{Args as _, FromArgMatches as _};

    #[test]
    fn wide_takes_no_field_away() {
        let columns = |words: &[&'static str], format| {
            let command = Args::augment_args(clap::Command::new("list"));
            let args = Args::from_arg_matches(&command.get_matches_from(words)).unwrap();
            let columns = default_columns(&args, format, &fields::all());
            columns.iter().map(|c| c.field.name).collect::<Vec<_>>()
        };
        for format in [Format::Json, Format::Jsonl, Format::Tsv] {
            let wide = columns(&["list", "--wide"], format);
            assert!(
                columns(&["list"], format).iter().all(|name| wide.contains(name)),
                "{format:?}: {wide:?}"
            );
            assert!(wide.contains(&"mount"));
        }
    }
}
