//! Durations as people write them.

use jiff::SignedDuration;
use std::time::Duration;

/// The longest duration that is taken, about 136 years: added to any time, it makes one.
pub const LONGEST: Duration = Duration::from_secs(u32::MAX as u64);

/// A duration such as `200ms`, `1.5s` or `2min`; a number alone is in seconds, as in `sleep(1)`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let bad = || format!("'{text}' is not a duration, such as 200ms, 1.5s, 2min or (in seconds) 10");
    if !text.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return Err(bad());
    }
    let duration = if let Ok(seconds) = text.parse::<f64>() {
        Duration::try_from_secs_f64(seconds).map_err(|_| bad())?
    } else {
        let signed: SignedDuration = text.parse().map_err(|_| bad())?;
        Duration::try_from(signed).map_err(|_| bad())?
    };
    if duration > LONGEST { Err(format!("'{text}' is more than {LONGEST:?}")) } else { Ok(duration) }
}

#[cfg(test)]
mod tests {
    use super::duration;
    use std::time::Duration;

    #[test]
    fn durations() {
        assert_eq!(duration("10"), Ok(Duration::from_secs(10)));
        assert_eq!(duration("0.25"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("200ms"), Ok(Duration::from_millis(200)));
        assert_eq!(duration("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(duration("2min"), Ok(Duration::from_secs(120)));
        assert_eq!(duration("1h"), Ok(Duration::from_secs(3600)));
        for text in
            ["", "-1", "-1s", "x", "1y2", "inf", "nan", "1e300", "4294967296", "9e18", "1e19", "2000000h"]
        {
            assert!(duration(text).is_err(), "{text:?}");
        }
    }
}
