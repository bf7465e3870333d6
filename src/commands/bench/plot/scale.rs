//! A logarithmic axis.

/// What an axis goes from and to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Scale {
    /// From the least to the most of these.
    pub(super) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let wider = |scale: Self, value: f64| Self { low: scale.low.min(value), high: scale.high.max(value) };
        values.into_iter().fold(Self { low: f64::INFINITY, high: 0.0 }, wider)
    }

    /// The same, from a power of ten to another.
    pub(super) fn whole(self) -> Self {
        let low = self.low.log10().floor();
        Self { low: 10f64.powf(low), high: 10f64.powf(self.high.log10().ceil().max(low + 1.0)) }
    }

    /// The powers of ten on it.
    pub(super) fn decades(self) -> impl Iterator<Item = f64> {
        let (low, high) = (self.low.log10().round() as i32, self.high.log10().round() as i32);
        (low..=high).map(|power| 10f64.powi(power))
    }

    /// How far along it a value is: from 0 to 1.
    pub(super) fn share(self, value: f64) -> f64 {
        let whole = (self.high / self.low).log10();
        if whole > 0.0 { (value / self.low).log10() / whole } else { 0.5 }
    }
}

#[cfg(test)]
mod tests {
    use super::Scale;

    #[test]
    fn an_axis() {
        let scale = Scale::of([300.0, 20_000.0, 700.0]);
        assert_eq!(scale, Scale { low: 300.0, high: 20_000.0 });
        let whole = scale.whole();
        assert_eq!(whole.decades().collect::<Vec<_>>(), [100.0, 1000.0, 10_000.0, 100_000.0]);
        assert!((whole.share(1000.0) - 1.0 / 3.0).abs() < 1e-9);
        assert_eq!(Scale::of([5.0]).share(5.0), 0.5);
        assert_eq!(Scale::of([10.0]).whole().decades().count(), 2);
    }
}
