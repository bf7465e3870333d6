//! What is shown of a case.

use super::case::Case;
use super::kind::Kind;
use super::sample::Sample;
use super::session::Measured;
use crate::commands::bench::statistics::Spread;
use crate::model::{Cell, Column, Emphasis, Field, Record, Value, column_table};

/// A spread from which on a figure says little, in percent.
const WIDE: f64 = 25.0;

/// A case with the medians of its runs.
pub(super) struct Row {
    case: Case,
    kind: Kind,
    event: Spread,
    wait: f64,
    register: f64,
    cpu: f64,
    wakeups: f64,
    events: u64,
    /// What an event took in each run.
    samples: Vec<Value>,
}

impl Record for Row {
    fn emphasis(&self) -> Emphasis {
        if self.event.percent >= WIDE { Emphasis::Notice } else { Emphasis::None }
    }
}

const COLUMNS: &[Column<Row>] = column_table! {
    "selector", String, "select, poll, epoll or mio", |r| word(r.case.way.backend.name());
    "trigger", String, "how it reports: level, edge or oneshot", |r| word(r.case.way.trigger.name());
    "kind", String, "what the fds are: eventfd, pipe or socketpair", |r| word(r.kind.name());
    "fds", Integer, "how many fds were watched", |r| Some(Cell::Uint(r.case.fds as u64));
    "active", Integer, "how many of them became ready at a time", |r| Some(Cell::Uint(r.case.active as u64));
    "ns_per_event", Number,
        "nanoseconds for an event with all that there is to do for it: to make the fd ready, to be told, to read it, and where \
         it is oneshot, to arm it again",
        |r| number(r.event.median);
    "spread", Number, "how far apart the middle half of the runs was in ns_per_event, in percent of that",
        |r| number(r.event.percent);
    "ns_per_wait", Number, "nanoseconds in one call that waits, while active fds are ready", |r| number(r.wait);
    "ns_per_register", Number, "nanoseconds to have an fd watched", |r| number(r.register);
    "ns_cpu", Number,
        "nanoseconds of CPU time, in user mode and in the kernel, for an event that finds the thread asleep in the selector",
        |r| number(r.cpu);
    "wakeups", Number, "how often the thread was woken up for each of those events", |r| Some(Cell::Float(round(r.wakeups, 1000.0)));
    "runs", Integer, "how many runs there were; all figures are their medians", |r| Some(Cell::Uint(r.samples.len() as u64));
    "events", Integer, "how many events were counted in them, each of which came once", |r| Some(Cell::Uint(r.events));
    "samples", List, "ns_per_event of each run", |r| Some(Cell::List(&r.samples));
};

/// What people see.
pub(super) const TABLE: &[&str] = &[
    "selector",
    "trigger",
    "fds",
    "active",
    "ns_per_event",
    "spread",
    "ns_per_wait",
    "ns_per_register",
    "ns_cpu",
    "wakeups",
];
/// What programs see.
pub(super) const RECORD: &[&str] = &[
    "selector",
    "trigger",
    "kind",
    "fds",
    "active",
    "ns_per_event",
    "spread",
    "ns_per_wait",
    "ns_per_register",
    "ns_cpu",
    "wakeups",
    "runs",
    "events",
    "samples",
];

/// The fields of `bench`, for the manual.
pub(in super::super::super) fn fields() -> impl Iterator<Item = &'static Field> {
    COLUMNS.iter().map(|column| column.field)
}

/// The columns of these names.
pub(super) fn columns(names: &[&str]) -> Vec<Column<Row>> {
    let named = |name: &&str| COLUMNS.iter().copied().find(|column| column.field.name == *name);
    names.iter().filter_map(named).collect()
}

/// The rows of all that was measured.
pub(super) fn rows(measured: &Measured, kind: Kind) -> Vec<Row> {
    let measured = measured.cases.iter().filter(|(_, samples)| !samples.is_empty());
    measured.map(|(case, samples)| Row::new(*case, kind, samples)).collect()
}

impl Row {
    fn new(case: Case, kind: Kind, samples: &[Sample]) -> Self {
        let spread = |of: fn(&Sample) -> f64| Spread::of(samples.iter().map(of));
        Self {
            case,
            kind,
            event: spread(|sample| sample.event),
            wait: spread(|sample| sample.wait).median,
            register: spread(|sample| sample.register).median,
            cpu: spread(|sample| sample.cpu).median,
            wakeups: spread(|sample| sample.wakeups).median,
            events: samples.iter().map(|sample| sample.events).sum(),
            samples: samples.iter().map(|sample| Value::Float(round(sample.event, 10.0))).collect(),
        }
    }
}

fn word(text: &str) -> Option<Cell<'_>> {
    Some(Cell::Text(text.as_bytes()))
}

fn number(x: f64) -> Option<Cell<'static>> {
    Some(Cell::Float(round(x, 10.0)))
}

fn round(x: f64, parts: f64) -> f64 {
    (x * parts).round() / parts
}
