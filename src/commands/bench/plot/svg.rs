//! Pictures as SVG, by plotters.

use super::Chart;
use super::scale::Scale;
use plotters::backend::SVGBackend;
use plotters::chart::{ChartBuilder, SeriesLabelPosition};
use plotters::coord::Shift;
use plotters::coord::combinators::BindKeyPoints as _;
use plotters::coord::combinators::IntoLogRange as _;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea as _};
use plotters::element::{Circle, ErrorBar, PathElement};
use plotters::series::LineSeries;
use plotters::style::{BLACK, Color as _, RGBColor, WHITE};

/// The size of one picture, in pixels.
const SIZE: (u32, u32) = (900, 520);

/// Colours that those who do not see all colours can tell apart, too (Okabe and Ito).
const COLORS: [RGBColor; 7] = [
    RGBColor(213, 94, 0),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(0, 114, 178),
    RGBColor(86, 180, 233),
    RGBColor(204, 121, 167),
    RGBColor(90, 90, 90),
];

type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;

/// The pictures, one below the other.
pub(super) fn draw(charts: &[Chart]) -> Result<String, String> {
    let mut text = String::new();
    {
        let size = (SIZE.0, SIZE.1 * charts.len().max(1) as u32);
        let whole = SVGBackend::with_string(&mut text, size).into_drawing_area();
        let drawn = whole.fill(&WHITE).and_then(|()| {
            let parts = whole.split_evenly((charts.len().max(1), 1));
            charts.iter().zip(&parts).try_for_each(|(chart, part)| one(chart, part))?;
            whole.present()
        });
        drawn.map_err(|e| e.to_string())?;
    }
    Ok(text)
}

fn one(chart: &Chart, area: &DrawingArea<SVGBackend<'_>, Shift>) -> Drawn {
    let up = Scale::of(chart.points().flat_map(|point| [point.low, point.high])).round();
    let places = chart.places();
    // Room beside the outermost points.
    let across = Scale::of(places.iter().flat_map(|x| [x / 1.3, x * 1.3]));
    let mut picture = ChartBuilder::on(area)
        .caption(&chart.title, ("sans-serif", 22))
        .margin(16)
        .x_label_area_size(46)
        .y_label_area_size(76)
        .build_cartesian_2d(
            (across.low..across.high).log_scale().with_key_points(places),
            (up.low..up.high).log_scale().with_key_points(up.ticks()),
        )?;
    picture
        .configure_mesh()
        .x_desc(format!("{} (bars: from the least to the most of all runs)", chart.across))
        .x_label_formatter(&|x| x.to_string())
        .y_label_formatter(&|y| (chart.tell)(*y))
        .label_style(("sans-serif", 15))
        .bold_line_style(BLACK.mix(0.25))
        .light_line_style(BLACK.mix(0.08))
        .draw()?;
    for (nth, curve) in chart.curves.iter().enumerate() {
        let color = COLORS[nth % COLORS.len()];
        let points = curve.points.iter().map(|point| (point.x, point.y));
        picture
            .draw_series(LineSeries::new(points, color.stroke_width(2)))?
            .label(&curve.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
        let bar = |p: &super::Point| ErrorBar::new_vertical(p.x, p.low, p.y, p.high, color.filled(), 8);
        picture.draw_series(curve.points.iter().map(bar))?;
        let dot = |p: &super::Point| Circle::new((p.x, p.y), 3, color.filled());
        picture.draw_series(curve.points.iter().map(dot))?;
    }
    picture
        .configure_series_labels()
        .position(free_corner(chart))
        .background_style(WHITE.mix(0.85))
        .border_style(BLACK.mix(0.3))
        .label_font(("sans-serif", 15))
        .draw()
}

/// Where the curves are not: they fall where more and more is done at a time, and rise otherwise.
fn free_corner(chart: &Chart) -> SeriesLabelPosition {
    let places = chart.places();
    let highest = |place: Option<&f64>| {
        let there = chart.points().filter(|point| Some(&point.x) == place).map(|point| point.y);
        there.fold(0.0, f64::max)
    };
    if highest(places.first()) > highest(places.last()) {
        SeriesLabelPosition::UpperRight
    } else {
        SeriesLabelPosition::UpperLeft
    }
}
