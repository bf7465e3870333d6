//! Sets of fd numbers as users write them: `0,3-7,100-`.

use super::ids::FdNum;
use std::str::FromStr;

/// A set of fd numbers: ranges in order, with gaps between them, so that each of many fds can be
/// looked up among many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FdRanges(Vec<(i32, i32)>);

impl FromIterator<FdNum> for FdRanges {
    fn from_iter<I: IntoIterator<Item = FdNum>>(fds: I) -> Self {
        Self::of(fds.into_iter().map(|fd| (fd.0, fd.0)).collect())
    }
}

impl FdRanges {
    fn of(mut ranges: Vec<(i32, i32)>) -> Self {
        ranges.sort_unstable();
        ranges.dedup_by(|next, last| {
            let joined = next.0 <= last.1.saturating_add(1);
            if joined {
                last.1 = last.1.max(next.1);
            }
            joined
        });
        Self(ranges)
    }

    /// This set and another.
    pub fn union(mut self, other: &Self) -> Self {
        self.0.extend_from_slice(&other.0);
        Self::of(self.0)
    }

    /// The lowest and the highest number that may be in it.
    pub fn bounds(&self) -> Option<(i32, i32)> {
        Some((self.0.first()?.0, self.0.last()?.1))
    }

    /// Whether `fd` is in the set.
    pub fn contains(&self, fd: FdNum) -> bool {
        let after = self.0.partition_point(|&(from, _)| from <= fd.0);
        after > 0 && fd.0 <= self.0[after - 1].1
    }
}

impl FromStr for FdRanges {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.split(',').map(range).collect::<Result<_, _>>().map(Self::of)
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
    fn overlaps_and_neighbours_are_one() {
        let set: FdRanges = "9-,2,3,1-2,5-7,6".parse().unwrap();
        assert_eq!(set, FdRanges(vec![(1, 3), (5, 7), (9, i32::MAX)]));
        let more = set.union(&"0,8".parse().unwrap());
        assert_eq!(more, FdRanges(vec![(0, 3), (5, i32::MAX)]));
        assert!(more.contains(FdNum(3)) && !more.contains(FdNum(4)) && more.contains(FdNum(5)));
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "a", "3-a", "7-3", "-3", "1,,2", "99999999999", "+1", " 1"] {
            assert!(text.parse::<FdRanges>().is_err(), "{text:?}");
        }
    }
}
