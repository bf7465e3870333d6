//! What is shown of a server under a load.

use super::contest::{Outcome, Run};
use super::load::Load;
use super::scene::Scene;
use crate::commands::bench::cells::{known, number, round, word};
use crate::commands::bench::statistics::Spread;
use crate::commands::listen::Model;
use crate::model::{Cell, Column, Emphasis, Field, Record, Value, column_table};
use std::time::Duration;

/// A server with what all its runs gave.
pub(super) struct Row {
    pub(super) scene: Scene,
    pub(super) model: Model,
    pub(super) outcome: Outcome,
    pub(super) rate: Spread,
    computed: f64,
    /// How much of the time the client ran.
    pub(super) client: f64,
    /// The rate of each run.
    samples: Vec<Value>,
    /// How far apart the rates are, as people read it.
    spread: String,
}

impl Record for Row {
    fn emphasis(&self) -> Emphasis {
        self.rate.emphasis()
    }
}

/// All fields, for programs.
pub(super) const COLUMNS: &[Column<Row>] = column_table! {
    "load", String, "what the clients do: echo, connect or compute", |r| word(r.scene.load.name());
    "model", String, "who serves a connection: threads, processes or event-loop", |r| word(r.model.name());
    "connections", Integer, "how many connections are open", |r| Some(Cell::Uint(r.scene.connections as u64));
    "busy", Integer, "how many of them ask, each again as soon as it has its answer", |r| Some(Cell::Uint(r.scene.busy as u64));
    "computing", Integer, "how many of the busy ones have their requests computed", |r| Some(Cell::Uint(r.scene.computing as u64));
    "compute", Duration, "for how long; null but in compute", |r| Some(seconds(r.compute()));
    "requests_per_second", Number, "requests answered in a second, but for those that are computed", |r| number(r.rate.median, 1.0);
    "spread", Number, "how far apart the middle half of the runs was in requests_per_second, in percent of that; null of one run",
        |r| known(r.rate.percent, 10.0);
    "latency.p50", Duration, "half of the answers, but for those that are computed, came within this time", |r| Some(seconds(r.percentile(0.5)));
    "latency.p90", Duration, "90 of 100 did", |r| Some(seconds(r.percentile(0.9)));
    "latency.p99", Duration, "99 of 100 did", |r| Some(seconds(r.percentile(0.99)));
    "latency.max", Duration, "all of them did", |r| Some(seconds(r.outcome.latencies.longest()));
    "computed_per_second", Number, "requests computed in a second; null but in compute",
        |r| if r.scene.load == Load::Compute { number(r.computed, 10.0) } else { Some(Cell::Null) };
    "cpu_per_request", Duration, "time of a processor that the server took for a request, in user mode and in the kernel; those that are computed are among them", |r| Some(seconds(Some(r.outcome.cpu)));
    "context_switches", Number, "context switches of the server for a request", |r| number(r.outcome.switches, 1000.0);
    "memory", Size, "memory of all processes of the server, each page divided by how many processes share it (PSS); null where it may not be asked",
        |r| Some(r.outcome.footprint.memory.map_or(Cell::Null, Cell::Uint));
    "rss", Size, "the same, pages that they share counted for each (RSS)", |r| Some(Cell::Uint(r.outcome.footprint.rss));
    "threads", Integer, "threads of the server", |r| Some(Cell::Uint(r.outcome.footprint.threads));
    "processes", Integer, "processes of the server", |r| Some(Cell::Uint(r.outcome.footprint.processes));
    "clients", Integer, "threads that the clients had", |r| Some(Cell::Uint(r.scene.clients as u64));
    "client", Number, "how much of the time the clients' busiest thread ran, in percent: near 100, it could not have asked more",
        |r| number(r.client * 100.0, 10.0);
    "runs", Integer, "how many runs there were; requests_per_second is their median", |r| Some(Cell::Uint(r.samples.len() as u64));
    "requests", Integer, "how many requests were answered in them, each of which had the right answer", |r| Some(Cell::Uint(r.outcome.requests));
    "samples", List, "requests_per_second of each run", |r| Some(Cell::List(&r.samples));
};

/// What people see, in fewer words.
pub(super) const SHOWN: &[Column<Row>] = column_table! {
    "load", String, "", |r| word(r.scene.load.name());
    "model", String, "", |r| word(r.model.name());
    "conns", Integer, "", |r| Some(Cell::Uint(r.scene.connections as u64));
    "busy", Integer, "", |r| Some(Cell::Uint(r.scene.busy as u64));
    "req/s", Integer, "", |r| Some(Cell::Uint(r.rate.median.round() as u64));
    "spread", Number, "", |r| word(&r.spread);
    "p50", Duration, "", |r| Some(seconds(r.percentile(0.5)));
    "p90", Duration, "", |r| Some(seconds(r.percentile(0.9)));
    "p99", Duration, "", |r| Some(seconds(r.percentile(0.99)));
    "max", Duration, "", |r| Some(seconds(r.outcome.latencies.longest()));
    "cpu/req", Duration, "", |r| Some(seconds(Some(r.outcome.cpu)));
    "switches", Number, "", |r| number(r.outcome.switches, 10.0);
    "memory", Size, "", |r| Some(r.outcome.footprint.memory.map_or(Cell::Null, Cell::Uint));
    "threads", Integer, "", |r| Some(Cell::Uint(r.outcome.footprint.threads));
    "processes", Integer, "", |r| Some(Cell::Uint(r.outcome.footprint.processes));
};

/// The fields of `bench --servers`, for the manual.
pub(in super::super::super) fn fields() -> impl Iterator<Item = &'static Field> {
    COLUMNS.iter().map(|column| column.field)
}

impl Row {
    /// Of a server that has been measured.
    pub(super) fn new(scene: &Scene, model: Model, outcome: Outcome) -> Self {
        let spread = |of: fn(&Run) -> f64| Spread::of(outcome.runs.iter().map(of));
        let rate = spread(|run| run.rate);
        Self {
            scene: scene.clone(),
            model,
            rate,
            spread: rate.shown(),
            computed: spread(|run| run.computed).median,
            client: spread(|run| run.client).median,
            samples: outcome.runs.iter().map(|run| Value::Float(run.rate.round())).collect(),
            outcome,
        }
    }

    /// The time within which this share of the answers came.
    pub(super) fn percentile(&self, share: f64) -> Option<Duration> {
        self.outcome.latencies.percentile(share)
    }

    fn compute(&self) -> Option<Duration> {
        (self.scene.load == Load::Compute).then_some(self.scene.compute)
    }
}

/// To the tenth of a microsecond.
fn seconds(time: Option<Duration>) -> Cell<'static> {
    time.map_or(Cell::Null, |time| Cell::Float(round(time.as_secs_f64(), 1e7)))
}
