//! Choosing sockets, and making records of them, on any number of threads.

use super::gather::Data;
use super::row::Row;
use super::select::{Filler, Selection};
use crate::query::{Evaluator, Where};
use crate::render::{Batch, Renderer};
use std::sync::Arc;

/// How many sockets a thread takes at a time.
pub(super) const PART: usize = 512;

/// Choosing sockets, and making records of them.
pub(super) struct Work<'w> {
    pub(super) data: &'w Arc<Data>,
    pub(super) selection: &'w Selection,
    pub(super) query: Option<&'w Where<Row>>,
    /// Nothing where no records are wanted.
    pub(super) renderer: Option<&'w Renderer<Row>>,
    pub(super) filler: Filler<'w>,
}

/// One thread's tools.
pub(super) struct Worker<'w> {
    work: &'w Work<'w>,
    row: Row,
    evaluator: Option<Evaluator<'w, Row>>,
}

impl<'w> Work<'w> {
    pub(super) fn worker(&'w self) -> Worker<'w> {
        Worker { work: self, row: Row::new(self.data), evaluator: self.query.map(Where::evaluator) }
    }
}

impl Worker<'_> {
    /// Those of some sockets that are chosen, and their records.
    pub(super) fn run(&mut self, part: &[(usize, usize)]) -> (Vec<(usize, usize)>, Batch) {
        let work = self.work;
        let mut batch = Batch::default();
        let mut chosen = Vec::with_capacity(part.len());
        for &(place, nth) in part {
            if !work.selection.may_take(&work.data.sockets[place][nth]) {
                continue;
            }
            work.filler.fill(&mut self.row, place, nth);
            if work.selection.takes(&self.row) && self.evaluator.as_ref().is_none_or(|e| e.matches(&self.row))
            {
                chosen.push((place, nth));
                if let Some(renderer) = work.renderer {
                    renderer.push(&mut batch, &self.row);
                }
            }
        }
        (chosen, batch)
    }
}
