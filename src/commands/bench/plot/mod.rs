//! Curves of what was measured, on a terminal and as SVG. Both axes are logarithmic: what grows
//! with the number of fds is a slope, what does not is level, and both are on one picture.

mod canvas;
mod file;
mod scale;
mod svg;
mod terminal;

pub(super) use file::PlotFile;
pub(super) use terminal::Terminal;

/// A picture.
#[derive(Clone, Debug)]
pub(super) struct Chart {
    pub(super) title: String,
    /// What is counted from left to right.
    pub(super) across: &'static str,
    /// What a height says.
    pub(super) tell: fn(f64) -> String,
    pub(super) curves: Vec<Curve>,
}

/// What is measured of one thing. All values are above 0.
#[derive(Clone, Debug)]
pub(super) struct Curve {
    pub(super) name: String,
    /// From left to right.
    pub(super) points: Vec<Point>,
}

/// One figure, and between what it was in all runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Chart {
    /// Where there is a point of any curve, from left to right.
    fn places(&self) -> Vec<f64> {
        let mut places: Vec<f64> = self.points().map(|point| point.x).collect();
        places.sort_by(f64::total_cmp);
        places.dedup();
        places
    }

    fn points(&self) -> impl Iterator<Item = &Point> {
        self.curves.iter().flat_map(|curve| &curve.points)
    }
}
