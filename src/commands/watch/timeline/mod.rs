//! What `--timeline` draws: a row an fd, time running to the right.
//!
//! Time is cut into steps, a column each. A column shows whatever was in force in its step, however
//! shortly; what was in force at its end goes on in the next ones until something changes.

use super::event::{Event, What, Who};
use super::lines::short;
use super::tracks::{Track, Tracks};
use crate::model::{Escape, Readiness, escape};
use std::collections::VecDeque;
use std::time::Duration;
use unicode_width::UnicodeWidthChar as _;

/// How many columns are remembered: wider terminals show less than they could.
const REMEMBERED: u64 = 1000;
/// How many columns are between the marks of the axis.
const MARKS: usize = 10;
/// A terminal with fewer columns has none left for labels.
const NARROW: usize = 12;

/// Conditions that are shown in the upper half of a row, and in the lower one.
const UPPER: Readiness =
    Readiness::from_bits(Readiness::IN.bits() | Readiness::PRI.bits() | Readiness::RDHUP.bits());
const LOWER: Readiness = Readiness::OUT;

/// What was seen of all fds.
pub(super) struct Timeline {
    tracks: Tracks<Row>,
    /// How long a column is.
    step: Duration,
    /// Whether conditions are told when they come alone, and not when they go.
    moments: bool,
}

/// One fd under one selector.
#[derive(Default)]
struct Row {
    /// Columns in which something happened, in order.
    columns: VecDeque<Column>,
    /// The first column in which it was watched, and the last one.
    first: Option<u64>,
    last: Option<u64>,
}

/// A column in which something happened.
struct Column {
    at: u64,
    /// All that was in force at some time in it.
    seen: Readiness,
    /// What was at its end.
    after: Readiness,
    mark: Option<Mark>,
}

/// What has a letter of its own, the most important last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Mark {
    Opened,
    Hup,
    Error,
    End,
    Closed,
}

/// The characters that rows are made of.
#[derive(Clone, Copy)]
pub(super) struct Glyphs {
    upper: char,
    lower: char,
    both: char,
    quiet: char,
    cut: char,
}

impl Glyphs {
    /// What every terminal shows.
    pub(super) const ASCII: Self = Self { upper: '^', lower: '_', both: '#', quiet: '.', cut: '~' };
    /// Blocks.
    pub(super) const UNICODE: Self =
        Self { upper: '▀', lower: '▄', both: '█', quiet: '·', cut: '…' };
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

impl Row {
    fn begin(&mut self, at: u64) {
        self.first.get_or_insert(at);
    }

    fn put(&mut self, at: u64, readiness: Readiness, moment: bool, mark: Option<Mark>) {
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

    fn glyph(&self, at: u64, glyphs: Glyphs) -> char {
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

/// `4242:7 pipe`, and which selector where there are several.
fn label(track: &Track<Row>, several: bool) -> String {
    let who: &Who = &track.who;
    let kind = escape(who.kind.as_bytes(), Escape::Table);
    let selector = if several { track.selector } else { "" };
    format!("{} {kind} {selector}", short(who)).trim_end().to_owned()
}

/// How many columns of a terminal a text takes.
fn columns(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// As much of a text as a width has room for.
fn fit(text: &str, width: usize, cut: char) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let mut rest = width.saturating_sub(1);
    let mut short = String::new();
    for c in text.chars() {
        let Some(left) = rest.checked_sub(c.width().unwrap_or(0)) else { break };
        rest = left;
        short.push(c);
    }
    if width > 0 {
        short.push(cut);
    }
    short
}

#[cfg(test)]
mod tests {
    use super::super::event::{Event, What, Who};
    use super::super::tracks::testing::{event, process, seen, who};
    use super::{Glyphs, REMEMBERED, Timeline, columns};
    use crate::model::Readiness;
    use std::rc::Rc;
    use std::time::Duration;

    const STEP: Duration = Duration::from_millis(100);
    const CLEAR: What = What::Clear { ready_for: Duration::ZERO };

    /// Events of level-triggered epoll, at these times in milliseconds.
    fn timeline(targets: &[Rc<Who>], events: Vec<Event>) -> Timeline {
        let mut timeline = Timeline::new(vec!["epoll"], STEP, false);
        timeline.take(&event(0, What::Armed { targets: targets.to_vec() }));
        events.iter().for_each(|event| timeline.take(event));
        timeline
    }

    fn at(ms: u64, who: &Rc<Who>, what: What, readiness: Readiness) -> Event {
        event(ms, what).of(who).seen(seen("epoll", readiness))
    }

    fn draw(timeline: &Timeline, ms: u64, width: usize, height: usize) -> Vec<String> {
        timeline.draw(Duration::from_millis(ms), width, height, Glyphs::ASCII)
    }

    #[test]
    fn rows_an_axis_and_a_legend() {
        let (pipe, socket) = (who(42, 7, "pipe"), who(42, 12, "tcp"));
        let timeline = timeline(
            &[pipe.clone(), socket.clone()],
            vec![
                at(0, &socket, What::Ready, Readiness::OUT),
                at(520, &pipe, What::Ready, Readiness::IN),
                at(710, &socket, What::Ready, Readiness::IN | Readiness::OUT),
                at(810, &pipe, CLEAR, Readiness::EMPTY),
                at(910, &socket, CLEAR, Readiness::OUT),
                at(1110, &socket, What::Hup, Readiness::HUP),
                event(1350, What::Closed { reused: false }).of(&pipe),
            ],
        );
        let expected = [
            "42:7 pipe       .....^^^^....X  ",
            "42:12 tcp       _______###_Hhhhh",
            "        -2s|      -1s|      now|",
            "^ readable  _ writable  # both ~",
        ];
        assert_eq!(draw(&timeline, 1550, 32, 24), expected);
        let blocks = timeline.draw(Duration::from_millis(1550), 32, 2, Glyphs::UNICODE);
        assert_eq!(blocks, ["42:7 pipe       ·····▀▀▀▀····X  ", "and 1 more"]);
    }

    #[test]
    fn what_is_too_short_for_a_column_is_seen_and_the_window_scrolls() {
        let pipe = who(42, 7, "pipe");
        let blips = vec![
            at(110, &pipe, What::Ready, Readiness::IN),
            at(120, &pipe, CLEAR, Readiness::EMPTY),
            at(350, &pipe, What::Ready, Readiness::IN),
        ];
        let timeline = timeline(std::slice::from_ref(&pipe), blips);
        assert_eq!(draw(&timeline, 450, 10, 1), ["     .^.^^"]);
        assert_eq!(draw(&timeline, 1050, 10, 1), ["^.^^^^^^^^"]);
        assert_eq!(draw(&timeline, 99_000, 10, 1), ["^^^^^^^^^^"]);
    }

    #[test]
    fn edges_and_repeated_looks_are_moments() {
        let pipe = who(42, 7, "pipe");
        let mut timeline = Timeline::new(vec!["epoll"], STEP, true);
        timeline.take(&at(110, &pipe, What::Ready, Readiness::IN));
        timeline.take(&at(310, &pipe, What::Ready, Readiness::IN));
        assert_eq!(draw(&timeline, 450, 5, 1), [" ^.^."]);
        let mut edges = Timeline::new(vec!["epoll"], STEP, false);
        let mut edge = seen("epoll", Readiness::IN);
        edge.trigger = "edge";
        edges.take(&event(110, What::Ready).of(&pipe).seen(edge));
        assert_eq!(draw(&edges, 450, 5, 1), [" ^..."]);
    }

    #[test]
    fn what_has_letters() {
        let (a, b, c) = (who(42, 1, "pipe"), who(42, 2, "tcp"), who(43, 3, "tty"));
        let timeline = timeline(
            &[a.clone(), b.clone()],
            vec![
                at(100, &a, What::Error, Readiness::ERR),
                at(100, &b, What::Error, Readiness::OUT | Readiness::ERR),
                event(200, What::Opened).of(&c),
                event(300, What::End).of(&c),
                event(400, What::Exited).of(&process(42)),
            ],
        );
        assert_eq!(draw(&timeline, 500, 6, 5)[..3], [".EeeX ", ".E__X ", "  OF  "]);
    }

    #[test]
    fn selectors_have_a_row_each() {
        let pipe = who(42, 7, "pipe");
        let mut timeline = Timeline::new(vec!["select", "epoll"], STEP, false);
        timeline.take(&event(0, What::Armed { targets: vec![pipe.clone()] }));
        timeline.take(&at(110, &pipe, What::Ready, Readiness::IN));
        let lines = draw(&timeline, 200, 60, 9);
        assert_eq!(lines[0].trim_end(), format!("{:57}...", "42:7 pipe select"));
        assert_eq!(lines[1].trim_end(), format!("{:57}.^^", "42:7 pipe epoll"));
    }

    #[test]
    fn what_does_not_fit_is_counted_and_the_quiet_go_first() {
        let fds: Vec<_> = (0..30).map(|fd| who(42, fd, "pipe")).collect();
        let timeline = timeline(&fds, vec![at(0, &fds[20], What::Ready, Readiness::IN)]);
        let lines = draw(&timeline, 100, 40, 6);
        let labels: Vec<_> = lines.iter().map(|l| l.split(' ').next().unwrap()).collect();
        assert_eq!(labels[..3], ["42:0", "42:1", "42:20"]);
        assert_eq!(lines[3], "and 27 more");
        assert_eq!(draw(&timeline, 100, 40, 3).len(), 3);
        assert_eq!(draw(&timeline, 100, 40, 2)[1], "and 29 more");
        assert_eq!(draw(&timeline, 100, 40, 1), [format!("{:38}^^", "42:20 pipe")]);
    }

    #[test]
    fn rows_that_are_over_are_forgotten() {
        let fds = [who(42, 1, "pipe"), who(42, 2, "pipe")];
        let mut timeline = timeline(&fds, vec![event(100, What::Closed { reused: false }).of(&fds[0])]);
        let late = Duration::from_millis(100 * (REMEMBERED + 2));
        timeline.tidy(late - STEP);
        assert_eq!(timeline.draw(late, 40, 9, Glyphs::ASCII).len(), 4);
        timeline.tidy(late);
        assert_eq!(timeline.draw(late, 40, 9, Glyphs::ASCII).len(), 3);
    }

    #[test]
    fn no_size_is_too_small() {
        let fds: Vec<_> = (0..5).map(|fd| who(42, fd, "界界界")).collect();
        let timeline = timeline(&fds, vec![at(0, &fds[2], What::Ready, Readiness::IN)]);
        for width in 0..90 {
            for height in 0..9 {
                for glyphs in [Glyphs::ASCII, Glyphs::UNICODE] {
                    let lines = timeline.draw(Duration::from_secs(100), width, height, glyphs);
                    assert!(lines.len() <= height, "{width}x{height}: {lines:?}");
                    assert!(lines.iter().all(|l| columns(l) <= width), "{width}x{height}: {lines:?}");
                }
            }
        }
    }
}
