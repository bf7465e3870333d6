//! A row: one fd under one selector, column by column.

use crate::model::Readiness;
use std::collections::VecDeque;

/// How many columns are remembered: wider terminals show less than they could.
pub(super) const REMEMBERED: u64 = 1000;

/// Conditions that are shown in the upper half of a row, and in the lower one.
const UPPER: Readiness =
    Readiness::from_bits(Readiness::IN.bits() | Readiness::PRI.bits() | Readiness::RDHUP.bits());
const LOWER: Readiness = Readiness::OUT;

/// One fd under one selector.
#[derive(Default)]
pub(super) struct Row {
    /// Columns in which something happened, in order.
    pub(super) columns: VecDeque<Column>,
    /// The first column in which it was watched, and the last one.
    first: Option<u64>,
    pub(super) last: Option<u64>,
}

/// A column in which something happened.
pub(super) struct Column {
    at: u64,
    /// All that was in force at some time in it.
    seen: Readiness,
    /// What was at its end.
    after: Readiness,
    mark: Option<Mark>,
}

/// What has a letter of its own, the most important last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mark {
    Opened,
    Hup,
    Error,
    End,
    Closed,
}

/// The characters that rows are made of.
#[derive(Clone, Copy)]
pub(in crate::commands::watch) struct Glyphs {
    pub(super) upper: char,
    pub(super) lower: char,
    pub(super) both: char,
    quiet: char,
    pub(super) cut: char,
}

impl Glyphs {
    /// What every terminal shows.
    pub(in crate::commands::watch) const ASCII: Self =
        Self { upper: '^', lower: '_', both: '#', quiet: '.', cut: '~' };
    /// Blocks.
    pub(in crate::commands::watch) const UNICODE: Self =
        Self { upper: '▀', lower: '▄', both: '█', quiet: '·', cut: '…' };
}

impl Row {
    pub(super) fn begin(&mut self, at: u64) {
        self.first.get_or_insert(at);
    }

    pub(super) fn put(&mut self, at: u64, readiness: Readiness, moment: bool, mark: Option<Mark>) {
        let before = self.columns.back().map_or(Readiness::EMPTY, |c| c.after);
        if self.columns.back().is_none_or(|c| c.at < at) {
            self.columns.push_back(Column { at, seen: before, after: before, mark: None });
        }
        if let Some(column) = self.columns.back_mut() {
            column.seen |= readiness;
            column.after = if moment { Readiness::EMPTY } else { readiness };
            column.mark = column.mark.max(mark);
        }
        // The last one before the picture says how it begins.
        while self.columns.get(1).is_some_and(|second| second.at + REMEMBERED < at) {
            self.columns.pop_front();
        }
    }

    pub(super) fn glyph(&self, at: u64, glyphs: Glyphs) -> char {
        if self.first.is_none_or(|first| at < first) || self.last.is_some_and(|last| at > last) {
            return ' ';
        }
        let next = self.columns.partition_point(|column| column.at <= at);
        let column = next.checked_sub(1).and_then(|i| self.columns.get(i));
        let (readiness, mark) = match column {
            Some(column) if column.at == at => (column.seen, column.mark),
            Some(column) => (column.after, None),
            None => (Readiness::EMPTY, None),
        };
        match mark {
            Some(Mark::Opened) => return 'O',
            Some(Mark::Hup) => return 'H',
            Some(Mark::Error) => return 'E',
            Some(Mark::End) => return 'F',
            Some(Mark::Closed) => return 'X',
            None => {}
        }
        match (readiness.intersects(UPPER), readiness.intersects(LOWER)) {
            (true, true) => glyphs.both,
            (true, false) => glyphs.upper,
            (false, true) => glyphs.lower,
            _ if readiness.intersects(Readiness::ERR | Readiness::NVAL) => 'e',
            _ if readiness.intersects(Readiness::HUP) => 'h',
            _ => glyphs.quiet,
        }
    }
}
