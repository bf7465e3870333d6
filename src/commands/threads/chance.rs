//! Times that differ a little, by chance.

use std::time::Duration;

/// Looks that come as regularly as what they look at would always see the same.
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new() -> Self {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        Self(now.tv_nsec as u64 | 1)
    }

    /// A time between three and five quarters of this one: xorshift by Marsaglia.
    pub(super) fn near(&mut self, time: Duration) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        time.mul_f64(0.75 + (self.0 % 1024) as f64 / 2048.0)
    }
}
