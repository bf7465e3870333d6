//! Figures, and how they are printed.

use crate::median::median;

/// What a run under load gives.
#[derive(Clone, Copy)]
pub(crate) struct Figures {
    /// Requests a second.
    pub(crate) rate: f64,
    /// Median time to an answer, and that of all but the slowest hundredth, in ms.
    pub(crate) median: f64,
    pub(crate) tail: f64,
    /// Processor time of the server, in µs a request.
    pub(crate) cpu: f64,
    /// Peak memory in MiB.
    pub(crate) rss: f64,
}

/// Prints the medians of each, and their ratios to the first.
pub(crate) fn print(title: &str, names: &[&str], figures: &[Vec<Figures>]) {
    let medians = |of: fn(&Figures) -> f64| -> Vec<f64> {
        figures.iter().map(|runs| median(runs.iter().map(of))).collect()
    };
    let (rate, cpu, rss) = (medians(|f| f.rate), medians(|f| f.cpu), medians(|f| f.rss));
    let (middle, tail) = (medians(|f| f.median), medians(|f| f.tail));
    println!("\n{title}");
    println!(
        "  {:<20} {:>7} {:>7} {:>7}   {:>9} {:>9} {:>9} {:>9} {:>9}   requests/s, least to most",
        "server", "rate ×", "cpu ×", "rss ×", "requ./s", "50 % ms", "99 % ms", "cpu µs", "rss MiB"
    );
    for (i, name) in names.iter().enumerate() {
        let rates = figures[i].iter().map(|f| f.rate);
        let (least, most) = (rates.clone().fold(f64::MAX, f64::min), rates.fold(0.0, f64::max));
        println!(
            "  {name:<20} {:>7.2} {:>7.2} {:>7.2}   {:>9.0} {:>9.3} {:>9.3} {:>9.1} {:>9.1}   {least:.0} to {most:.0}",
            rate[i] / rate[0],
            cpu[i] / cpu[0],
            rss[i] / rss[0],
            rate[i],
            middle[i],
            tail[i],
            cpu[i],
            rss[i],
        );
    }
}
