//! What is in force on an fd, and what of it is asked for: `poll(2)`.

use super::bitset::BitSet;
use super::nearest::nearest;
use std::borrow::Cow;
use std::fmt;
use std::ops::{BitAnd, BitOr, BitOrAssign, Sub};
use std::str::FromStr;

/// The names in the order in which they are always given.
const NAMES: &[(u64, &str)] = &[
    (libc::POLLIN as u64, "in"),
    (libc::POLLOUT as u64, "out"),
    (libc::POLLPRI as u64, "pri"),
    (libc::POLLRDHUP as u64, "rdhup"),
    (libc::POLLHUP as u64, "hup"),
    (libc::POLLERR as u64, "err"),
    (libc::POLLNVAL as u64, "nval"),
];

/// How many of [`NAMES`], from the first on, can be asked for.
const ASKABLE: usize = 4;

/// The conditions in force on an fd. Bits are the kernel's `POLL*`; those without a name are kept.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Readiness(u32);

impl Readiness {
    /// Nothing.
    pub const EMPTY: Self = Self(0);
    /// Reading would not block.
    pub const IN: Self = Self(libc::POLLIN as u32);
    /// Writing would not block.
    pub const OUT: Self = Self(libc::POLLOUT as u32);
    /// Something exceptional, such as urgent data of TCP.
    pub const PRI: Self = Self(libc::POLLPRI as u32);
    /// The peer of a stream socket writes no more.
    pub const RDHUP: Self = Self(libc::POLLRDHUP as u32);
    /// The other side is gone.
    pub const HUP: Self = Self(libc::POLLHUP as u32);
    /// An error is pending, or nobody reads from this pipe.
    pub const ERR: Self = Self(libc::POLLERR as u32);
    /// The number is no open fd, or one opened with `O_PATH`.
    pub const NVAL: Self = Self(libc::POLLNVAL as u32);

    /// Those that have a name, in the order of [`Readiness::names`].
    pub const EACH: [Self; 7] =
        [Self::IN, Self::OUT, Self::PRI, Self::RDHUP, Self::HUP, Self::ERR, Self::NVAL];

    /// From the kernel's bits, all of which are kept.
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// The kernel's bits.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Whether nothing is in force.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether all of `other` is in this.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any of `other` is in this.
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// As a set of names, in that order.
    pub const fn set(self) -> BitSet {
        BitSet { bits: self.0 as u64, names: NAMES }
    }

    /// The names, in the order in, out, pri, rdhup, hup, err, nval, and last the hex of all bits
    /// without one.
    pub fn names(self) -> impl Iterator<Item = Cow<'static, str>> {
        let bits = u64::from(self.0);
        let known = NAMES.iter().filter(move |(bit, _)| bits & bit != 0);
        let rest = NAMES.iter().fold(bits, |rest, (bit, _)| rest & !bit);
        let rest = (rest != 0).then(|| Cow::Owned(format!("{rest:#x}")));
        known.map(|&(_, name)| Cow::Borrowed(name)).chain(rest)
    }
}

impl fmt::Display for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.set().join(","))
    }
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{self}}}")
    }
}

impl BitOr for Readiness {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Readiness {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl BitAnd for Readiness {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl Sub for Readiness {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

/// What is asked for. The rest of [`Readiness`] comes unasked.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Interest(Readiness);

impl Interest {
    /// Nothing: what comes unasked alone.
    pub const EMPTY: Self = Self(Readiness::EMPTY);
    /// [`Readiness::IN`].
    pub const IN: Self = Self(Readiness::IN);
    /// [`Readiness::OUT`].
    pub const OUT: Self = Self(Readiness::OUT);
    /// [`Readiness::PRI`].
    pub const PRI: Self = Self(Readiness::PRI);
    /// [`Readiness::RDHUP`].
    pub const RDHUP: Self = Self(Readiness::RDHUP);
    /// What all selectors can be asked for.
    pub const IN_OUT_PRI: Self = Self(Readiness(Self::IN.0.0 | Self::OUT.0.0 | Self::PRI.0.0));
    /// All that can be asked for.
    pub const ALL: Self = Self(Readiness(Self::IN_OUT_PRI.0.0 | Self::RDHUP.0.0));

    /// The names that can be asked for, in the order of [`Readiness::names`].
    pub fn all_names() -> impl Iterator<Item = &'static str> {
        NAMES[..ASKABLE].iter().map(|(_, name)| *name)
    }

    /// As conditions.
    pub const fn readiness(self) -> Readiness {
        self.0
    }

    /// Whether nothing is asked for.
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// Whether all of `other` is asked for.
    pub const fn contains(self, other: Self) -> bool {
        self.0.contains(other.0)
    }
}

impl BitOr for Interest {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitAnd for Interest {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl Sub for Interest {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl fmt::Display for Interest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Interest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl FromStr for Interest {
    type Err = String;

    /// Names with commas between them, as in `in,out`.
    fn from_str(text: &str) -> Result<Self, String> {
        text.split(',').map(|name| one(name.trim())).try_fold(Self::EMPTY, |all, one| Ok(all | one?))
    }
}

fn one(name: &str) -> Result<Interest, String> {
    let all = || Interest::all_names().collect::<Vec<_>>().join(", ");
    match NAMES.iter().position(|(_, known)| *known == name) {
        Some(place) if place < ASKABLE => Ok(Interest(Readiness(NAMES[place].0 as u32))),
        Some(_) => Err(format!("'{name}' comes unasked; what can be asked for is {}", all())),
        None if name.is_empty() => Err(format!("a name is missing: one of {}", all())),
        None => Err(match nearest(name, Interest::all_names()) {
            Some(near) => format!("there is no '{name}': did you mean '{near}'?"),
            None => format!("there is no '{name}', but {}", all()),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::{Interest, Readiness};

    #[test]
    fn names_come_in_one_order_and_unknown_bits_stay() {
        let all = Readiness::from_bits(0xffff_ffff);
        let names: Vec<_> = all.names().collect();
        assert_eq!(names, ["in", "out", "pri", "rdhup", "hup", "err", "nval", "0xffffdfc0"]);
        assert_eq!(all.to_string(), names.join(","));
        assert_eq!(Readiness::from_bits(0x40).to_string(), "0x40");
        assert_eq!(Readiness::EMPTY.to_string(), "");
        assert_eq!(Readiness::EMPTY.names().count(), 0);
        assert_eq!(all.bits(), 0xffff_ffff);
    }

    #[test]
    fn what_is_asked_for() {
        assert_eq!("in,out,pri,rdhup".parse(), Ok(Interest::ALL));
        assert_eq!("out, in".parse(), Ok(Interest::IN | Interest::OUT));
        assert_eq!(Interest::ALL.to_string(), "in,out,pri,rdhup");
        assert_eq!((Interest::ALL - Interest::RDHUP).to_string(), "in,out,pri");
        assert!(Interest::ALL.contains(Interest::PRI) && Interest::EMPTY.is_empty());
    }

    #[test]
    fn what_cannot_be_asked_for() {
        let error = |text: &str| text.parse::<Interest>().unwrap_err();
        assert_eq!(error("in,ot"), "there is no 'ot': did you mean 'out'?");
        assert_eq!(error("readable"), "there is no 'readable', but in, out, pri, rdhup");
        assert_eq!(error("hup"), "'hup' comes unasked; what can be asked for is in, out, pri, rdhup");
        assert_eq!(error(""), "a name is missing: one of in, out, pri, rdhup");
        assert_eq!(error("in,"), "a name is missing: one of in, out, pri, rdhup");
    }
}
