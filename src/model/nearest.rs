//! The name that was meant.

/// The name nearest to a misspelt one, if any is near: the first of those equally near.
pub fn nearest<'n>(name: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    names
        .into_iter()
        .map(|n| (strsim::damerau_levenshtein(name, n), n))
        .filter(|(edits, n)| *edits <= (n.len().max(name.len()) / 3).max(1))
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, n)| n)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn near_and_far() {
        assert_eq!(nearest("tpc", ["unix", "tcp", "tipc"]), Some("tcp"));
        assert_eq!(nearest("tcp.stat", ["tcp.local", "tcp.state"]), Some("tcp.state"));
        assert_eq!(nearest("elephant", ["tcp", "unix"]), None);
    }
}
