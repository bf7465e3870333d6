//! Numbers for people.

/// `1536` as `1.5K`: powers of 1024, at most one digit after the point.
pub fn bytes(n: u64) -> String {
    const UNITS: [&str; 7] = ["", "K", "M", "G", "T", "P", "E"];
    let mut value = n as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 {
        n.to_string()
    } else if value >= 10.0 || value.fract() < 0.05 {
        format!("{value:.0}{}", UNITS[unit])
    } else {
        format!("{value:.1}{}", UNITS[unit])
    }
}

/// A whole number of bytes, with K, M, G or T behind perhaps: powers of 1024.
pub fn parse_bytes(text: &str) -> Option<u64> {
    let (digits, shift) = match text.char_indices().last() {
        Some((at, c)) if "KMGT".contains(c) => (&text[..at], 10 * (1 + "KMGT".find(c).unwrap_or(0))),
        _ => (text, 0),
    };
    digits.parse::<u64>().ok()?.checked_mul(1 << shift)
}

/// Seconds as a person would say them: `28 µs`, `250 ms`, `1.5 s`, `2 min 5 s`, `3 h 20 min`.
pub fn seconds(s: f64) -> String {
    let whole = s.floor() as u64;
    match s {
        _ if s > 0.0 && s < 1e-3 => format!("{} µs", trim(s * 1e6)),
        _ if s < 1.0 => format!("{} ms", trim(s * 1000.0)),
        _ if s < 60.0 => format!("{} s", trim(s)),
        _ if s < 3600.0 => format!("{} min {} s", whole / 60, whole % 60),
        _ if s < 48.0 * 3600.0 => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
        _ => format!("{} d {} h", whole / 86400, whole % 86400 / 3600),
    }
}

/// A share in percent, to one digit after the point.
pub fn percent(part: f64, whole: f64) -> f64 {
    (part / whole * 1000.0).round() / 10.0
}

/// A count with its noun: `1 fd`, `2 fds`.
pub fn quantity(n: usize, noun: &str, nouns: &str) -> String {
    format!("{n} {}", if n == 1 { noun } else { nouns })
}

fn trim(x: f64) -> String {
    let text = format!("{x:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::{bytes, parse_bytes, seconds};

    #[test]
    fn sizes() {
        assert_eq!(bytes(0), "0");
        assert_eq!(bytes(1023), "1023");
        assert_eq!(bytes(1024), "1K");
        assert_eq!(bytes(1536), "1.5K");
        assert_eq!(bytes(65536), "64K");
        assert_eq!(bytes(u64::MAX), "16E");
    }

    #[test]
    fn sizes_that_were_typed() {
        assert_eq!(parse_bytes("0"), Some(0));
        assert_eq!(parse_bytes("64K"), Some(65536));
        assert_eq!(parse_bytes("1T"), Some(1 << 40));
        for text in ["", "K", "1k", "1.5K", "-1", "1KB", "16777216T"] {
            assert_eq!(parse_bytes(text), None, "{text:?}");
        }
    }

    #[test]
    fn times() {
        assert_eq!(seconds(0.0), "0 ms");
        assert_eq!(seconds(0.000_028), "28 µs");
        assert_eq!(seconds(0.25), "250 ms");
        assert_eq!(seconds(1.5), "1.5 s");
        assert_eq!(seconds(125.0), "2 min 5 s");
        assert_eq!(seconds(12_000.0), "3 h 20 min");
    }
}
