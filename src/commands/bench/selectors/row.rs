//! What is shown of a case.

use super::case::Case;
use super::kind::Kind;
use super::sample::Sample;
use super::session::Measured;
use crate::commands::bench::cells::{known, number, round, word};
use crate::commands::bench::statistics::Spread;
use crate::model::{Cell, Column, Emphasis, Field, Record, Value, column_table};

/// A case with the medians of its runs.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) case: Case,
    kind: Kind,
    pub(super) event: Spread,
    wait: f64,
    register: f64,
    cpu: f64,
    wakeups: f64,
    events: u64,
    /// What an event took in each run.
    samples: Vec<Value>,
    /// Figures as people read them, in the order of `SHOWN`.
    shown: [String; 6],
}

impl Record for Row {
    fn emphasis(&self) -> Emphasis {
        self.event.emphasis()
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
        |r| number(r.event.median, 10.0);
    "spread", Number, "how far apart the middle half of the runs was in ns_per_event, in percent of that; null of one run",
        |r| known(r.event.percent, 10.0);
    "ns_per_wait", Number, "nanoseconds in one call that waits, while active fds are ready", |r| number(r.wait, 10.0);
    "ns_per_register", Number, "nanoseconds to have an fd watched", |r| number(r.register, 10.0);
    "ns_cpu", Number,
        "nanoseconds of CPU time, in user mode and in the kernel, for an event that finds the thread asleep in the selector",
        |r| number(r.cpu, 10.0);
    "wakeups", Number, "how often the thread was woken up for each of those events", |r| number(r.wakeups, 1000.0);
    "runs", Integer, "how many runs there were; all figures are their medians", |r| Some(Cell::Uint(r.samples.len() as u64));
    "events", Integer, "how many events were counted in them, each of which came once", |r| Some(Cell::Uint(r.events));
    "samples", List, "ns_per_event of each run", |r| Some(Cell::List(&r.samples));
};

/// The same figures as people read them: to the nanosecond.
pub(super) const SHOWN: &[Column<Row>] = column_table! {
    "ns_per_event", Number, "", |r| word(&r.shown[0]);
    "spread", Number, "", |r| word(&r.shown[1]);
    "ns_per_wait", Number, "", |r| word(&r.shown[2]);
    "ns_per_register", Number, "", |r| word(&r.shown[3]);
    "ns_cpu", Number, "", |r| word(&r.shown[4]);
    "wakeups", Number, "", |r| word(&r.shown[5]);
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
    let measured = measured.cases.iter().filter(|measuring| !measuring.samples.is_empty());
    measured.map(|measuring| Row::new(measuring.case, kind, &measuring.samples)).collect()
}

impl Row {
    fn new(case: Case, kind: Kind, samples: &[Sample]) -> Self {
        let spread = |of: fn(&Sample) -> f64| Spread::of(samples.iter().map(of));
        let event = spread(|sample| sample.event);
        let [wait, register, cpu, wakeups]: [fn(&Sample) -> f64; 4] =
            [|sample| sample.wait, |sample| sample.register, |sample| sample.cpu, |sample| sample.wakeups];
        let [wait, register, cpu, wakeups] = [wait, register, cpu, wakeups].map(|of| spread(of).median);
        let shown = [
            format!("{:.0}", event.median),
            event.shown(),
            format!("{wait:.0}"),
            format!("{register:.0}"),
            format!("{cpu:.0}"),
            format!("{wakeups:.2}"),
        ];
        let samples_shown = samples.iter().map(|sample| Value::Float(round(sample.event, 10.0))).collect();
        let events = samples.iter().map(|sample| sample.events).sum();
        Self { case, kind, event, wait, register, cpu, wakeups, events, samples: samples_shown, shown }
    }

    /// The least and the most that an event took in a run.
    pub(super) fn range(&self) -> (f64, f64) {
        let samples = self.samples.iter().filter_map(|sample| match sample {
            Value::Float(ns) => Some(*ns),
            _ => None,
        });
        samples.fold((f64::INFINITY, 0.0), |(low, high), ns| (low.min(ns), high.max(ns)))
    }
}
