//! Sets of fd numbers as users write them: `0,3-7,100-`.

use super::ids::FdNum;
use std::str::FromStr;

/// A set of fd numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FdRanges(Vec<(i32, i32)>);

impl FromIterator<FdNum> for FdRanges {
    fn from_iter<I: IntoIterator<Item = FdNum>>(fds: I) -> Self {
        Self(fds.into_iter().map(|fd| (fd.0, fd.0)).collect())
    }
}

impl FdRanges {
    /// This set and another.
    pub fn union(mut self, other: &Self) -> Self {
        self.0.extend_from_slice(&other.0);
        self
    }

    /// Whether `fd` is in the set.
    pub fn contains(&self, fd: FdNum) -> bool {
        self.0.iter().any(|&(from, to)| (from..=to).contains(&fd.0))
    }
}

impl FromStr for FdRanges {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.split(',').map(range).collect::<Result<_, _>>().map(Self)
    }
}

fn range(part: &str) -> Result<(i32, i32), String> {
    let bad = || format!("'{part}' is not an fd number or a range such as 3-7");
    let number = |t: &str| {
        if t.bytes().all(|b| b.is_ascii_digit()) { t.parse::<i32>().map_err(|_| bad()) } else { Err(bad()) }
    };
    match part.split_once('-') {
        None => number(part).map(|n| (n, n)),
        Some((from, "")) => Ok((number(from)?, i32::MAX)),
        Some((from, to)) => {
            let (from, to) = (number(from)?, number(to)?);
            if from > to {
                return Err(format!("the range '{part}' runs backwards"));
            }
            Ok((from, to))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{FdNum, FdRanges};

    #[test]
    fn numbers_ranges_and_open_ends() {
        let set: FdRanges = "0,3-7,100-".parse().unwrap();
        let inside: Vec<i32> = (0..=101).filter(|&n| set.contains(FdNum(n))).collect();
        assert_eq!(inside, [0, 3, 4, 5, 6, 7, 100, 101]);
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "a", "3-a", "7-3", "-3", "1,,2", "99999999999", "+1", " 1"] {
            assert!(text.parse::<FdRanges>().is_err(), "{text:?}");
        }
    }
}
