//! `list --count` and `list --pids`: sums instead of rows.

use super::listing::Report;
use crate::context::Context;
use crate::model::{Cell, Column, Field, Process, Record, column_table};
use crate::render::{Format, Renderer, Style};
use std::io;
use std::sync::Arc;

struct Count {
    process: Arc<Process>,
    kind: String,
    count: u64,
}

impl Record for Count {}

const COLUMNS: &[Column<Count>] = column_table! {
    "pid", Integer, "process id", |c| Some(Cell::Int(c.process.pid.0.into()));
    "command", String, "command name", |c| Some(Cell::Text(&c.process.command));
    "kind", String, "what was counted", |c| Some(Cell::Text(c.kind.as_bytes()));
    "count", Integer, "how many of them", |c| Some(Cell::Uint(c.count));
};

/// The fields of `list --count`, for the manual.
pub(super) fn fields() -> impl Iterator<Item = &'static Field> {
    COLUMNS.iter().map(|column| column.field)
}

/// How many of each kind each process holds, most first.
pub(super) fn kinds(context: &mut Context, report: &Report) -> io::Result<()> {
    let mut counts = Vec::new();
    for found in report.found.values() {
        let Some(process) = &found.process else { continue };
        let mut kinds: Vec<(&String, &u64)> = found.kinds.iter().collect();
        kinds.sort_by_key(|&(kind, &count)| (std::cmp::Reverse(count), kind));
        counts.extend(kinds.into_iter().map(|(kind, &count)| Count {
            process: Arc::clone(process),
            kind: kind.clone(),
            count,
        }));
    }
    let renderer = Renderer::new(context.style, "list", COLUMNS.to_vec(), false);
    renderer.write_all(&mut context.out, counts, report.tally)
}

/// The pids alone, one a line, whatever the format for people.
pub(super) fn pids(context: &mut Context, report: &Report) -> io::Result<()> {
    let style = match context.style.format {
        Format::Json | Format::Jsonl => context.style,
        Format::Table | Format::Tsv => Style { format: Format::Tsv, header: false, ..context.style },
    };
    let found = report.found.values().filter(|f| f.rows > 0);
    let pids = found.filter_map(|f| {
        Some(Count { process: Arc::clone(f.process.as_ref()?), kind: String::new(), count: f.rows })
    });
    let renderer = Renderer::new(style, "list", COLUMNS[..1].to_vec(), false);
    renderer.write_all(&mut context.out, pids, report.tally)
}
