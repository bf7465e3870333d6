//! `fdscope threads`: what each thread of a process waits for.

mod chance;
mod fields;
mod gil;
mod held;
mod look;
mod report;
mod row;
mod sample;
mod serving;
mod subject;
mod targets;
mod text;
mod track;
mod words;

pub(super) use words::in_words;

use super::columns::{self, Choice};
use super::{complete, names, signals, values};
use crate::context::Context;
use crate::error::{Error, Outcome};
use crate::model::{Column, Field};
use crate::proc::{ProcessDir, Scanner, System, Target};
use crate::query::Where;
use crate::render::{Format, Renderer};
use clap_complete::engine::ArgValueCompleter;
use fields::COLUMNS;
use look::Depth;
use report::Report;
use row::Row;
use std::time::Duration;
use subject::Subject;
use targets::Wanted;

/// Show what each thread of a process waits for
///
/// One line a thread: the system call that it is in, and what that waits for: which fds, which lock,
/// how long, whose end. No thread is stopped for it, and of its memory only that is read which tells
/// what the call waits for.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A pid, 'self', PID:TIDS such as 4242:4245,4250-4260, a thread id, or a command name
    #[arg(value_name = "TARGET", required = true, value_parser = names::parser(targets::parse),
          add = ArgValueCompleter::new(complete::thread_targets))]
    targets: Vec<Target>,

    /// Look again and again for this long, and show in how many of the looks each thread was seen in what
    #[arg(long, short = 's', value_name = "TIME", value_parser = values::period, help_heading = "Looking")]
    sample: Option<Duration>,
    /// How often to look, on average
    #[arg(long, value_name = "TIME", value_parser = values::period, requires = "sample",
          default_value = "10ms", help_heading = "Looking")]
    interval: Duration,

    /// Only threads of which this is true: 'call == "futex"'; see fdscope-threads(1)
    #[arg(
        long = "where",
        short = 'w',
        value_name = "EXPR",
        help_heading = "Selecting",
        allow_hyphen_values = true
    )]
    where_: Option<String>,

    /// Also who is at the other end of pipes, sockets and the like, for which all processes are looked
    /// through
    #[arg(long, help_heading = "Looking further")]
    peers: bool,

    /// Which fields, in which order; +NAME adds to the usual ones, 'help' lists all
    #[arg(long, short = 'c', value_name = "FIELDS", help_heading = "Output", allow_hyphen_values = true,
          add = ArgValueCompleter::new(complete::thread_columns))]
    columns: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  fdscope threads 4242              what each thread waits for, now
  fdscope threads nginx             the same, of all processes of that name
  fdscope threads 4242 --sample 2s  what they spend their time in
  fdscope threads 4242:4250         one thread";

const TABLE: &[&str] = &["tid", "name", "state", "cpu", "asleep", "waits_for"];
const SAMPLED_TABLE: &[&str] = &["tid", "name", "cpu_percent", "share", "state", "waits_for"];
const RECORD: &[&str] = &[
    "pid",
    "command",
    "tid",
    "name",
    "state",
    "cpu",
    "utime",
    "stime",
    "run_delay",
    "asleep",
    "call",
    "abi",
    "waits_for",
    "fds",
    "timeout",
    "left",
    "futex.op",
    "futex.words",
    "futex.private",
    "futex.others",
    "likely",
    "wchan",
    "error",
    "serving.model",
    "serving.likely",
    "serving.evidence",
];
const SAMPLED: &[&str] = &["share", "looks", "cpu_used", "cpu_percent", "delay_percent"];
const TSV: &[&str] = &[
    "pid",
    "command",
    "tid",
    "name",
    "state",
    "cpu",
    "asleep",
    "call",
    "timeout",
    "left",
    "likely",
    "waits_for",
];

/// Whether `--where` takes an expression.
pub(super) fn check_where(expression: &str) -> Result<(), String> {
    Where::compile(expression, COLUMNS).map(drop)
}

/// The fields of `threads`, for completion and the manual.
pub(super) fn all_fields() -> impl Iterator<Item = &'static Field> {
    COLUMNS.iter().map(|column| column.field)
}

/// Runs `fdscope threads`.
pub fn run(args: Args, context: &mut Context) -> Result<Outcome, Error> {
    let query = args.where_.as_deref().map(|text| Where::compile(text, COLUMNS)).transpose();
    let query = query.map_err(Error::Usage)?;
    let sampled = args.sample.is_some();
    let several = |wanted: &[Wanted]| wanted.len() > 1;
    // A command that lists its fields needs no process.
    if args.columns.as_deref() == Some("help") {
        return columns::help(context, "threads", COLUMNS);
    }
    let (wanted, missing) = targets::resolve(context, &args.targets);
    let default = default_columns(context.style.format, sampled, several(&wanted) || missing > 0);
    let columns = match &args.columns {
        Some(spec) => match columns::choose(spec, &default, COLUMNS)? {
            Choice::Help => return columns::help(context, "threads", COLUMNS),
            Choice::Columns(columns) => columns,
        },
        None => default,
    };
    let named: Vec<&str> = columns.iter().map(|c| c.field.name).collect();
    let asked: Vec<&str> = query.iter().flat_map(Where::fields).map(|f| f.name).collect();
    let wants = |prefix: &str| named.iter().chain(&asked).any(|name| name.starts_with(prefix));
    let table = context.style.format == Format::Table;
    let system = System::new(context.root.clone(), wants("user")).with_peers(args.peers);
    let asleep = ["asleep", "left", "waits_for"].into_iter().any(wants);
    let depth = if asleep { Depth::Asleep } else { Depth::Calls };
    let mut report = Report::new(&system, wants("serving.") || (table && !context.quiet), depth);

    let plan = held::plan(args.peers);
    let mut scanner = Scanner::new(&system, &plan);
    let mut signal = None;
    if let Some(time) = args.sample {
        let caught = signals::catch(&signals::ENDING);
        let caught = caught.map_err(|e| Error::Io("signals".to_owned(), e))?;
        let mut caught = signals::Signals::open(caught).map_err(|e| Error::Io("signals".to_owned(), e))?;
        let mut subjects: Vec<Subject> = Vec::new();
        for wanted in wanted {
            match ProcessDir::open(system.root(), wanted.pid, &system) {
                Ok(dir) => subjects.push(Subject::new(wanted, dir)),
                Err(error) => report.failed(context, wanted.pid, error),
            }
        }
        let ended = sample::sample(&system, &mut subjects, time, args.interval, &mut caught);
        signal = ended.signal;
        report.told_looks(context, &ended);
        for subject in &subjects {
            report.sampled(context, &mut scanner, subject);
        }
    } else {
        for wanted in &wanted {
            report.once(context, &mut scanner, wanted);
        }
    }

    report.told_absent(context);
    let mut rows = std::mem::take(&mut report.rows);
    if let Some(query) = &query {
        let evaluator = query.evaluator();
        rows.retain(|row| evaluator.matches(row));
        if let Some(fault) = query.fault() {
            return Err(Error::Usage(format!("--where: no record can be asked this: {fault}")));
        }
    }
    let found = !rows.is_empty();
    let failed = report.failed || missing > 0;
    report.tally.vanished += missing;
    let renderer = Renderer::new(context.style, "threads", columns, false);
    renderer.write_all(&mut context.out, rows, report.tally).map_err(Error::Output)?;
    match signal {
        Some(signal) => Ok(Outcome::Signalled(signal as i32)),
        None if failed => Err(Error::Target),
        None if found => Ok(Outcome::Met),
        None => Ok(Outcome::NotMet),
    }
}

/// The columns of a format.
fn default_columns(format: Format, sampled: bool, several: bool) -> Vec<Column<Row>> {
    let mut names = match (format, sampled) {
        (Format::Table, false) => TABLE.to_vec(),
        (Format::Table, true) => SAMPLED_TABLE.to_vec(),
        (Format::Tsv, _) => TSV.to_vec(),
        (Format::Json | Format::Jsonl, _) => RECORD.to_vec(),
    };
    if several && format == Format::Table {
        names.splice(0..0, ["pid", "command"]);
    }
    if sampled && format != Format::Table {
        let at = names.iter().position(|name| *name == "state").map_or(0, |at| at + 1);
        names.splice(at..at, SAMPLED.iter().copied());
    }
    names.into_iter().filter_map(|name| COLUMNS.iter().copied().find(|c| c.field.name == name)).collect()
}
