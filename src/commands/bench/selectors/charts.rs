//! The pictures: what an event costs as the number of fds grows, or of those that are active.

use super::kind::Kind;
use super::row::Row;
use crate::commands::bench::plot::{Chart, Curve, Point};
use crate::model::seconds;

/// What grows along a picture, and what is the same all over it.
struct Axis {
    across: &'static str,
    grows: fn(&Row) -> usize,
    same: fn(&Row) -> usize,
    title: fn(usize, Kind) -> String,
}

const BY_FDS: Axis = Axis {
    across: "fds",
    grows: |row| row.case.fds,
    same: |row| row.case.active,
    title: |active, kind| {
        format!("Time for an event, {active} of the fds active at a time (kind {})", kind.name())
    },
};

const BY_ACTIVE: Axis = Axis {
    across: "active",
    grows: |row| row.case.active,
    same: |row| row.case.fds,
    title: |fds, kind| format!("Time for an event, with {fds} fds (kind {})", kind.name()),
};

/// The pictures that there are; none where nothing grows.
pub(super) fn charts(rows: &[Row], kind: Kind) -> Vec<Chart> {
    let axis = if distinct(rows, BY_FDS.grows).len() > 1 { BY_FDS } else { BY_ACTIVE };
    let same = distinct(rows, axis.same).into_iter().map(|same| {
        let rows: Vec<&Row> = rows.iter().filter(|row| (axis.same)(row) == same).collect();
        let mut curves: Vec<Curve> = Vec::new();
        for row in &rows {
            let name = row.case.way.to_string();
            let point = point((axis.grows)(row), row);
            match curves.iter_mut().find(|curve| curve.name == name) {
                Some(curve) => curve.points.push(point),
                None => curves.push(Curve { name, points: vec![point] }),
            }
        }
        Chart { title: (axis.title)(same, kind), across: axis.across, tell, curves }
    });
    same.filter(|chart| chart.curves.iter().any(|curve| curve.points.len() > 1)).collect()
}

fn point(x: usize, row: &Row) -> Point {
    let ((low, high), y) = (row.range(), row.event.median);
    Point { x: x as f64, y, low, high }
}

fn tell(ns: f64) -> String {
    if ns < 1000.0 { format!("{ns} ns") } else { seconds(ns / 1e9) }
}

fn distinct(rows: &[Row], of: fn(&Row) -> usize) -> Vec<usize> {
    let mut all: Vec<usize> = rows.iter().map(of).collect();
    all.sort_unstable();
    all.dedup();
    all
}
