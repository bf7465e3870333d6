//! A logarithmic axis.

/// What an axis goes from and to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    pub(super) low: f64,
    pub(super) high: f64,
}

/// Where an axis may begin and end, as multiples of a power of ten.
const STEPS: [f64; 4] = [1.0, 2.0, 5.0, 10.0];

impl Scale {
    /// From the least to the most of these.
    pub(super) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let wider = |scale: Self, value: f64| Self { low: scale.low.min(value), high: scale.high.max(value) };
        values.into_iter().fold(Self { low: f64::INFINITY, high: 0.0 }, wider)
    }

    /// A little more, so that it begins and ends with round numbers that are not the same.
    pub(super) fn round(self) -> Self {
        let (power, low) = parts(self.low);
        let low = STEPS.into_iter().rfind(|&step| step <= low).unwrap_or(1.0) * power;
        let (power, high) = parts(self.high.max(low * 1.01));
        Self { low, high: STEPS.into_iter().find(|&step| step >= high).unwrap_or(10.0) * power }
    }

    /// The powers of ten on it, and then where it begins and ends, if that is none.
    pub(super) fn ticks(self) -> Vec<f64> {
        let (first, last) = (self.low.log10().ceil() as i32, self.high.log10().floor() as i32);
        let mut ticks: Vec<f64> = (first..=last).map(|power| 10f64.powi(power)).collect();
        ticks.extend([self.low, self.high].iter().filter(|&&end| (parts(end).1 - 1.0).abs() > 1e-9));
        ticks
    }

    /// How far along it a value is: from 0 to 1.
    pub(super) fn share(self, value: f64) -> f64 {
        let whole = self.decades();
        if whole > 0.0 { (value / self.low).log10() / whole } else { 0.5 }
    }

    /// How many powers of ten it has room for.
    pub(super) fn decades(self) -> f64 {
        (self.high / self.low).log10()
    }
}

/// A power of ten, and what times that the value is: from 1 to 10.
fn parts(value: f64) -> (f64, f64) {
    let power = 10f64.powi(value.log10().floor() as i32);
    (power, value / power)
}

#[cfg(test)]
mod tests {
    use super::Scale;

    #[test]
    fn an_axis() {
        let scale = Scale::of([300.0, 21_000.0, 700.0]);
        assert_eq!(scale, Scale { low: 300.0, high: 21_000.0 });
        let round = scale.round();
        assert_eq!(round, Scale { low: 200.0, high: 50_000.0 });
        assert_eq!(round.ticks(), [1000.0, 10_000.0, 200.0, 50_000.0]);
        assert_eq!(Scale { low: 100.0, high: 10_000.0 }.round().ticks(), [100.0, 1000.0, 10_000.0]);
        assert!((Scale { low: 10.0, high: 1000.0 }.share(100.0) - 0.5).abs() < 1e-9);
        assert_eq!(Scale::of([5.0]).share(5.0), 0.5);
        assert_eq!(Scale::of([5.0]).round(), Scale { low: 5.0, high: 10.0 });
        assert_eq!(Scale::of([1.3]).round().ticks(), [1.0, 2.0]);
    }
}
