//! What `--timeline` draws: a row an fd, time running to the right.
//!
//! Time is cut into steps, a column each. A column shows whatever was in force in its step, however
//! shortly; what was in force at its end goes on in the next ones until something changes.

mod label;
mod row;

pub(super) use row::Glyphs;

use super::event::{Event, What};
use super::tracks::{Track, Tracks};
use crate::model::Readiness;
use label::{columns, fit, label};
use row::{Mark, REMEMBERED, Row};
use std::time::Duration;

/// How many columns are between the marks of the axis.
const MARKS: usize = 10;
/// A terminal with fewer columns has none left for labels.
const NARROW: usize = 12;

/// What was seen of all fds.
pub(super) struct Timeline {
    tracks: Tracks<Row>,
    /// How long a column is.
    step: Duration,
    /// Whether conditions are told when they come alone, and not when they go.
    moments: bool,
}

impl Timeline {
    /// No fd yet.
    pub(super) fn new(selectors: Vec<&'static str>, step: Duration, moments: bool) -> Self {
        Self { tracks: Tracks::new(selectors), step, moments }
    }

    fn column(&self, time: Duration) -> u64 {
        (time.as_nanos() / self.step.as_nanos().max(1)) as u64
    }

    /// Takes an event in.
    pub(super) fn take(&mut self, event: &Event) {
        let at = self.column(event.elapsed);
        if let What::Armed { targets } = &event.what {
            for who in targets {
                for id in self.tracks.add(who) {
                    self.change(id, |row| row.begin(at));
                }
            }
            return;
        }
        let mark = match event.what {
            What::Opened => Some(Mark::Opened),
            What::Hup => Some(Mark::Hup),
            What::Error => Some(Mark::Error),
            What::End => Some(Mark::End),
            What::Closed { .. } | What::Exited => Some(Mark::Closed),
            What::Ready | What::More | What::Clear { .. } => None,
            What::Armed { .. } | What::Timeout | What::Summary(_) => return,
        };
        let moment = self.moments || event.seen.is_some_and(|seen| seen.trigger != "level");
        for id in self.tracks.of(event) {
            self.change(id, |row| {
                row.begin(at);
                if let Some(seen) = event.seen {
                    row.put(at, seen.readiness, moment, mark);
                } else if row.last.is_none() {
                    row.put(at, Readiness::EMPTY, false, mark);
                }
                if mark >= Some(Mark::End) {
                    row.last.get_or_insert(at);
                }
            });
        }
    }

    fn change(&mut self, id: usize, change: impl FnOnce(&mut Row)) {
        if let Some(track) = self.tracks.get_mut(id) {
            change(&mut track.value);
        }
    }

    /// Forgets rows that are over for longer than anything is remembered.
    pub(super) fn tidy(&mut self, now: Duration) {
        let now = self.column(now);
        let over = |row: &Row| row.last.is_some_and(|last| last + REMEMBERED < now);
        let ids: Vec<usize> = self.tracks.iter().filter(|(_, t)| over(&t.value)).map(|(id, _)| id).collect();
        ids.into_iter().for_each(|id| self.tracks.remove(id));
    }

    /// At most `height` lines, none wider than `width`.
    pub(super) fn draw(&self, now: Duration, width: usize, height: usize, glyphs: Glyphs) -> Vec<String> {
        let now = self.column(now);
        let all: Vec<_> = self.tracks.iter().map(|(_, track)| track).collect();
        // First the rows go, then what explains them.
        let (axis, legend) = (height > 1, height > 3);
        let room = height - usize::from(axis) - usize::from(legend);
        let fits = all.len() <= room;
        // With two lines, how many more there are is worth more than the axis.
        let axis = axis && (fits || height > 2);
        let shown = if fits || height < 3 { room } else { room - 1 };
        let rows = chosen(&all, now.saturating_sub(width as u64), shown);

        let labels: Vec<String> = rows.iter().map(|track| label(track, self.tracks.several())).collect();
        let widest = labels.iter().map(|label| columns(label)).max().unwrap_or(0);
        let label_width = if width < NARROW { 0 } else { widest.min(width / 3) };
        let graph = width - if label_width > 0 { label_width + 1 } else { 0 };
        let mut lines = Vec::with_capacity(height);
        for (track, label) in rows.iter().zip(&labels) {
            let mut line = String::new();
            if label_width > 0 {
                line = fit(label, label_width, glyphs.cut);
                line.extend(std::iter::repeat_n(' ', label_width + 1 - columns(&line)));
            }
            let row = |back| now.checked_sub(back).map_or(' ', |at| track.value.glyph(at, glyphs));
            line.extend((0..graph as u64).rev().map(row));
            lines.push(line);
        }
        if !fits && height > 1 {
            lines.push(fit(&format!("and {} more", all.len() - rows.len()), width, glyphs.cut));
        }
        if axis {
            lines.push(self.axis(width, graph));
        }
        if legend {
            let Glyphs { upper, lower, both, .. } = glyphs;
            let text = format!(
                "{upper} readable  {lower} writable  {both} both  H hung up  E error  F end of data  O opened  X closed"
            );
            lines.push(fit(&text, width, glyphs.cut));
        }
        lines
    }

    /// How long ago it was.
    fn axis(&self, width: usize, graph: usize) -> String {
        let mut line = vec![b' '; width];
        for (n, back) in (0..graph).step_by(MARKS).enumerate() {
            let ago = (self.step * (n * MARKS) as u32).as_secs_f64();
            let text = match n {
                0 => "now|".to_owned(),
                _ if ago.fract() == 0.0 => format!("-{ago}s|"),
                _ => format!("-{ago:.1}s|"),
            };
            let end = width - back;
            // What would run into the one before is left out.
            if let Some(start) = end.checked_sub(text.len())
                && text.len() <= MARKS
            {
                line[start..end].copy_from_slice(text.as_bytes());
            }
        }
        String::from_utf8(line).unwrap_or_default()
    }
}

/// So many rows: those that something was seen of before those that are quiet, and last those that
/// are over for so long that nothing of them is left in the picture, which begins at `start`.
fn chosen<'t>(all: &[&'t Track<Row>], start: u64, count: usize) -> Vec<&'t Track<Row>> {
    let rank = |row: &Row| match row.last {
        Some(last) if last < start => 2,
        _ => usize::from(row.columns.is_empty()),
    };
    let mut order: Vec<usize> = (0..all.len()).collect();
    order.sort_by_key(|&i| rank(&all[i].value));
    order.truncate(count);
    order.sort_unstable();
    order.into_iter().map(|i| all[i]).collect()
}

#[cfg(test)]
mod tests;
