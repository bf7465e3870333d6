//! The middle of some figures.

pub(crate) fn median(figures: impl IntoIterator<Item = f64>) -> f64 {
    let mut all: Vec<f64> = figures.into_iter().collect();
    all.sort_by(f64::total_cmp);
    match all.len() {
        0 => f64::NAN,
        n => (all[(n - 1) / 2] + all[n / 2]) / 2.0,
    }
}
