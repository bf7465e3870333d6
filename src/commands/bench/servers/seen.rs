//! What the figures say, in sentences.

use super::load::Load;
use super::row::Row;
use crate::commands::listen::Model;
use crate::commands::words::time;
use crate::model::{bytes, quantity};

/// From here on the client could hardly have asked more.
const SATURATED: f64 = 0.9;

/// What is to be seen in rows, those of a scene being together.
pub(super) fn sentences(rows: &[Row]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for scene in rows.chunk_by(|a, b| a.scene == b.scene).filter(|scene| scene.len() > 1) {
        all.extend(if scene[0].scene.load == Load::Compute { computing(scene) } else { rates(scene) });
    }
    all.extend(memory(rows));
    all.extend(client(rows));
    all
}

/// Who answered most, and whose slowest answers were quickest.
fn rates(rows: &[Row]) -> Option<String> {
    let first = rows.iter().max_by(|a, b| a.rate.median.total_cmp(&b.rate.median))?;
    let others = || rows.iter().filter(|row| row.model != first.model);
    let next = others().max_by(|a, b| a.rate.median.total_cmp(&b.rate.median))?;
    let last = others().min_by(|a, b| a.rate.median.total_cmp(&b.rate.median))?;
    let quickest = rows.iter().min_by_key(|row| row.percentile(0.99))?;
    let what = match first.scene.load {
        Load::Connect => format!("A connection for each request, {} at a time", first.scene.busy),
        _ => format!("{} connections, {} of them busy", first.scene.connections, first.scene.busy),
    };
    let most = match first.rate.exceeds(next.rate) {
        true => format!("{} answered most, {:.0} requests/s", first.model.name(), first.rate.median),
        false => format!(
            "{} and {} answered as many, as far as the runs tell",
            first.model.name(),
            next.model.name()
        ),
    };
    let least = if first.rate.exceeds(last.rate) {
        let times = first.rate.median / last.rate.median;
        format!(", {} times as many as {}", short(times), last.model.name())
    } else {
        String::new()
    };
    let p99 = quickest.percentile(0.99)?;
    Some(format!("{what}: {most}{least}; lowest p99: {}, {}.", quickest.model.name(), time(p99)))
}

/// How long others waited.
fn computing(rows: &[Row]) -> Option<String> {
    let scene = &rows[0].scene;
    let median = |row: &Row| Some(format!("{} with {}", time(row.percentile(0.5)?), row.model.name()));
    let medians: Vec<String> = rows.iter().filter_map(median).collect();
    (!medians.is_empty()).then(|| {
        format!(
            "{} of {} busy connections had every request computed for {}. Median of all others: {}.",
            scene.computing,
            scene.busy,
            time(scene.compute),
            medians.join(", ")
        )
    })
}

/// What a connection costs: from the fewest of them to the most, in the same load.
fn memory(rows: &[Row]) -> Option<String> {
    let of = |model: Model| {
        let mut rows = rows.iter().filter(|row| row.model == model && row.scene.load == Load::Echo);
        let few = rows.next()?;
        let many = rows.next_back()?;
        let more = (many.scene.connections - few.scene.connections) as u64;
        let grown = many.outcome.footprint.memory?.checked_sub(few.outcome.footprint.memory?)?;
        Some(format!("{} with {}", bytes(grown / more), many.model.name()))
    };
    let each: Vec<String> =
        [Model::Threads, Model::Processes, Model::EventLoop].into_iter().filter_map(of).collect();
    (!each.is_empty())
        .then(|| format!("Memory for a further connection, but for the kernel's: {}.", each.join(", ")))
}

/// What asked, and where requests a second are a measure of that.
fn client(rows: &[Row]) -> Option<String> {
    let threads = quantity(rows.first()?.scene.clients, "thread", "threads");
    let limited = rows.iter().filter(|row| row.client >= SATURATED).count();
    let more = if limited == 0 {
        String::new()
    } else {
        format!(
            "; in {limited} of {} rows they could not have asked much more: compare cpu/req there",
            rows.len()
        )
    };
    Some(format!("The clients had {threads} (--clients){more}."))
}

fn short(times: f64) -> String {
    if times < 10.0 { format!("{times:.1}") } else { format!("{times:.0}") }
}

#[cfg(test)]
mod tests {
    use super::sentences;
    use crate::commands::bench::servers::contest::{Outcome, Run};
    use crate::commands::bench::servers::load::Load;
    use crate::commands::bench::servers::row::Row;
    use crate::commands::bench::servers::scene::Scene;
    use crate::commands::listen::Model;
    use crate::load::Latencies;
    use crate::proc::Footprint;
    use std::time::Duration;

    fn row(model: Model, connections: usize, memory: u64) -> Row {
        let scene = Scene {
            load: Load::Echo,
            connections,
            busy: 1,
            computing: 0,
            compute: Duration::ZERO,
            clients: 1,
            models: vec![model],
        };
        let outcome = Outcome {
            runs: vec![Run { rate: 1.0, computed: 0.0, client: 0.0 }],
            latencies: Latencies::default(),
            requests: 1,
            cpu: Duration::ZERO,
            switches: 0.0,
            footprint: Footprint { memory: Some(memory), ..Footprint::default() },
        };
        Row::new(&scene, model, outcome)
    }

    /// What has not grown, as where others came to share its pages, says nothing of connections.
    #[test]
    fn memory_of_a_connection() {
        let rows = [
            row(Model::Threads, 2, 1 << 20),
            row(Model::EventLoop, 2, 1 << 20),
            row(Model::Threads, 4, 3 << 20),
            row(Model::EventLoop, 4, (1 << 20) - 1),
        ];
        let all = sentences(&rows);
        assert_eq!(all[0], "Memory for a further connection, but for the kernel's: 1M with threads.");
        assert_eq!(all[1..], ["The clients had 1 thread (--clients)."]);
        assert_eq!(sentences(&rows[..2]), ["The clients had 1 thread (--clients)."]);
    }
}
