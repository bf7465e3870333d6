//! A picture in characters.

use super::canvas::{ACROSS, Canvas, DOWN};
use super::scale::Scale;
use super::{Chart, Point};
use anstyle::{AnsiColor, Style};
use std::fmt::Write as _;

/// Rows for a power of ten, and how many there are at least and at most.
const ROWS: (usize, usize, usize) = (3, 8, 15);

/// The width in which a picture is at its best, and the least that the curves themselves have.
const WIDTH: (usize, usize) = (90, 20);

const COLORS: [AnsiColor; 6] = [
    AnsiColor::Red,
    AnsiColor::Yellow,
    AnsiColor::Green,
    AnsiColor::Cyan,
    AnsiColor::Blue,
    AnsiColor::Magenta,
];

/// What pictures are drawn for.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Terminal {
    /// How many columns it has.
    pub(in super::super) width: usize,
    /// Whether it shows colours.
    pub(in super::super) color: bool,
    /// Whether it shows more than ASCII.
    pub(in super::super) unicode: bool,
}

/// A picture in the making.
struct Drawing<'c> {
    chart: &'c Chart,
    terminal: Terminal,
    /// Characters for the curves.
    width: usize,
    height: usize,
    across: Scale,
    up: Scale,
}

impl Terminal {
    /// The lines of a picture.
    pub(in super::super) fn draw(self, chart: &Chart) -> Vec<String> {
        let up = Scale::of(chart.points().map(|point| point.y)).round();
        let across = Scale::of(chart.places());
        let (each, least, most) = ROWS;
        let height = ((up.decades() * each as f64).round() as usize).clamp(least, most);
        let name = chart.curves.iter().map(|curve| curve.name.chars().count()).max().unwrap_or(0);
        let told = up.ticks().into_iter().map(|value| (chart.tell)(value).chars().count());
        let label = told.max().unwrap_or(0);
        let width = self.width.min(WIDTH.0).saturating_sub(name + label + 4).max(WIDTH.1);
        Drawing { chart, terminal: self, width, height, across, up }.lines(label)
    }
}

impl Drawing<'_> {
    fn lines(&self, label: usize) -> Vec<String> {
        let canvas = self.canvas();
        let (bar, tick, corner, dash, notch) = if self.terminal.unicode {
            ('│', '┤', '└', '─', '┬')
        } else {
            ('|', '+', '+', '-', '+')
        };
        let tick_at = |value| (self.height_of(value) / DOWN, (self.chart.tell)(value));
        let ticks: Vec<(usize, String)> = self.up.ticks().into_iter().map(tick_at).collect();
        let mut lines = vec![self.chart.title.clone()];
        let names = self.names();
        for (row, &name) in names[..self.height].iter().enumerate() {
            let told = ticks.iter().find(|(at, _)| *at == row);
            let text = told.map_or("", |(_, text)| text);
            let mut line = format!("{text:>label$} {}", if told.is_some() { tick } else { bar });
            let cells: Vec<(char, Option<usize>)> = canvas.row(row, self.terminal.unicode).collect();
            for same in cells.chunk_by(|(_, a), (_, b)| a == b) {
                let text: String = same.iter().map(|(c, _)| c).collect();
                self.paint(&mut line, same[0].1, &text);
            }
            self.name(&mut line, name);
            lines.push(line.trim_end().to_owned());
        }
        let mut axis = vec![dash; self.width];
        let mut text = vec![' '; self.width + label];
        let mut free = 0;
        for place in self.chart.places() {
            let at = self.column(place) / ACROSS;
            axis[at] = notch;
            let told = place.to_string();
            // In the middle below its notch, if there is room.
            let from = at.saturating_sub(told.len() / 2);
            if from >= free && from + told.len() <= text.len() {
                text.splice(from..from + told.len(), told.chars());
                free = from + told.len() + 1;
            }
        }
        let mut axis = format!("{:label$} {corner}{}", "", axis.iter().collect::<String>());
        self.name(&mut axis, names[self.height]);
        lines.push(axis);
        let text: String = text.iter().collect();
        lines.push(format!("{:label$}  {} {}", "", text.trim_end(), self.chart.across));
        lines
    }

    fn canvas(&self) -> Canvas {
        let mut canvas = Canvas::new(self.width, self.height);
        for (who, curve) in self.chart.curves.iter().enumerate() {
            let mut last = None;
            for point in &curve.points {
                let dot = self.dot(point);
                canvas.line(last.unwrap_or(dot), dot, who);
                last = Some(dot);
            }
        }
        canvas
    }

    fn dot(&self, point: &Point) -> (usize, usize) {
        (self.column(point.x), self.height_of(point.y))
    }

    fn column(&self, x: f64) -> usize {
        (self.across.share(x) * (self.width * ACROSS - 1) as f64).round() as usize
    }

    fn height_of(&self, y: f64) -> usize {
        ((1.0 - self.up.share(y)) * (self.height * DOWN - 1) as f64).round() as usize
    }

    /// Whose name is in which row: as near to the end of the curve as there is room. The last row is
    /// that of the axis.
    fn names(&self) -> Vec<Option<usize>> {
        let curves = self.chart.curves.iter().enumerate();
        let mut ends: Vec<(usize, usize)> =
            curves.filter_map(|(who, curve)| Some((self.height_of(curve.points.last()?.y), who))).collect();
        ends.sort_unstable();
        let mut names = vec![None; self.height + 1];
        let mut free = 0;
        for (nth, &(height, who)) in ends.iter().enumerate() {
            // Those that come after need rows too.
            let last = names.len().saturating_sub(ends.len() - nth);
            let row = (height / DOWN).min(last).max(free);
            if let Some(name) = names.get_mut(row) {
                *name = Some(who);
            }
            free = row + 1;
        }
        names
    }

    fn name(&self, line: &mut String, who: Option<usize>) {
        if let Some(who) = who {
            line.push(' ');
            self.paint(line, Some(who), &self.chart.curves[who].name);
        }
    }

    fn paint(&self, line: &mut String, who: Option<usize>, what: &str) {
        let style = match who.filter(|_| self.terminal.color) {
            Some(who) => COLORS[who % COLORS.len()].on_default(),
            None => Style::new(),
        };
        let _ = write!(line, "{style}{what}{style:#}");
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Chart, Curve, Point};
    use super::Terminal;

    fn chart() -> Chart {
        let point = |(x, y)| Point { x, y, low: y, high: y };
        let curve = |name: &str, points: &[(f64, f64)]| Curve {
            name: name.to_owned(),
            points: points.iter().copied().map(point).collect(),
        };
        Chart {
            title: "what it costs".to_owned(),
            across: "fds",
            tell: |y| format!("{y} ns"),
            curves: vec![
                curve("poll", &[(10.0, 150.0), (100.0, 900.0), (1000.0, 90_000.0)]),
                curve("epoll", &[(10.0, 120.0), (100.0, 130.0), (1000.0, 150.0)]),
                curve("mio", &[(10.0, 120.0), (100.0, 130.0), (1000.0, 150.0)]),
            ],
        }
    }

    #[test]
    fn a_picture() {
        let lines = Terminal { width: 50, color: false, unicode: false }.draw(&chart());
        let expected = "\
what it costs
100000 ns +                              ** poll
          |                           ***
          |                        ****
 10000 ns +                      ***
          |                   ***
  1000 ns +                ****
          |          *******
          |   *******
   100 ns +******************************** epoll
          ++---------------+--------------+ mio
           10             100           1000 fds";
        assert_eq!(lines.join("\n"), expected);
        let lines = Terminal { width: 50, color: true, unicode: true }.draw(&chart());
        assert!(lines[1].ends_with(" \u{1b}[31mpoll\u{1b}[0m"), "{:?}", lines[1]);
        assert!(lines[1].starts_with("100000 ns ┤ "), "{:?}", lines[1]);
    }

    #[test]
    fn all_widths() {
        for width in 0..200 {
            for unicode in [false, true] {
                let lines = Terminal { width, color: false, unicode }.draw(&chart());
                let longest = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
                assert!(longest <= width.max(45), "{longest} of {width}\n{}", lines.join("\n"));
                for name in ["poll", "epoll", "mio"] {
                    assert!(lines.iter().any(|line| line.ends_with(name)), "{}", lines.join("\n"));
                }
            }
        }
    }
}
