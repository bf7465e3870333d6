//! Words of lines for people.

use crate::model::seconds;
use std::time::Duration;

/// How long something lasted.
pub(super) fn time(duration: Duration) -> String {
    seconds(duration.as_secs_f64())
}

/// The parts that are not empty, with this between them.
pub(super) fn join<const N: usize>(parts: [String; N], between: &str) -> String {
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(between)
}
