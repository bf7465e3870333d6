//! `fdscope limits`: how near processes are to their limits.

use super::{columns, complete, processes, rlimit, setting, system};
use crate::context::Context;
use crate::error::{Error, Outcome};
use crate::model::{
    Cell, Column, Emphasis, Field, Pid, Process, Record, Resource, Tally, column_table, errno_words, percent,
    quantity,
};
use crate::proc::{
    OpenError, ProcessDir, Rlimit, System, Target, Usage, UserUsage, count_fds, limit_of, limits_of, run_all,
};
use crate::render::{Format, Renderer};
use clap_complete::engine::{ArgValueCandidates, ArgValueCompleter};
use std::cmp::Ordering;
use std::collections::HashSet;
use std::sync::Arc;

/// Show resource limits, and how much of them is used
///
/// For each TARGET all limits of getrlimit(2), the open-files limit first. Without a TARGET,
/// those that fdscope itself inherited from the shell.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A pid, 'self' or a command name
    #[arg(value_name = "TARGET", add = ArgValueCandidates::new(complete::pids))]
    targets: Vec<Target>,

    /// One line a process: open fds against their limit, the nearest to it first
    #[arg(long, short = 'a')]
    all: bool,
    /// Limits of the whole machine, and constants such as FD_SETSIZE
    #[arg(long, conflicts_with_all = ["all", "targets", "set", "fail_above", "columns"])]
    system: bool,
    /// Set a limit of the TARGETs, such as nofile=4096 or nofile=4096:8192 (soft:hard)
    #[arg(long, value_name = "LIMIT=SOFT[:HARD]", requires = "targets", conflicts_with = "all",
          value_parser = setting::parse, add = ArgValueCompleter::new(complete::limits))]
    set: Vec<setting::Change>,
    /// Order of --all
    #[arg(long, value_name = "KEY", requires = "all", default_value = "percent")]
    sort: Sort,
    /// Only the first N of --all
    #[arg(long, value_name = "N", requires = "all")]
    top: Option<usize>,
    /// Exit with 1 if a process shown uses more than this of its nofile limit
    #[arg(long, value_name = "PERCENT", value_parser = parse_percent)]
    fail_above: Option<f64>,
    /// Which fields, in which order; +NAME adds to the usual ones, 'help' lists all
    #[arg(long, short = 'c', value_name = "FIELDS", allow_hyphen_values = true, help_heading = "Output",
          add = ArgValueCompleter::new(complete::limit_columns))]
    columns: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  fdscope limits $$                       limits of this shell
  fdscope limits --all --top 10           who is nearest to running out of fds
  fdscope limits 4242 --set nofile=65536  more fds for a running process
  fdscope limits --all --fail-above 80%   for monitors: status 1 if anybody is near";

/// Order of `--all`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Sort {
    /// The nearest to its limit first
    Percent,
    /// The most open fds first
    Used,
    /// The lowest limit first
    Soft,
    /// By pid
    Pid,
    /// By command name
    Command,
}

fn parse_percent(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').unwrap_or(text);
    match number.parse::<f64>() {
        Ok(p) if (0.0..=100.0).contains(&p) => Ok(p),
        _ => Err("a percentage is a number from 0 to 100, such as 80%".to_owned()),
    }
}

/// One limit of one process.
struct Row {
    process: Arc<Process>,
    resource: Resource,
    limit: Rlimit,
    used: Option<u64>,
    /// Limits as people read them; JSON and TSV have the numbers.
    shown: [String; 3],
}

impl Row {
    fn new(process: &Arc<Process>, resource: Resource, limit: Rlimit, used: Option<u64>) -> Self {
        let unit = resource.unit;
        let used_shown = used.map_or_else(|| "-".to_owned(), |n| unit.show(Some(n)));
        let shown = [unit.show(limit.soft), unit.show(limit.hard), used_shown];
        Self { process: Arc::clone(process), resource, limit, used, shown }
    }

    /// How much of the soft limit is used.
    fn percent(&self) -> Option<f64> {
        let (used, soft) = (self.used? as f64, self.limit.soft? as f64);
        Some(percent(used, soft.max(1.0)))
    }

    /// Whether more than this share of the soft limit is used, without rounding.
    fn exceeds(&self, percent: f64) -> bool {
        let (Some(used), Some(soft)) = (self.used, self.limit.soft) else { return false };
        used as f64 * 100.0 > percent * soft as f64
    }
}

impl Record for Row {
    fn emphasis(&self) -> Emphasis {
        Emphasis::of_share(self.percent())
    }
}

fn number(n: Option<u64>) -> Option<Cell<'static>> {
    Some(n.map_or(Cell::Null, Cell::Uint))
}

/// The fields, as JSON and TSV have them.
const COLUMNS: &[Column<Row>] = column_table! {
    "pid", Integer, "process id", |r| Some(Cell::Int(r.process.pid.0.into()));
    "command", String, "command name of the process", |r| Some(Cell::Text(&r.process.command));
    "limit", String, "name of the limit: RLIMIT_ of getrlimit(2), in lower case",
        |r| Some(Cell::Text(r.resource.name.as_bytes()));
    "soft", Integer, "the limit that is enforced; null for unlimited", |r| number(r.limit.soft);
    "hard", Integer, "the most that the process may raise the soft limit to; null for unlimited",
        |r| number(r.limit.hard);
    "unit", String, "what it counts", |r| Some(Cell::Text(r.resource.unit.word().as_bytes()));
    "used", Integer, "what is used now; null where the kernel does not tell", |r| number(r.used);
    "percent", Number, "used, of the soft limit, of which 0 counts as 1; null where one of them is not a number",
        |r| Some(r.percent().map_or(Cell::Null, Cell::Float));
    "user", String, "name of the process's effective user",
        |r| r.process.user.as_deref().map(|u| Cell::Text(u.as_bytes()));
    "uid", Integer, "effective user id of the process", |r| Some(Cell::Uint(r.process.uid.into()));
    "meaning", String, "what the limit is on", |r| Some(Cell::Text(r.resource.help.as_bytes()));
};

/// The same fields as people read them.
const SHOWN: &[Column<Row>] = column_table! {
    "soft", Integer, "", |r| Some(Cell::Text(r.shown[0].as_bytes()));
    "hard", Integer, "", |r| Some(Cell::Text(r.shown[1].as_bytes()));
    "used", Integer, "", |r| Some(Cell::Text(r.shown[2].as_bytes()));
};

const TABLE: &[&str] = &["limit", "soft", "hard", "used", "percent", "unit", "meaning"];
const TABLE_OF_SEVERAL: &[&str] = &["pid", "command", "limit", "soft", "hard", "used", "percent", "unit"];
const TABLE_OF_ALL: &[&str] = &["pid", "command", "user", "used", "soft", "hard", "percent"];
const RECORD: &[&str] = &["pid", "command", "limit", "soft", "hard", "unit", "used", "percent"];

/// The fields of `limits`, for the manual.
pub(super) fn fields() -> impl Iterator<Item = &'static Field> {
    COLUMNS.iter().map(|c| c.field)
}

/// Runs `fdscope limits`.
pub fn run(args: Args, context: &mut Context) -> Result<Outcome, Error> {
    if args.system {
        return system::run(context);
    }
    let table = context.style.format == Format::Table;
    let default: &[&str] = match (table, args.all, args.targets.len()) {
        (false, ..) => RECORD,
        (true, true, _) => TABLE_OF_ALL,
        (true, false, 0 | 1) => TABLE,
        (true, false, _) => TABLE_OF_SEVERAL,
    };
    let named = |name: &&str| COLUMNS.iter().copied().find(|c| c.field.name == *name);
    let default: Vec<Column<Row>> = default.iter().filter_map(named).collect();
    let mut columns = match &args.columns {
        Some(spec) => match columns::choose(spec, &default, COLUMNS)? {
            columns::Choice::Help => return columns::help(context, "limits", COLUMNS),
            columns::Choice::Columns(columns) => columns,
        },
        None => default,
    };
    if table {
        columns::for_people(&mut columns, SHOWN);
    }
    let wants_users = columns.iter().any(|c| c.field.name == "user");
    let system = System::new(context.root.clone(), wants_users);
    let mut work = Work {
        context,
        system: &system,
        named: !args.targets.is_empty() || !args.all,
        failed: false,
        tally: Tally::default(),
        wrong: None,
    };
    rlimit::allow_for_workers(work.context);
    let pids = work.pids(&args)?;
    if !args.set.is_empty() {
        let changed = work.set(&pids, &args.set);
        let mut columns = setting::COLUMNS.to_vec();
        if table {
            columns::for_people(&mut columns, setting::SHOWN);
        }
        let (failed, tally) = (work.failed, work.tally);
        let renderer = Renderer::new(context.style, "limits", columns, false);
        renderer.write_all(&mut context.out, changed, tally).map_err(Error::Output)?;
        return if failed { Err(Error::Target) } else { Ok(Outcome::Met) };
    }
    let mut rows = if args.all { work.open_files(&pids) } else { work.everything(&pids) };
    if args.all {
        sort(&mut rows, args.sort);
        rows.truncate(args.top.unwrap_or(usize::MAX));
    }
    let (mut failed, tally) = (work.failed, work.tally);
    let above = |most| rows.iter().any(|r| r.resource == Resource::NOFILE && r.exceeds(most));
    let alarm = args.fail_above.is_some_and(above);
    let found = !rows.is_empty();
    if tally.denied > 0 && args.targets.is_empty() {
        let processes = quantity(tally.denied as usize, "process", "processes");
        let told = format!("the limits of {processes} could not be read");
        match work.wrong {
            None => work.context.note(&told),
            Some(errno) => {
                work.context.complain(&format!("{told}: {}", errno_words(errno)));
                failed = true;
            }
        }
    }
    work.context.tell_hidden(tally);
    let renderer = Renderer::new(context.style, "limits", columns, false);
    renderer.write_all(&mut context.out, rows, tally).map_err(Error::Output)?;
    if failed {
        Err(Error::Target)
    } else if alarm || !found {
        Ok(Outcome::NotMet)
    } else {
        Ok(Outcome::Met)
    }
}

fn sort(rows: &mut [Row], by: Sort) {
    let most = |a: Option<f64>, b: Option<f64>| b.unwrap_or(-1.0).total_cmp(&a.unwrap_or(-1.0));
    rows.sort_by(|a, b| {
        let order = match by {
            Sort::Percent => most(exact(a), exact(b)),
            Sort::Used => b.used.cmp(&a.used),
            Sort::Soft => a.limit.soft.unwrap_or(u64::MAX).cmp(&b.limit.soft.unwrap_or(u64::MAX)),
            Sort::Command => a.process.command.cmp(&b.process.command),
            Sort::Pid => Ordering::Equal,
        };
        order.then(a.process.pid.cmp(&b.process.pid))
    });
}

/// The share without rounding, so that 1000 fds of a million still come before 10.
fn exact(row: &Row) -> Option<f64> {
    Some(row.used? as f64 / row.limit.soft?.max(1) as f64)
}

/// Reading, and what went wrong in it.
struct Work<'c> {
    context: &'c Context,
    system: &'c System,
    named: bool,
    failed: bool,
    tally: Tally,
    /// What went wrong with processes that nobody named, where it is not that they may not be read.
    wrong: Option<i32>,
}

impl Work<'_> {
    fn pids(&mut self, args: &Args) -> Result<Vec<Pid>, Error> {
        if args.targets.is_empty() {
            if !args.all {
                return Ok(vec![processes::own(self.context)?]);
            }
            self.tally.hidden = self.context.root.hides_processes();
            return processes::all(self.context);
        }
        if let Some(target) = args.targets.iter().find(|t| t.fds.is_some()) {
            let text = target.text();
            return Err(Error::Usage(format!("{text}: limits are of processes, not of single fds")));
        }
        let (named, missing) = processes::named(self.context, &args.targets);
        self.failed |= missing > 0;
        // Named twice, by number and by name perhaps, is shown once.
        let mut met = HashSet::new();
        Ok(named.into_iter().map(|(pid, _)| pid).filter(|&pid| met.insert(pid)).collect())
    }

    /// What `read` gives, or `None` and the reason told or counted.
    fn try_read<T>(&mut self, pid: Pid, read: impl FnOnce(&ProcessDir) -> Result<T, OpenError>) -> Option<T> {
        let result = ProcessDir::open(&self.context.root, pid, self.system).and_then(|dir| read(&dir));
        self.take(pid, result)
    }

    /// What was read, or `None` and the reason told or counted.
    fn take<T>(&mut self, pid: Pid, result: Result<T, OpenError>) -> Option<T> {
        let error = match result {
            Ok(value) => return Some(value),
            Err(e) => e,
        };
        match error {
            OpenError::Gone => self.tally.vanished += 1,
            OpenError::Denied => self.tally.denied += 1,
            OpenError::Failed(_) => {
                self.tally.denied += 1;
                self.wrong = Some(error.errno());
            }
        }
        if self.named {
            let reason = match error {
                OpenError::Gone => "it ended".to_owned(),
                OpenError::Denied => "permission denied".to_owned(),
                OpenError::Failed(e) => e.to_string(),
            };
            self.context.complain(&format!("the limits of process {pid} cannot be read: {reason}"));
            self.failed = true;
        }
        None
    }

    /// All limits of each process.
    fn everything(&mut self, pids: &[Pid]) -> Vec<Row> {
        let root = &self.context.root;
        let users = UserUsage::read(root, self.system);
        let mut rows = Vec::new();
        for &pid in pids {
            let read = self.try_read(pid, |dir| {
                let limits = limits_of(root, pid)?;
                let usage = Usage::read(dir, &users)?;
                let row = |(resource, limit)| Row::new(&dir.process, resource, limit, usage.of(resource));
                Ok(limits.into_iter().map(row).collect::<Vec<_>>())
            });
            rows.extend(read.into_iter().flatten());
        }
        rows
    }

    /// The open-files limit of each process.
    fn open_files(&mut self, pids: &[Pid]) -> Vec<Row> {
        /// Processes that a core takes at a time, at 10 µs each: fewer are not worth a thread.
        const PART: usize = 64;
        let (root, system) = (&self.context.root, self.system);
        let read = |pid| {
            let dir = ProcessDir::open(root, pid, system)?;
            let limit = limit_of(root, pid, Resource::NOFILE)?;
            Ok(Row::new(&dir.process, Resource::NOFILE, limit, count_fds(&dir)?))
        };
        let parts: Vec<&[Pid]> = pids.chunks(PART).collect();
        let mut rows = Vec::with_capacity(pids.len());
        run_all(
            &parts,
            || (),
            |(), part| part.iter().map(|&pid| (pid, read(pid))).collect::<Vec<_>>(),
            |results| {
                rows.extend(results.into_iter().filter_map(|(pid, result)| self.take(pid, result)));
            },
        );
        rows
    }

    /// Sets limits, and gives what was changed.
    fn set(&mut self, pids: &[Pid], changes: &[setting::Change]) -> Vec<setting::Changed> {
        let mut changed = Vec::new();
        for &pid in pids {
            let Some(process) = self.try_read(pid, |dir| Ok(Arc::clone(&dir.process))) else { continue };
            for change in changes {
                match setting::apply(&self.context.root, &process, *change) {
                    Ok(done) => changed.push(done),
                    Err(text) => {
                        self.context.complain(&text);
                        self.failed = true;
                    }
                }
            }
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::Row;
    use crate::model::{Pid, Process, Resource};
    use crate::proc::Rlimit;
    use std::sync::Arc;

    #[test]
    fn what_is_compared_is_not_rounded() {
        let process = Arc::new(Process { pid: Pid(1), command: Vec::new(), uid: 0, user: None });
        let row = |soft, used| Row::new(&process, Resource::NOFILE, Rlimit { soft, hard: None }, used);
        assert_eq!(row(Some(20_000), Some(16_001)).percent(), Some(80.0));
        assert!(row(Some(20_000), Some(16_001)).exceeds(80.0));
        assert!(!row(Some(20_000), Some(16_000)).exceeds(80.0));
        assert!((0..=100).all(|n| !row(Some(100), Some(n)).exceeds(n as f64)));
        assert!(row(Some(0), Some(3)).exceeds(100.0));
        // It is further above than one of 2 would be.
        assert_eq!(row(Some(0), Some(5)).percent(), Some(500.0));
        assert_eq!(row(Some(2), Some(5)).percent(), Some(250.0));
        assert_eq!(row(Some(0), Some(0)).percent(), Some(0.0));
        assert!(!row(None, Some(3)).exceeds(0.0));
        assert!(!row(Some(5), None).exceeds(0.0));
    }
}
