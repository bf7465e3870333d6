//! Values of options: durations, rates, sizes.

pub(super) use crate::model::duration;
use crate::model::{LONGEST, parse_bytes};
use std::time::Duration;

/// A duration that is not zero.
pub(super) fn period(text: &str) -> Result<Duration, String> {
    let period = duration(text)?;
    if period.is_zero() { Err("it must be more than nothing".to_owned()) } else { Ok(period) }
}

/// A rate such as `5/s`, `10/min` or `5`, which is a second's, as the time from one to the next.
pub(super) fn rate(text: &str) -> Result<Duration, String> {
    let bad = || format!("'{text}' is not a rate, such as 5/s, 0.5/s or 10/min");
    let (number, unit) = text.split_once('/').unwrap_or((text, "s"));
    let unit = match unit {
        "s" | "sec" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(bad()),
    };
    match number.parse::<f64>() {
        Ok(n) if n > 0.0 && n.is_finite() => {
            Duration::try_from_secs_f64(unit / n).ok().filter(|d| *d <= LONGEST).ok_or_else(bad)
        }
        _ => Err(bad()),
    }
}

/// A number of bytes that fits an int, such as `65536` or `64K`.
pub(super) fn buffer_size(text: &str) -> Result<u32, String> {
    let fits = parse_bytes(text).filter(|&n| n > 0 && n <= i32::MAX as u64);
    fits.map(|n| n as u32).ok_or_else(|| format!("'{text}' is not a number of bytes, such as 65536 or 64K"))
}

/// Permission bits in octal, such as `0600`.
pub(super) fn mode(text: &str) -> Result<u32, String> {
    let octal = text.bytes().all(|b| b.is_ascii_digit()).then(|| u32::from_str_radix(text, 8).ok()).flatten();
    octal
        .filter(|&mode| mode <= 0o777)
        .ok_or_else(|| format!("'{text}' is not a mode in octal, such as 0600 or 660"))
}

#[cfg(test)]
mod tests {
    use super::{buffer_size, mode, period, rate};
    use std::time::Duration;

    #[test]
    fn rates() {
        assert!(period("0").is_err());
        assert_eq!(rate("5/s"), Ok(Duration::from_millis(200)));
        assert_eq!(rate("5"), Ok(Duration::from_millis(200)));
        assert_eq!(rate("30/min"), Ok(Duration::from_secs(2)));
        for text in ["", "0", "-1/s", "5/x", "x/s", "1e-300", "1e-19/s", "inf", "/s"] {
            assert!(rate(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn sizes_and_modes() {
        assert_eq!(buffer_size("64K"), Ok(65536));
        assert!(buffer_size("0").is_err());
        assert!(buffer_size("4G").is_err());
        assert_eq!(mode("0600"), Ok(0o600));
        assert_eq!(mode("660"), Ok(0o660));
        for text in ["", "8", "rw", "7777", "+1"] {
            assert!(mode(text).is_err(), "{text:?}");
        }
    }
}
