//! Medians, and how far from them the rest is.

use crate::model::Emphasis;

/// A spread from which on a figure says little, in percent.
pub(super) const WIDE: f64 = 25.0;

/// The median and the spread of several runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spread {
    pub(super) median: f64,
    /// How far apart the middle half of them is, in percent of the median; one run tells of none.
    pub(super) percent: Option<f64>,
    /// Where the middle half of them begins and ends.
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Spread {
    /// Of at least one.
    pub(super) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = values.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let median = quantile(&sorted, 0.5);
        let (low, high) = (quantile(&sorted, 0.25), quantile(&sorted, 0.75));
        let percent = if median > 0.0 { (high - low) / median * 100.0 } else { 0.0 };
        let percent = (sorted.len() > 1).then_some(percent);
        Self { median, percent, low, high }
    }

    /// Whether the figure says little.
    pub(super) fn is_wide(self) -> bool {
        self.percent.is_some_and(|percent| percent >= WIDE)
    }

    /// What a row of the figure looks like.
    pub(super) fn emphasis(self) -> Emphasis {
        if self.is_wide() { Emphasis::Notice } else { Emphasis::None }
    }

    /// The spread as people read it.
    pub(super) fn shown(self) -> String {
        self.percent.map_or("-".to_owned(), |percent| format!("{percent:.0}%"))
    }

    /// Whether it is more than the other, by more than the middle half of either differs.
    pub(super) fn exceeds(self, other: Self) -> bool {
        self.low > other.high
    }
}

/// Between the two that are nearest to it, in proportion.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len().max(1) - 1) as f64;
    let at = |place: f64| sorted.get(place as usize).copied().unwrap_or(f64::NAN);
    let (low, high) = (at(place.floor()), at(place.ceil()));
    low + (high - low) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::Spread;

    #[test]
    fn median_and_spread() {
        let of = |values: &[f64]| {
            let spread = Spread::of(values.iter().copied());
            (spread.median, spread.percent)
        };
        assert_eq!(of(&[7.0]), (7.0, None));
        assert_eq!(of(&[3.0, 1.0]), (2.0, Some(50.0)));
        assert_eq!(of(&[5.0, 1.0, 100.0, 4.0, 3.0]), (4.0, Some(50.0)));
        assert_eq!(of(&[0.0, 0.0]).1, Some(0.0));
        let (few, many) = (Spread::of([1.0, 2.0, 3.0]), Spread::of([4.0, 5.0, 6.0]));
        assert!(many.exceeds(few) && !few.exceeds(many) && !few.exceeds(few));
    }
}
